"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["atomic_write", "check_writable", "save_tensors"]


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path next to ``path``; rename it to ``path`` when the block succeeds.

    Args:
        path: the file to create or replace; missing parent folders are created. A link stays one:
            the file that it points to is replaced. A device or a pipe is written into.

    Yields:
        A path in the same folder with the same suffix, to be written by the block.

    Raises:
        OSError: the folder cannot be created or written. Nothing is left behind then, nor when the
            block raises: a previous ``path`` stays as it was.
    """
    target = Path(path)
    if _is_special(target):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / f"file{target.suffix}"
            copy.touch()
            yield copy
            with copy.open("rb") as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        return
    target = Path(os.path.realpath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem}-", suffix=target.suffix
        )
    except OSError as problem:
        raise _of(path, problem) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    """Whether it is a device, a pipe or a socket: renaming would put a file in its place."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _of(path: str | os.PathLike[str], problem: OSError) -> OSError:
    """The same error, about the file that the user named instead of a temporary one beside it."""
    return OSError(problem.errno, problem.strerror, os.fspath(path))


def save_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a safetensors file that appears whole or not at all.

    Args:
        path: the file to create or replace; missing parent folders are created.
        tensors: name -> tensor.
        metadata: header of the file.

    Raises:
        OSError: the file cannot be written, e.g. because the disk is full.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with atomic_write(path) as temporary:
        try:
            save_file(
                {name: tensor.contiguous() for name, tensor in tensors.items()},
                temporary,
                metadata=None if metadata is None else dict(metadata),
            )
        except SafetensorError as problem:
            # it hides the system's error in a text: "... I/O error: No space left on device ..."
            full = "space" in str(problem)
            number = errno.ENOSPC if full else errno.EIO
            raise OSError(number, os.strerror(number), os.fspath(path)) from problem


def check_writable(*paths: str | os.PathLike[str] | None) -> None:
    """Raise now what writing files would raise after hours of work.

    Args:
        paths: the files to be written later; None for one that is not asked for. Nothing is
            created.

    Raises:
        OSError: a file's folder, or the nearest one above it that exists, takes no files, or a path
            is a folder.
    """
    for path in paths:
        if path is None or _is_special(Path(path)):
            continue
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        folder = target.parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as problem:
            raise _of(path, problem) from None

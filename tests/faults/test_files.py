"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from symtrip.files import atomic_write, check_writable


def test_the_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "results.json"
    with atomic_write(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"


def test_missing_folders_are_made(tmp_path):
    target = tmp_path / "a" / "b" / "results.json"
    with atomic_write(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_the_temporary_file_keeps_the_suffix(tmp_path):
    with atomic_write(tmp_path / "features.npz") as temporary:
        assert temporary.suffix == ".npz"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_an_interrupted_block_keeps_the_old_file_and_leaves_nothing_else(tmp_path, failure):
    target = tmp_path / "results.json"
    target.write_text("old")
    with pytest.raises(failure), atomic_write(target) as temporary:
        temporary.write_text("half")
        raise failure
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "results.json"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"), atomic_write(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_follow_the_umask(tmp_path):
    previous = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "results.json") as temporary:
            temporary.write_text("new")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "results.json").stat().st_mode) == 0o640


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    target = tmp_path / "pipe"
    os.mkfifo(target)
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_writable(target)
        with atomic_write(target) as temporary:
            temporary.write_text("new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(target.stat().st_mode)


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "old.json").write_text("old")
    link = tmp_path / "results.json"
    link.symlink_to(folder / "old.json")
    check_writable(link)
    with atomic_write(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (folder / "old.json").read_text() == "new"


def test_a_folder_without_permission_is_named_by_the_users_file(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "tmp_4711")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    target = tmp_path / "results.json"
    with pytest.raises(PermissionError) as failure:
        check_writable(target)
    assert failure.value.filename == os.fspath(target)
    with pytest.raises(PermissionError) as failure, atomic_write(target):
        pass
    assert failure.value.filename == os.fspath(target)


def test_files_that_can_be_written_later_are_not_made_yet(tmp_path):
    check_writable(tmp_path / "a" / "b" / "report.json")
    (tmp_path / "old.json").write_text("old")
    check_writable(tmp_path / "old.json")
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]


def test_files_that_cannot_be_written_are_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path, tmp_path / "file" / "report.json", "/proc/none/report.json"):
        with pytest.raises(OSError, match="directory"):
            check_writable(path)

"""Entry point of ``symtrip``: finds the subcommand, turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from symtrip import __version__
from symtrip.errors import InputError

__all__ = ["COMMANDS", "main"]

# Name and summary. Each is the module symtrip.cli.<name>, which holds a function <name> or, for a
# group, `app`; only the one that is called is imported.
COMMANDS = {
    "demo": "Compare descriptions of 4000 degenerate pairs, train two models, write a report.",
    "audit": "Audit a descriptor: invariances, smoothness, derivatives, "
    "and what it can tell apart.",
    "collide": "Search for pairs of different environments with the same features.",
    "compare": "Audit several descriptors and put them side by side: descriptors times families.",
    "features": "Compute features of environments and write them as one npz or metatensor file.",
    "fit": "Train a model on energies, forces and stresses of your own structures (extended XYZ).",
    "label": "Label structures with DFT (the paper's settings by default), resumable at any point.",
    "pairs": "Pairs of structures that incomplete descriptors cannot tell apart.",
    "predict": "Predict energies and forces of structures with a trained model.",
    "reconstruct": "Rebuild environments from the features of one tagged pair.",
    "reproduce": "Train the paper's models and best on B8 and put their errors beside the paper's.",
    "train": "Train B_L, B_NL, D_L or D_NL on B8; Ctrl-C leaves a checkpoint to resume from.",
    "verify": "Compare this installation with exact values.",
}

_FAILED, _BAD_INPUT, _INTERRUPTED = 1, 2, 130


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"symtrip {__version__}")
        raise typer.Exit
    return wanted


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Neighbour-triplet features that tell any two atomic environments apart."""


def _summary() -> None:
    """Stands for a command in the list of all."""


def _application(chosen: str | None) -> typer.Typer:
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, summary in COMMANDS.items():
        if name != chosen:
            app.command(name, help=summary)(_summary)
            continue
        module = import_module(f"symtrip.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _fail(reason: str, code: int) -> int:
    typer.echo(f"symtrip: {reason}", err=True)
    return code


def _is_out_of_memory(error: Exception) -> bool:
    """Also of torch, whose error for a CPU has no type of its own."""
    text = str(error)
    return isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: the words after ``symtrip``; those of the process if None.

    Returns:
        The exit code: 0 for success, 1 when a check or the system failed, 2 for bad input,
        130 after Ctrl-C. The reason is on stderr, without a traceback.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = words[0] if words and words[0] in COMMANDS else None
    try:
        typer.main.get_command(_application(chosen)).main(args=words, prog_name="symtrip")
    except InputError as error:
        return _fail(f"error: {error}", _BAD_INPUT)
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        return _fail(f"error: {error.strerror or error}{file}", _FAILED)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        return _fail(f"error: not enough memory ({str(error).splitlines()[0][:200]})", _FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        return _fail("interrupted", code) if code == _INTERRUPTED else code
    return 0

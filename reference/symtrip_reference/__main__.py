"""``python -m symtrip_reference golden``: write the golden values to standard output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from symtrip_reference._checks import InputError
from symtrip_reference.golden import golden_lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code (2 for bad input)."""
    parser = argparse.ArgumentParser(prog="python -m symtrip_reference", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    golden = commands.add_parser(
        "golden", help="exact values for every public fast function, as lines of JSON"
    )
    golden.add_argument("--digits", type=int, default=40, help="decimal digits (default 40)")
    golden.add_argument("--quiet", action="store_true", help="no progress on standard error")
    arguments = parser.parse_args(argv)

    def announce(case: str) -> None:
        if not arguments.quiet:
            print(case, file=sys.stderr, flush=True)  # noqa: T201

    try:
        for line in golden_lines(arguments.digits, announce=announce):
            print(line, flush=True)  # noqa: T201
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except BrokenPipeError:
        # the reader has left, for example `| head`; the interpreter must not flush again
        sys.stderr.close()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

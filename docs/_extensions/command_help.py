"""The directive ``command-help``: what ``symtrip COMMAND --help`` prints."""

from __future__ import annotations

import os
import subprocess
import sys

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from symtrip.cli.main import COMMANDS


def _help(words: list[str]) -> str:
    plain = {"COLUMNS": "92", "NO_COLOR": "1", "TERM": "dumb", "TERMINAL_WIDTH": "92"}
    done = subprocess.run(
        [sys.executable, "-m", "symtrip", *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **plain},
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")


class CommandHelp(Directive):
    """A section for every subcommand with its help text."""

    def run(self) -> list[nodes.Node]:
        """The nodes that replace the directive."""
        sections = []
        for name in COMMANDS:
            section = nodes.section(ids=[f"symtrip-{name}"])
            section += nodes.title(text=f"symtrip {name}")
            text = _help([name])
            section += nodes.literal_block(text, text, language="none")
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Docstrings are plain text: |r|, (*batch, 3) and trailing underscores are no markup in them."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

_LITERAL = re.compile(r"(``.*?``|:\w+:`.*?`|`.*?`)")
_EMPHASIS = r"\*(?=\S)[^*]+(?<=\S)\*(?=[\s.,;:)!?]|$)"
_BULLET = r"^\s*\*\s"
_MARKUP = re.compile(rf"({_BULLET}|\*\*|{_EMPHASIS})|(?<!\\)([|*])|(?<=\w)(_)(?=\W|$)")


def _escape(match: re.Match[str]) -> str:
    kept, symbol, underscore = match.groups()
    return kept or rf"\{symbol or underscore}"


def escape_line(line: str) -> str:
    """The line with everything escaped that reStructuredText would take for markup by mistake."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    pieces = _LITERAL.split(line)
    return "".join(
        piece if number % 2 else _MARKUP.sub(_escape, piece) for number, piece in enumerate(pieces)
    )


def process(
    app: Sphinx, what: str, name: str, subject: object, options: object, lines: list[str]
) -> None:
    """Escape a docstring in place."""
    lines[:] = [escape_line(line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before napoleon (500), which reads the text, and after it, for the types it adds."""
    app.setup_extension("sphinx.ext.autodoc")
    for priority in (400, 600):
        app.connect("autodoc-process-docstring", process, priority=priority)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

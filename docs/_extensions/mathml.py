"""Formulas as MathML, which browsers show by themselves: no script, no network, no TeX."""

from __future__ import annotations

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.writers.html5 import HTML5Translator


def _convert(source: str, *, block: bool) -> str:
    try:
        return latex2mathml.tex2mathml(source, as_block=block)
    except MathError as error:
        raise SphinxError(f"the formula {source!r} cannot be shown as MathML: {error}") from error


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write an inline formula."""
    translator.body.append(_convert(node.astext(), block=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula."""
    attributes = {"style": "overflow-x: auto; margin: 1em 0"}
    translator.body.append(translator.starttag(node, "div", CLASS="math", **attributes))
    translator.body.append(_convert(node.astext(), block=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

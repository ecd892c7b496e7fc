"""What the documentation shows is what the program does."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import symtrip

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "symtrip/data/README.md", *(ROOT / "docs").glob("*.md")])
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "symtrip").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_on_pages_print_what_they_say(page):
    assert (
        doctest.testfile(
            str(page), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
        ).failed
        == 0
    )


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_print_what_they_say(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_readme_has_an_example():
    finder = doctest.DocTestParser()
    assert finder.get_examples((ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_home_of_every_public_name_is_in_the_documentation():
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/api").glob("*.md"))
    homes = {f"automodule:: symtrip.{home}\n" for home in symtrip._HOME.values()}
    assert {home for home in homes if home not in pages} == set()

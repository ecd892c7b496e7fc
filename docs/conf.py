"""Sphinx configuration; `./run docs` builds with it."""

from __future__ import annotations

import sys
from pathlib import Path

import symtrip

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "symtrip"
author = "The symtrip developers"
project_copyright = "2026, the symtrip developers"
release = version = symtrip.__version__

extensions = [
    "command_help",
    "mathml",
    "plain_docstrings",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_extensions", "gallery/*.py", "gallery/README.rst", "tables"]
templates_path: list[str] = []
# The exact reference and the fast path call the same things by the same names.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"symtrip {release}"
html_copy_source = False
html_math_renderer = "mathml"

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
# A package shows what its __all__ names, wherever that is defined.
autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Accuracy", "notes_style"), ("Source", "notes_style")]

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib",),
    "show_memory": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 5,
}

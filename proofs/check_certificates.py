"""Run the certificates, exact computations in ``certificates``, with pytest; read its report."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console

from results import ProofError, Result

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "certificates"


def names() -> set[str]:
    """The certificates, without suffix."""
    return {file.stem for file in SOURCES.glob("test_*.py")}


def stated(name: str) -> tuple[str, tuple[str, ...]]:
    """The theorem and the assumptions that a certificate states in ``THEOREM`` and ``ASSUMES``."""
    tree = ast.parse((SOURCES / f"{name}.py").read_text(encoding="utf-8"))
    texts = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("THEOREM", "ASSUMES")
    }
    if missing := {"THEOREM", "ASSUMES"} - set(texts):
        raise ProofError(f"{name}.py must define {' and '.join(sorted(missing))}.")
    return texts["THEOREM"], (texts["ASSUMES"],)


def run_pytest(wanted: set[str], report: Path) -> subprocess.CompletedProcess[str]:
    """Run the wanted certificates on all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    files = [str(SOURCES / f"{name}.py") for name in sorted(wanted)]
    options = ["-q", "-n", str(min(cores, 8)), f"--junitxml={report}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=HERE.parent,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def check(wanted: set[str], console: Console) -> list[Result]:
    """Run the wanted certificates; a skipped one counts as failed."""
    texts = {name: stated(name) for name in sorted(wanted)}
    seconds: dict[tuple[str, str], float] = {}
    sound = True
    with tempfile.TemporaryDirectory() as folder, console.status("exact arithmetic"):
        report = Path(folder) / "report.xml"
        done = run_pytest(wanted, report)
        if not report.exists():
            raise ProofError(f"pytest did not run:\n{(done.stdout + done.stderr).strip()}")
        for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
            fact = case.get("name", "").partition("[")[0].removeprefix("test_").replace("_", " ")
            key = (case.get("classname", "").rpartition(".")[2], fact)
            seconds[key] = seconds.get(key, 0.0) + float(case.get("time", "0"))
            sound &= all(case.find(tag) is None for tag in ("failure", "error", "skipped"))
    if done.returncode or not sound or {name for name, _ in seconds} != set(texts):
        raise ProofError(f"certificates failed or were skipped:\n{done.stdout.strip()}")
    return [
        Result(
            fact, f"certificates/{name}.py", texts[name][0], "exact arithmetic", texts[name][1], s
        )
        for (name, fact), s in sorted(seconds.items(), key=lambda item: item[0][0])
    ]

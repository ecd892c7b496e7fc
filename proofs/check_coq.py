"""Compile the Coq sources and read from Coq itself what every theorem rests on.

A theorem passes if its file compiles, contains no unproved statement and rests on no axiom outside
``AXIOMS``, according to ``Print Assumptions``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from results import ProofError, Result

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "coq"
BUILD = HERE / "build"

# The classical reals of Coq's standard library: two instances of excluded middle that define the
# order of the reals, extensionality of functions, and excluded middle for propositions.
AXIOMS = (
    "Coq.Reals.ClassicalDedekindReals.sig_forall_dec",
    "Coq.Reals.ClassicalDedekindReals.sig_not_dec",
    "Coq.Logic.FunctionalExtensionality.functional_extensionality_dep",
    "Coq.Logic.Classical_Prop.classic",
)
# Print Assumptions shortens these names, by how much depends on what is imported. Axioms of our own
# are forbidden below, so that a short name can only mean one of them.
FULL_NAMES = {".".join(name.split(".")[-n:]): name for name in AXIOMS for n in (1, 2, 3, 4)}

FORBIDDEN = re.compile(
    r"\b(Admitted|admit|give_up|Abort|Axioms?|Parameters?|Conjectures?|bypass_check|"
    r"(?:Unset|Set)\s+(?:Guard|Positivity|Universe)\s+Checking)\b"
)
SCOPE = re.compile(
    r"^\s*(?:(?P<open>Section)|(?P<close>End)|(?P<assumed>Variables?|Hypothes[ei]s|Context))\b",
    re.MULTILINE,
)
STATEMENT = re.compile(r"^\s*(?:Theorem|Corollary)\s+([\w']+)", re.MULTILINE)
PRINTED = re.compile(r"\bPrint\s+Assumptions\s+([\w']+)\s*\.")
FLAGS = ("-q", "-w", "-notation-overridden,-ambiguous-paths", "-Q", ".", "Symtrip")
INSTALL = "apt-get install coq libcoq-mathcomp-algebra (or opam install coq coq-mathcomp-algebra)"
SECONDS_PER_CALL = 1800


def names() -> set[str]:
    """The Coq files, without suffix."""
    return {file.stem for file in SOURCES.glob("*.v")}


def without_comments(text: str) -> str:
    """Coq source without its comments, which may be nested."""
    kept, depth, i = [], 0, 0
    while i < len(text):
        if text.startswith("(*", i):
            depth, i = depth + 1, i + 2
        elif text.startswith("*)", i) and depth:
            depth, i = depth - 1, i + 2
        else:
            if not depth:
                kept.append(text[i])
            i += 1
    return "".join(kept)


def title_of(text: str) -> str:
    """The heading of a Coq file, ``(** * Heading``."""
    match = re.match(r"\(\*\* \* (.+?)\s*(?:\*\))?$", text, re.MULTILINE)
    return match.group(1) if match else ""


def theorems_of(name: str, text: str) -> list[str]:
    """The theorems whose assumptions the file prints; refuses whatever is not a finished proof."""
    code = without_comments(text)
    if found := FORBIDDEN.search(code):
        raise ProofError(f"{name}.v contains `{found.group(1)}`: every statement must be proved.")
    depth = 0
    for scope in SCOPE.finditer(code):
        depth += (scope["open"] is not None) - (scope["close"] is not None)
        if scope["assumed"] and not depth:  # outside of sections it declares an axiom
            raise ProofError(f"{name}.v contains `{scope['assumed']}` outside of a section.")
    printed = PRINTED.findall(code)
    if missing := sorted(set(STATEMENT.findall(code)) - set(printed)):
        raise ProofError(f"{name}.v lacks `Print Assumptions` for {', '.join(missing)}.")
    return printed


def parse_assumptions(output: str) -> list[tuple[str, ...]]:
    """The axioms that each ``Print Assumptions`` of a file reported, in the order of the file."""
    blocks: list[list[str]] = []
    for line in output.splitlines():
        if line.startswith(("Axioms:", "Closed under the global context")):
            blocks.append([])
        elif line and not line[0].isspace():
            if not blocks:
                raise ProofError(f"coqc printed something unexpected: {line}")
            name = line.partition(":")[0].strip()
            blocks[-1].append(FULL_NAMES.get(name, name))
    return [tuple(sorted(block)) for block in blocks]


def call(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Coq tool in the build folder and return what it printed."""
    if shutil.which(command[0]) is None:
        raise ProofError(f"`{command[0]}` is not on the PATH; install Coq: {INSTALL}.")
    try:
        return subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS_PER_CALL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProofError(f"{command[-1]} took more than {SECONDS_PER_CALL} s.") from error


def dependencies(folder: Path) -> dict[str, set[str]]:
    """For every Coq file the files of the project that it needs."""
    done = call(folder, "coqdep", "-Q", ".", "Symtrip", *(f"{name}.v" for name in sorted(names())))
    if done.returncode:
        raise ProofError(f"coqdep failed:\n{done.stderr.strip()}")
    needs: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        targets, _, sources = line.partition(":")
        compiled = [Path(target).stem for target in targets.split() if target.endswith(".vo")]
        if compiled:
            needs[compiled[0]] = {Path(s).stem for s in sources.split() if s.endswith(".vo")}
    return needs


def in_order(wanted: set[str], needs: dict[str, set[str]]) -> list[str]:
    """The wanted files and all that they need, each after those that it needs."""
    order: list[str] = []

    def visit(name: str) -> None:
        for needed in sorted(needs[name]):
            visit(needed)
        if name not in order:
            order.append(name)

    for name in sorted(wanted):
        visit(name)
    return order


def compile_file(folder: Path, name: str) -> list[Result]:
    """Compile one Coq file and return its theorems."""
    text = (folder / f"{name}.v").read_text(encoding="utf-8")
    theorems = theorems_of(name, text)
    started = time.perf_counter()
    done = call(folder, "coqc", *FLAGS, f"{name}.v")
    seconds = round(time.perf_counter() - started, 2)
    if done.returncode:
        about_mathcomp = "mathcomp" in done.stderr
        hint = f"\nIs Mathematical Components installed? {INSTALL}" if about_mathcomp else ""
        raise ProofError(f"coqc refuses {name}.v:\n{done.stderr.strip()}{hint}")
    answers = parse_assumptions(done.stdout)
    if len(answers) != len(theorems):
        raise ProofError(f"{name}.v prints assumptions {len(theorems)} times, not {len(answers)}.")
    for theorem, axioms in zip(theorems, answers, strict=True):
        if unexpected := sorted(set(axioms) - set(AXIOMS)):
            raise ProofError(f"{name}.v: {theorem} rests on {', '.join(unexpected)}.")
    return [
        Result(theorem, f"coq/{name}.v", title_of(text), "Coq", axioms, seconds)
        for theorem, axioms in zip(theorems, answers, strict=True)
    ]


def recheck(folder: Path, compiled: list[str]) -> None:
    """Let Coq's independent checker verify the compiled files and list their axioms once more."""
    modules = [f"Symtrip.{name}" for name in compiled]
    done = call(folder, "coqchk", "-silent", "-o", "-Q", ".", "Symtrip", *modules)
    if done.returncode:
        raise ProofError(f"coqchk refuses the compiled files:\n{done.stderr.strip()}")
    axioms = done.stdout.partition("* Axioms:")[2].partition("\n* ")[0].split()
    if unexpected := set(axioms) - set(AXIOMS) - {"<none>"}:
        raise ProofError(f"coqchk finds the axioms {', '.join(sorted(unexpected))}.")


def check(wanted: set[str], console: Console, *, twice: bool = False) -> list[Result]:
    """Compile the wanted files and all that they need; returns the theorems of the wanted ones."""
    BUILD.mkdir(exist_ok=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    results: list[Result] = []
    with (
        tempfile.TemporaryDirectory(prefix="coq-", dir=BUILD) as scratch,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        folder = Path(scratch)
        for name in names():
            shutil.copy(SOURCES / f"{name}.v", folder)
        order = in_order(wanted, dependencies(folder))
        task = progress.add_task("Coq")
        for i, name in enumerate(order, start=1):
            progress.update(task, description=f"Coq {i}/{len(order)}: {name}.v")
            theorems = compile_file(folder, name)
            results += theorems if name in wanted else []
        if twice:
            progress.update(task, description="coqchk")
            recheck(folder, order)
    return results

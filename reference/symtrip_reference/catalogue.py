"""The catalogue of degenerate pairs in exact arithmetic.

The families are formulas in a JSON file. Read with rational parameters, every coordinate is a sum
of rationals times square roots of integers; :mod:`symtrip_reference.comparison` then decides
without rounding what the two members share. Parameters may be symbols too.
"""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sympy

from symtrip_reference._checks import InputError, refuse, require

__all__ = ["Family", "Structure", "Vector", "evaluate", "load_catalogue"]

Vector = tuple[sympy.Expr, sympy.Expr, sympy.Expr]

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS = {
    "sqrt": sympy.sqrt,
    "hcos": lambda t: (1 - t**2) / (1 + t**2),
    "hsin": lambda t: 2 * t / (1 + t**2),
}


def evaluate(formula: str, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """Exact value of a formula of the catalogue.

    Args:
        formula: integers, names, ``+ - * /``, ``**`` with an integer exponent, ``sqrt``, and
            ``hcos(t)``, ``hsin(t)``: cosine and sine of the angle whose half has the tangent t.
        values: what the names stand for: sympy numbers or expressions.

    Returns:
        A sympy expression, expanded.

    Raises:
        InputError: the formula holds anything else.
    """

    def walk(node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                return sympy.Integer(number)
            case ast.Name(id=name) if name in values:
                return values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -walk(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))):
                return walk(left) ** exponent
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](walk(left), walk(right))
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](walk(inner))
        raise InputError(
            f"`formula` must use + - * / **, sqrt, hcos, hsin and known names, got {formula}; "
            f"the names known here are {sorted(values)}."
        )

    return sympy.expand(walk(ast.parse(formula, mode="eval").body))


@dataclass(frozen=True)
class Structure:
    """One member of a pair: points with species, around a centre, in space or in a crystal.

    Attributes:
        species: chemical symbols of the points.
        points: Cartesian coordinates; relative to the centre if there is one.
        center: chemical symbol of the centre at the origin, or None.
        cell: the three cell vectors of a crystal, or None.
    """

    species: tuple[str, ...]
    points: tuple[Vector, ...]
    center: str | None = None
    cell: tuple[Vector, ...] | None = None

    def with_center(self) -> Structure:
        """The cluster of all atoms, the centre first; without a centre, the structure itself."""
        if self.center is None:
            return self
        origin = (sympy.S.Zero, sympy.S.Zero, sympy.S.Zero)
        return Structure((self.center, *self.species), (origin, *self.points))


@dataclass(frozen=True)
class Family:
    """A parametrised family of pairs.

    Attributes:
        entry: the family as the JSON file has it.
    """

    entry: Mapping[str, Any]

    @property
    def defaults(self) -> dict[str, sympy.Expr]:
        """Default values of the parameters."""
        return {p["name"]: evaluate(p["default"], {}) for p in self.entry["parameters"]}

    @property
    def ranges(self) -> dict[str, tuple[sympy.Expr, sympy.Expr]]:
        """Ranges from which random members are drawn."""
        return {
            p["name"]: (evaluate(p["low"], {}), evaluate(p["high"], {}))
            for p in self.entry["parameters"]
        }

    @property
    def merge_end(self) -> dict[str, sympy.Expr] | None:
        """Parameters at which the members are congruent, None where the catalogue names none."""
        merge = self.entry["merge"]
        if merge is None:
            return None
        return self.defaults | {name: evaluate(to, {}) for name, to in merge["end"].items()}

    def values(self, parameters: Mapping[str, sympy.Expr] | None = None) -> dict[str, sympy.Expr]:
        """Values of all names in the formulas: parameters and definitions.

        Args:
            parameters: values that replace defaults.

        Raises:
            InputError: a parameter that the family does not have.
        """
        values = self.defaults
        unknown = sorted(set(parameters or {}) - set(values))
        require(not unknown, "parameters", f"be among {sorted(values)}", unknown, "remove them")
        values |= dict(parameters or {})
        for name, formula in self.entry["definitions"]:
            values[name] = evaluate(formula, values)
        return values

    def exceptional_value(self, parameters: Mapping[str, sympy.Expr] | None = None) -> sympy.Expr:
        """Value of the function that vanishes where the members become congruent.

        Args:
            parameters: values that replace defaults.
        """
        return evaluate(self.entry["exceptional"]["formula"], self.values(parameters))

    def in_domain(self, parameters: Mapping[str, sympy.Expr]) -> bool:
        """Whether the members exist at these parameters.

        Args:
            parameters: values that replace defaults.
        """
        values = self.defaults | dict(parameters)
        return all(evaluate(formula, values).is_positive for formula in self.entry["domain"])

    def members(
        self, parameters: Mapping[str, sympy.Expr] | None = None
    ) -> tuple[Structure, Structure]:
        """Both members of one pair.

        Args:
            parameters: values that replace defaults; rationals, or symbols for a proof.

        Returns:
            The plus and the minus member.
        """
        values = self.values(parameters)

        def vectors(rows: Sequence[Sequence[str]]) -> tuple[Vector, ...]:
            exact = [[evaluate(formula, values) for formula in row] for row in rows]
            return tuple((x, y, z) for x, y, z in exact)

        cell = self.entry["cell"]
        plus, minus = (
            Structure(
                species=tuple(self.entry["species"]),
                points=vectors(self.entry[side]),
                center=self.entry["center"],
                cell=None if cell is None else vectors(cell),
            )
            for side in ("plus", "minus")
        )
        return plus, minus


def load_catalogue(path: Path | None = None) -> dict[str, Family]:
    """Read the catalogue.

    Args:
        path: the JSON file; None means the one that is installed with the fast package, which is
            located but not imported.

    Returns:
        The families by their id, in the order of the file.

    Raises:
        InputError: no path is given and the fast package is not installed.
    """
    if path is None:
        spec = find_spec("symtrip")
        if spec is None or spec.origin is None:
            refuse("path", "be given where symtrip is not installed", path, "name the JSON file")
        path = Path(spec.origin).parent / "data" / "catalogue.json"
    entries = json.loads(path.read_text(encoding="utf-8"))["families"]
    return {entry["id"]: Family(entry) for entry in entries}

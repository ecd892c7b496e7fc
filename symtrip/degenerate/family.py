"""Parametrised families of pairs of structures, made from the formulas of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from symtrip.degenerate.formulas import evaluate
from symtrip.degenerate.records import Equalities, Kind, Member, Parameter
from symtrip.degenerate.sampling import draw
from symtrip.errors import require

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["Family"]


@dataclass(frozen=True)
class Family:
    """A parametrised family of pairs of structures.

    Attributes:
        id: identifier, stable between versions.
        kind: "env": neighbours around a centre (atom 0); "global": a cluster without a centre;
            "both": a centre may be put at the centroid or left out; "periodic": a crystal.
        title: what the structures look like.
        claims: which descriptors the pair fools, in words.
        equal: the same as data.
        source: where the construction comes from.
        parameters: the free parameters.
        exceptional: where in the family the members become congruent.
        exceptional_complete: whether ``exceptional`` names all such places.
        exceptional_group: the group up to which it does, "SO3" or "O3".
        merge: what happens at the end of :meth:`merge_path`; None where there is no such path.
        bonds: pairs of atoms (counted without the centre) that a picture joins.
    """

    id: str
    kind: Kind
    title: str
    claims: tuple[str, ...]
    equal: Equalities
    source: str
    parameters: tuple[Parameter, ...]
    exceptional: str
    exceptional_complete: bool
    exceptional_group: Literal["SO3", "O3"]
    merge: str | None
    bonds: tuple[tuple[int, int], ...]
    _entry: Mapping[str, Any] = field(repr=False)
    _atomic_numbers: Mapping[str, int] = field(repr=False)

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any], atomic_numbers: Mapping[str, int]) -> Family:
        """The family that an entry of the catalogue's file describes.

        Args:
            entry: one element of ``families`` in ``symtrip/data/catalogue.json``.
            atomic_numbers: atomic number of each chemical symbol in the file.
        """
        merge = entry["merge"]
        return cls(
            id=entry["id"],
            kind=entry["kind"],
            title=entry["title"],
            claims=tuple(entry["claims"]),
            equal=Equalities(**entry["equal"]),
            source=entry["source"],
            parameters=tuple(
                Parameter(
                    name=p["name"],
                    unit=p["unit"],
                    **{key: float(evaluate(p[key], {})) for key in ("default", "low", "high")},
                )
                for p in entry["parameters"]
            ),
            exceptional=entry["exceptional"]["description"],
            exceptional_complete=entry["exceptional"]["complete"],
            exceptional_group=entry["exceptional"]["group"],
            merge=None if merge is None else merge["description"],
            bonds=tuple((i, j) for i, j in entry["bonds"]),
            _entry=entry,
            _atomic_numbers=atomic_numbers,
        )

    @property
    def claim(self) -> str:
        """Which descriptors the pair fools, in one line."""
        return "; ".join(self.claims)

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Range of each parameter in random members."""
        return {p.name: (p.low, p.high) for p in self.parameters}

    @property
    def symbols(self) -> dict[int, str]:
        """Chemical symbols of the atomic numbers that occur in the catalogue."""
        return {number: symbol for symbol, number in self._atomic_numbers.items()}

    @property
    def has_center(self) -> bool:
        """Whether the members are environments of an atom at the origin."""
        return self.kind in ("env", "both")

    def vector(
        self,
        values: Mapping[str, float] | None = None,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> Float[Tensor, " parameters"]:
        """Parameters with their default values, some of them replaced.

        Args:
            values: parameters by name; the others keep their defaults.
            dtype: dtype of the result.
            device: device of the result.

        Returns:
            (parameters,), in the order of :attr:`parameters`.

        Raises:
            InputError: the family has no parameter of that name.
        """
        names = [p.name for p in self.parameters]
        values = values or {}
        unknown = sorted(set(values) - set(names))
        require(
            not unknown, "values", f"name parameters of {self.id}", unknown, f"they are {names}"
        )
        chosen = [values.get(p.name, p.default) for p in self.parameters]
        return torch.tensor(chosen, dtype=dtype, device=device)

    def members(
        self,
        parameters: Tensor | None = None,
        *,
        dtype: torch.dtype | None = None,
        center: bool = True,
    ) -> tuple[Member, Member]:
        """Both members of the pairs with the given parameters.

        Args:
            parameters: (*batch, parameters) in the order of :attr:`parameters`; None means the
                defaults.
            dtype: dtype of the positions; None means that of ``parameters`` (float64 for defaults).
            center: False leaves the centre out, for a descriptor of the bare cluster.

        Returns:
            The plus and the minus member; positions are differentiable with respect to
            ``parameters``.

        Raises:
            InputError: wrong number of parameters, values that are not finite, or values for which
                the family does not exist.

        Accuracy:
            4 eps of the largest coordinate for parameters in the ranges.
        """
        values = self._values(parameters, dtype)
        template = values[self.parameters[0].name]
        numbers = [self._atomic_numbers[symbol] for symbol in self._entry["species"]]
        origin: list[list[str]] = []
        if self.has_center and center:
            numbers.insert(0, self._atomic_numbers[self._entry["center"]])
            origin = [["0", "0", "0"]]
        cell = self._entry["cell"]
        plus, minus = (
            Member(
                _matrix(origin + self._entry[side], values, template),
                torch.tensor(numbers, dtype=torch.int64, device=template.device),
                None if cell is None else _matrix(cell, values, template),
            )
            for side in ("plus", "minus")
        )
        return plus, minus

    def exceptional_value(self, parameters: Tensor | None = None) -> Float[Tensor, "*batch"]:
        """A function that vanishes where :attr:`exceptional` says the members are congruent.

        Args:
            parameters: (*batch, parameters); None means the defaults.

        Returns:
            (*batch), in a unit of the family's own; compare it with its value at the defaults.

        Raises:
            InputError: as :meth:`members`.
        """
        values = self._values(parameters, None)
        out = evaluate(self._entry["exceptional"]["formula"], values)
        return values[self.parameters[0].name] * 0.0 + out

    def sample(
        self, n: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "n parameters"]:
        """Parameters of random members: uniform in :attr:`ranges`, away from degeneration.

        A draw is kept if both members exist, no two atoms are closer than half the shortest
        distance of the default members, and :meth:`exceptional_value` is at least a tenth of its
        default value.

        Args:
            n: number of members, >= 0.
            generator: source of randomness; None means a new one with seed 0.

        Returns:
            (n, parameters) float64, on the generator's device.

        Raises:
            InputError: ``n`` < 0, or hardly a draw is kept (a family of one's own).
        """
        return draw(self, n, generator)

    def in_domain(self, parameters: Float[Tensor, "*batch parameters"]) -> Bool[Tensor, "*batch"]:
        """Whether the members exist.

        Args:
            parameters: (*batch, parameters).

        Returns:
            (*batch) bool.
        """
        values = dict(zip((p.name for p in self.parameters), parameters.unbind(-1), strict=True))
        inside = torch.ones_like(parameters[..., 0], dtype=torch.bool)
        for formula in self._entry["domain"]:
            inside &= torch.as_tensor(evaluate(formula, values) > 0)
        return inside

    def merge_path(self, t: float | Tensor) -> Float[Tensor, "*batch parameters"]:
        """A straight line in the parameters from the default pair to one with congruent members.

        Args:
            t: 0 at the default parameters, 1 where the members have become congruent; a number or
                a tensor of any shape.

        Returns:
            (*t.shape, parameters), for :meth:`members`; float64 for a number, else as ``t``.

        Raises:
            InputError: the family has no such path, or ``t`` lies outside [0, 1].
        """
        merge = self._entry["merge"]
        require(
            merge is not None,
            "family",
            "have a merge point",
            self.id,
            "choose a family whose `merge` is not None",
        )
        t = t if isinstance(t, Tensor) else torch.tensor(t, dtype=torch.float64)
        require(bool(((t >= 0) & (t <= 1)).all()), "t", "lie in [0, 1]", t.tolist(), "1 is the end")
        end = {name: float(evaluate(formula, {})) for name, formula in merge["end"].items()}
        start = self.vector(dtype=t.dtype, device=t.device)
        stop = self.vector(end, dtype=t.dtype, device=t.device)
        return torch.lerp(start, stop, t[..., None])

    def to_atoms(
        self, parameters: Tensor | None = None, *, center: bool = True
    ) -> tuple[Atoms, Atoms]:
        """Both members of one pair as ``ase.Atoms``.

        Args:
            parameters: (parameters,); None means the defaults.
            center: False leaves the centre out.

        Returns:
            The plus and the minus member; ``info`` holds family, member and parameters, and
            ``center`` = 0 where atom 0 is the centre. (ase's own extxyz writer rounds positions to
            1e-8 Å, which breaks a degeneracy; see :func:`symtrip.degenerate.write_pairs`.)

        Raises:
            InputError: as :meth:`members`, or more than one pair is given.
        """
        from ase import Atoms

        vector = self.vector() if parameters is None else parameters.detach()
        require(
            vector.ndim == 1, "parameters", "describe one pair", tuple(vector.shape), "pass one row"
        )
        names = [p.name for p in self.parameters]
        info: dict[str, Any] = {"family": self.id, "claim": self.claim}
        info |= {"center": 0} if self.has_center and center else {}
        info |= dict(zip(names, vector.tolist(), strict=True))
        plus, minus = (
            Atoms(
                numbers=member.numbers.cpu().numpy(),
                positions=member.positions.cpu().numpy(),
                cell=None if member.cell is None else member.cell.cpu().numpy(),
                pbc=member.cell is not None,
                info=info | {"member": name},
            )
            for name, member in zip(
                ("plus", "minus"), self.members(vector, center=center), strict=True
            )
        )
        return plus, minus

    def _values(self, parameters: Tensor | None, dtype: torch.dtype | None) -> dict[str, Tensor]:
        vector = self.vector() if parameters is None else parameters
        names = [p.name for p in self.parameters]
        require(
            vector.ndim >= 1 and vector.shape[-1] == len(names) and vector.is_floating_point(),
            "parameters",
            f"be a floating tensor (..., {len(names)}) with columns {names}",
            f"{vector.dtype} {tuple(vector.shape)}",
            "see Family.vector and Family.sample",
        )
        vector = vector if dtype is None else vector.to(dtype)
        require(
            bool(torch.isfinite(vector).all() and self.in_domain(vector).all()),
            "parameters",
            f"be finite{''.join(f', with {f} > 0' for f in self._entry['domain'])}",
            "others",
            f"draw them with Family.sample; the ranges are {self.ranges}",
        )
        values = dict(zip(names, vector.unbind(-1), strict=True))
        for name, formula in self._entry["definitions"]:
            values[name] = torch.zeros_like(vector[..., 0]) + evaluate(formula, values)
        return values


def _matrix(
    rows: Sequence[Sequence[str]], values: Mapping[str, Tensor], template: Tensor
) -> Tensor:
    return torch.stack(
        [
            torch.stack([torch.zeros_like(template) + evaluate(f, values) for f in row], dim=-1)
            for row in rows
        ],
        dim=-2,
    )

"""N-body iterative contraction of equivariants (NICE): density correlations of any order."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from symtrip.coupling import Key
from symtrip.errors import InputError, integer, require
from symtrip.expansion.density import Density
from symtrip.files import save_tensors
from symtrip.nice_step import Blocks, NiceStep
from symtrip.pca import principal_components
from symtrip.precision import full_precision
from symtrip.progress import Progress, silent

__all__ = ["PAPER_CONTRACTIONS", "Nice"]

_EVEN_THEN_ODD: list[Key] = [(l, 1) for l in range(4)] + [(1, -1), (2, -1), (3, -1), (0, -1)]


def _kept(*counts: int) -> dict[Key, int]:
    return dict(zip(_EVEN_THEN_ODD, counts, strict=False))


PAPER_CONTRACTIONS: dict[int, dict[Key, int]] = {
    2: _kept(25, 25, 40, 25, 15, 20, 22),
    3: _kept(80, 180, 200, 200, 120, 120, 180, 30),
    4: _kept(150, 500, 400, 500, 500, 500, 600, 120),
    5: _kept(200, 700, 700, 700, 600, 600, 700, 150),
    6: _kept(300, 800, 800, 800, 800, 800, 800, 250),
}
"""Components kept per order nu and block (o3_lambda, o3_sigma) in the paper's archived scripts."""


class Nice(nn.Module):
    """Density correlations nu = 1 ... max_nu, contracted by principal components after each step.

    rho^{nu} = (rho^{nu-1} x rho), cut at ``max_lambda``; every block (o3_lambda, o3_sigma) is then
    projected on its leading principal components, uncentred, with the 2 lambda + 1 components of an
    environment as samples, which keeps it equivariant. The last order is only coupled to scalars.

    Args:
        max_angular: largest l of the density.
        max_nu: highest correlation order, >= 2.
        max_lambda: largest angular momentum kept; None: all that can still become scalars, up to
            max_angular (max_nu - nu) at order nu.
        kept: order -> block -> number of components; blocks and orders that are absent are kept
            whole. Default: no contraction.

    Accuracy:
        Without contraction, <= 128 nu eps of the norm (tests/oracle/test_nice.py).

    Source:
        Nigam, Pozdnyakov, Ceriotti, J. Chem. Phys. 153, 121101 (2020).
    """

    def __init__(
        self,
        *,
        max_angular: int,
        max_nu: int,
        max_lambda: int | None = None,
        kept: Mapping[int, Mapping[Key, int]] | None = None,
    ) -> None:
        super().__init__()
        remedy = "nu = 1 is the density itself, lambda is an angular momentum"
        max_angular = integer("max_angular", max_angular, 0, remedy)
        max_nu = integer("max_nu", max_nu, 2, remedy)
        if max_lambda is not None:
            max_lambda = integer("max_lambda", max_lambda, 0, remedy)
        for order, counts in (kept or {}).items():
            require(
                1 < order < max_nu and all(count >= 1 for count in counts.values()),
                "kept",
                f"give counts >= 1 for orders 2 ... {max_nu - 1}",
                f"order {order}: {dict(counts)}",
                "the last order is not contracted",
            )
        self.max_angular, self.max_nu, self.max_lambda = max_angular, max_nu, max_lambda
        self.kept = {order: dict(counts) for order, counts in (kept or {}).items()}
        self.projections = nn.ParameterDict()
        self._steps: list[NiceStep] = []
        keys: list[Key] = [(l, 1) for l in range(max_angular + 1)]
        for order in range(2, max_nu + 1):
            # what exceeds max_angular (max_nu - order) can never come back to a scalar
            limit = max_angular * (max_nu - order)
            step = NiceStep(
                keys, max_angular, limit if max_lambda is None else min(limit, max_lambda)
            )
            self._steps.append(step)
            keys = list(step.paths)

    @classmethod
    def paper(cls) -> Nice:
        """The paper's iteration for B8: nu = 7, lambda <= 3, its numbers of components."""
        return cls(max_angular=3, max_nu=7, max_lambda=3, kept=PAPER_CONTRACTIONS)

    @full_precision
    def fit(
        self, density: Density, *, seed: int = 0, chunk: int = 50, progress: Progress = silent
    ) -> None:
        """Find the principal components of every block, order by order.

        Args:
            density: expansion of a training subset.
            seed: of the randomised range finder.
            chunk: environments whose products are held at once.
            progress: called with (done, total) blocks.

        Raises:
            InputError: as :meth:`forward`; fewer samples than components asked for.
        """
        self._check(density, chunk, 1)
        generator = torch.Generator().manual_seed(seed)
        blocks: dict[Key, Tensor] = {(l, 1): rho for l, rho in enumerate(density.rho)}
        total = sum(
            key in self._steps[order - 2].paths for order, kept in self.kept.items() for key in kept
        )
        done = 0
        for order in range(2, max(self.kept, default=1) + 1):
            step = self._steps[order - 2]
            sizes = {key: block.shape[2] for key, block in blocks.items()}
            widths = step.widths(sizes, density.rho[0].shape[2])
            for key, width in widths.items():
                count = self.kept.get(order, {}).get(key)
                if count is None:
                    continue
                count = min(count, width)
                samples = len(density) * (2 * key[0] + 1)
                require(
                    samples >= count,
                    "density",
                    f"hold at least {math.ceil(count / (2 * key[0] + 1))} environments to fit "
                    f"{count} components of nu = {order}, {key}",
                    len(density),
                    "fit on more structures or keep fewer components",
                )
                self.projections[_name(order, key)] = nn.Parameter(
                    self._components(step, key, blocks, density, count, generator, chunk),
                    requires_grad=False,
                )
                done += 1
                progress(done, total)
            blocks = self._advance(order, blocks, density, chunk)

    @staticmethod
    def _components(
        step: NiceStep,
        key: Key,
        blocks: Blocks,
        density: Density,
        count: int,
        generator: torch.Generator,
        chunk: int,
    ) -> Tensor:
        def samples() -> Iterator[Sequence[Tensor]]:
            for start in range(0, len(density), chunk):
                part = slice(start, start + chunk)
                mine = {k: block[part] for k, block in blocks.items()}
                yield [torch.cat(list(step.products(key, mine, density[part])), dim=1)]

        _, components = principal_components(samples, count, generator=generator)
        return components[0]

    def _advance(
        self, order: int, blocks: Blocks, density: Density, chunk: int
    ) -> dict[Key, Tensor]:
        step = self._steps[order - 2]
        result: dict[Key, Tensor] = {}
        n_channels = density.rho[0].shape[2]
        widths = step.widths({key: x.shape[2] for key, x in blocks.items()}, n_channels)
        for key, width in widths.items():
            name = _name(order, key)
            require(
                name not in self.projections or len(self.projections[name]) == width,
                "density",
                "have the channels that Nice was fitted to",
                n_channels,
                "fit it to densities of this expansion",
            )
            parts = []
            for start in range(0, max(len(density), 1), chunk):  # one part of none, too
                part = slice(start, start + chunk)
                mine = {k: block[part] for k, block in blocks.items()}
                if name in self.projections:
                    onto = self.projections[name].to(density.rho[0])
                    parts.append(step.project(key, mine, density[part], onto))
                else:
                    whole = torch.cat(list(step.products(key, mine, density[part])), dim=1)
                    parts.append(whole.reshape(-1, 2 * key[0] + 1, whole.shape[1]))
            result[key] = torch.cat(parts)
        return result

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        # the components have no sizes before they are fitted
        start = f"{prefix}projections."
        for name, value in state_dict.items():
            if name.startswith(start):
                empty = nn.Parameter(torch.empty_like(value), requires_grad=False)
                self.projections[name.removeprefix(start)] = empty
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the iteration and its components to a safetensors file."""
        kept = {
            str(order): [[*key, count] for key, count in counts.items()]
            for order, counts in self.kept.items()
        }
        sizes = {
            "max_angular": self.max_angular,
            "max_nu": self.max_nu,
            "max_lambda": self.max_lambda,
            "kept": kept,
        }
        tensors = {name: value.detach() for name, value in self.projections.items()}
        save_tensors(path, tensors, {"nice": json.dumps(sizes)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Nice:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing, damaged or holds something else.
        """
        try:
            with safe_open(path, framework="pt") as file:
                sizes = json.loads(file.metadata()["nice"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            kept = {
                int(order): {(lam, sigma): count for lam, sigma, count in counts}
                for order, counts in sizes["kept"].items()
            }
            nice = cls(
                max_angular=sizes["max_angular"],
                max_nu=sizes["max_nu"],
                max_lambda=sizes["max_lambda"],
                kept=kept,
            )
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as problem:
            raise InputError(
                f"`path` must name a file written by Nice.save, got {os.fspath(path)} "
                f"({type(problem).__name__}: {problem}); fit and save it again."
            ) from problem
        for name, value in tensors.items():
            nice.projections[name] = nn.Parameter(value, requires_grad=False)
        return nice

    @full_precision
    def equivariants(self, density: Density, nu: int, *, chunk: int = 50) -> dict[Key, Tensor]:
        """Contracted blocks of one order.

        Args:
            density: expansion of E environments.
            nu: 1 ... max_nu; of the last order only the scalars exist.
            chunk: environments whose products are held at once.

        Returns:
            (o3_lambda, o3_sigma) -> (E, 2 lambda + 1, q).

        Raises:
            InputError: as :meth:`forward`; an order that there is not.
        """
        require(
            1 <= nu <= self.max_nu,
            "nu",
            f"be an integer from 1 to {self.max_nu}",
            nu,
            "build Nice with a larger max_nu",
        )
        self._check(density, chunk, nu)
        blocks: dict[Key, Tensor] = {(l, 1): rho for l, rho in enumerate(density.rho)}
        for order in range(2, nu + 1):
            blocks = self._advance(order, blocks, density, chunk)
        return blocks

    def parities(self, n_channels: int) -> dict[int, Tensor]:
        """Signs of the invariants under inversion.

        Args:
            n_channels: Q of the density.

        Returns:
            nu -> (q,) int8 of +1 and -1, in the order of :meth:`forward`.
        """
        sizes = {(l, 1): n_channels for l in range(self.max_angular + 1)}
        parities = {1: torch.ones(n_channels, dtype=torch.int8)}
        for order, step in enumerate(self._steps, start=2):
            widths = step.widths(sizes, n_channels)
            kept = self.kept.get(order, {})
            sizes = {key: min(kept.get(key, width), width) for key, width in widths.items()}
            parities[order] = torch.cat(
                [torch.full((sizes.get((0, s), 0),), s, dtype=torch.int8) for s in (1, -1)]
            )
        return parities

    @full_precision
    def forward(self, density: Density, *, chunk: int = 50) -> dict[int, Tensor]:
        """Invariants of all orders.

        Args:
            density: expansion of E environments with the same ``max_angular``.
            chunk: environments whose products are held at once.

        Returns:
            nu -> (E, q): scalars with o3_sigma = +1, then those with -1.

        Raises:
            InputError: as :meth:`Density.check <symtrip.Density.check>`; ``chunk`` is < 1;
                :meth:`fit` has not been called, or for another number of channels.
        """
        self._check(density, chunk, self.max_nu)
        blocks: dict[Key, Tensor] = {(l, 1): rho for l, rho in enumerate(density.rho)}
        invariants = {1: density.rho[0][:, 0]}
        for order in range(2, self.max_nu + 1):
            blocks = self._advance(order, blocks, density, chunk)
            invariants[order] = torch.cat(
                [blocks[0, sigma][:, 0] for sigma in (1, -1) if (0, sigma) in blocks], dim=1
            )
        return invariants

    def _check(self, density: Density, chunk: int, nu: int) -> None:
        density.check(self.max_angular, type(self).__name__)
        require(chunk >= 1, "chunk", "be at least 1", chunk, "give environments held at once")
        missing = [
            _name(order, key)
            for order, counts in self.kept.items()
            for key in counts
            if order <= nu
            and key in self._steps[order - 2].paths
            and _name(order, key) not in self.projections
        ]
        require(not missing, "Nice", "be fitted before use", missing[:3], "call fit() first")


def _name(order: int, key: Key) -> str:
    return f"nu{order}_lambda{key[0]}_{'even' if key[1] > 0 else 'odd'}"

"""Stages of the density correlations: NICE of all structures, and their principal components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import Field, PositiveInt, model_validator
from safetensors.torch import load_file
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.files import save_tensors
from symtrip.models import ExpansionSettings, InvariantCompression, Settings
from symtrip.nice import PAPER_CONTRACTIONS, Nice
from symtrip.train import PairErrors, Report, density_chunks, paired
from symtrip.train.seeds import generator_for

__all__ = [
    "InvariantSettings",
    "Invariants",
    "compress_invariants",
    "compute_invariants",
    "fit_nice",
    "load_invariants",
    "nice_invariants",
]

_STRUCTURES_A_FILE = 200
_STRUCTURES_AT_A_TIME = 50


class InvariantSettings(Settings):
    """Density correlations nu = 1 ... max_nu and their compression.

    Attributes:
        max_nu: highest order.
        max_lambda: largest angular momentum kept.
        kept: order -> components of each block, in the order (0, +1), (1, +1), (2, +1), (3, +1),
            (1, -1), (2, -1), (3, -1), (0, -1).
        sample: training structures that the components of NICE are found in.
        components: the largest of the ``inputs`` are the targets of models A^rho.
        inputs: principal components of the stacked invariants that models C read; a linear model
            gains from many.
    """

    max_nu: int = Field(default=7, ge=4)
    max_lambda: int = Field(default=3, ge=0)
    kept: dict[int, tuple[PositiveInt, ...]] = Field(
        default={order: tuple(counts.values()) for order, counts in PAPER_CONTRACTIONS.items()}
    )
    sample: PositiveInt = 500
    components: PositiveInt = 1024
    inputs: PositiveInt = 3000

    @model_validator(mode="after")
    def _components_are_among_the_inputs(self) -> InvariantSettings:
        if self.components > self.inputs:
            raise ValueError(
                f"`components` must not exceed `inputs`, got {self.components} and {self.inputs}; "
                "raise `inputs`."
            )
        return self

    def build(self, max_angular: int) -> Nice:
        """The iteration, not fitted yet."""
        blocks = list(PAPER_CONTRACTIONS[3])
        return Nice(
            max_angular=max_angular,
            max_nu=self.max_nu,
            max_lambda=self.max_lambda,
            kept={
                order: dict(zip(blocks, counts, strict=False))
                for order, counts in self.kept.items()
            },
        )


@dataclass(frozen=True, eq=False)
class Invariants:
    """Compressed invariants of pairs, and what the compression leaves out.

    Lengths are those of the stack of all invariants, times one factor.

    Attributes:
        values: (P, 2, K) components, those even under inversion first.
        n_even: how many are even.
        outside: (P, 2) squared length of what lies outside the K components, of each pair's mean
            and of its difference.
    """

    values: Tensor
    n_even: int
    outside: Tensor

    def largest(self, count: int) -> Tensor:
        """Ascending numbers of the columns with the largest mean square."""
        size = self.values.flatten(0, 1).double().square().mean(dim=0)
        return size.topk(min(count, len(size))).indices.sort().values

    def only(self, columns: Tensor) -> Invariants:
        """Some of the columns, ascending; the others are left out."""
        values = self.values[..., columns]
        dropped = _squared_lengths(self.values) - _squared_lengths(values)
        outside = self.outside + dropped.clamp(min=0.0)
        return Invariants(values, int((columns < self.n_even).sum()), outside)

    def errors(self, predicted: Tensor) -> PairErrors:
        """The paper's two errors over all columns of the stack; what is outside counts as missed.

        As in the paper, they are relative to one standard deviation of all numbers in all columns:
        their common mean is zero, as the principal components are relative to the training mean.

        Args:
            predicted: (P, 2, K).
        """
        missed = _squared_lengths(predicted.double() - self.values.double())
        means, differences = (_squared_lengths(self.values) + self.outside).mean(dim=0)
        # (a^2 + b^2) / 2 = ((a + b) / 2)^2 + (a - b)^2 / 4
        spread = torch.stack([means + differences / 4, differences])
        relative = ((missed + self.outside).mean(dim=0) / spread).sqrt()
        return PairErrors(float(relative[0]), float(relative[1]))


def _squared_lengths(pairs: Tensor) -> Tensor:
    """(P, 2) of the mean and of the difference of each pair, in float64."""
    first, second = pairs.double().unbind(dim=1)
    lengths = [((first + second) / 2).square().sum(-1), (first - second).square().sum(-1)]
    return torch.stack(lengths, dim=1)


def fit_nice(
    folder: Path,
    settings: InvariantSettings,
    expansion: ExpansionSettings,
    fitting: B8Pairs,
    report: Report,
    device: torch.device,
) -> None:
    """Find the components of every block in evenly spaced training structures.

    Args:
        folder: gets ``nice.safetensors``.
        settings: the sizes.
        expansion: the density expansion.
        fitting: training pairs.
        report: told about the progress.
        device: where to compute.
    """
    positions = fitting.positions.flatten(0, 1)
    count = min(settings.sample, len(positions))
    sample = positions[torch.linspace(0, len(positions) - 1, count).round().long()]
    nice = settings.build(expansion.max_angular)
    chunks = density_chunks(expansion.build(), sample.to(device), fitting.numbers.to(device), count)
    density = next(chunks)
    with report.stage("NICE: components") as progress:
        nice.fit(density, chunk=_STRUCTURES_AT_A_TIME, progress=progress)
    nice.save(folder / "nice.safetensors")


def nice_invariants(
    nice: Nice, expansion: ExpansionSettings, positions: Tensor, numbers: Tensor
) -> Tensor:
    """Invariants of all orders below each other, (S, p), p columns: nu = 1, 2, ...

    Args:
        nice: fitted.
        expansion: the density expansion.
        positions: (S, A, 3) in Å.
        numbers: (A,) atomic numbers.
    """
    densities = density_chunks(expansion.build(), positions, numbers, _STRUCTURES_AT_A_TIME)
    with torch.no_grad():
        pieces = [torch.cat(list(nice(density).values()), dim=1) for density in densities]
    return torch.cat(pieces)


def compute_invariants(
    folder: Path,
    nice: Nice,
    expansion: ExpansionSettings,
    pairs: B8Pairs,
    report: Report,
    device: torch.device,
) -> None:
    """Invariants of all structures, in files of 200 structures each; whole files are kept.

    Args:
        folder: gets ``invariants-*.safetensors``, float32.
        nice: fitted.
        expansion: the density expansion.
        pairs: all pairs.
        report: told about the progress.
        device: where to compute.
    """
    nice = nice.to(device)
    positions = pairs.positions.flatten(0, 1)
    with report.stage("NICE: invariants") as progress:
        for start in range(0, len(positions), _STRUCTURES_A_FILE):
            progress(start, len(positions))
            file = folder / f"invariants-{start:05d}.safetensors"
            if file.exists():
                continue
            part = positions[start : start + _STRUCTURES_A_FILE].to(device)
            values = nice_invariants(nice, expansion, part, pairs.numbers.to(device))
            save_tensors(file, {"invariants": values.to("cpu", torch.float32)})
        progress(len(positions), len(positions))


def _read(folder: Path, device: torch.device) -> Iterator[Tensor]:
    for file in sorted(folder.glob("invariants-*.safetensors")):
        yield load_file(file)["invariants"].to(device, torch.float64)


def _chosen(folder: Path, rows: Tensor, device: torch.device) -> Iterator[Tensor]:
    """The structures of ascending pair rows, (2 n, p) at a time."""
    first = 0
    for x in _read(folder, device):
        last = first + len(x) // 2
        mine = rows[(rows >= first) & (rows < last)] - first
        if len(mine):
            yield paired(x)[mine.to(device)].flatten(0, 1)
        first = last


def compress_invariants(
    folder: Path,
    stacked: Path,
    parity: Tensor,
    n_components: int,
    sets: dict[str, Tensor],
    report: Report,
    device: torch.device,
) -> None:
    """Principal components of the stacked invariants, found in the training pairs.

    Args:
        folder: gets ``compression.safetensors`` and, for each set of pairs, the content of
            :class:`Invariants`.
        stacked: folder of :func:`compute_invariants`.
        parity: (p,) of +1 and -1.
        n_components: number of components.
        sets: name -> rows of its pairs, ascending; one of them is called "training".
        report: told about the progress.
        device: where to compute.
    """
    with report.stage("NICE: principal components of all invariants") as progress:
        compression = InvariantCompression.fit(
            lambda: _chosen(stacked, sets["training"], device),
            parity,
            n_components,
            generator=generator_for(0, "compression"),
        )
        progress(1, 1 + len(sets))
        for number, (name, rows) in enumerate(sets.items(), start=2):
            save_tensors(
                folder / f"{name}.safetensors",
                _compressed(compression, _chosen(stacked, rows, device)),
            )
            progress(number, 1 + len(sets))
    save_tensors(folder / "compression.safetensors", compression.state_dict())


def _compressed(compression: InvariantCompression, chunks: Iterator[Tensor]) -> dict[str, Tensor]:
    scale = compression.components.square().sum(dim=0).mean().sqrt()
    values, outside = [], []
    for x in chunks:
        inside = paired(compression(x))
        whole = paired((x - compression.mean) * scale)
        values.append(inside.to(torch.float32))
        outside.append((_squared_lengths(whole) - _squared_lengths(inside)).clamp(min=0.0))
    return {
        "values": torch.cat(values),
        "outside": torch.cat(outside),
        "n_even": torch.tensor(compression.n_even),
    }


def load_invariants(folder: Path, name: str) -> Invariants:
    """Read what :func:`compress_invariants` wrote.

    Args:
        folder: its folder.
        name: of the set.
    """
    tensors = load_file(folder / f"{name}.safetensors")
    return Invariants(tensors["values"], int(tensors["n_even"]), tensors["outside"])

"""Pipelines of featomic: SphericalExpansion and ClebschGordanProduct, also through torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["NAME", "density", "nice_step", "torch_features", "triplets"]

NAME = f"featomic {version('featomic')}"
Array = NDArray[np.float64]


def _hypers() -> dict[str, Any]:
    """The paper's hyperparameters; `max_radial` includes 0; 1e-8 is the default of the spline."""
    return {
        "cutoff": {"radius": 2.0, "smoothing": {"type": "ShiftedCosine", "width": 0.1}},
        "density": {"type": "Gaussian", "width": 0.2, "center_atom_weight": 0.0},
        "basis": {
            "type": "TensorProduct",
            "max_angular": 3,
            "radial": {"type": "Gto", "max_radial": 5},
            "spline_accuracy": 1e-8,
        },
    }


def _first_atoms(labels: Any, count: int) -> Any:
    return labels(["system", "atom"], np.array([[i, 0] for i in range(count)], dtype=np.int32))


def density(atoms: Sequence[Any]) -> Callable[[], Any]:
    """Density expansion of atom 0 of each structure, from positions."""
    import featomic
    from metatensor import Labels

    calculator = featomic.SphericalExpansion(**_hypers())
    systems = [featomic.systems.wrap_system(a) for a in atoms]
    chosen = _first_atoms(Labels, len(systems))
    return lambda: calculator.compute(systems, selected_samples=chosen)


def coefficients(result: Any) -> list[Array]:
    """l -> (E, 2l+1, Q) of what :func:`density` computed."""
    return [np.asarray(result.block({"o3_lambda": l}).values) for l in range(4)]


def _tensor_map(blocks: dict[tuple[int, int], Array], samples: NDArray[np.int32], name: str) -> Any:
    """(lambda, sigma) -> (samples, 2 lambda + 1, Q) in metatensor's words."""
    from metatensor import Labels, TensorBlock, TensorMap

    labels = Labels(["environment", "j", "k"][: samples.shape[1]], samples)
    keys = Labels(["o3_lambda", "o3_sigma"], np.array(list(blocks), dtype=np.int32))
    made = [
        TensorBlock(
            np.ascontiguousarray(values),
            labels,
            [Labels(["o3_mu"], np.arange(-l, l + 1, dtype=np.int32)[:, None])],
            Labels([name], np.arange(values.shape[2], dtype=np.int32)[:, None]),
        )
        for (l, _), values in blocks.items()
    ]
    return TensorMap(keys, made)


def _upto(largest: int) -> Any:
    from metatensor import Labels

    return Labels(["o3_lambda"], np.arange(largest + 1, dtype=np.int32)[:, None])


def _sizes(*counts: int) -> NDArray[np.int32]:
    return np.stack(
        [axis.ravel() for axis in np.meshgrid(*map(np.arange, counts), indexing="ij")], axis=1
    ).astype(np.int32)


def triplets(rho: Sequence[Tensor], g: Sequence[Tensor]) -> Callable[[], Any]:
    """(density x neighbour j) x neighbour k, the scalars; inputs of all pairs written out."""
    from featomic.clebsch_gordan import ClebschGordanProduct
    from metatensor import TensorBlock, TensorMap

    n_env, n = g[0].shape[:2]
    center = {(l, 1): r[:, None].expand(-1, n, -1, -1).flatten(0, 1).numpy()
              for l, r in enumerate(rho)}  # fmt: skip
    tagged = {(l, 1): x.flatten(0, 1).numpy() for l, x in enumerate(g)}
    second = {(l, 1): x[:, None].expand(-1, n, -1, -1, -1).flatten(0, 2).numpy()
              for l, x in enumerate(g)}  # fmt: skip
    pairs, triples = _sizes(n_env, n), _sizes(n_env, n, n)
    product = ClebschGordanProduct(max_angular=3)
    first = _tensor_map(center, pairs, "n_3"), _tensor_map(tagged, pairs, "n_1")
    last = _tensor_map(second, triples, "n_2")

    def work() -> Any:
        half = product.compute(*first, "l_3", "l_1", selected_keys=_upto(3))
        wide = [
            TensorBlock(
                np.repeat(block.values, n, axis=0),
                last.block(0).samples,
                block.components,
                block.properties,
            )
            for block in half
        ]
        return product.compute(
            TensorMap(half.keys, wide), last, "l_13", "l_2", selected_keys=_upto(0)
        )

    return work


def nice_step(blocks: dict[tuple[int, int], Tensor], rho: Sequence[Tensor]) -> Callable[[], Any]:
    """All products of contracted blocks (lambda, sigma) with the density up to lambda = 3."""
    from featomic.clebsch_gordan import ClebschGordanProduct

    samples = _sizes(len(rho[0]))
    first = _tensor_map({key: block.numpy() for key, block in blocks.items()}, samples, "q")
    second = _tensor_map({(l, 1): r.numpy() for l, r in enumerate(rho)}, samples, "n")
    product = ClebschGordanProduct(max_angular=3)
    return lambda: product.compute(first, second, "l_1", "l_2", selected_keys=_upto(3))


def values(result: Any, rows: int) -> Tensor:
    """All numbers of a TensorMap, one row for each of its first samples."""
    return torch.cat(
        [torch.as_tensor(np.asarray(b.values)).reshape(rows, -1) for b in result], dim=1
    )


def torch_features(positions: Tensor) -> Callable[[], Tensor]:
    """featomic.torch: triplet features of B8 and the gradient of their sum to the positions."""
    import featomic.torch as ft
    from ase import Atoms
    from featomic.torch.clebsch_gordan import ClebschGordanProduct
    from metatensor.torch import Labels, TensorBlock, TensorMap

    n_env, n = positions.shape[0], positions.shape[1] - 1
    frames = [Atoms(f"B{n + 1}", p.numpy()) for p in positions]
    density_of, pair_of = (
        ft.SphericalExpansion(**_hypers()),
        ft.SphericalExpansionByPair(**_hypers()),
    )
    product = ClebschGordanProduct(max_angular=3, dtype=torch.float64, device="cpu")
    first_atoms = torch.tensor([[i, 0] for i in range(n_env)])
    chosen = Labels(["system", "atom"], first_atoms)
    chosen_pairs = Labels(["system", "first_atom"], first_atoms)
    pair_samples = torch.from_numpy(_sizes(n_env, n))
    triple_samples = torch.from_numpy(_sizes(n_env, n, n))

    def upto(largest: int) -> Labels:
        return Labels(["o3_lambda"], torch.arange(largest + 1)[:, None])

    def tensor_map(blocks: Sequence[Tensor], samples: Tensor, name: str) -> TensorMap:
        labels = Labels(["environment", "j", "k"][: samples.shape[1]], samples)
        made = [
            TensorBlock(
                block.contiguous(),
                labels,
                [Labels(["o3_mu"], torch.arange(-l, l + 1)[:, None])],
                Labels([name], torch.arange(block.shape[2])[:, None]),
            )
            for l, block in enumerate(blocks)
        ]
        return TensorMap(
            Labels(["o3_lambda", "o3_sigma"], torch.tensor([[l, 1] for l in range(4)])), made
        )

    def work() -> Tensor:
        systems = [
            ft.systems_to_torch(frame, positions_requires_grad=True).to(torch.float64)
            for frame in frames
        ]
        expanded = density_of.compute(systems, selected_samples=chosen)
        by_pair = pair_of.compute(systems, selected_samples=chosen_pairs)
        rho = [expanded.block({"o3_lambda": l}).values for l in range(4)]
        g = []
        for l in range(4):
            block = by_pair.block({"o3_lambda": l})
            others = block.samples.column("second_atom") != 0  # the centre is there too
            g.append(block.values[others].reshape(n_env, n, 2 * l + 1, -1))
        center = [r[:, None].expand(-1, n, -1, -1).flatten(0, 1) for r in rho]
        tagged = [x.flatten(0, 1) for x in g]
        second = [x[:, None].expand(-1, n, -1, -1, -1).flatten(0, 2) for x in g]
        half = product.compute(
            tensor_map(center, pair_samples, "n_3"),
            tensor_map(tagged, pair_samples, "n_1"),
            "l_3",
            "l_1",
            selected_keys=upto(3),
        )
        last = tensor_map(second, triple_samples, "n_2")
        labels = last.block(0).samples
        wide = [
            TensorBlock(b.values.repeat_interleave(n, 0), labels, b.components, b.properties)
            for b in half.blocks()
        ]
        features = product.compute(
            TensorMap(half.keys, wide), last, "l_13", "l_2", selected_keys=upto(0)
        )
        total = sum(block.values.square().sum() for block in features.blocks())
        total.backward()
        return torch.stack([system.positions.grad for system in systems])

    return work

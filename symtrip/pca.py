"""Principal components of matrices that are never whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from symtrip.errors import require

__all__ = ["principal_components"]


def principal_components(
    chunks: Callable[[], Iterable[Sequence[Tensor]]],
    n_components: int,
    *,
    generator: torch.Generator,
    passes: int = 2,
) -> tuple[list[Tensor], list[Tensor]]:
    """Leading eigenvectors of X^T X for several matrices X at once, by randomised iteration.

    The rows of each X (one section of the features) arrive in chunks. Every pass multiplies a
    random subspace with X^T X; the Rayleigh-Ritz values of the last pass rank all directions of
    all sections together. Nothing is centred or whitened, and no p x p matrix is made: the cost is
    ``passes`` products with a (p, n_components) matrix.

    Args:
        chunks: starts a new pass: yields tuples of matrices (rows, p_s), one for each section; the
            same rows in the same order at each call. All of one floating dtype.
        n_components: number of components kept in all sections together, >= 1.
        generator: source of the random start; the same seed gives the same components.
        passes: times that the data are read, >= 1; each makes the small components more accurate.

    Returns:
        Per section: the kept eigenvalues, descending, and the components (p_s, k_s), orthonormal
        columns; the k_s sum to ``n_components`` or to all columns, if they are fewer. Signs are
        fixed so that the largest entry of each component is positive.

    Raises:
        InputError: a count is below 1, or there are no rows.

    Accuracy:
        the variance left out exceeds the smallest possible one by a few per cent for the spectra of
        triplet features at ``passes=2`` (tests/property/test_models_pca.py).

    Source:
        Halko, Martinsson, Tropp, SIAM Review 53, 217 (2011), Algorithms 4.4 and 5.3.
    """
    require(
        n_components >= 1, "n_components", "be at least 1", n_components, "keep some components"
    )
    require(passes >= 1, "passes", "be at least 1", passes, "2 passes suffice for triplet features")
    bases: list[Tensor] = []
    images: list[Tensor] = []
    for _ in range(passes):
        bases = [torch.linalg.qr(image).Q for image in images]
        images = []
        for sections in chunks():
            if not bases:
                bases = [_random_basis(x, n_components, generator) for x in sections]
            products = [x.T @ (x @ basis) for x, basis in zip(sections, bases, strict=True)]
            if images:
                for image, product in zip(images, products, strict=True):
                    image.add_(product)
            else:
                images = products
    require(bool(images), "chunks", "yield at least one matrix", "nothing", "pass some structures")
    return _ritz(bases, images, n_components)


def _random_basis(x: Tensor, n_components: int, generator: torch.Generator) -> Tensor:
    columns = x.shape[1]
    width = min(columns, n_components)
    draw = torch.randn(columns, width, dtype=x.dtype, generator=generator, device=generator.device)
    basis: Tensor = torch.linalg.qr(draw.to(x.device)).Q
    return basis


def _ritz(
    bases: list[Tensor], images: list[Tensor], n_components: int
) -> tuple[list[Tensor], list[Tensor]]:
    values, vectors = [], []
    for basis, image in zip(bases, images, strict=True):
        small = basis.T @ image
        value, rotation = torch.linalg.eigh((small + small.T) / 2)
        values.append(value.flip(0))
        vectors.append(basis @ rotation.flip(1))
    ranked = torch.cat(values).argsort(descending=True, stable=True)[:n_components]
    kept_values, kept_vectors, start = [], [], 0
    for value, vector in zip(values, vectors, strict=True):
        stop = start + len(value)
        kept = int(((ranked >= start) & (ranked < stop)).sum())
        start = stop
        kept_values.append(value[:kept])
        chosen = vector[:, :kept]
        if kept:  # a section may have no columns
            largest = chosen.gather(0, chosen.abs().argmax(dim=0, keepdim=True))
            chosen = chosen * torch.where(largest < 0, -1.0, 1.0)
        kept_vectors.append(chosen)
    return kept_values, kept_vectors

"""A vector for each environment whose scalar products are a kernel between tagged pairs."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.errors import integer
from symtrip.models.kernel import PairKernel, PairRows

__all__ = ["PairFourierFeatures"]

_NUMBERS_AT_A_TIME = 1 << 20


class PairFourierFeatures(nn.Module):
    """Random Fourier features phi of a :class:`~symtrip.models.PairKernel`.

        phi(A) . phi(B) is about K(A, B)
        phi(A) = sqrt(4 / (m s)) sum_jk w_jk mean_S (cos(Omega S F_jk), sin(Omega S F_jk))

    with the kernel's rows F_jk, weights w_jk, size s and four sign matrices S, and m random
    frequencies, the rows of Omega. So phi is invariant under rotations, inversion and the order of
    the neighbours for any frequencies, a nonlinear function of every tagged pair before the sum,
    and any linear model on it approximates a Gaussian process on the kernel.

    Args:
        kernel: fitted; its settings say how wide the Gaussian is. It is used, but no part of this
            module.
        n_features: length of phi, rounded up to an even number.
        generator: source of the frequencies, on the CPU.

    Attributes:
        frequencies: (q, m) columns in groups of q orthogonal ones, each as long as one of a normal
            distribution would be.

    Accuracy:
        <= 64 eps of sum_jk w_jk from a plain sum over ordered pairs and both images; the root mean
        square error of phi(A) . phi(B) falls as 1 / sqrt(n_features)
        (tests/oracle/test_fourier.py).

    Source:
        Rahimi, Recht, Adv. Neural Inf. Process. Syst. 20 (2007); orthogonal frequencies: Yu,
        Suresh, Choromanski, Holtmann-Rice, Kumar, ibid. 29 (2016), arXiv:1610.09072.
    """

    def __init__(self, kernel: PairKernel, n_features: int, *, generator: torch.Generator) -> None:
        super().__init__()
        count = integer("n_features", n_features, 1, "give the length of the vector")
        self._kernel = (kernel,)  # whose buffers would be saved twice
        # exp(-|d|^2 / (4 length^2)) is the mean of cos(omega . d) for this standard deviation
        deviation = math.sqrt(0.5) / kernel.settings.length
        q, wanted = sum(kernel.sections), (count + 1) // 2
        groups = []
        for _ in range(math.ceil(wanted / q)):
            normal = torch.randn(2, q, q, dtype=torch.float64, generator=generator)
            directions, triangle = torch.linalg.qr(normal[0])
            # without the signs of the diagonal directions would not be uniform
            groups.append(directions * triangle.diagonal().sign() * normal[1].norm(dim=0))
        self.frequencies: Tensor
        self.register_buffer("frequencies", deviation * torch.cat(groups, dim=1)[:, :wanted])

    @property
    def kernel(self) -> PairKernel:
        """The kernel."""
        return self._kernel[0]

    @property
    def n_features(self) -> int:
        """Length of phi."""
        return 2 * self.frequencies.shape[1]

    def forward(self, rows: PairRows) -> Float[Tensor, "environments features"]:
        """The vectors of E environments.

        Args:
            rows: from :meth:`PairKernel.rows`.

        Returns:
            (E, n_features); dtype and device of ``rows``, differentiable to them.
        """
        per_environment = self.n_features * max(rows.weight.shape[1], 1)
        size = max(1, _NUMBERS_AT_A_TIME // per_environment)
        omega = torch.split(self.frequencies.to(rows.weight), list(self.kernel.sections))
        pieces = [self._summed(part, omega) for part in rows.split(size)]
        if not pieces:
            return rows.weight.new_zeros(0, self.n_features)
        scale = (8.0 / (self.n_features * self.kernel.size)).sqrt()
        return torch.cat(pieces) * scale.to(rows.weight)

    @staticmethod
    def _summed(rows: PairRows, omega: tuple[Tensor, ...]) -> Tensor:
        even, odd, swap, swap_odd = (x @ w for x, w in zip(rows.parts, omega, strict=True))
        # the mean over swaps of exp(i (a + b)) is exp(i a) cos(b), b the part that swaps turn round
        same, inverted = torch.cos(swap + swap_odd), torch.cos(swap - swap_odd)
        cosines = torch.cos(even + odd) * same + torch.cos(even - odd) * inverted
        sines = torch.sin(even + odd) * same + torch.sin(even - odd) * inverted
        weight = 0.5 * rows.weight[:, None]
        return torch.cat([weight @ cosines, weight @ sines], dim=2).squeeze(1)

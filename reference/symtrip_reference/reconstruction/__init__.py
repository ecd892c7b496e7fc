"""From the features of one tagged pair back to the environment, in rational arithmetic.

The exact counterpart of ``symtrip.completeness.reconstruct``, and what the certificates of the
theorems D1 to D3 compute with.
"""

from __future__ import annotations

from symtrip_reference.reconstruction.decode import (
    Decoder,
    Reconstruction,
    decode,
    decode_pair,
)
from symtrip_reference.reconstruction.features import PairFeatures, pair_features

__all__ = ["Decoder", "PairFeatures", "Reconstruction", "decode", "decode_pair", "pair_features"]

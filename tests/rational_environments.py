"""Seven neighbours at rational positions in Å, one environment of each kind."""

from __future__ import annotations

from fractions import Fraction

from symtrip_reference import two_ring_pair

__all__ = ["ENVIRONMENTS"]

Vector = tuple[Fraction, Fraction, Fraction]


def rational(*vectors: tuple[object, object, object]) -> list[Vector]:
    return [(Fraction(str(x)), Fraction(str(y)), Fraction(str(z))) for x, y, z in vectors]


def on_the_sphere(radius: Fraction, *parameters: tuple[int, int, int]) -> list[Vector]:
    """Stereographic projection of (u / w, v / w)."""
    vectors = []
    for u, v, w in parameters:
        norm = u * u + v * v + w * w
        vectors.append(
            (
                radius * Fraction(2 * u * w, norm),
                radius * Fraction(2 * v * w, norm),
                radius * Fraction(u * u + v * v - w * w, norm),
            )
        )
    return vectors


RINGS = two_ring_pair(
    Fraction(6, 5),
    Fraction(3, 5),
    Fraction(7, 5),
    (Fraction(15, 17), Fraction(8, 17)),
    [(1, 0), (Fraction(3, 5), Fraction(4, 5)), (Fraction(-5, 13), Fraction(12, 13))],
)

ENVIRONMENTS: dict[str, list[Vector]] = {
    "generic": rational(
        ("1", "1/2", "3/4"), ("1/2", "-1", "1/4"), ("0", "1/2", "-5/4"), ("-3/4", "5/4", "1/2"),
        ("-1/2", "-1", "3/4"), ("3/2", "1/2", "-3/4"), ("-5/4", "1/8", "-7/8"),
    ),
    "sphere": on_the_sphere(
        Fraction(7, 5), (1, 2, 3), (-2, 1, 1), (1, -3, 2), (3, 1, 1), (-1, -1, 4), (2, 3, 1),
        (-3, 2, 5),
    ),
    "A+": rational(*RINGS.plus.vectors),
    "A-": rational(*RINGS.minus.vectors),
    "coplanar": rational(
        ("1", "1/2", "0"), ("1/2", "-1", "0"), ("0", "3/2", "0"), ("-3/4", "5/4", "0"),
        ("-1/2", "-1", "0"), ("3/2", "-1/2", "0"), ("-5/4", "1/8", "0"),
    ),
    "five collinear": rational(
        ("1/4", "1/2", "1/2"), ("-1/3", "-2/3", "-2/3"), ("1/2", "1", "1"), ("-1/2", "-1", "-1"),
        ("3/5", "6/5", "6/5"), ("1", "-1/2", "1/4"), ("-3/4", "1/2", "5/4"),
    ),
    "collinear": rational(
        *((f"{h}/12", f"{2 * h}/12", f"{2 * h}/12") for h in (-7, -5, -3, 2, 4, 6, 8))
    ),
}  # fmt: skip

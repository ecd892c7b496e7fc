"""Every figure that is asked for, by group: what it is called, what is asked, what it needs.

Measuring modules give values to these names with :func:`figure`; `run.py` reports those that were
not measured, with the reason. A module may report further figures under other names.
"""

from __future__ import annotations

from dataclasses import dataclass

from side_by_side import Bar

__all__ = ["FIGURES", "GROUPS", "Figure", "figure", "gpu_needed"]


@dataclass(frozen=True)
class Figure:
    """A figure that is asked for.

    Attributes:
        group: the measuring module, benchmarks/GROUP.py.
        name: what is measured.
        bar: what is asked; None: a report is asked.
        at_most: whether the figure must not exceed the bar (else: must reach it).
        needs: "gpu" or "peers" where a machine or an environment may lack them.
    """

    group: str
    name: str
    bar: float | None = None
    at_most: bool = True
    needs: str = ""


def at_most(group: str, name: str, bar: float, needs: str = "") -> Figure:
    return Figure(group, name, bar, True, needs)


def at_least(group: str, name: str, bar: float, needs: str = "") -> Figure:
    return Figure(group, name, bar, False, needs)


BATCHES = (10, 100)

LAYER_BARS = {
    ("float64", 7): 2.5,
    ("float64", 15): 5.0,
    ("float64", 30): 10.0,
    ("float32", 7): 3.0,
    ("float32", 15): 4.5,
    ("float32", 30): 7.5,
}

_ALL: tuple[Figure, ...] = (
    # 1. Materialised triplets
    Figure("materialised", "copy_ / fill_, the same bytes"),
    at_most("materialised", "triplets as blocks / copy_, worst over N and l_max", 2.0),
    at_most("materialised", "triplets, dense / copy_, worst over N and l_max", 4.0),
    at_least("materialised", "batched GEMM of 20 lines, blocks / triplets as blocks", 1.0),
    at_least("materialised", "batched GEMM of 20 lines, dense / triplets, dense", 1.0),
    at_most("materialised", "triplets, chunks: peak memory of 1000 / of 100 environments", 1.05),
    *(
        at_least("peers", f"fastest peer / triplets as blocks, batch {batch}", 10.0, "peers")
        for batch in BATCHES
    ),
    *(
        at_least(
            "peers",
            f"featomic ClebschGordanProduct / triplets as blocks, batch {batch}",
            15.0,
            "peers",
        )
        for batch in BATCHES
    ),
    # 2. TripletLinear
    *(
        at_least("layer", f"materialise + GEMM / TripletLinear, {what}, N = {n}, {dtype}", bar)
        for (dtype, n), bar in LAYER_BARS.items()
        for what in ("forward", "forward + backward")
    ),
    *(
        Figure("layer", f"materialise + GEMM / TripletLinear, {what}, N = 60, {dtype}")
        for dtype in ("float64", "float32")
        for what in ("forward", "forward + backward")
    ),
    at_least("layer", "peak memory, materialise + GEMM / TripletLinear, 100 environments", 20.0),
    # 3. Density
    *(
        at_least("peers", f"featomic spline / density expansion, batch {batch}", 5.0, "peers")
        for batch in BATCHES
    ),
    at_most("density", "density: largest error / budget", 1.0),
    at_most("density", "density: derivatives against central differences, relative", 1e-8),
    at_most("density", "density: construction in seconds", 1.0),
    at_most("density", "density: scipy modules imported at run time", 0.0),
    # 4. Invariants and the NICE step
    *(
        at_most("peers", f"invariants nu <= 3 / e3nn, batch {batch}", 1.0, "peers")
        for batch in BATCHES
    ),
    *(
        at_least("peers", f"best peer / NICE step nu = 4, forming, batch {batch}", 2.0, "peers")
        for batch in BATCHES
    ),
    at_most("nice", "NICE step nu = 4: forming + projection / projection GEMM", 1.5),
    at_most("nice", "NICE step nu = 4: peak memory / whole intermediate", 0.5),
    # 5. Energies and forces
    *(
        at_most(
            "forces", f"energies and forces of B_NL, batch 100, {dtype}: ms a B8 environment", 5.0
        )
        for dtype in ("float64", "float32")
    ),
    Figure("peers", "featomic.torch features + backward / B_NL energies + forces", needs="peers"),
    # 6. Training step
    *(
        at_most("training", f"training epoch / its five GEMMs, {dtype}", 1.6)
        for dtype in ("float64", "float32")
    ),
    # 7. GPU
    at_least("gpu", "GPU: triplets as blocks, part of the copy bandwidth", 0.6, "gpu"),
    Figure("gpu", "GPU: TripletLinear, part of the GEMM ceiling", needs="gpu"),
    at_most("gpu", "GPU: training epoch in seconds", 0.1, "gpu"),
    # 9. Fast against exact
    Figure("exact", "exact reference, one tagged pair / fast path, all 49 pairs"),
    Figure("exact", "exact reference, density / fast path"),
)

FIGURES: dict[str, Figure] = {entry.name: entry for entry in _ALL}
"""Name -> figure."""

GROUPS = (
    *("materialised", "layer", "density", "nice", "forces", "training", "gpu"),
    *("exact", "scaling", "local_frame", "peers"),
)
"""Measuring modules, in the order of the run; `peers` runs in the environment of the peers."""


def figure(name: str, value: float | None, *, reason: str = "", device: str = "") -> Bar:
    """A value for one of :data:`FIGURES`."""
    asked = FIGURES[name]
    return Bar(name, value, asked.bar, asked.at_most, reason, device)


def gpu_needed(reason: str = "no GPU here") -> list[Bar]:
    """All figures of the group "gpu" without a value."""
    return [figure(f.name, None, reason=reason) for f in FIGURES.values() if f.group == "gpu"]


assert len(FIGURES) == len(_ALL)
assert {f.group for f in _ALL} <= set(GROUPS)

"""At which resolution do smooth features of one tagged pair determine the environment?"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symtrip.completeness.fit import fit_positions
from symtrip.degenerate import b8_pair, sample_b8_parameters
from symtrip.environments import Environments
from symtrip.errors import InputError, require
from symtrip.expansion import GaussianDensity, Gto, ShiftedCosine, SphericalExpansion
from symtrip.files import atomic_write
from symtrip.progress import Progress, silent

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

__all__ = ["draw_sweep", "sweep"]

_RADIUS, _WIDTH, _SMEARING = 2.0, 0.1, 0.2


def sweep(
    path: str | os.PathLike[str],
    *,
    n_radial: Sequence[int],
    max_angular: Sequence[int],
    environments: int,
    starts: int,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Try to recover B8 environments from GTO features of one pair, for a grid of basis sizes.

    The paper's cutoff, density and radial basis; its resolution is n_radial = 6, max_angular = 3.

    Args:
        path: JSON file that holds the outcome; written after every basis. Bases that it already
            holds, from a sweep with the same settings, are not computed again.
        n_radial: numbers of radial functions.
        max_angular: largest l.
        environments: how many environments: A+ and A- of the first B8 pairs in turn.
        starts: random starts for each.
        seed: seed of the starts.
        progress: called with (done, total).

    Returns:
        What was written: ``settings`` and ``cells``, a list with n_radial, max_angular, the
        fraction of environments ``recovered``, of starts ``found``, of starts ``wrong``, and the
        largest ``amplification``, in Å per relative error of the features (None where infinite).

    Raises:
        InputError: an impossible grid, or a file with other settings.
    """
    require(environments >= 1, "environments", "be at least 1", environments, "8 is a start")
    require(starts >= 1, "starts", "be at least 1", starts, "64 is a start")
    require(
        len(n_radial) > 0 and len(max_angular) > 0,
        "n_radial, max_angular",
        "hold at least one value each",
        (list(n_radial), list(max_angular)),
        "give the sizes to try",
    )
    settings = {"environments": environments, "starts": starts, "seed": seed}
    outcome = _previous(Path(path), settings)
    known = {(cell["n_radial"], cell["max_angular"]) for cell in outcome["cells"]}
    grid = [(n, l) for n in n_radial for l in max_angular]
    todo = [cell for cell in grid if cell not in known]
    done = len(grid) - len(todo)
    progress(done, len(grid))
    for n, l in todo:
        outcome["cells"].append(_cell(n, l, environments, starts, seed))
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(outcome, indent=2) + "\n", encoding="utf-8")
        done += 1
        progress(done, len(grid))
    return outcome


def draw_sweep(outcome: dict[str, Any]) -> Figure:
    """Success and resolution against both sizes of the basis, the paper's framed.

    Args:
        outcome: what :func:`sweep` returned.

    Returns:
        A figure that no window manager knows.
    """
    from matplotlib.figure import Figure

    cells = {(cell["n_radial"], cell["max_angular"]): cell for cell in outcome["cells"]}
    radial, angular = (sorted({size[axis] for size in cells}) for axis in (0, 1))
    figure = Figure(figsize=(11.0, 0.55 * len(angular) + 1.6), layout="constrained")
    for axes, (key, title) in zip(figure.subplots(1, 3), _PANELS, strict=True):
        values = np.full((len(angular), len(radial)), np.nan)
        for (n, l), cell in cells.items():
            value = cell[key]
            if key == "amplification":
                value = np.inf if value is None else np.log10(value)
            values[angular.index(l), radial.index(n)] = value
        success = key != "amplification"
        shade = 1 - values if success else np.clip(values / 6, 0, 1)
        axes.imshow(shade, cmap="YlGnBu", vmin=0, vmax=1.3, origin="lower", aspect="auto")
        for row, column in np.argwhere(~np.isnan(values)):
            axes.text(
                column,
                row,
                _label(values[row, column], success),
                ha="center",
                va="center",
                fontsize=9,
                color="white" if shade[row, column] > 0.6 else "black",
            )
        if 6 in radial and 3 in angular:
            corner = (radial.index(6) - 0.5, angular.index(3) - 0.5)
            axes.add_patch(_frame(corner))
        axes.set_xticks(range(len(radial)), [str(n) for n in radial])
        axes.set_yticks(range(len(angular)), [str(l) for l in angular])
        axes.set_xlabel("number of radial functions")
        axes.set_ylabel("largest l")
        axes.set_title(title, fontsize=10)
    return figure


_PANELS = (
    ("recovered", "environments recovered"),
    ("found", "starts that succeed"),
    ("amplification", "Å per relative error of the features"),
)


def _label(value: float, success: bool) -> str:
    if success:
        return f"{100 * value:.0f} %"
    return "∞" if np.isinf(value) else f"{float(f'{10**value:.2g}'):.4g}"


def _frame(corner: tuple[float, float]) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, fill=False, edgecolor="#d1495b", linewidth=2.0)


def _previous(path: Path, settings: dict[str, int]) -> dict[str, Any]:
    if not path.exists():
        return {"settings": settings, "cells": []}
    try:
        outcome = json.loads(path.read_text(encoding="utf-8"))
        same = outcome["settings"] == settings
        cells = outcome["cells"]
    except (json.JSONDecodeError, KeyError, TypeError) as problem:
        raise InputError(
            f"`path` must be a file of an earlier sweep or a new one, got {path} "
            f"({type(problem).__name__}); choose another name."
        ) from problem
    require(
        same,
        "path",
        f"hold a sweep with the settings {settings}",
        outcome["settings"],
        "choose another file, or the settings of this one",
    )
    return {"settings": settings, "cells": cells}


def _cell(n_radial: int, max_angular: int, count: int, starts: int, seed: int) -> dict[str, Any]:
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=_RADIUS, width=_WIDTH),
        density=GaussianDensity(width=_SMEARING),
        basis=Gto(n_radial=n_radial, max_angular=max_angular),
        species=(5,),
    )
    parameters = torch.from_numpy(sample_b8_parameters((count + 1) // 2))
    members = torch.stack(b8_pair(parameters), dim=1).flatten(0, 1)[:count]
    reports = [
        fit_positions(
            Environments.from_positions(positions, 5, radius=_RADIUS),
            expansion,
            starts=starts,
            seed=seed + index,
        )
        for index, positions in enumerate(members)
    ]
    total = count * starts
    amplification = max(report.amplification for report in reports)
    return {
        "n_radial": n_radial,
        "max_angular": max_angular,
        "recovered": sum(report.recovered for report in reports) / count,
        "found": sum(report.found for report in reports) / total,
        "wrong": sum(report.wrong for report in reports) / total,
        "amplification": None if math.isinf(amplification) else amplification,
    }

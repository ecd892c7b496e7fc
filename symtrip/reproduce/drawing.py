"""The figures of a reproduction: their numbers and their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from symtrip.files import atomic_write
from symtrip.reproduce import figures
from symtrip.reproduce.pipeline import Pipeline, errors_of
from symtrip.reproduce.probes import (
    describers,
    distances_of_distorted_pairs,
    separations,
    smallest_singular_values,
)
from symtrip.train import SetResult, pair_errors
from symtrip.train.pictures import parity_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_figures"]

_SIGMAS = [10.0 ** (-4 + 0.5 * k) for k in range(7)]
_OFFSETS = [-0.3, -0.1, -0.03, -0.01, -0.001, 0.0, 0.001, 0.01, 0.03, 0.1, 0.3]
_DISTORTED_PAIRS = 50


def draw_figures(pipeline: Pipeline, folder: Path, *, train_more: bool = True) -> None:
    """Draw what the trained models and the preset allow.

    Args:
        pipeline: with its models trained.
        folder: gets ``figures.json`` with all numbers and a file for each figure.
        train_more: whether to train the models that only figures need.

    Raises:
        OSError: the folder cannot be written.
    """
    numbers: dict[str, Any] = {}
    rows = pipeline.preset.models
    if any(plan.model[0] in "AC" for plan in rows.values()):
        numbers |= _responses(pipeline, folder)
    numbers |= _predictions(pipeline, folder)
    if train_more:
        numbers |= _trained(pipeline, folder)
    with atomic_write(folder / "figures.json") as temporary:
        temporary.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as temporary:
        # neither a date nor random names: equal numbers give equal files
        import matplotlib as mpl

        with mpl.rc_context({"svg.hashsalt": "symtrip"}):
            key = "Date" if path.suffix == ".svg" else "Software"
            figure.savefig(temporary, dpi=130, metadata={key: None})


def _responses(pipeline: Pipeline, folder: Path) -> dict[str, Any]:
    """Fig. 3a and the singular values, from fitted NICE and, if trained, from A_rho_NL."""
    network = pipeline.latent_network()
    trained = pipeline.finished("A_rho_NL", 0) if network is not None else None
    inputs = pipeline.response_inputs() | {"latent": None if trained is None else trained.name}

    def compute(place: Path) -> None:
        describe = describers(pipeline.expansion, pipeline.data.numbers, pipeline.nice, network)
        chosen = pipeline.data.validation.subset(slice(0, _DISTORTED_PAIRS))
        with pipeline.report.stage("figures: displaced atoms") as progress:
            distances = distances_of_distorted_pairs(describe, chosen, _SIGMAS)
            progress(1, 3)
            values = smallest_singular_values(describe, _OFFSETS)
            progress(2, 3)
            usual = separations(pipeline.expansion, pipeline.nice, chosen)
            nearest = pipeline.data.exceptional_distance().argsort()[:_DISTORTED_PAIRS]
            hard = separations(pipeline.expansion, pipeline.nice, pipeline.data.subset(nearest))
            progress(3, 3)
        content = {
            "fig3a": {
                "sigma": _SIGMAS,
                "distances": {k: _rounded(v) for k, v in distances.items()},
            },
            "separation": {
                nu: {
                    "median": float(usual[nu].median()),
                    "least of the pairs closest to congruent ones": float(hard[nu].min()),
                }
                for nu in usual
            },
            "singular": {"offset": _OFFSETS, "values": {k: _rounded(v) for k, v in values.items()}},
        }
        with atomic_write(place / "responses.json") as temporary:
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")

    place = pipeline.stages.run("responses", inputs, compute, marker="responses.json")
    numbers: dict[str, Any] = json.loads((place / "responses.json").read_text(encoding="utf-8"))
    three = numbers["fig3a"]
    _save(figures.distance_figure(three["sigma"], three["distances"]), folder / "fig3a.svg")
    path = numbers["singular"]
    _save(figures.singular_figure(path["offset"], path["values"]), folder / "singular.svg")
    numbers["fig3a"] = {
        "sigma": three["sigma"],
        "median distances": {
            k: _rounded(torch.tensor(v).median(dim=1).values) for k, v in three["distances"].items()
        },
    }
    return numbers


def _predictions(pipeline: Pipeline, folder: Path) -> dict[str, Any]:
    """Fig. 3b, and errors against the distance to the exceptional set."""
    pairs = pipeline.data.validation.labelled
    results = {}
    for name in ("B_NL", "D_NL", "best"):
        predicted = pipeline.energies(name, 0, pairs) if name in pipeline.preset.models else None
        if predicted is not None:
            errors = pair_errors(predicted, pairs.energies)
            results[name] = SetResult(errors, predicted, pairs.energies, pairs.index)
    if "B_NL" in results and "D_NL" in results:
        _save(parity_plot(results["B_NL"], results["D_NL"]), folder / "fig3b.png")
    if not results:
        return {}
    wanted = pairs.energies[:, 0] - pairs.energies[:, 1]
    rows = {"target": wanted.abs()}
    for name, result in results.items():
        rows[name] = (result.predicted[:, 0] - result.predicted[:, 1] - wanted).abs()
    distance = pairs.exceptional_distance()
    numbers = {"distance": _rounded(distance), **{k: _rounded(v) for k, v in rows.items()}}
    drawn = {k: v for k, v in numbers.items() if k != "distance"}
    _save(figures.exceptional_figure(numbers["distance"], drawn), folder / "exceptional.png")
    return {"exceptional": numbers}


def _trained(pipeline: Pipeline, folder: Path) -> dict[str, Any]:
    """Fig. S4 and learning curves: more models, trained for the figures."""
    settings = pipeline.preset.figures
    numbers: dict[str, Any] = {}
    if settings is None:
        return numbers
    plan = pipeline.preset.models.get("A_rho_NL")
    if plan is not None:
        training = plan.training.model_copy(update={"epochs": settings.latent_epochs})
        errors = []
        for size in settings.latent_sizes:
            latent = plan.latent.model_copy(update={"size": size})
            mine = plan.model_copy(update={"latent": latent, "training": training})
            errors.append(errors_of(pipeline.train(f"latent-{size}", 0, mine), mine))
        numbers["figS4"] = {"size": list(settings.latent_sizes), "A_rho_NL": errors}
        drawn = figures.latent_figure(settings.latent_sizes, {"A_rho_NL": errors})
        _save(drawn, folder / "figS4.svg")
    plan = pipeline.preset.models.get("B_NL")
    if plan is not None:
        most = len(pipeline.labelled_fitting)
        counts = sorted({min(count, most) for count in settings.curve_pairs})
        training = plan.training.model_copy(update={"epochs": settings.curve_epochs})
        mine = plan.model_copy(update={"training": training})
        errors = [errors_of(pipeline.train_on(count, mine), mine) for count in counts]
        numbers["learning"] = {"pairs": counts, "B_NL": errors}
        _save(figures.learning_figure(counts, {"B_NL": errors}), folder / "learning.svg")
    return numbers


def _rounded(values: torch.Tensor) -> Any:
    """Numbers for people and figures: six digits."""
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [float(f"{value:.6g}") for value in values.tolist()]

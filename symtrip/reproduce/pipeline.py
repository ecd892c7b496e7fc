"""The stages of a reproduction: what each needs, where it is kept, and how it is computed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.files import save_tensors
from symtrip.models import EnergyModel, ExpansionSettings, TripletCompression
from symtrip.models.latent import TripletReconstruction
from symtrip.nice import Nice
from symtrip.reproduce.cache import Stages, stage_key
from symtrip.reproduce.fitting import (
    Task,
    TripletInput,
    compute_triplets,
    load_triplets,
    load_weights,
)
from symtrip.reproduce.invariants import (
    Invariants,
    compress_invariants,
    compute_invariants,
    fit_nice,
    load_invariants,
)
from symtrip.reproduce.kernels import fit_kernel_model, kernel_energies
from symtrip.reproduce.presets import ModelPlan, Preset
from symtrip.reproduce.random import fit_random_model
from symtrip.reproduce.ridge import fit_linear_energy
from symtrip.reproduce.vectors import fit_energy, fit_reconstruction, load_latent, reconstruction
from symtrip.train import DataSettings, Report, TrainConfig, TrainingSettings, paired, train

__all__ = ["Pipeline", "errors_of"]


class Pipeline:
    """All stages of one preset on one data set; each is computed when something needs it.

    Args:
        preset: what to do.
        cache: folder of the stages.
        data: all pairs.
        report: told about the progress.
        device: where NICE and the networks run.
    """

    expansion = ExpansionSettings()

    def __init__(
        self, preset: Preset, cache: Path, data: B8Pairs, report: Report, device: torch.device
    ) -> None:
        self.preset, self.data, self.report, self.device = preset, data, report, device
        self.stages = Stages(cache, report)
        self.digest = data.digest()
        # models B and D need labels; invariants and models A^rho use every structure there is
        fitting = data.train if preset.training_pairs is None else self.labelled_fitting
        self.pairs = {"training": fitting, "validation": data.validation}
        if preset.further_pairs:
            self.pairs["further"] = B8Pairs.further(preset.further_pairs)

    @property
    def labelled_fitting(self) -> B8Pairs:
        """The labelled training pairs in use."""
        return self.data.train.labelled.subset(slice(0, self.preset.training_pairs))

    # -- features ------------------------------------------------------------------------------

    def _labelled_only(self, **inputs: Any) -> dict[str, Any]:
        return {
            "data": self.digest,
            "training_pairs": self.preset.training_pairs,
            "expansion": self.expansion.model_dump(mode="json"),
            **inputs,
        }

    def _common(self, **inputs: Any) -> dict[str, Any]:
        return self._labelled_only(further_pairs=self.preset.further_pairs, **inputs)

    def _nice_inputs(self) -> dict[str, Any]:
        settings = self.preset.invariants.model_dump(mode="json", exclude={"components", "inputs"})
        return self._labelled_only(nice=settings)

    def _invariant_inputs(self) -> dict[str, Any]:
        settings = self.preset.invariants.model_dump(mode="json", exclude={"components"})
        return self._common(nice=settings)

    def _triplet_inputs(self) -> dict[str, Any]:
        return self._common(features=self.preset.features.model_dump(mode="json"))

    @cached_property
    def nice(self) -> Nice:
        """The fitted iteration."""
        folder = self.stages.run(
            "nice",
            self._nice_inputs(),
            lambda place: fit_nice(
                place,
                self.preset.invariants,
                self.expansion,
                self.labelled_fitting,
                self.report,
                self.device,
            ),
        )
        return Nice.load(folder / "nice.safetensors")

    @cached_property
    def invariants(self) -> dict[str, Invariants]:
        """The largest components of the invariants of all sets, the targets of models A^rho."""
        columns = self.inputs["training"].largest(self.preset.invariants.components)
        return {name: values.only(columns) for name, values in self.inputs.items()}

    @cached_property
    def inputs(self) -> dict[str, Invariants]:
        """Compressed invariants of all sets, the input of models C."""

        def compress(place: Path) -> None:
            nice = self.nice
            stacked = self.stages.run(
                "invariants",
                self._nice_inputs() | {"further_pairs": self.preset.further_pairs},
                lambda at: compute_invariants(
                    at, nice, self.expansion, self._every, self.report, self.device
                ),
            )
            n_channels = self.expansion.n_radial * len(self.expansion.species)
            rows = torch.arange(len(self._every))
            sizes = [len(pairs) for pairs in self.pairs.values()]
            compress_invariants(
                place,
                stacked,
                torch.cat(list(nice.parities(n_channels).values())),
                self.preset.invariants.inputs,
                dict(zip(self.pairs, torch.split(rows, sizes), strict=True)),
                self.report,
                self.device,
            )

        folder = self.stages.run("inputs", self._invariant_inputs(), compress)
        return {name: load_invariants(folder, name) for name in self.pairs}

    @property
    def _every(self) -> B8Pairs:
        sets = self.pairs.values()
        return B8Pairs(
            parameters=torch.cat([pairs.parameters for pairs in sets]),
            energies=torch.cat([pairs.energies for pairs in sets]),
            index=torch.cat([pairs.index for pairs in sets]),
        )

    @cached_property
    def _triplet_folder(self) -> Path:
        return self.stages.run(
            "triplets",
            self._triplet_inputs(),
            lambda place: compute_triplets(
                place,
                self.expansion,
                self.preset.features,
                self.pairs["training"],
                [pairs for name, pairs in self.pairs.items() if name != "training"],
                self.report,
                self.device,
            ),
        )

    @cached_property
    def triplets(self) -> TripletInput:
        """Compressed triplet features of all sets."""
        return load_triplets(self._triplet_folder)

    # -- further pairs -------------------------------------------------------------------------

    def _further_inputs(self) -> dict[str, Any]:
        return {
            "data": self.digest,
            "training_pairs": self.preset.training_pairs,
            "teacher": self.preset.teacher.model_dump(mode="json"),
            "further_pairs": self.preset.further_pairs,
        }

    @cached_property
    def _labelled_further(self) -> B8Pairs | None:
        """Further pairs with the teacher's labels, if there are any."""
        if "further" not in self.pairs:
            return None
        pairs = self.pairs["further"]
        task = Task("teacher", 0, TrainingSettings(), self.device, self.report)
        inputs = self._further_inputs()
        teacher = self.stages.run(
            "teacher",
            {name: value for name, value in inputs.items() if name != "further_pairs"},
            lambda place: fit_kernel_model(
                place,
                self.preset.teacher,
                self.labelled_fitting,
                self.data.validation.labelled,
                task,
            ),
        )

        def label(place: Path) -> None:
            energies = kernel_energies(
                teacher / "model.safetensors", pairs, "labels of further pairs", task
            )
            save_tensors(place / "energies.safetensors", {"energies": energies})

        folder = self.stages.run("further", inputs, label)
        return replace(pairs, energies=load_file(folder / "energies.safetensors")["energies"])

    # -- models --------------------------------------------------------------------------------

    def _config(self, plan: ModelPlan, seed: int, training_pairs: int | None) -> TrainConfig:
        if plan.model not in ("B_L", "B_NL", "D_L", "D_NL"):
            raise AssertionError(plan.model)
        return TrainConfig(
            model=plan.model,
            seed=seed,
            data=DataSettings(training_pairs=training_pairs),
            features=self.preset.features,
            network=plan.network,
            training=plan.training,
        )

    def _inputs(self, name: str, plan: ModelPlan, seed: int) -> dict[str, Any]:
        """Everything that a trained model depends on."""
        further = self._further_inputs() if self.preset.further_pairs else None
        if plan.model == "kernel":
            return {
                "data": self.digest,
                "training_pairs": self.preset.training_pairs,
                "kernel": plan.kernel.model_dump(mode="json"),
                "seed": seed,
            }
        if plan.model[0] in "BD":
            config = self._config(plan, seed, self.preset.training_pairs)
            values = config.model_dump(mode="json", exclude={"output": True})
            return {"data": self.digest, "settings": values, "further": further}
        if plan.model == "random":
            return {
                "data": self.digest,
                "training_pairs": self.preset.training_pairs,
                "random": plan.random.model_dump(mode="json"),
                "difference_weight": plan.training.difference_weight,
                "seed": seed,
            }
        settings = self.preset.invariants
        others = {"kernel", "random"} if plan.model == "C_L" else {"kernel", "random", "ridge"}
        inputs: dict[str, Any] = {
            "seed": seed,
            "plan": plan.model_dump(mode="json", exclude=others),
            "further": None if plan.model.startswith("A_rho") else further,
            "invariants": self._invariant_inputs(),
        }
        if plan.model.startswith("A"):
            inputs["components"] = settings.components
        if plan.model.startswith("A_rho"):
            inputs["triplets"] = self._triplet_inputs()
        elif plan.model.startswith("A"):
            inputs["encoder"] = self._inputs(*self._encoder_of(name), seed)
        return inputs

    def _encoder_of(self, name: str) -> tuple[str, ModelPlan]:
        encoder = name.replace("A_", "A_rho_", 1)
        return encoder, self.preset.models[encoder]

    def finished(self, name: str, seed: int) -> Path | None:
        """Folder of a trained model, if it is there."""
        plan = self.preset.models[name]
        place = self.stages.cache / stage_key(
            f"{name}-seed{seed}", **self._inputs(name, plan, seed)
        )
        return place if (place / _marker(plan)).exists() else None

    def train(self, name: str, seed: int, plan: ModelPlan | None = None) -> Path:
        """Train a model, unless it is there.

        Args:
            name: row of the table, or of a figure.
            seed: of the run.
            plan: of a figure; ``None``: the row's.
        """
        plan = plan if plan is not None else self.preset.models[name]
        task = Task(f"{name}, seed {seed}", seed, plan.training, self.device, self.report)

        def compute(place: Path) -> None:
            known, unseen = self.labelled_fitting, self.data.validation.labelled
            if plan.model == "kernel":
                fit_kernel_model(place, plan.kernel, known, unseen, task)
            elif plan.model == "random":
                fit_random_model(place, plan, known, unseen, task)
            elif plan.model[0] in "BD":
                config = self._config(plan, seed, self.preset.training_pairs)
                self._train_on_labels(config, place, self._labelled_further)
            elif plan.model.startswith("A_rho"):
                fit_reconstruction(place, plan, self.triplets, self.invariants, task)
            elif plan.model.startswith("A"):
                latent = load_latent(self.train(self._encoder_of(name)[0], seed))
                sizes = [len(pairs) for pairs in self.pairs.values()]
                vectors = dict(zip(self.pairs, torch.split(latent, sizes), strict=True))
                fit_energy(place, plan, vectors, self._with_labels, task)
            else:
                vectors = {part: x.values for part, x in self.inputs.items()}
                n_even = self.inputs["training"].n_even
                fit = fit_linear_energy if plan.model == "C_L" else fit_energy
                fit(place, plan, vectors, self._with_labels, task, n_even=n_even)

        inputs = self._inputs(name, plan, seed)
        return self.stages.run(f"{name}-seed{seed}", inputs, compute, marker=_marker(plan))

    @property
    def _with_labels(self) -> dict[str, B8Pairs]:
        further = self._labelled_further
        return self.pairs if further is None else self.pairs | {"further": further}

    def train_on(self, n_pairs: int, plan: ModelPlan) -> Path:
        """Train a model B or D on the first labelled training pairs, for a learning curve."""
        config = self._config(plan, 0, n_pairs)
        inputs = {
            "data": self.digest,
            "settings": config.model_dump(mode="json", exclude={"output": True}),
        }
        return self.stages.run(
            f"curve-{plan.model}-{n_pairs}",
            inputs,
            lambda place: self._train_on_labels(config, place, None),
            marker="results.json",
        )

    def _train_on_labels(self, config: TrainConfig, place: Path, further: B8Pairs | None) -> None:
        train(
            config.model_copy(update={"output": str(place)}),
            self.report,
            pairs=self.data,
            further=further,
            resume=True,
            device=self.device,
        )

    def response_inputs(self) -> dict[str, Any]:
        """What the figures of displaced atoms depend on, apart from the trained network."""
        return self._nice_inputs()

    # -- what figures read ---------------------------------------------------------------------

    def energies(self, name: str, seed: int, pairs: B8Pairs) -> Tensor | None:
        """(P, 2) eV predicted by a trained kernel or model B or D, if there is one."""
        folder = self.finished(name, seed)
        if folder is None:
            return None
        if self.preset.models[name].model == "kernel":
            task = Task(name, seed, TrainingSettings(), self.device, self.report)
            return kernel_energies(folder / "model.safetensors", pairs, f"{name}: energies", task)
        from symtrip.environments import Environments

        model = EnergyModel.load(folder / "model.safetensors")
        positions = pairs.positions.flatten(0, 1)
        radius = self.expansion.radius
        with torch.no_grad():
            pieces = [
                model(Environments.from_positions(part, pairs.numbers, radius=radius))
                for part in torch.split(positions, 100)
            ]
        return paired(torch.cat(pieces)).double()

    def latent_network(self) -> tuple[TripletCompression, TripletReconstruction] | None:
        """Compression and network of A_rho_NL, first seed, if it is trained."""
        folder = self.finished("A_rho_NL", 0) if "A_rho_NL" in self.preset.models else None
        if folder is None:
            return None
        plan = self.preset.models["A_rho_NL"]
        tensors = load_file(self._triplet_folder / "triplets.safetensors")
        sections = self.triplets.sections
        compression = TripletCompression(
            self.expansion.max_angular, self.expansion.n_radial, sections
        )
        compression.load_state_dict(
            {
                k.removeprefix("compression."): v
                for k, v in tensors.items()
                if k.startswith("compression.")
            }
        )
        units = torch.ones(self.invariants["training"].values.shape[-1])
        network = reconstruction(plan, sections, units, 0)
        load_weights(folder, network)
        return compression, network


def errors_of(folder: Path, plan: ModelPlan) -> dict[str, Any]:
    """Set -> "mean" or "diff" -> error, of a finished model; "limit", if it has one, likewise."""
    content: dict[str, Any] = json.loads((folder / _marker(plan)).read_text(encoding="utf-8"))
    if plan.model[0] not in "BD":
        return content
    errors: dict[str, Any] = content["models"][plan.model]
    return errors


def _marker(plan: ModelPlan) -> str:
    """The file whose presence says that a model is finished, written last."""
    return "results.json" if plan.model[0] in "BD" else "errors.json"

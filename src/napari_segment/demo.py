"""The main job on data made here: segment, train, predict, score, measure, show."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment import api, samples
from napari_segment.image import Image, Labels
from napari_segment.results.measure import with_units
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.api.files import Writable

TRAINING_CASES = 12
SEED = 1
BUNDLED = "nuclei-fluorescence"
# A quarter of a minute of one core's time. Updates are counted, not minutes: a busy machine takes
# longer and gets the same network.
NETWORK = ("textbook_unet", {"features": 8, "levels": 3, "dropout": 0.0})


@dataclass
class Report:
    """What the demonstration made: files with what they are, and scores."""

    files: dict[Path, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        width = max(len(str(path)) for path in self.files)
        lines = [f"{path!s:<{width}}  {what}" for path, what in self.files.items()]
        return "\n".join([*lines, "", *(f"{k}: {v:.3f}" for k, v in self.scores.items())])


def run_demo(folder: Path) -> Generator[Step, None, Report]:
    """Run the demonstration.

    Parameters
    ----------
    folder : Path
        Where the results go; it is made.

    Yields
    ------
    Step
        Of the segmentations and of the training.

    Returns
    -------
    Report
        Where everything is, and how good.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = Report()
    yield from _classical(folder, report)
    yield from _network(folder, report)
    return report


def _classical(folder: Path, report: Report) -> Generator[Step, None, None]:
    image, truth = samples.nuclei(seed=SEED)
    recipe = api.recipe_of(
        "otsu",
        filters=[("gaussian", {"sigma": image.spacing[0]})],
        cleanups=["fill_holes", "split_touching", "clear_border"],
    )
    labels = yield from api.segment_steps(image, recipe)
    truth = truth.replace(data=_without_border(np.asarray(truth)))
    settings = {"checkpoint": BUNDLED, "device": "cpu"}
    network = api.recipe_of(("network", settings), cleanups=["clear_border"])
    learnt = yield from api.segment_steps(image, network)
    scores, learnt_scores = api.compare(labels, truth), api.compare(learnt, truth)
    table = api.measure(labels, image)
    _write(report, image, folder / "nuclei.tif", "a made-up image of nuclei")
    _write(report, labels, folder / "nuclei_labels.tif", "its objects by Otsu's threshold")
    _write(report, learnt, folder / "nuclei_network.tif", "its objects by the bundled network")
    report.files[folder / "nuclei_labels.recipe.yaml"] = "the recipe: napari-segment replay …"
    _write(report, with_units(table), folder / "nuclei.csv", f"a table of {len(table)} objects")
    _picture(
        folder / "nuclei.png",
        image,
        {"truth": truth, "Otsu's threshold": labels, "bundled network": learnt},
    )
    report.files[folder / "nuclei.png"] = "a picture of all"
    report.scores["F1 of the nuclei at IoU 0.5"] = scores.summary["f1"]
    report.scores["the same by the bundled network"] = learnt_scores.summary["f1"]


def _network(folder: Path, report: Report) -> Generator[Step, None, None]:
    cases = [samples.two_tissues(seed=SEED + i) for i in range(TRAINING_CASES + 1)]
    image, truth = cases.pop()
    checkpoint = yield from api.train(
        cases, out=folder / "network", model=NETWORK, loss="dice_ce", seed=SEED,
        augment="light", overwrite=True, patch=(16, 48, 48), batch=2, steps=20, epochs=12, lr=0.01,
    )  # fmt: skip
    recipe = api.recipe_of(("network", {"checkpoint": checkpoint.folder}))
    labels = yield from api.segment_steps(image, recipe)
    scores = api.compare(labels, truth)
    report.files[folder / "network"] = f"a 3-D U-Net trained on {TRAINING_CASES} made-up stacks"
    _write(report, image, folder / "tissues.nii.gz", "a stack that it did not see")
    _write(report, labels, folder / "tissues_labels.nii.gz", "its classes by the network")
    _write(report, truth, folder / "tissues_truth.nii.gz", "the truth")
    _picture(folder / "tissues.png", image, {"truth": truth, "U-Net": labels})
    report.files[folder / "tissues.png"] = "a picture of both"
    report.scores["mean Dice of the network"] = scores.summary["mean_dice"]


def _write(report: Report, what: Writable, path: Path, title: str) -> None:
    report.files[api.write(what, path)] = title


def _without_border(objects: NDArray[Any]) -> NDArray[Any]:
    """Leave out the objects that the picture cuts, as the recipe does."""
    edges = [np.take(objects, i, axis) for axis in range(objects.ndim) for i in (0, -1)]
    cut = np.unique(np.concatenate([edge.ravel() for edge in edges]))
    return np.where(np.isin(objects, cut), 0, objects).astype(objects.dtype)


def _picture(path: Path, image: Image, results: dict[str, Labels]) -> None:
    """Draw each result over the plane that has most of the last label of the first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from napari_segment.results.picture import grey, overlay

    plane = _richest(np.asarray(next(iter(results.values()))))
    figure = Figure(figsize=(4.5 * len(results), 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    for position, (title, labels) in enumerate(results.items(), 1):
        axes = figure.add_subplot(1, len(results), position)
        axes.imshow(overlay(grey(np.asarray(image)[plane]), np.asarray(labels)[plane]))
        axes.set_title(title)
        axes.set_axis_off()
    figure.savefig(path, dpi=110)


def _richest(labels: NDArray[Any]) -> Any:
    """The index of the plane with most of the last label; everything of a single plane."""
    if labels.ndim == 2:
        return ...
    return int((labels == labels.max()).sum((1, 2)).argmax())

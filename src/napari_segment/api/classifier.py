"""The verb that trains a pixel classifier on sparse labels."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_segment.api.types import PairsLike
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.classical.classifier.features import Kind
    from napari_segment.classical.classifier.model import PixelClassifier
    from napari_segment.classical.classifier.training import LabelledImage
    from napari_segment.io.datasets.case import Case
    from napari_segment.io.datasets.pairs import Pairs


def train_classifier(  # noqa: PLR0913 - settings, each with a name
    pairs: PairsLike,
    *,
    out: str | Path = "classifier",
    overwrite: bool = False,
    scales: tuple[float, ...] | Literal["auto"] = "auto",
    features: tuple[Kind, ...] = ("gaussian", "gradient", "laplacian", "hessian"),
    trees: int = 100,
    min_leaf: int = 1,
    max_depth: int | Literal["none"] = "none",
    max_samples: int = 20_000,
    background: int | Literal["none"] = "none",
    seed: int = 0,
    axes: str = "",
) -> Generator[Step, None, PixelClassifier]:
    """Train a pixel classifier on sparse labels, such as strokes: a generator of Steps.

    Parameters
    ----------
    pairs : as for `train`
        Images with labels in which 0 is "not said" and every other number a class; background is
        a class too. Volumes are classified as volumes, planes as planes.
    out : path
        Folder of the classifier.
    overwrite : bool
        Replace a classifier in the folder.
    scales : tuple of float or "auto"
        Standard deviations of the Gaussians of its features, in the unit of the spacing; 0 is the
        image itself. "auto" is 1, 2, 4 and 8 times the finest spacing.
    features : tuple of str
        What is derived at each scale: "gaussian", "gradient", "laplacian", "hessian",
        "difference", "structure".
    trees, min_leaf, max_depth : int
        Number of trees, least samples of a leaf, longest path ("none" for no limit).
    max_samples : int
        Labelled voxels of each class to learn from; of more, some are drawn.
    background : int or "none"
        The class number that becomes 0 in results.
    seed : int
        Random seed for drawing labelled voxels and for the trees.
    axes : str
        Axis letters of the images, where they do not name their own.

    Yields
    ------
    Step
        One for each image, and one before the fit.

    Returns
    -------
    PixelClassifier
        For ``segment(image, "classifier", checkpoint=classifier.folder)``.

    Examples
    --------
    >>> from napari_segment.step import run
    >>> classifier = run(train_classifier([(image, strokes)], out="strokes"))  # doctest: +SKIP
    """
    from napari_segment.classical.classifier.training import ENTRY
    from napari_segment.io.datasets.pairs import Pairs
    from napari_segment.io.lock import locked

    settings = ENTRY.validate(
        {
            "out": Path(out), "overwrite": overwrite, "scales": scales, "features": features,
            "trees": trees, "min_leaf": min_leaf, "max_depth": max_depth,
            "max_samples": max_samples, "background": background, "seed": seed,
        }
    )  # fmt: skip
    with locked(Path(out), "another training"):
        images = _labelled(Pairs.of(pairs, axes=axes))
        classifier: PixelClassifier = yield from ENTRY.function(images, **settings)
    return classifier


def _labelled(pairs: Pairs) -> Iterator[LabelledImage]:
    """Every case, time point by time point, but those that cannot be read or are not painted."""
    painted = False
    for case in pairs:
        try:
            for labelled in _painted(pairs, case):
                painted = True
                yield labelled
        except OSError as error:
            pairs.unreadable(case, error)
    if not painted:
        raise InputError(
            f"Nothing is painted in the labels of {len(pairs)} image(s): give class numbers from 1 "
            "where the class is known, 0 elsewhere."
        )


def _painted(pairs: Pairs, case: Case) -> Iterator[LabelledImage]:
    """The painted time points of a case."""
    image, labels = pairs.read(case, lazy=True)
    for labelled in _each_time(image.canonical(), labels.canonical(), case.name):
        if labelled.labels.any():
            yield labelled


def _each_time(image: Image, labels: Labels, name: str) -> Iterator[LabelledImage]:
    if "T" not in image.axes:
        yield _one(image, labels, name)
        return
    for t in range(image.size("T")):
        yield _one(image.take("T", t), labels.take("T", t), f"{name}, time {t}")


def _one(image: Image, labels: Labels, name: str) -> LabelledImage:
    from napari_segment.classical.classifier.training import LabelledImage

    pixels = image.data if "C" in image.axes else image.data[None]
    channels = image.channels or tuple(f"channel {c}" for c in range(len(pixels)))
    if len(pixels) == 1 and not image.channels:
        channels = ("",)
    marks = labels.compute().data
    return LabelledImage(
        name, pixels, marks, tuple(image.spacing), image.unit, tuple(channels), labels.names
    )

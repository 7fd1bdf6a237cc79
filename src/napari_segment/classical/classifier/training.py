"""Training of pixel classifiers: from sparse labels to a forest."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.classical.classifier.card import (
    Folder,
    MaxDepth,
    Overwrite,
    Trees,
    check_free,
    trained_with,
)
from napari_segment.classical.classifier.features import (
    DEFAULT_KINDS,
    KINDS,
    FeatureSet,
    Kind,
    for_rows,
)
from napari_segment.classical.classifier.forest import Forest
from napari_segment.classical.classifier.model import PixelClassifier
from napari_segment.errors import FormatError, InputError, LeftOutWarning, SettingError
from napari_segment.image.units import length_factor
from napari_segment.registry import Entry
from napari_segment.step import Step

Scales: TypeAlias = Annotated[
    tuple[Annotated[float, Field(ge=0)], ...] | Literal["auto"],
    Field(
        description="Standard deviations of the Gaussians in the unit of the spacing; 0 is the "
        'image itself. "auto" is 1, 2, 4 and 8 times the finest spacing.'
    ),
]
Features: TypeAlias = Annotated[
    tuple[Kind, ...],
    Field(min_length=1, description="What is derived from the image at each scale."),
]
MaxSamples: TypeAlias = Annotated[
    int,
    Field(
        ge=10, description="Labelled voxels of each class to learn from; of more, some are drawn."
    ),
]
Background: TypeAlias = Annotated[
    Annotated[int, Field(ge=1)] | Literal["none"],
    Field(description='The class number that becomes 0 in results; "none" for none.'),
]
_AUTO = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """An image with sparse labels.

    Parameters
    ----------
    name : str
        For messages.
    channels : array (C, *S)
        Real numbers of any type.
    labels : array (*S)
        A class number where something was painted, 0 (or less) elsewhere.
    spacing : tuple of float
        Distance between neighbours along each spatial axis.
    unit : str
        Of the spacing.
    channel_names : tuple of str
        One for each channel.
    names : mapping of int to str
        Class names by number.
    """

    name: str
    channels: Any
    labels: Any
    spacing: tuple[float, ...]
    unit: str
    channel_names: tuple[str, ...]
    names: Mapping[int, str] = field(default_factory=dict)


def train_classifier(  # noqa: PLR0913 - settings, each with a name
    images: Iterable[LabelledImage],
    *,
    out: Folder = Path("classifier"),
    overwrite: Overwrite = False,
    scales: Scales = "auto",
    features: Features = DEFAULT_KINDS,
    trees: Trees = 100,
    min_leaf: Annotated[
        int, Field(ge=1, description="Least number of labelled voxels in a leaf of a tree.")
    ] = 1,
    max_depth: MaxDepth = "none",
    max_samples: MaxSamples = 20_000,
    background: Background = "none",
    seed: Annotated[
        int, Field(ge=0, description="Random seed for drawing labelled voxels and for the trees.")
    ] = 0,
) -> Generator[Step, None, PixelClassifier]:  # fmt: skip
    """Train a pixel classifier on sparsely labelled images.

    Parameters
    ----------
    images : iterable of LabelledImage
        Of the same channels and dimensions.

    Yields
    ------
    Step
        One for each image, and those of the fit.

    Returns
    -------
    PixelClassifier
        As it stands in the folder.

    Raises
    ------
    InputError
        If fewer than two classes are painted, or the images do not go together.
    SettingError
        If the folder holds a classifier or a network already.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45, 5–32, 2001. :doi:`10.1023/A:1010933404324`
    """
    check_free(out, overwrite)
    drawn = yield from _drawn_of(images, scales, features, max_samples, seed)
    table, classes, target = _together(drawn.tables, drawn.numbers, max_samples, seed)
    if background != "none" and background not in classes:
        raise SettingError(
            f"The background is class {background}, but painted are the classes "
            f"{', '.join(map(str, classes))}."
        )
    yield Step(0, 0, f"fitting {trees} trees to {len(table):,} labelled voxels")
    depth = None if max_depth == "none" else max_depth
    forest, out_of_bag = Forest.fit(
        table, target, trees=trees, min_leaf=min_leaf, max_depth=depth, seed=seed
    )
    first, columns = drawn.first, drawn.columns
    model = PixelClassifier(
        folder=out,
        channels=first.channel_names,
        ndim=first.channels.ndim - 1,
        scales=drawn.features.scales,
        features=drawn.features.kinds,
        unit=first.unit,
        spacing=first.spacing,
        classes=classes,
        names={n: name for n, name in first.names.items() if n in classes},
        background=background,
        samples=dict(zip(classes, np.bincount(target).tolist(), strict=True)),
        importances=dict(zip(columns, forest.importances.round(6).tolist(), strict=True)),
        out_of_bag=out_of_bag,
        settings={"trees": trees, "min_leaf": min_leaf, "max_depth": max_depth, "seed": seed},
        versions=trained_with(),
    )
    return model.save(forest)


ENTRY = Entry("trainings", "train_classifier", "Train a pixel classifier", train_classifier)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Labelled voxels of all images, as features and class numbers."""

    first: LabelledImage
    features: FeatureSet
    tables: list[NDArray[np.float32]]
    numbers: list[NDArray[np.int64]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the features."""
        return self.features.names(self.first.channel_names, self.first.channels.ndim - 1)


def _drawn_of(
    images: Iterable[LabelledImage],
    scales: tuple[float, ...] | str,
    kinds: tuple[Kind, ...],
    most: int,
    seed: int,
) -> Generator[Step, None, _Drawn]:
    """Draw labelled voxels of every image; one that cannot be read is left out."""
    drawn: _Drawn | None = None
    for i, image in enumerate(images):
        if drawn is None:
            ordered = tuple(kind for kind in KINDS if kind in kinds)
            drawn = _Drawn(image, FeatureSet(scales_of(scales, image), ordered), [], [])
        _check_alike(drawn.first, image)
        try:
            spacing = _spacing(image, drawn.first)
            table, painted = _samples(image, drawn.features, spacing, most, seed + i)
        except FormatError as error:  # lazy pixels of a damaged file
            warnings.warn(f"{image.name!r} is left out: {error}", LeftOutWarning, stacklevel=2)
            continue
        drawn.tables.append(table)
        drawn.numbers.append(painted)
        yield Step(i + 1, 0, f"features of {len(painted):,} labelled voxels of {image.name}")
    if drawn is None or not drawn.tables:
        raise InputError("There is no image to train on.")
    return drawn


def scales_of(given: tuple[float, ...] | str, image: LabelledImage) -> tuple[float, ...]:
    """Return the scales that are given, or those of the spacing of an image."""
    if not isinstance(given, str):
        if not given:
            raise SettingError('No scale is given: give some, such as (1, 2, 4), or "auto".')
        return given
    return tuple(scale * min(image.spacing) for scale in _AUTO)


def _spacing(image: LabelledImage, first: LabelledImage) -> tuple[float, ...]:
    """The spacing of an image in the unit of the first."""
    factor = length_factor(image.unit, first.unit)
    if factor is None:
        raise InputError(
            f"The spacing of {image.name!r} is in {image.unit}, that of {first.name!r} in "
            f"{first.unit}: give all images one unit of length."
        )
    return tuple(s * factor for s in image.spacing)


def _check_alike(first: LabelledImage, image: LabelledImage) -> None:
    if image.channels.ndim != first.channels.ndim or len(image.channels) != len(first.channels):
        sizes = [f"{i.name!r}: {len(i.channels)} channel(s), {i.channels.ndim - 1}-D"
                 for i in (first, image)]  # fmt: skip
        raise InputError(f"All images must have the same channels and axes, but {sizes}.")


def _samples(
    image: LabelledImage,
    features: FeatureSet,
    spacing: tuple[float, ...],
    most: int,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features (N, F) and class numbers (N,) of labelled voxels, at most so many of a class.

    Features are computed in boxes around what was painted, with what they need around.
    """
    labels = np.asarray(image.labels)
    positions = _drawn(labels, most, seed)
    if not len(positions):
        raise InputError(
            f"Nothing is painted in the labels of {image.name!r}: give class numbers from 1 where "
            "the class is known, 0 elsewhere."
        )
    reach = features.reach(spacing)
    tables, numbers = [], []
    for part in _clusters(positions, reach):
        low = np.maximum(part.min(0) - reach, 0)
        high = np.minimum(part.max(0) + np.array(reach) + 1, labels.shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        pixels = np.asarray(image.channels[(slice(None), *box)])
        tables.append(_rows_at(pixels, spacing, features, part - low))
        numbers.append(labels[tuple(part.T)].astype(np.int64))
    return np.concatenate(tables), np.concatenate(numbers)


def _drawn(labels: NDArray[Any], most: int, seed: int) -> NDArray[np.int64]:
    """Positions (N, D) of labelled voxels, at most so many of each class, in C order."""
    rng = np.random.default_rng(seed)
    flat = labels.reshape(-1)
    painted = np.flatnonzero(flat > 0)
    numbers = flat[painted]
    chosen = []
    for number in np.unique(numbers):
        own = painted[numbers == number]
        chosen.append(own if len(own) <= most else rng.choice(own, most, replace=False))
    index = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    return np.stack(np.unravel_index(index, labels.shape), 1)


def _clusters(positions: NDArray[np.int64], reach: Sequence[int]) -> list[NDArray[np.int64]]:
    """Groups of positions along the first axis whose boxes would not meet."""
    order = np.argsort(positions[:, 0], kind="stable")
    ordered = positions[order]
    cuts = np.flatnonzero(np.diff(ordered[:, 0]) > 2 * reach[0]) + 1
    bounds = [0, *cuts.tolist(), len(ordered)]
    return [ordered[a:b] for a, b in pairwise(bounds)]


def _rows_at(
    pixels: NDArray[Any],
    spacing: tuple[float, ...],
    features: FeatureSet,
    positions: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Features (N, F) at some positions of an image."""
    index = np.ravel_multi_index(tuple(positions.T), pixels.shape[1:])
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    width = len(features.names(("",) * len(pixels), pixels.ndim - 1))
    out = np.empty((len(index), width), np.float32)

    def use(start: int, stop: int, table: NDArray[np.float32]) -> None:
        first, last = np.searchsorted(ordered, (start, stop))
        out[order[first:last]] = table[ordered[first:last] - start]

    for_rows(pixels, spacing, features, use)
    return out


def _together(
    tables: Sequence[NDArray[np.float32]],
    numbers: Sequence[NDArray[np.int64]],
    most: int,
    seed: int,
) -> tuple[NDArray[np.float32], tuple[int, ...], NDArray[np.int64]]:
    """All samples, the class numbers, and the class index of each sample."""
    table, number = np.concatenate(tables), np.concatenate(numbers)
    chosen = _drawn(number, most, seed)[:, 0]
    table, number = table[chosen], number[chosen]
    classes, target = np.unique(number, return_inverse=True)
    if len(classes) < 2:
        raise InputError(
            f"Only class {classes[0]} is painted. Paint at least two: what is wanted, and what is "
            "not (background is a class too)."
        )
    return table, tuple(classes.tolist()), target.astype(np.int64)

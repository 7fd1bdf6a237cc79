"""Training of object classifiers: from some objects with a class to a forest."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

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
from napari_segment.classical.classifier.forest import Forest
from napari_segment.classical.object_classifier.measured import (
    Measured,
    Properties,
    measured,
    properties_of,
)
from napari_segment.classical.object_classifier.model import ObjectClassifier
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.image.units import length_factor
from napari_segment.registry import Entry
from napari_segment.step import Step


@dataclass(frozen=True, eq=False)
class ClassifiedObjects:
    """Objects of an image, some of which have a class.

    Parameters
    ----------
    name : str
        For messages.
    labels : Labels
        Objects.
    image : Image or None
        Intensities, on the grid of the labels.
    classes : mapping of (int, int) to int
        Class number from 1 by time point (0 without a time axis) and object number.
    names : mapping of int to str
        Class names by number.
    """

    name: str
    labels: Labels
    image: Image | None
    classes: Mapping[tuple[int, int], int]
    names: Mapping[int, str] = field(default_factory=dict)


def train_object_classifier(
    cases: Iterable[ClassifiedObjects],
    *,
    out: Folder = Path("object_classifier"),
    overwrite: Overwrite = False,
    properties: Annotated[
        Properties,
        Field(description='What is measured of each object, as for "measure"; "auto" is size, '
              "shape and, with an image, intensity and texture."),
    ] = "auto",
    trees: Trees = 100,
    min_leaf: Annotated[
        int, Field(ge=1, description="Least number of objects in a leaf of a tree.")
    ] = 1,
    max_depth: MaxDepth = "none",
    seed: Annotated[int, Field(ge=0, description="Random seed for the trees.")] = 0,
) -> Generator[Step, None, ObjectClassifier]:  # fmt: skip
    """Train an object classifier on objects of which some have a class.

    Parameters
    ----------
    cases : iterable of ClassifiedObjects
        Of the same channels and dimensions.

    Yields
    ------
    Step
        One for each case, and those of the fit.

    Returns
    -------
    ObjectClassifier
        As it stands in the folder.

    Raises
    ------
    InputError
        If fewer than two classes have an object, or the cases do not go together.
    SettingError
        If the folder holds a classifier or a network already.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45, 5–32, 2001. :doi:`10.1023/A:1010933404324`
    """
    check_free(out, overwrite)
    gathered = yield from _gathered(cases, properties)
    classes, target = _targets(gathered.numbers)
    yield Step(0, 0, f"fitting {trees} trees to {len(target):,} objects")
    forest, out_of_bag = Forest.fit(
        gathered.table, target, trees=trees, min_leaf=min_leaf, seed=seed,
        max_depth=None if max_depth == "none" else max_depth,
    )  # fmt: skip
    first, columns = gathered.first, gathered.columns
    model = ObjectClassifier(
        folder=out,
        channels=_channels(first.image),
        ndim=3 if "Z" in first.labels.axes else 2,
        unit=first.labels.unit,
        classes=classes,
        names={number: name for number, name in gathered.names.items() if number in classes},
        properties=properties_of(properties, image=first.image is not None),
        columns=columns,
        samples=dict(zip(classes, np.bincount(target).tolist(), strict=True)),
        importances=dict(zip(columns, forest.importances.round(6).tolist(), strict=True)),
        out_of_bag=out_of_bag,
        settings={"trees": trees, "min_leaf": min_leaf, "max_depth": max_depth, "seed": seed},
        versions=trained_with(),
    )
    return model.save(forest)


ENTRY = Entry(
    "trainings", "train_object_classifier", "Train an object classifier", train_object_classifier
)


@dataclass(frozen=True, eq=False)
class _Gathered:
    """The examples of all cases."""

    first: ClassifiedObjects
    columns: tuple[str, ...]
    table: NDArray[np.float32]
    numbers: NDArray[np.int64]
    names: Mapping[int, str]


def _gathered(
    cases: Iterable[ClassifiedObjects], properties: Properties
) -> Generator[Step, None, _Gathered]:
    """Measure the objects of every case, and take those that have a class."""
    first: ClassifiedObjects | None = None
    tables: list[NDArray[np.float32]] = []
    numbers: list[NDArray[np.int64]] = []
    names: dict[int, str] = {}
    columns: tuple[str, ...] = ()
    for i, case in enumerate(cases, 1):
        first = first or case
        _check_alike(first, case)
        measurements = measured(
            in_unit(case.labels, first.labels.unit, case.name),
            _with_channels_of(first.image, case.image),
            properties_of(properties, image=case.image is not None),
        )
        columns, names = measurements.columns, {**names, **case.names}
        table, given = _examples(measurements, case)
        tables.append(table)
        numbers.append(given)
        yield Step(i, 0, f"{len(given):,} objects with a class in {case.name}")
    if first is None:
        raise InputError("There are no objects to train on.")
    return _Gathered(first, columns, np.concatenate(tables), np.concatenate(numbers), names)


def in_unit(labels: Labels, unit: str, name: str) -> Labels:
    """Return labels whose spacing is in a unit of length.

    Raises
    ------
    InputError
        If one of the two units is no length, and the other is.
    """
    factor = length_factor(labels.unit, unit)
    if factor is None:
        raise InputError(
            f"The spacing of {name} is in {labels.unit}, that of the objects which the classifier "
            f"learns from is in {unit}: sizes cannot be compared. Give both one unit of length."
        )
    if factor == 1.0:
        return labels
    return labels.in_unit(unit)


def _check_alike(first: ClassifiedObjects, case: ClassifiedObjects) -> None:
    if case.labels.holds != "objects":
        raise InputError(
            f"The labels of {case.name} hold {case.labels.holds}, not objects: number their pieces "
            "first, by the cleanup 'connected_components'."
        )
    one, other = (len(c.labels.spatial_axes) for c in (first, case))
    if one != other:
        raise InputError(
            f"{first.name} is {one}-D and {case.name} {other}-D: train on one of them."
        )
    one, other = (len(_channels(c.image)) for c in (first, case))
    if one != other:
        raise InputError(
            f"{first.name} has {one} image channel(s) and {case.name} {other}: give all labels "
            "images of the same channels, or none."
        )


def _channels(image: Image | None) -> tuple[str, ...]:
    """Return the names of the channels; one that has no name is called by its number."""
    if image is None:
        return ()
    count = image.size("C") if "C" in image.axes else 1
    return image.channels or tuple(f"channel {c}" for c in range(count))


def _with_channels_of(first: Image | None, image: Image | None) -> Image | None:
    """Return the image with the names of the channels of the first, which the features have."""
    if image is None or "C" not in image.axes:
        return image
    return image.replace(channels=_channels(first))


def _examples(
    measurements: Measured, case: ClassifiedObjects
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features and class numbers of the objects that have a class."""
    rows = {
        (int(time), int(label)): row
        for row, (time, label) in enumerate(
            zip(measurements.times, measurements.labels, strict=True)
        )
    }
    absent = sorted(key for key in case.classes if key not in rows)
    if absent:
        time, label = absent[0]
        at = f" at time point {time}" if "T" in case.labels.axes else ""
        raise InputError(
            f"{case.name} has no object {label}{at}, to which class {case.classes[absent[0]]} was "
            f"given ({len(absent)} such in all). Give the numbers of objects that are there."
        )
    keys = sorted(case.classes)  # so that the trees do not depend on the order of the table
    numbers = np.array([case.classes[key] for key in keys], np.int64)
    return measurements.table[[rows[key] for key in keys]], numbers


def _targets(numbers: NDArray[np.int64]) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """Class numbers, and the class index of each example."""
    if not len(numbers):
        raise InputError("No object has a class: give some objects of each class their number.")
    classes, target = np.unique(numbers, return_inverse=True)
    if classes[0] < 1:
        raise InputError(f"Classes are numbered from 1, but {classes[0]} was given.")
    if len(classes) < 2:
        raise InputError(
            f"Only class {classes[0]} has objects. Give objects of at least two classes: what is "
            "wanted, and what is not."
        )
    return tuple(classes.tolist()), target.astype(np.int64)

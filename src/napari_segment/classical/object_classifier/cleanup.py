"""The cleanup `classify_objects`: a trained object classifier is a step of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import replace_labels
from napari_segment.classical.classifier.card import label_of
from napari_segment.classical.object_classifier.measured import measured
from napari_segment.classical.object_classifier.model import ObjectClassifier
from napari_segment.classical.object_classifier.training import in_unit
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.image import Holds, Image, Labels, Spacing
from napari_segment.registry import Result, cleanups

Retained: TypeAlias = tuple[str, ...] | Literal["all"]
Give: TypeAlias = Literal["objects", "classes"]


@cleanups.add("classify_objects", title="Classify objects", channels="many", group="classes")
def classify_objects(
    labels: Array,
    image: Array | None = None,
    spacing: Spacing = (),
    unit: str = "",
    holds: Holds = "objects",
    *,
    checkpoint: Annotated[
        Path, Field(description="Folder of the object classifier, as its training wrote it.")
    ],
    retain: Annotated[
        Retained,
        Field(description='Names or numbers of the classes whose objects stay; "all" for all.'),
    ] = "all",
    give: Annotated[
        Give,
        Field(description='"objects" leaves each object its number and adds the columns "class" '
              'and "score" to its features; "classes" gives every voxel the class of its object.'),
    ] = "objects",
) -> Result:  # fmt: skip
    """Classify every object by its size, shape and intensities, and keep some classes.

    The measurements that the classifier was trained with are made of each object, in the unit of
    its training, and a random forest gives its most probable class.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        Objects.
    image : array (C, *S), optional
        All channels before any filter, as many as it was trained on; not used by a classifier that
        was trained without an image.
    unit : str
        Of the spacing.
    holds : {"mask", "classes", "objects"}
        Masks and classes are refused: their pieces must be numbered first.

    Returns
    -------
    Result
        Objects or classes, the class names, and of each object the features ``class`` (the name)
        and ``score`` (the probability of the class).
    """
    if checkpoint == Path():
        raise SettingError(
            "'classify_objects' needs a checkpoint: give the folder that "
            "'train_object_classifier' wrote."
        )
    model = ObjectClassifier.load(checkpoint)
    _check(model, labels, image, holds)
    numbers, classes_of_objects, scores = _classified(model, labels, image, spacing, unit)
    stay = np.isin(classes_of_objects, _numbers_of(model, retain))
    numbers, classes_of_objects, scores = numbers[stay], classes_of_objects[stay], scores[stay]
    names = {n: model.name_of(n) for n in model.classes}
    if give == "classes":
        dtype = label_of(np.zeros(1, np.intp), model.classes).dtype
        painted = replace_labels(labels, numbers, classes_of_objects.astype(dtype), dtype)
        return Result(painted, "classes", names, (0, *model.classes))
    array = replace_labels(labels, numbers, numbers, labels.dtype)
    classes = np.array([names[c] for c in classes_of_objects], str)
    features = {"label": numbers, "class": classes, "score": scores}
    return Result(array, "objects", features=features)


def _classified(
    model: ObjectClassifier, labels: Array, image: Array | None, spacing: Spacing, unit: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Number, class and probability of each object, by rising number."""
    axes = "ZYX"[-labels.ndim :]
    steps = tuple(spacing) or (1.0,) * labels.ndim
    objects = Labels(labels, axes, spacing=steps, unit=unit or model.unit)
    intensities = None
    if model.channels and image is not None:
        many = len(model.channels) > 1
        intensities = (
            Image(image, "C" + axes, channels=model.channels) if many else Image(image[0], axes)
        ).replace(spacing=steps, unit=objects.unit)
    objects = in_unit(objects, model.unit, "the labels")
    if intensities is not None:
        intensities = intensities.replace(spacing=objects.spacing, unit=objects.unit)
    measurements = measured(objects, intensities, model.properties)
    if measurements.columns != model.columns:
        raise FormatError(
            f"The card of {model.folder} lists other features than its properties give: it is "
            "damaged, or was made by another version. Train again."
        )
    probabilities = model.forest().probabilities(measurements.table)
    best = probabilities.argmax(1) if len(probabilities) else np.zeros(0, np.intp)
    scores = probabilities[np.arange(len(best)), best]
    return measurements.labels, np.array(model.classes, np.int64)[best], scores


def _numbers_of(model: ObjectClassifier, retain: Retained) -> list[int]:
    """Numbers of the classes that stay."""
    if retain == "all":
        return list(model.classes)
    by_name = {model.name_of(n): n for n in model.classes} | {str(n): n for n in model.classes}
    unknown = [name for name in retain if name not in by_name]
    if unknown:
        raise SettingError(
            f"The classifier knows no class {unknown[0]!r}. Its classes: "
            f"{', '.join(f'{n} ({model.name_of(n)})' for n in model.classes)}."
        )
    return [by_name[name] for name in retain]


def _check(model: ObjectClassifier, labels: Array, image: Array | None, holds: Holds) -> None:
    if holds != "objects":
        raise InputError(
            f"'classify_objects' takes objects, but these labels hold {holds}: number their pieces "
            "first, by the cleanup 'connected_components'."
        )
    if labels.ndim != model.ndim:
        raise InputError(
            f"The classifier was trained on {model.ndim}-D objects, but these are {labels.ndim}-D."
        )
    if not model.channels:
        return
    if image is None:
        raise InputError(
            f"The classifier was trained with an image of {len(model.channels)} channel(s) "
            f"({', '.join(model.channels)}): give that of the labels."
        )
    if len(image) != len(model.channels):
        raise InputError(
            f"The classifier was trained on {len(model.channels)} channel(s) "
            f"({', '.join(model.channels)}), but the image has {len(image)}."
        )

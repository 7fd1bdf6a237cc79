"""Edits on Labels: the array is copied, features and recipe follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import InputError
from napari_segment.image import Holds, Image, Labels
from napari_segment.recipe import Edit, Recipe
from napari_segment.results.edits.checksum import as_text
from napari_segment.results.edits.history import History

MOST = 2_500  # edits of a recipe, which is read with bounds
LONGEST = 800_000  # characters of their settings
EDITED = "edited"  # column of features: whether the other values are from before an edit


def history_of(labels: Labels, image: Image | None = None) -> History:
    """Return a history on a copy of labels.

    Parameters
    ----------
    labels : Labels
        In memory or lazy; they are read as a whole.
    image : Image, optional
        Of one channel and the same shape.

    Raises
    ------
    InputError
        If the image does not lie on the labels.
    """
    data = np.array(labels.compute().data)
    return History(
        data, labels.axes, labels.spacing, None if image is None else on_axes(image, labels)
    )


def on_axes(image: Image, labels: Labels) -> Any:
    """Return the pixels of an image in the order of axes of labels.

    Raises
    ------
    InputError
        If it has several channels, or other axes.
    """
    if "C" in image.axes and image.size("C") == 1:
        image = image.take("C", 0)
    if sorted(image.axes) != sorted(labels.axes):
        raise InputError(
            f"The image has the axes {image.axes}, the labels {labels.axes}. Give an image of one "
            "channel with the same axes."
        )
    return image.transpose(labels.axes).data


def edited_labels(labels: Labels, history: History) -> Labels:
    """Return labels as a history has made them, with their features and recipe.

    Parameters
    ----------
    labels : Labels
        What the history was begun on.
    history : History
        With all edits made.
    """
    data = np.asarray(history.labels)
    changed: set[int] = set().union(*(made.changed for made in history.done))
    features = followed_features(labels.features, history, changed)
    holds: Holds = labels.holds
    if holds == "mask" and data.max(initial=0) > 1:
        holds = "objects"
    values = labels.values
    if values and holds == "classes":
        values = tuple(sorted({*values, *history.index.numbers()}))
    return labels.replace(data=data, features=features, holds=holds, values=values)


def followed_features(
    features: Mapping[str, NDArray[Any]], history: History, changed: set[int]
) -> dict[str, NDArray[Any]]:
    """Return the features of the objects that are still there.

    Objects that are gone have no row. A column ``edited`` says of which objects the other values
    are from before an edit; new objects have no row until they are measured.
    """
    if not features:
        return {}
    numbers = np.asarray(features["label"])
    times: Sequence[int | None] = [None] * len(numbers)
    if "T" in history.axes and "time" in features:
        times = np.asarray(features["time"]).tolist()
    rows = np.array(
        [history.index.box(int(n), t) is not None for n, t in zip(numbers, times, strict=True)],
        bool,
    )
    left = {name: np.asarray(column)[rows] for name, column in features.items()}
    edited = np.isin(left["label"], list(changed))
    if EDITED in left:
        edited = edited | left[EDITED].astype(bool)
    return {**left, EDITED: edited}


def recorded(labels: Labels, before: int, edits: Sequence[Edit]) -> Labels:
    """Return labels whose recipe has further edits.

    Parameters
    ----------
    labels : Labels
        After the edits.
    before : int
        The checksum of the labels before them.
    edits : sequence of Edit
        With every setting.
    """
    recipe = labels.recipe
    if recipe is None or not edits:
        return labels
    edited = recipe.edited if recipe.edits else as_text(before, labels.shape)
    return labels.replace(recipe=with_edits(recipe, edits, edited))


def with_edits(recipe: Recipe, edits: Sequence[Edit], edited: str) -> Recipe:
    """Return a recipe with further edits; with a warning instead, where they are too many for it.

    Parameters
    ----------
    recipe : Recipe
        Of the labels before the edits.
    edits : sequence of Edit
        With every setting.
    edited : str
        Checksum of the labels that the first edit of all was made on, as text.
    """
    every = (*recipe.edits, *edits)
    if len(every) > MOST or sum(len(str(edit.settings)) for edit in every) > LONGEST:
        text = (
            f"The labels were corrected by {len(every):,} edits, which are too many for a recipe: "
            "replay their journal on what the recipe gives."
        )
        warnings = (*(w for w in recipe.warnings if "too many for a recipe" not in w), text)
        return recipe.model_copy(update={"edits": (), "edited": "", "warnings": warnings})
    return recipe.model_copy(update={"edits": every, "edited": edited if every else ""})

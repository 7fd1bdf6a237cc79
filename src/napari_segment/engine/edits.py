"""The edits of a recipe, made on the labels that the rest of it gives."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from napari_segment.engine.selection import single_channel
from napari_segment.errors import InputError, LeftOutWarning
from napari_segment.image import Image, Labels
from napari_segment.recipe import Edit, Recipe
from napari_segment.results.edits.checksum import as_text
from napari_segment.results.edits.history import History
from napari_segment.results.edits.labels import edited_labels, history_of

_LISTED = 5  # edits that are left out are named up to this number


def apply_edits(recipe: Recipe, labels: Labels, image: Image) -> Labels:
    """Make the edits of a recipe.

    Parameters
    ----------
    recipe : Recipe
        With every setting filled in.
    labels : Labels
        What filters, method and cleanups gave; lazy ones are computed.
    image : Image
        What was segmented, at the same time points.

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        If an edit cannot be made on the labels that it was made on.

    Warns
    -----
    LeftOutWarning
        If the labels are others than the edits were made on, and some no longer fit.
    """
    if not recipe.edits:
        return labels
    history = history_of(labels, _seen(recipe, image, labels))
    if recipe.edited and as_text(history.checksum, labels.shape) != recipe.edited:
        _make_those_that_fit(history, recipe.edits)
    else:
        for edit in recipe.edits:
            history.make(edit)
    return edited_labels(labels, history)


def _make_those_that_fit(history: History, edits: Sequence[Edit]) -> None:
    left_out: list[str] = []
    for number, edit in enumerate(edits, 1):
        try:
            history.make(edit)
        except InputError as error:
            left_out.append(f"edit {number} ({edit.name}): {error}")
    text = (
        f"The labels are not those that the {len(edits)} edits of the recipe were made on: another "
        "image, or other filters, method or cleanups."
    )
    if not left_out:
        warnings.warn(f"{text} All of them could be made; check the result.", stacklevel=2)
        return
    more = f" … and {len(left_out) - _LISTED} more." if len(left_out) > _LISTED else ""
    listed = " ".join(left_out[:_LISTED])
    text += f" {len(left_out)} no longer fit and were left out: {listed}{more}"
    warnings.warn(text, LeftOutWarning, stacklevel=2)


def _seen(recipe: Recipe, image: Image, labels: Labels) -> Image | None:
    """The channel that edits look at; None where the recipe does not say which of several."""
    try:
        return single_channel(image, recipe.channel).transpose(labels.axes)
    except InputError:
        return None

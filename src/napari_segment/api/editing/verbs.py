"""The verbs that correct labels by hand: one edit, all edits of a journal, a session."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.api.coercion import as_image, as_labels
from napari_segment.api.editing.record import in_effect, parse, values_before, values_now
from napari_segment.api.editing.session import EditSession
from napari_segment.api.types import ImageLike, LabelsLike
from napari_segment.engine.selection import single_channel
from napari_segment.errors import FormatError, InputError, LeftOutWarning
from napari_segment.image import Image, Labels
from napari_segment.recipe import Edit, Recipe, Spec, SpecLike
from napari_segment.results.edits.history import History, Made
from napari_segment.results.edits.labels import edited_labels, history_of, recorded

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 5  # edits that no longer fit are named up to this number


def edit(
    labels: LabelsLike,
    operation: SpecLike,
    *,
    image: ImageLike | None = None,
    at: Mapping[str, int] | None = None,
    channel: int | str = "auto",
    axes: str = "",
    **settings: object,
) -> Labels:
    """Correct labels by one edit.

    Parameters
    ----------
    labels : Labels, ndarray, dask or zarr Array, str, Path or napari layer
        What is corrected; it is not changed itself.
    operation : str, (str, mapping), mapping or Spec
        An edit by name, such as "merge" or "split".
    image : Image or the same, optional
        Intensities, for edits that look at them.
    at : mapping of str to int, optional
        Positions along axes to which the edit is held: ``{"T": 3}``, ``{"Z": 5}``.
    channel : int or str
        The channel of the image that edits see.
    axes : str
        Axis letters of labels that come without.
    **settings
        Those of the edit, such as ``numbers=(3, 4)``.

    Returns
    -------
    Labels
        With the edit in their recipe, where they have one. Of objects that are gone the features
        are gone too; the column ``edited`` marks those from before the edit.

    Raises
    ------
    InputError, SettingError, UnknownNameError
        If the edit cannot be made.

    Examples
    --------
    >>> import numpy as np
    >>> edit(np.array([[1, 1, 0, 2]]), "merge", numbers=(1, 2)).data.tolist()
    [[1, 1, 0, 1]]
    """
    given = _labels(labels, axes)
    history = history_of(given, _image(image, channel))
    spec = Spec.of(operation)
    positions = dict(spec.at if isinstance(spec, Edit) else {}) | dict(at or {})
    made = history.make(Edit(name=spec.name, settings={**spec.settings, **settings}, at=positions))
    before = _checksum_before(given, history)
    return recorded(edited_labels(given, history), before, [made.edit])


def replay_edits(
    labels: LabelsLike,
    journal: str | Path,
    *,
    image: ImageLike | None = None,
    channel: int | str = "auto",
    axes: str = "",
) -> Labels:
    """Make all edits of a journal on labels.

    On the labels that the journal was begun on the result is identical to what the session left. On
    others an edit is made anew where the labels differ, and left out where it no longer fits.

    Parameters
    ----------
    labels, image, channel, axes
        As of `edit`.
    journal : str or Path
        What a session wrote.

    Returns
    -------
    Labels

    Raises
    ------
    FormatError
        If the file is no journal.

    Warns
    -----
    LeftOutWarning
        Naming the edits that no longer fit, and why.
    """
    from napari_segment.io.journal import read_lines

    given = _labels(labels, axes)
    history = history_of(given, _image(image, channel))
    before = history.checksum
    _, lines = parse(read_lines(journal)[0], str(journal), given.shape)
    made, _ = in_effect(lines)
    adapted, left_out = 0, list[str]()
    for number, one in enumerate(made, 1):
        try:
            adapted += _make_again(history, one)
        except InputError as error:
            left_out.append(f"edit {number} ({one.edit.name}): {error}")
    _warn(Path(journal).name, len(made), adapted, left_out)
    edits = [one.edit for one in history.done]
    return recorded(edited_labels(given, history), before, edits)


def edit_session(
    labels: LabelsLike,
    journal: str | Path,
    *,
    image: ImageLike | None = None,
    channel: int | str = "auto",
    axes: str = "",
) -> EditSession:
    """Begin to edit labels with a journal, or go on where an earlier session was.

    Parameters
    ----------
    labels, image, channel, axes
        As of `edit`. The labels are copied; `session_labels` gives what they have become.
    journal : str or Path
        The file that edits are written to as they happen.

    Returns
    -------
    EditSession
        To be used in a ``with`` statement, or closed.
    """
    given = _labels(labels, axes)
    return EditSession(history_of(given, _image(image, channel)), journal, name=given.name)


def session_labels(session: EditSession, labels: LabelsLike, *, axes: str = "") -> Labels:
    """Return the labels that a session has made, with the edits in their recipe.

    Parameters
    ----------
    session : EditSession
        As `edit_session` began it.
    labels : as of `edit_session`
        What it was begun on.
    axes : str
        Axis letters of labels that come without.
    """
    given = _labels(labels, axes)
    before = _checksum_before(given, session.history)
    return recorded(edited_labels(given, session.history), before, session.edits)


def review(labels: LabelsLike, *, axes: str = "") -> pd.DataFrame:
    """Order objects by how doubtful they are, to look at the first ones first.

    An object is doubtful if its size, its share of its box or its elongation is an outlier among
    the objects, if its ``score`` is low where the features have one, or if the border cuts it.

    Parameters
    ----------
    labels : Labels, ndarray, dask or zarr Array, str, Path or napari layer
        Objects.
    axes : str
        Axis letters of labels that come without.

    Returns
    -------
    DataFrame
        A row for each object (and time point), the most doubtful first, with ``doubt`` from 0 to
        1, ``reasons``, and its centre in voxels.
    """
    from napari_segment.results.review import review as review_labels

    return review_labels(as_labels(labels, axes))


def _labels(labels: LabelsLike, axes: str) -> Labels:
    """Take labels, with the recipe that lies next to their file."""
    given = as_labels(labels, axes)
    if given.recipe is not None or not isinstance(labels, str | Path):
        return given
    from napari_segment.io import recipe_path

    with suppress(FormatError):
        recipe = Recipe.load(recipe_path(labels), allow_recipe_paths=True)
        return given.replace(recipe=recipe)
    return given


def _image(image: ImageLike | None, channel: int | str) -> Image | None:
    return None if image is None else single_channel(as_image(image), channel)


def _checksum_before(labels: Labels, history: History) -> int:
    """The checksum of the labels before a history, where it is needed for a recipe."""
    if labels.recipe is None or labels.recipe.edits:
        return 0
    from napari_segment.results.edits.checksum import checksum

    return checksum(labels.compute().data) if history.done else 0


def _make_again(history: History, made: Made) -> bool:
    """Make an edit as it was made, or anew where the labels differ; whether they did."""
    shape = tuple(history.labels.shape)
    inside = all(s.stop <= n for c in made.changes for s, n in zip(c.where, shape, strict=True))
    if made.changes and inside:
        voxels, before = values_before(made.changes, shape)
        if (values_now(history.labels, made.changes, voxels) == before).all():
            history.commit(made)
            return False
    history.make(made.edit)
    return bool(made.changes)


def _warn(name: str, count: int, adapted: int, left_out: list[str]) -> None:
    if not adapted and not left_out:
        return
    text = f"The labels are not those that the {count} edits of {name} were made on."
    if adapted:
        text += f" {adapted} of them met other labels and were made anew; check the result."
    if not left_out:
        warnings.warn(text, stacklevel=3)
        return
    more = f" … and {len(left_out) - _LISTED} more." if len(left_out) > _LISTED else ""
    text += (
        f" {len(left_out)} no longer fit and were left out: {' '.join(left_out[:_LISTED])}{more}"
    )
    warnings.warn(text, LeftOutWarning, stacklevel=3)

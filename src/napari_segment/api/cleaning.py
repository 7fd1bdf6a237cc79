"""Cleanups alone: labels in, labels out."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from napari_segment.api.coercion import as_image, as_labels
from napari_segment.api.types import ImageLike, LabelsLike
from napari_segment.api.verbs import complete, several
from napari_segment.engine.execute import clean as clean_labels
from napari_segment.errors import InputError
from napari_segment.image import Holds, Labels, align
from napari_segment.recipe import ApplyTo, Recipe, Spec, SpecLike
from napari_segment.registry import Entry, filters
from napari_segment.registry import cleanups as registry
from napari_segment.step import Step, run

if TYPE_CHECKING:
    from collections.abc import Sequence


def clean(
    labels: LabelsLike,
    cleanups: Iterable[SpecLike],
    image: ImageLike | None = None,
    *,
    channel: int | str = "auto",
    apply_to: ApplyTo = "auto",
    axes: str = "",
    holds: Holds = "objects",
) -> Labels:
    """Clean up labels that are there already, wherever they come from.

    Parameters
    ----------
    labels : Labels, ndarray, dask or zarr Array, str, Path, or napari layer
        What to clean up. A Dask array gives lazy labels.
    cleanups : iterable of str, (str, mapping), mapping or Spec
        Run in this order.
    image : Image or the same, optional
        For cleanups that look at intensities. One that is stored in another orientation is turned
        onto the labels, one on another grid is resampled linearly, with a warning.
    channel : int or str
        The channel of the image that cleanups of one channel see, by index or name. "auto" takes
        the only one, or the luminance of an RGB image.
    apply_to : {"auto", "plane", "volume"}
        What is cleaned up at once; "auto" is what made the labels, where their recipe is known,
        else volumes where the cleanup can.
    axes : str
        Axis letters of labels that come without, such as "TYX".
    holds : {"mask", "classes", "objects"}
        What the numbers mean, where the labels do not say. Boolean arrays are masks.

    Returns
    -------
    Labels
        With the geometry of the labels. Features follow the objects. Where the recipe that made the
        labels is known and can be continued, the cleanups are added to it.

    Raises
    ------
    InputError, SettingError, UnknownNameError
        Saying what was given and what is expected.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.array([[True, True, False, True]])
    >>> np.asarray(clean(mask, ["connected_components"]))
    array([[1, 1, 0, 2]], dtype=uint8)
    """
    return run(
        clean_steps(
            labels, cleanups, image, channel=channel, apply_to=apply_to, axes=axes, holds=holds
        )
    )


def clean_steps(
    labels: LabelsLike,
    cleanups: Iterable[SpecLike],
    image: ImageLike | None = None,
    *,
    channel: int | str = "auto",
    apply_to: ApplyTo = "auto",
    axes: str = "",
    holds: Holds = "objects",
) -> Generator[Step, None, Labels]:
    """`clean` as long work: a generator of Steps that returns the Labels."""
    specs = [registry.complete(Spec.of(c)) for c in several(cleanups)]
    if not specs:
        raise InputError("There is nothing to do: name a cleanup, such as 'remove_small'.")
    own = as_labels(labels, axes, holds)
    at_once = own.recipe.apply_to if own.recipe and apply_to == "auto" else apply_to
    if at_once in ("stack", "directions"):
        at_once = "auto"
    picture = None if image is None else align(as_image(image), own, what="image", onto="labels")
    cleaned = yield from clean_labels(specs, own, picture, channel, at_once)
    return cleaned.replace(recipe=_continued(own.recipe, specs, apply_to))


def _continued(recipe: Recipe | None, specs: Sequence[Spec], apply_to: ApplyTo) -> Recipe | None:
    """The recipe of labels with further cleanups; None where replaying it would give others.

    That is so after edits by hand, which come last in a recipe; where filters change the grid, on
    which its cleanups run; and where a cleanup sees an image, which may be another one.
    """
    if recipe is None or recipe.edits or recipe.apply_to in ("stack", "directions"):
        return None
    if apply_to not in ("auto", recipe.apply_to):
        return None
    sees = any("image" in registry[spec.name].data for spec in specs)
    if sees or not all(_keeps_grid(filters[spec.name]) for spec in recipe.filters):
        return None
    return complete(recipe.model_copy(update={"cleanups": (*recipe.cleanups, *specs)}))


def _keeps_grid(entry: Entry) -> bool:
    """Whether a filter is one of ours, whose annotations say that it does not resample."""
    ours = entry.source.startswith("napari_segment.")
    return ours and "Regridded" not in str(entry.function.__annotations__.get("return"))

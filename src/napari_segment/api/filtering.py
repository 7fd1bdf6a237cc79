"""Filters alone: an image in, an image out."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from napari_segment.api.coercion import as_image
from napari_segment.api.types import ImageLike
from napari_segment.api.verbs import complete, several
from napari_segment.engine.execute import method_input_steps, run_filters
from napari_segment.engine.selection import select_times
from napari_segment.errors import InputError
from napari_segment.image import Image
from napari_segment.recipe import ApplyTo, Recipe, Spec, SpecLike
from napari_segment.registry import filters as registry
from napari_segment.step import Step, run


def apply_filters(
    image: ImageLike,
    filters: Iterable[SpecLike] | Recipe,
    *,
    channel: int | str = "all",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
    axes: str = "",
) -> Image:
    """Filter an image, without segmenting it.

    Parameters
    ----------
    image : Image, ndarray, dask or zarr Array, str, Path, or napari layer
        What to filter. A Dask array gives a lazy image.
    filters : iterable of str, (str, mapping), mapping or Spec; or Recipe
        Run in this order. Of a recipe: what its method sees, with the recipe's own channel,
        times and `apply_to`.
    channel : int or str
        "all", or the one channel that is wanted, by index or name.
    apply_to : {"auto", "plane", "volume", "stack"}
        What is filtered at once; "auto" takes volumes where the filter can, "stack" all time points
        together where neighbours play no part in the filter.
    times : (first, last), optional
        A range of time points, the last exclusive.
    axes : str
        Axis letters of an array that comes without, such as "TZYX".

    Returns
    -------
    Image
        With the image's order of axes. `isotropic` changes its grid and spacing.

    Examples
    --------
    >>> import numpy as np
    >>> picture = np.eye(5, dtype=np.uint8)
    >>> int(np.asarray(apply_filters(picture, ["median"])).sum())
    0
    """
    return run(
        filter_steps(image, filters, channel=channel, apply_to=apply_to, times=times, axes=axes)
    )


def filter_steps(
    image: ImageLike,
    filters: Iterable[SpecLike] | Recipe,
    *,
    channel: int | str = "all",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
    axes: str = "",
) -> Generator[Step, None, Image]:
    """`apply_filters` as long work: a generator of Steps that returns the Image."""
    own = as_image(image, axes)
    _check(filters.apply_to if isinstance(filters, Recipe) else apply_to)
    if isinstance(filters, Recipe):
        seen = yield from method_input_steps(complete(filters), own)
        return _in_order(seen, own.axes)
    specs = [registry.complete(Spec.of(f)) for f in several(filters)]
    if not specs:
        raise InputError("No filter was named. Name at least one, such as 'gaussian'.")
    Recipe.of(
        method=specs[0], channel=channel, apply_to=apply_to, times=times
    )  # or says what is wrong
    stack = select_times(own.canonical(), times)
    if channel != "all":
        stack = stack.channel(channel)
    filtered = yield from run_filters(specs, stack, apply_to, len(specs))
    return _in_order(filtered, own.axes)


def _check(apply_to: ApplyTo) -> None:
    if apply_to == "directions":
        raise InputError(
            "Of planes in three directions there is no single filtered image: use "
            "apply_to='plane' or apply_to='volume'."
        )


def _in_order(image: Image, axes: str) -> Image:
    return image.transpose("".join(a for a in axes if a in image.axes))

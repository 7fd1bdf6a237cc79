"""Small pictures of what each method makes of the plane in view."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from napari_segment import api
from napari_segment.errors import SegmentError
from napari_segment.image import Image
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import FROM_IMAGE, Entry
from napari_segment.results.picture import Picture, grey, overlay
from napari_segment.step import run

LONGEST = 96  # pixels of a side of the plane that is segmented
BY_HAND = "threshold set by hand"
SHARE = 0.15  # seconds that are worked at once, before a newer wish is asked for


@dataclass(frozen=True)
class Wish:
    """Pictures of methods on one plane.

    Parameters
    ----------
    image : Image
        The whole stack, its axes in canonical order.
    where : mapping of str to int
        The plane's place along T and Z, as far as the image has them.
    recipe : Recipe
        Whose filters and channel are used; not its method and cleanups.
    names : tuple of str
        The methods that are still to be drawn, with their default settings.
    version : int
        Of the image's pixels.
    """

    image: Image
    where: Mapping[str, int]
    recipe: Recipe
    names: tuple[str, ...]
    version: int = 0

    def key(self) -> tuple[object, ...]:
        """Return what tells the pictures of this wish from those of others."""
        seen = (self.recipe.filters, self.recipe.channel, tuple(self.where.items()))
        return (self.version, id(self.image.data), self.image.shape, *map(str, seen))


def can_be_drawn(entry: Entry) -> bool:
    """Return whether a method runs with its defaults on nothing but the image."""
    required = [n for n, f in entry.settings.model_fields.items() if f.is_required()]
    further = [
        p.name
        for p in entry.parameters
        if p.name in entry.data and p.name not in FROM_IMAGE and p.default is p.empty
    ]
    by_hand = entry.group == BY_HAND  # a default means nothing for the image
    return not (required or further or by_hand) and 2 in entry.ndim


def reduced_plane(wish: Wish) -> Image:
    """Return the plane in view by means of square blocks, at most `LONGEST` to a side."""
    plane = wish.image
    for axis in "TZ":
        if axis in plane.axes:
            plane = plane.take(axis, wish.where[axis])
    plane = plane.compute()
    factor = -(-max(plane.size("Y"), plane.size("X")) // LONGEST)
    if factor == 1:
        return plane
    plane = plane.transpose("CYX" if "C" in plane.axes else "YX")
    data = np.asarray(plane.data)
    rows, columns = (min(factor, n) for n in data.shape[-2:])
    height, width = data.shape[-2] // rows, data.shape[-1] // columns
    cut = data[..., : height * rows, : width * columns]
    blocks = cut.reshape(*data.shape[:-2], height, rows, width, columns)
    small = blocks.mean(axis=(-3, -1), dtype=np.float64).astype(np.float32)
    return Image(small, plane.axes, channels=plane.channels)


def thumbnails(
    wish: Wish, stale: Callable[[], bool] = lambda: False
) -> tuple[dict[str, Picture], tuple[str, ...]]:
    """Draw methods until the share of time is used up.

    Returns
    -------
    pictures : dict of str to ndarray of uint8 (Y, X, 3)
        The plane with the result over it, by method; the plane alone where a method fails on it.
    names : tuple of str
        The methods that remain.
    """
    plane, begun = reduced_plane(wish), time.perf_counter()
    flat = wish.recipe.model_copy(update={"apply_to": "auto", "times": (), "cleanups": ()})
    base = _base(plane)
    pictures: dict[str, Picture] = {}
    for name in wish.names:
        if pictures and (time.perf_counter() - begun > SHARE or stale()):
            break
        pictures[name] = _drawn(plane, flat, name, base)
    return pictures, wish.names[len(pictures) :]


def _drawn(plane: Image, recipe: Recipe, name: str, base: Picture) -> Picture:
    wanted = recipe.model_copy(update={"method": Spec(name=name)})
    try:
        labels = np.asarray(run(api.segment_steps(plane, wanted)).data)
    except (SegmentError, ValueError, ArithmeticError):  # such as of a plane of one value
        return base
    return overlay(base, labels) if labels.shape == base.shape[:2] else base


def _base(plane: Image) -> Picture:
    values = np.asarray(plane.data, np.float32)
    return grey(values.mean(axis=plane.axes.index("C")) if "C" in plane.axes else values)


def drawable(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the names of the methods that can be drawn, in the menu's order."""
    return tuple(entry.name for entry in entries if can_be_drawn(entry))

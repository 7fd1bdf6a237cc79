"""A live preview: the plane in view, segmented while the settings change."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, takewhile
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_segment import api
from napari_segment.arrays import Array
from napari_segment.classical.edges import (
    has_strength,
    limits,
    max_strength,
    strength,
    with_thresholds,
)
from napari_segment.classical.threshold import Histogram, binarise, histogram
from napari_segment.errors import SegmentError, StaleError
from napari_segment.image import Image
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import Entry, cleanups, filters, methods
from napari_segment.widgets.jobs.threads import call_in_thread

LARGEST = 2**28  # voxels whose histogram is taken for a preview
SAMPLE = 2**16  # pixels that are compared with those of before whenever a preview is drawn
PATIENCE = 0.2  # seconds that a preview has before a newer one ends it
GLOBAL = "global threshold"
BY_HAND: Mapping[str, tuple[str, ...]] = {  # the settings that hold thresholds
    "manual": ("value",),
    "range": ("low", "high"),
    "hysteresis": ("low", "high"),
    "levels": ("thresholds",),
}


@dataclass(frozen=True)
class View:
    """What a preview shows.

    Parameters
    ----------
    labels : array of unsigned int (Y, X) or None
        The plane, segmented; None where only the histogram was asked for.
    histogram : Histogram or None
        Of what the threshold is taken from; None where the method sees several channels.
    values : tuple of float
        The thresholds.
    moved : callable
        From other values of them to the method, with settings, that takes those.
    note : str
        How the run may differ.
    remembered : bool
        Whether the histogram is one of before, of pixels that seem to be the same.
    """

    labels: NDArray[Any] | None
    histogram: Histogram | None = None
    values: tuple[float, ...] = ()
    note: str = ""
    moved: Callable[[Sequence[float]], Spec] = lambda values: by_hand(values, {})
    remembered: bool = False


@dataclass(frozen=True)
class Request:
    """What is to be previewed.

    Parameters
    ----------
    image : Image
        The whole stack, its axes in canonical order.
    where : mapping of str to int
        The plane's place along T and Z, as far as the image has them.
    recipe : Recipe
        What the run will do.
    draw : bool
        Whether the plane is wanted, or the histogram alone.
    stale : callable
        Whether nobody waits for it any more.
    version : int
        Of the image's pixels: another one for other pixels.
    recount : bool
        Whether a histogram of before is not taken.
    """

    image: Image
    where: Mapping[str, int]
    recipe: Recipe
    draw: bool = True
    stale: Callable[[], bool] = lambda: False
    version: int = 0
    recount: bool = False

    @property
    def entry(self) -> Entry:
        return methods[self.recipe.method.name]

    @property
    def flat(self) -> Recipe:
        """The recipe for one plane, less what makes volumes of planes and what follows that."""
        remaining = self.recipe.cleanups
        if "Z" in self.image.axes:
            remaining = tuple(takewhile(lambda spec: 2 in cleanups[spec.name].ndim, remaining))
        return self.recipe.model_copy(
            update={"apply_to": "auto", "times": (), "cleanups": remaining}
        )


class Look:
    """Segments single planes; remembers the histogram of the volume from plane to plane."""

    def __init__(self) -> None:
        self._key: Any = None
        self._image: Image | None = None  # held, so that no other takes its memory
        self._histogram: Histogram | None = None
        self._remembered = False  # whether the last histogram was one of before

    def __call__(self, request: Request) -> View:
        """Segment one plane, and count what its threshold is taken from."""
        self._remembered = False
        return replace(self._view(request), remembered=self._remembered)

    def _view(self, request: Request) -> View:
        plane = request.image
        for axis in "TZ":
            if axis in plane.axes:
                plane = plane.take(axis, request.where[axis])
        plane, entry, flat = plane.compute(), request.entry, request.flat
        if entry.channels == "many":
            return _view_of_channels(flat, plane, request)
        seen = api.as_seen(flat, plane)
        if has_strength(entry.name):
            return _view_of_edges(flat, plane, seen, request)
        region, note = _region(request)
        whole = region is not None and "threshold" in entry.group
        counts = self._counts(region, request) if whole and region else histogram(seen.data)
        from napari_segment.classical.threshold import has_criterion, thresholds

        settings = flat.method.settings
        again: Callable[[Sequence[float]], Spec] = partial(by_hand, settings=settings)
        if entry.group == GLOBAL and has_criterion(entry.name):
            values = thresholds(entry.name, counts, classes=settings.get("classes", 3))
            note = note or _note(request, method=False)
            return View(_separate(request, plane, seen, values), counts, values, note, again)
        given = [settings[name] for name in BY_HAND.get(entry.name, ())]
        values = tuple(np.ravel(given).astype(float).tolist())
        if entry.name in BY_HAND:
            again = partial(_placed, flat.method)
        note = _note(request, method=not entry.pointwise)
        return View(_run(flat, plane, request), counts, values, note, again)

    def forget(self) -> None:
        """Let go of the image."""
        self._key = self._image = self._histogram = None

    def _counts(self, region: Image, request: Request) -> Histogram:
        where, recipe = request.where, request.recipe
        time = None if recipe.apply_to == "stack" else where.get("T")
        plane = where.get("Z") if "Z" not in region.axes else None
        bins = recipe.method.settings.get("bins", 256)
        mark = (*_pixels_of(request.image), _sample(request.image.data))
        image = (request.version, *mark, request.image.spacing)
        key = (image, time, plane, recipe.channel, recipe.filters, recipe.times, bins)
        self._remembered = self._histogram is not None and self._key == key
        if self._histogram is None or self._key != key or request.recount:
            self._remembered = False
            seen = api.as_seen(recipe.model_copy(update={"times": ()}), region)
            self._histogram, self._key = histogram(seen.data, bins=bins), key
            self._image = request.image
        return self._histogram


def _pixels_of(image: Image) -> tuple[Any, ...]:
    """Return a key of an image's pixels that differs from those of others held at the time."""
    data = image.data
    array = data.__array_interface__ if isinstance(data, np.ndarray) else {}
    mark = (array["data"], data.strides) if array else (getattr(data, "name", id(data)),)
    return (*mark, image.axes, data.shape, str(data.dtype))


def _sample(array: Array) -> int:
    """Return a checksum of pixels all over an array in memory, for what is written in place."""
    if not isinstance(array, np.ndarray) or not array.size:
        return 0
    side = max(int(SAMPLE ** (1 / array.ndim)), 2)
    indices = [np.linspace(0, n - 1, min(n, side)).astype(int) for n in array.shape]
    return crc32(np.ascontiguousarray(array[np.ix_(*indices)]).view(np.uint8))


def by_hand(values: Sequence[float], settings: Mapping[str, Any]) -> Spec:
    """Return the method that takes thresholds as they are."""
    remaining = {"objects": settings["objects"]} if "objects" in settings else {}
    if len(values) == 1:
        return Spec(name="manual", settings=remaining | {"value": values[0]})
    return Spec(name="levels", settings=remaining | {"thresholds": list(values)})


def _placed(method: Spec, values: Sequence[float]) -> Spec:
    """Return a method whose thresholds are set by hand, with other ones."""
    names = BY_HAND[method.name]
    one = np.isscalar(method.settings[names[0]])  # a number each, or all in one setting
    given = zip(names, values if one else [list(values)], strict=True)
    return Spec(name=method.name, settings={**method.settings, **dict(given)})


def _view_of_edges(flat: Recipe, plane: Image, seen: Image, request: Request) -> View:
    """Return the strength of the plane's edges, and the thresholds that the method takes of it."""
    name, settings = flat.method.name, flat.method.settings
    response = strength(name, seen.data, seen.spacing, settings)
    counts, values = limits(name, response, settings)
    top = max_strength(response)

    def again(thresholds: Sequence[float]) -> Spec:
        return Spec(name=name, settings=with_thresholds(name, thresholds, top, settings))

    simple = request.draw and len(values) == 1 and not flat.cleanups and seen.shape == plane.shape
    labels = (
        binarise(response, values[0], "bright").view(np.uint8)
        if simple
        else _run(flat, plane, request)
    )
    return View(labels, counts, values, _note(request), again)


def _view_of_channels(flat: Recipe, plane: Image, request: Request) -> View:
    """Preview a method that sees all channels; a single one has a histogram too."""
    labels, note = _run(flat, plane, request), _note(request)
    if "C" in plane.axes or request.entry.gives != "classes":
        return View(labels, note=note)
    seen = api.as_seen(flat, plane).data
    if seen.size != np.prod(plane.shape):  # a filter changed the grid
        return View(labels, histogram(seen), note=note)
    seen = seen.reshape(plane.shape)
    return View(labels, histogram(seen), _borders(seen, labels), note, _several)


def _several(values: Sequence[float]) -> Spec:
    return Spec(name="levels", settings={"thresholds": list(values)})


def _borders(seen: NDArray[Any], labels: NDArray[Any] | None) -> tuple[float, ...]:
    """Return the intensities between classes that are ordered by it; nothing where none are."""
    if labels is None or not labels.size:
        return ()
    finite = np.isfinite(seen)
    classes = [seen[finite & (labels == number)] for number in range(int(labels.max()) + 1)]
    if not all(part.size for part in classes):
        return ()
    pairs = [(low.max(), high.min()) for low, high in pairwise(classes)]
    return tuple(float(low) for low, _ in pairs) if all(a <= b for a, b in pairs) else ()


def _region(request: Request) -> tuple[Image | None, str]:
    """Return what one threshold is computed from; None, and a note, if that takes too long."""
    image, where, recipe = request.image, request.where, request.recipe
    region = image
    if recipe.apply_to == "stack" and "T" in image.axes:
        first, last = recipe.times or (0, image.size("T"))
        region = image.replace(data=image.data[first:last])
    elif "T" in image.axes:
        region = image.take("T", where["T"])
    if "Z" in region.axes and recipe.apply_to == "plane":
        region = region.take("Z", where["Z"])
    if region.axes.replace("C", "") == "YX":
        return region.compute(), ""
    if region.is_lazy or recipe.filters or np.prod(region.shape) > LARGEST:
        return None, "Threshold of this plane alone; the run takes that of the whole volume."
    return region, ""


def _separate(
    request: Request, plane: Image, seen: Image, values: tuple[float, ...]
) -> NDArray[Any] | None:
    """Apply thresholds that are known already."""
    entry, flat, settings = request.entry, request.flat, request.recipe.method.settings
    if entry.gives == "mask" and len(values) == 1:
        known = {"value": values[0], "objects": settings.get("objects", "bright")}
        manual = Spec(name="manual", settings=known)
        return _run(flat.model_copy(update={"method": manual}), plane, request)
    if entry.gives == "classes" and not flat.cleanups and seen.shape == plane.shape:
        return np.searchsorted(np.asarray(values), np.nan_to_num(seen.data)).astype(np.uint8)
    return _run(flat, plane, request)


def _run(recipe: Recipe, plane: Image, request: Request) -> NDArray[Any] | None:
    """Segment the plane, unless it is not wanted, or until it is not any more."""
    if not request.draw:
        return None
    steps = api.segment_steps(plane, recipe)
    try:
        while True:
            next(steps)
            if request.stale():
                steps.close()
                raise StaleError("another preview is wanted")
    except StopIteration as stop:
        return np.asarray(stop.value.data)


def _note(request: Request, *, method: bool = True) -> str:
    """Return the note for a step, or a method, that needs neighbours in other planes."""
    recipe, entries = request.recipe, [request.entry] if method else []
    steps = [filters[spec.name] for spec in recipe.filters]
    steps += [cleanups[spec.name] for spec in recipe.cleanups]
    entries += [entry for entry in steps if not entry.pointwise]
    flat = recipe.apply_to == "plane"
    deep = any(3 in entry.ndim and not (flat and 2 in entry.ndim) for entry in entries)
    deep = deep and "Z" in request.image.axes
    return "This plane alone; the run takes the volume." if deep else ""


class Newest(QObject):
    """Calls in a thread, one at a time; of the calls that wait only the newest is made."""

    ready = Signal(object)
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._waiting: Callable[[], Any] | None = None
        self._began = 0.0
        self._busy = False

    def stale(self) -> bool:
        """Return whether another call waits behind a long one; a quick one may end first."""
        return self._waiting is not None and time.monotonic() - self._began > PATIENCE

    def ask(self, call: Callable[[], Any]) -> None:
        """Make this call next."""
        self._waiting = call
        if not self._busy:
            self._next()

    def _next(self) -> None:
        call, self._waiting = self._waiting, None
        self._busy = call is not None
        if call is not None:
            self._began = time.monotonic()
            call_in_thread(call, self._take)

    def _take(self, result: object, error: Exception | None) -> None:
        """Begin the next call, and show what came of this one."""
        self._next()
        if error is None:
            self.ready.emit(result)
        elif isinstance(error, StaleError):
            return
        elif isinstance(error, SegmentError):
            self.failed.emit(str(error))
        else:
            self.failed.emit(f"The preview failed: {error} ({type(error).__name__}).")

"""A live preview: the plane in view, segmented while the settings change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_segment import api
from napari_segment.classical.threshold import Histogram, histogram
from napari_segment.errors import SegmentError
from napari_segment.image import Image
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import methods

LARGEST = 2**28  # voxels whose histogram is taken for a preview
GLOBAL = "global threshold"
BY_HAND: Mapping[str, tuple[str, ...]] = {
    "manual": ("value",),
    "range": ("low", "high"),
    "hysteresis": ("low", "high"),
}


@dataclass(frozen=True)
class View:
    """What a preview shows.

    Parameters
    ----------
    labels : array of unsigned int (Y, X)
        The plane, segmented.
    histogram : Histogram or None
        Of what the threshold is taken from; None where the method sees several channels.
    values : tuple of float
        The thresholds.
    note : str
        How the run may differ.
    """

    labels: NDArray[Any]
    histogram: Histogram | None
    values: tuple[float, ...]
    note: str


class Look:
    """Segments single planes; remembers the histogram of the volume from plane to plane."""

    def __init__(self) -> None:
        self._key: Any = None
        self._histogram: Histogram | None = None

    def __call__(self, image: Image, where: Mapping[str, int], recipe: Recipe) -> View:
        """Segment one plane.

        Parameters
        ----------
        image : Image
            The whole stack.
        where : mapping of str to int
            The plane's place along T and Z, as far as the image has them.
        recipe : Recipe
            What the run will do.
        """
        image = image.canonical()
        plane = image
        for axis in "TZ":
            if axis in image.axes:
                plane = plane.take(axis, where[axis])
        plane = plane.compute()
        flat = recipe.model_copy(update={"per": "auto", "times": ()})
        entry = methods[recipe.method.name]
        if entry.channels == "many":
            return View(_run(flat, plane), None, (), _note(image, recipe))
        seen = api.as_seen(flat, plane)
        region, note = _region(image, where, recipe)
        if region is None or entry.group not in (GLOBAL, "threshold set by hand"):
            counts = histogram(seen.data)
        else:
            counts = self._counts(region, image, where, recipe)
        if entry.group == GLOBAL:
            from napari_segment.classical.threshold import thresholds

            values = thresholds(entry.name, counts, **recipe.method.settings)
            return View(_separate(flat, plane, seen, values), counts, values, note)
        values = tuple(float(recipe.method.settings[k]) for k in BY_HAND.get(entry.name, ()))
        note = "" if values else _note(image, recipe)
        return View(_run(flat, plane), counts, values, note)

    def forget(self) -> None:
        """Let go of the image."""
        self._key = self._histogram = None

    def _counts(
        self, region: Image, image: Image, where: Mapping[str, int], recipe: Recipe
    ) -> Histogram:
        time = None if recipe.per == "stack" else where.get("T")
        plane = where.get("Z") if "Z" not in region.axes else None
        bins = recipe.method.settings.get("bins", 256)
        key = (id(image.data), time, plane, recipe.channel, recipe.filters, recipe.times, bins)
        if self._histogram is None or self._key != key:
            seen = api.as_seen(recipe.model_copy(update={"times": ()}), region)
            self._histogram, self._key = histogram(seen.data, bins=bins), key
        return self._histogram


def _region(image: Image, where: Mapping[str, int], recipe: Recipe) -> tuple[Image | None, str]:
    """What the run takes one threshold from; None, and a note, if a preview cannot wait for it."""
    region = image
    if recipe.per == "stack" and "T" in image.axes:
        first, last = recipe.times or (0, image.size("T"))
        region = image.replace(data=image.data[first:last])
    elif "T" in image.axes:
        region = image.take("T", where["T"])
    if "Z" in image.axes and recipe.per == "plane":
        region = region.take("Z", where["Z"])
    if region.axes.replace("C", "") == "YX":
        return region.compute(), ""
    if region.is_lazy or recipe.filters or np.prod(region.shape) > LARGEST:
        return None, "Threshold of this plane alone; the run takes that of the whole volume."
    return region, ""


def _separate(flat: Recipe, plane: Image, seen: Image, values: tuple[float, ...]) -> NDArray[Any]:
    """Apply thresholds that are known already."""
    entry = methods[flat.method.name]
    if entry.gives == "mask" and len(values) == 1:
        settings = {"value": values[0], "objects": flat.method.settings.get("objects", "bright")}
        return _run(
            flat.model_copy(update={"method": Spec(name="manual", settings=settings)}), plane
        )
    if entry.gives == "classes" and not flat.cleanups:
        return np.searchsorted(np.asarray(values), np.nan_to_num(seen.data)).astype(np.uint8)
    return _run(flat, plane)


def _run(recipe: Recipe, plane: Image) -> NDArray[Any]:
    from napari_segment.step import run

    return np.asarray(run(api.segment_steps(plane, recipe)).data)


def _note(image: Image, recipe: Recipe) -> str:
    volume = "Z" in image.axes and recipe.per != "plane" and 3 in methods[recipe.method.name].ndim
    return "This plane alone; the run takes the volume." if volume else ""


class Newest(QObject):
    """Calls in a thread, one at a time; of the calls that wait only the newest is made."""

    ready = Signal(object)
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._waiting: Callable[[], Any] | None = None
        self._busy = False

    def ask(self, call: Callable[[], Any]) -> None:
        """Make this call next."""
        with self._lock:
            self._waiting = call
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                call, self._waiting = self._waiting, None
                if call is None:
                    self._busy = False
                    return
            try:
                self._tell(self.ready, call())
            except SegmentError as error:
                self._tell(self.failed, str(error))
            except Exception as error:
                self._tell(self.failed, f"{type(error).__name__}: {error}")

    def _tell(self, signal: Any, what: Any) -> None:
        import contextlib

        with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
            signal.emit(what)

"""History: edits made on one array, each of which can be undone and done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable
from napari_segment.errors import InputError
from napari_segment.recipe import Edit
from napari_segment.registry import Entry
from napari_segment.registry import edits as registry
from napari_segment.results.edits.change import Change, Editable
from napari_segment.results.edits.checksum import changed, checksum
from napari_segment.results.edits.index import BoxIndex
from napari_segment.results.edits.view import Box, Patch, Target, View


@dataclass(frozen=True, eq=False)
class Made:
    """An edit that was made, and what it changed.

    Parameters
    ----------
    edit : Edit
        With every setting.
    changes : tuple of Change
        In the order in which they were written.
    changed, gone : frozenset of int
        Objects that gained or lost voxels, and those of them that are no longer there.
    """

    edit: Edit
    changes: tuple[Change, ...]
    changed: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()

    @classmethod
    def of(cls, edit: Edit, changes: tuple[Change, ...]) -> Made:
        """Return an edit whose changes are known, but not what they left."""
        values = [v for change in changes for part in change.values() for v in np.unique(part)]
        return cls(edit, changes, frozenset(int(v) for v in values if v > 0))

    @property
    def boxes(self) -> list[Box]:
        """Where it wrote, in the whole array."""
        return [change.where for change in self.changes]


class History:
    """Labels that are edited in place, and the edits made on them.

    Parameters
    ----------
    labels : ndarray or zarr Array
        Integers; edits are written into it. Where numbers run out a NumPy array is replaced by one
        of a larger type (`labels` is then another array), and others are refused.
    axes : str
        A letter of ``TZYX`` for each axis.
    spacing : sequence of float
        Along each spatial axis; empty for 1.
    image : array, optional
        Intensities of the same shape, for edits that look at them.
    """

    def __init__(
        self,
        labels: Editable,
        axes: str,
        spacing: Sequence[float] = (),
        image: Sliceable | None = None,
    ) -> None:
        spatial = sum(a != "T" for a in axes)
        self.axes = axes
        self.spacing = tuple(spacing) or (1.0,) * spatial
        self.labels = labels
        self.index = BoxIndex(labels, axes)
        self.image: Sliceable | None = None
        self.done: list[Made] = []
        self.undone: list[Made] = []
        self._checksum: int | None = None
        self.see(image)

    def see(self, image: Sliceable | None) -> None:
        """Take another image for the edits that look at one.

        Raises
        ------
        InputError
            If it has another shape than the labels.
        """
        if image is not None and tuple(image.shape) != tuple(self.labels.shape):
            raise InputError(
                f"The image has the shape {tuple(image.shape)}, the labels "
                f"{tuple(self.labels.shape)}. Choose the image that they were made from."
            )
        self.image = image

    @property
    def base_checksum(self) -> int:
        """The checksum of the labels before all edits that are made."""
        state, shape = self.checksum, tuple(self.labels.shape)
        for made in reversed(self.done):
            for change in reversed(made.changes):
                before, after = change.values()
                state = changed(state, change.positions(shape), after, before)
        return state

    @property
    def checksum(self) -> int:
        """The checksum of the labels as they are."""
        if self._checksum is None:
            self._checksum = checksum(self.labels)
        return self._checksum

    def target(self, at: Mapping[str, int]) -> Target:
        """Return the labels as an edit sees them."""
        return Target(self.labels, self.axes, self.spacing, self.index, at)

    def plan(self, edit: Edit) -> Made:
        """Return an edit with every setting and what it would change; nothing is written.

        Raises
        ------
        InputError, SettingError, UnknownNameError
            If it cannot be made on these labels.
        """
        entry = registry[edit.name]
        settings = entry.validate(edit.settings)
        complete = Edit(**entry.spec(edit.settings).model_dump(), at=edit.at)
        target = self.target(edit.at)
        changes: list[Change] = []
        overlay = _Overlay(self.labels)
        for part, patch in _patches(entry, settings, target, self.image):
            where = part.whole_box(patch.where)
            whole = Patch(where, *_spread(patch, [s.stop - s.start for s in where]))
            before = overlay.read(where)
            after = whole.on(before)
            change = Change.of(where, before, after)
            if change is not None:
                overlay.write(where, after)
                changes.append(change)
        return Made(complete, tuple(changes))

    def make(self, edit: Edit) -> Made:
        """Make an edit; what had been undone can no longer be done again."""
        return self.commit(self.plan(edit))

    def commit(self, planned: Made) -> Made:
        """Write what an edit changes to the labels.

        Raises
        ------
        InputError
            If its numbers do not fit into the type of labels that cannot be replaced.
        """
        self._widen(_largest(planned.changes))
        made = self._written(planned, planned.changes, undone=False)
        self.done.append(made)
        self.undone.clear()
        return made

    def check_type(self, changes: Sequence[Change]) -> None:
        """Refuse numbers that do not fit into the type of an array on disk.

        Raises
        ------
        InputError
            Saying up to what number it holds.
        """
        self._wider(_largest(changes))

    def know(self, checksum: int | None) -> None:
        """Take the checksum of the labels as they are, where it was computed before."""
        self._checksum = checksum

    def forget(self) -> None:
        """Forget checksum and boxes, since the labels were changed by others."""
        self._checksum = None
        self.index = BoxIndex(self.labels, self.axes)

    def adopt(self, edit: Edit, changes: Sequence[Change]) -> Made:
        """Take an edit that was already written to the labels, such as a stroke of a brush."""
        numbers: set[int] = set()
        gone: set[int] = set()
        for change in changes:
            present = np.array(self.labels[change.where])
            earlier = present.copy()
            earlier[change.voxels()] = change.values()[0]
            self._follow(change, earlier, present, undone=False, numbers=numbers, gone=gone)
        made = Made(edit, tuple(changes), frozenset(numbers), frozenset(gone))
        self.done.append(made)
        self.undone.clear()
        return made

    def undo(self) -> Made | None:
        """Undo the last edit; None where there is none."""
        if not self.done:
            return None
        last = self.done.pop()
        self.undone.append(last)
        return self._written(last, last.changes[::-1], undone=True)

    def redo(self) -> Made | None:
        """Make the edit again that was undone last; None where there is none."""
        if not self.undone:
            return None
        made = self.undone.pop()
        self.done.append(made)
        self._widen(_largest(made.changes))
        return self._written(made, made.changes, undone=False)

    def _written(self, made: Made, changes: Sequence[Change], *, undone: bool) -> Made:
        numbers: set[int] = set()
        gone: set[int] = set()
        for change in changes:
            earlier, present = change.write(self.labels, undone=undone)
            self._follow(change, earlier, present, undone=undone, numbers=numbers, gone=gone)
        return Made(made.edit, tuple(changes), frozenset(numbers), frozenset(gone))

    def _follow(
        self,
        change: Change,
        earlier: NDArray[Any],
        present: NDArray[Any],
        *,
        undone: bool,
        numbers: set[int],
        gone: set[int],
    ) -> None:
        """Let checksum and boxes follow what was written."""
        if self._checksum is not None:
            before, after = change.values()
            pair = (after, before) if undone else (before, after)
            self._checksum = changed(self._checksum, change.positions(self.labels.shape), *pair)
        some, lost = self.index.follow(change.where, earlier, present)
        numbers |= some
        gone -= some
        gone |= lost

    def _widen(self, largest: int) -> None:
        """Take a larger type where a number does not fit."""
        wider = self._wider(largest)
        if wider != self.labels.dtype:
            self.labels = cast("NDArray[Any]", self.labels).astype(wider)
            self.index.data = self.labels

    def _wider(self, largest: int) -> np.dtype[Any]:
        """Return the type of the labels, or a larger one that holds a number."""
        dtype = np.dtype(self.labels.dtype)
        if largest <= np.iinfo(dtype).max:
            return dtype
        if not isinstance(self.labels, np.ndarray) or isinstance(self.labels, np.memmap):
            raise InputError(
                f"The number {largest} does not fit into labels of {dtype}, which hold numbers up "
                f"to {np.iinfo(dtype).max}, and the array on disk cannot change its type. Convert "
                "it to a larger type first (napari-segment convert), or use numbers that are free."
            )
        sizes = (np.dtype(f"{dtype.kind}{size}") for size in (2, 4, 8))
        return next(one for one in sizes if np.iinfo(one).max >= largest)


def _largest(changes: Sequence[Change]) -> int:
    return max((change.largest() for change in changes), default=0)


class _Overlay:
    """Labels with the changes that earlier patches of the same edit will make."""

    def __init__(self, labels: Editable) -> None:
        self._labels = labels
        self._parts: list[tuple[Box, NDArray[Any]]] = []

    def read(self, where: Box) -> NDArray[Any]:
        part = np.array(self._labels[where])
        for box, values in self._parts:
            shared = _shared(where, box)
            if shared:
                part = part.astype(np.promote_types(part.dtype, values.dtype))
                part[_within(where, shared)] = values[_within(box, shared)]
        return part

    def write(self, where: Box, values: NDArray[Any]) -> None:
        self._parts.append((where, values))


def _shared(first: Box, second: Box) -> Box:
    """Return the box that two boxes share; () if none."""
    sides = zip(first, second, strict=True)
    pairs = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in sides]
    return tuple(slice(a, b) for a, b in pairs) if all(a < b for a, b in pairs) else ()


def _within(outer: Box, inner: Box) -> Box:
    """Return a box by its position in another."""
    sides = zip(outer, inner, strict=True)
    return tuple(slice(b.start - a.start, b.stop - a.start) for a, b in sides)


def _patches(
    entry: Entry, settings: dict[str, Any], target: Target, image: Sliceable | None
) -> list[tuple[Target, Patch]]:
    """Call an edit, at each time point by itself where neighbours play a part."""
    if entry.pointwise or "T" not in target.axes:
        return _called(entry, settings, target, image)
    patches: list[tuple[Target, Patch]] = []
    some = False
    for t in range(target.shape[target.axes.index("T")]):
        part = target.narrowed({"T": t})
        given = _present(settings, part)
        if given is not None:
            some = True
            patches += _called(entry, given, part, image)
    if not some:
        raise target.missing((settings.get("numbers") or (settings["number"],))[0])
    return patches


def _present(settings: dict[str, Any], part: Target) -> dict[str, Any] | None:
    """Return the settings with the objects that one time point has; None where it has none."""
    if settings.get("numbers"):
        some = tuple(n for n in settings["numbers"] if part.has(n))
        return {**settings, "numbers": some} if some else None
    number = settings.get("number")
    gone = isinstance(number, int) and "outline" not in settings and not part.has(number)
    return None if gone else settings


def _called(
    entry: Entry, settings: dict[str, Any], target: Target, image: Sliceable | None
) -> list[tuple[Target, Patch]]:
    if not entry.pointwise and target.ndim not in entry.ndim:
        known = " or ".join(f"{n}-D" for n in entry.ndim)
        raise InputError(f"{entry.name!r} edits {known} labels; these are {target.ndim}-D here.")
    data: dict[str, Target | View | None] = {"labels": target}
    if "image" in entry.data:
        data["image"] = None if image is None else target.like(image)
    return [(target, patch) for patch in entry.function(**data, **settings)]


def _spread(patch: Patch, sides: list[int]) -> tuple[Any, Any]:
    """Return the values and the mask of a patch in the shape of its box in the whole array."""
    values, mask = np.asarray(patch.values), patch.mask
    whole = values if values.ndim == 0 else values.reshape(sides)
    return whole, None if mask is None else mask.reshape(sides)

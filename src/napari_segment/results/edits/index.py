"""BoxIndex: where each object lies, so that an edit reads and writes its box alone."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable

Bounds: TypeAlias = tuple[tuple[int, int], ...]
_SLAB = 1 << 28  # voxels that are read at once of an array that is not in memory
_SEARCHED = 1 << 22  # voxels of a box that is searched again when an object lost some
_LISTED = 1 << 24  # largest number up to which bounds are gathered in a table


class BoxIndex:
    """A box for each object that holds all of it, at each time point.

    It is gathered at the first question, of the time point concerned, and follows each change. A
    box is exact but for large objects that lost voxels, whose box may be too large.

    Parameters
    ----------
    data : ndarray or zarr Array
        Labels.
    axes : str
        A letter for each axis.
    """

    def __init__(self, data: Sliceable, axes: str) -> None:
        self.data = data
        self._time = axes.index("T") if "T" in axes else None
        self._tables: dict[int, dict[int, Bounds]] = {}

    def box(self, number: int, time: int | None = None) -> tuple[slice, ...] | None:
        """Return the box of an object in the whole array, at one time point or over all.

        Parameters
        ----------
        number : int
            Of the object.
        time : int, optional
            Time point; by default all of them.

        Returns
        -------
        tuple of slice or None
            None where there is no such object.
        """
        times = [t for t in self._times(time) if number in self._table(t)]
        if not times:
            return None
        bounds = [self._table(t)[number] for t in times]
        sides = [
            slice(min(low for low, _ in side), max(high for _, high in side))
            for side in zip(*bounds, strict=True)
        ]
        if self._time is not None:
            sides.insert(self._time, slice(min(times), max(times) + 1))
        return tuple(sides)

    def numbers(self, time: int | None = None) -> list[int]:
        """Return the numbers of the objects, rising."""
        return sorted(set().union(*(self._table(t) for t in self._times(time))))

    def largest(self) -> int:
        """Return the largest number of all time points; 0 without objects."""
        return max((max(self._table(t), default=0) for t in self._times(None)), default=0)

    def follow(
        self, where: tuple[slice, ...], before: NDArray[Any], after: NDArray[Any]
    ) -> tuple[set[int], set[int]]:
        """Follow a change that was written to the data.

        Parameters
        ----------
        where : tuple of slice
            The box of the change in the whole array.
        before, after : ndarray
            Its values.

        Returns
        -------
        changed, gone : set of int
            The objects that gained or lost voxels, and those that are no longer there.
        """
        changed: set[int] = set()
        own = slice(0, 1) if self._time is None else where[self._time]
        sides = [s for axis, s in enumerate(where) if axis != self._time]
        for i, t in enumerate(range(own.start, own.stop)):
            old, new = (a if self._time is None else a.take(i, self._time) for a in (before, after))
            changed |= self._follow_one(t, sides, old, new)
        return changed, {n for n in changed if self.box(n) is None}

    def _follow_one(
        self, time: int, sides: list[slice], before: NDArray[Any], after: NDArray[Any]
    ) -> set[int]:
        if time not in self._tables:
            return set()  # gathered later, from what is then there
        table = self._tables[time]
        different = before != after
        come = _bounds(np.where(different, after, after.dtype.type(0)), sides)
        lost = {int(n) for n in np.unique(before[different]) if n > 0}
        left = _bounds(after, sides) if lost else {}
        for number in lost:
            self._shrink(time, number, sides, left.get(number))
        for number, bounds in come.items():
            table[number] = _union(table.get(number), bounds)
        return lost | set(come)

    def _shrink(self, time: int, number: int, sides: list[slice], left: Bounds | None) -> None:
        """Take a smaller box for an object that lost voxels, where that is quickly found."""
        table = self._tables[time]
        earlier = table.get(number)
        if earlier is None:
            return
        within = all(s.start <= a and b <= s.stop for s, (a, b) in zip(sides, earlier, strict=True))
        if not within:
            if np.prod([b - a for a, b in earlier]) > _SEARCHED:
                return
            left = self._searched(time, number, earlier)
        if left is None:
            del table[number]
        else:
            table[number] = left

    def _searched(self, time: int, number: int, earlier: Bounds) -> Bounds | None:
        box = [slice(a, b) for a, b in earlier]
        part = self._read(time, box)
        return _extent(part == number, box)

    def _times(self, time: int | None) -> range:
        if self._time is None:
            return range(1)
        return range(self.data.shape[self._time]) if time is None else range(time, time + 1)

    def _table(self, time: int) -> dict[int, Bounds]:
        if time not in self._tables:
            self._tables[time] = self._gathered(time)
        return self._tables[time]

    def _gathered(self, time: int) -> dict[int, Bounds]:
        shape = [n for axis, n in enumerate(self.data.shape) if axis != self._time]
        in_memory = isinstance(self.data, np.ndarray)
        rows = shape[0] if in_memory else max(_SLAB // max(int(np.prod(shape[1:])), 1), 1)
        table: dict[int, Bounds] = {}
        for start in range(0, shape[0], max(rows, 1)):
            box = [slice(start, min(start + rows, shape[0])), *(slice(0, n) for n in shape[1:])]
            part = self._read(time, box)
            for number, bounds in _bounds(part, box).items():
                table[number] = _union(table.get(number), bounds)
        return table

    def _read(self, time: int, box: list[slice]) -> NDArray[Any]:
        """Read a box of one time point."""
        if self._time is None:
            return np.asarray(self.data[tuple(box)])
        axis = self._time
        where = (*box[:axis], slice(time, time + 1), *box[axis:])
        return np.asarray(np.take(self.data[where], 0, axis))


def _bounds(part: NDArray[Any], sides: list[slice]) -> dict[int, Bounds]:
    """Return the bounds of each object of a part that begins where the sides do."""
    from napari_segment.blocks import boxes

    if not part.size:
        return {}
    if part.dtype.kind == "i" and part.min() < 0:
        part = np.maximum(part, 0)
    numbers = None
    if int(part.max()) > _LISTED:
        numbers, inverse = np.unique(part, return_inverse=True)
        part = inverse.reshape(part.shape) + int(numbers[0] != 0)
        numbers = numbers if numbers[0] == 0 else np.concatenate([numbers[:1] * 0, numbers])
    ids, bounding = boxes(part)
    ids = ids if numbers is None else numbers[ids]
    starts = np.array([s.start for s in sides])
    return {
        int(number): tuple((a, b) for a, b in bounds)
        for number, bounds in zip(ids, (bounding + starts[:, None]).tolist(), strict=True)
    }


def _extent(mask: NDArray[np.bool_], sides: list[slice]) -> Bounds | None:
    """Return the bounds of one object in a box that begins where the sides do."""
    if not mask.any():
        return None
    bounds: list[tuple[int, int]] = []
    for axis, side in enumerate(sides):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        some = np.flatnonzero(mask.any(others))
        bounds.append((side.start + int(some[0]), side.start + int(some[-1]) + 1))
    return tuple(bounds)


def _union(first: Bounds | None, second: Bounds) -> Bounds:
    if first is None:
        return second
    sides = zip(first, second, strict=True)
    return tuple((min(a[0], b[0]), max(a[1], b[1])) for a, b in sides)

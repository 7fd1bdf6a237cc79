"""Labels and images as an edit sees them: read by boxes, at fixed positions along some axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable
from napari_segment.errors import InputError
from napari_segment.results.edits.index import BoxIndex

Box: TypeAlias = tuple[slice, ...]


class View:
    """An array at fixed positions along some of its axes.

    Parameters
    ----------
    data : ndarray, zarr or dask Array
        The whole array.
    axes : str
        A letter for each of its axes.
    at : mapping of str to int
        The fixed positions by axis; these axes are gone from the view.

    Raises
    ------
    InputError
        If an axis is not there, or a position lies outside.
    """

    def __init__(self, data: Sliceable, axes: str, at: Mapping[str, int]) -> None:
        for axis, position in at.items():
            if axis not in axes:
                raise InputError(f"The labels have the axes {axes}, so no position along {axis}.")
            size = data.shape[axes.index(axis)]
            if not 0 <= position < size:
                raise InputError(
                    f"Position {position} along {axis} lies outside: it goes from 0 to {size - 1}."
                )
        self.data = data
        self._at = [(a, at.get(a)) for a in axes]
        self.axes = "".join(a for a in axes if a not in at)
        self.shape = tuple(n for a, n in zip(axes, data.shape, strict=True) if a not in at)
        self.dtype = np.dtype(data.dtype)
        self.ndim = len(self.shape)

    def __getitem__(self, box: Box) -> NDArray[Any]:
        """Read a box of the view."""
        where = self.whole_box(box)
        return np.asarray(self.data[where]).reshape([s.stop - s.start for s in box])

    def whole_box(self, box: Box) -> Box:
        """Return a box of the view as a box of the whole array."""
        left = iter(box)
        return tuple(next(left) if at is None else slice(at, at + 1) for _, at in self._at)

    def all(self) -> Box:
        """Return the box of the whole view."""
        return tuple(slice(0, n) for n in self.shape)

    def fixed(self) -> dict[str, int]:
        """Return the fixed positions by axis."""
        return {axis: at for axis, at in self._at if at is not None}


class Target(View):
    """The labels that an edit changes, as it sees them.

    Parameters
    ----------
    data, axes, at
        As of `View`.
    spacing : sequence of float
        Distance between voxels along each spatial axis of the whole array.
    index : BoxIndex
        Where the objects of the whole array lie.
    """

    def __init__(
        self,
        data: Sliceable,
        axes: str,
        spacing: Sequence[float],
        index: BoxIndex,
        at: Mapping[str, int],
    ) -> None:
        super().__init__(data, axes, at)
        lengths = dict(zip((a for a in axes if a != "T"), spacing, strict=True))
        self._lengths = lengths
        self.index = index
        self.spacing = tuple(lengths.get(a, 1.0) for a in self.axes)

    def narrowed(self, at: Mapping[str, int]) -> Target:
        """Return the same labels at further fixed positions."""
        axes = "".join(a for a, _ in self._at)
        spacing = tuple(self._lengths.values())
        return Target(self.data, axes, spacing, self.index, {**self.fixed(), **at})

    def like(self, image: Sliceable) -> View:
        """Return an image of the same shape at the same positions."""
        return View(image, "".join(a for a, _ in self._at), self.fixed())

    def numbers(self) -> list[int]:
        """Return the numbers of all objects that may lie in the view, rising."""
        return [n for n in self.index.numbers(self.fixed().get("T")) if self._box(n)]

    def has(self, number: int) -> bool:
        """Return whether an object may lie in the view."""
        return bool(self._box(number))

    def box(self, number: int) -> Box:
        """Return a box that holds all of an object.

        Raises
        ------
        InputError
            If there is no such object.
        """
        box = self._box(number)
        if not box:
            raise self.missing(number)
        return box

    def around(self, box: Box, distance: float) -> Box:
        """Return a box grown by a distance in the unit of the spacing, up to the borders."""
        margins = [int(np.ceil(distance / s)) + 1 for s in self.spacing]
        sides = zip(box, margins, self.shape, strict=True)
        return tuple(slice(max(b.start - m, 0), min(b.stop + m, n)) for b, m, n in sides)

    def mask(self, number: int) -> tuple[Box, NDArray[np.bool_]]:
        """Return the box of an object, and where in it the object lies.

        Raises
        ------
        InputError
            If there is no such object.
        """
        box = self.box(number)
        mask = np.asarray(self[box] == number)
        if not mask.any():
            raise self.missing(number)
        return box, mask

    def free(self, count: int = 1) -> list[int]:
        """Return numbers that no object has, rising: those after the largest."""
        largest = self.index.largest()
        return list(range(largest + 1, largest + 1 + count))

    def missing(self, number: int) -> InputError:
        """Return the error that says that there is no such object here."""
        at = ", ".join(f"{a} {i}" for a, i in self.fixed().items())
        return InputError(
            f"There is no object {number} in the labels{at and f' at {at}'}. It may have been "
            "deleted or merged before."
        )

    def _box(self, number: int) -> Box:
        box = self.index.box(number, self.fixed().get("T"))
        if box is None:
            return ()
        left: list[slice] = []
        for (_, at), side in zip(self._at, box, strict=True):
            if at is None:
                left.append(side)
            elif not side.start <= at < side.stop:
                return ()
        return tuple(left)


@dataclass(frozen=True, eq=False)
class Patch:
    """What an edit changes: new values in a box.

    Parameters
    ----------
    where : tuple of slice
        The box, in the view that the edit was given.
    values : int or ndarray of int
        The number that goes there, or one for each voxel of the box.
    mask : ndarray of bool, optional
        The voxels of the box that are changed; by default all.
    """

    where: Box
    values: NDArray[Any] | int
    mask: NDArray[np.bool_] | None = None

    def on(self, part: NDArray[Any]) -> NDArray[Any]:
        """Return the values of its box after the change, of a type that holds them."""
        values = np.asarray(self.values)
        largest = np.min_scalar_type(int(values.max(initial=0)))
        after = part.astype(np.promote_types(part.dtype, largest))
        if self.mask is None:
            after[...] = values
        else:
            after[self.mask] = values if values.ndim == 0 else values[self.mask]
        return after

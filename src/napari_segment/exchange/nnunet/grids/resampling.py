"""Resampling as nnU-Net does it: splines along each axis, planes one by one where anisotropic.

The interpolation along one axis is a matrix from the old to the new rows, so that any part of the
result is computed from the few rows around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.data.resample import resampled_shape
from napari_segment.exchange.nnunet.reading.plans import Resampling

if TYPE_CHECKING:
    from torch import Tensor

# The inverse of the cubic spline's filter falls by 0.27 a row: 1e-9 beyond this many.
_REACH = {0: 1, 1: 1, 2: 14, 3: 18, 4: 26, 5: 32}


@dataclass(frozen=True)
class Axis:
    """From the rows of one axis to those of another over the same field of view.

    Parameters
    ----------
    size, target : int
        Old and new number of rows.
    order : int
        Of the spline, 0 for the nearest row.
    """

    size: int
    target: int
    order: int

    @property
    def is_identity(self) -> bool:
        return self.size == self.target

    @cached_property
    def positions(self) -> NDArray[np.float64]:
        """Where the new rows lie among the old, inside of their ends; whole for order 0."""
        scale = self.size / self.target
        positions = scale * (np.arange(self.target) + 0.5) - 0.5
        if self.order == 0:
            positions = np.floor(positions + 0.5)
        return np.clip(positions, 0, self.size - 1)

    def window(self, rows: slice) -> slice:
        """Return the old rows that some new rows depend on."""
        reach = _REACH[self.order]
        low = int(self.positions[rows.start]) - reach
        high = int(self.positions[rows.stop - 1]) + reach + 1
        return slice(max(low, 0), min(high, self.size))

    def apply(self, values: Tensor, axis: int, window: slice, rows: slice) -> Tensor:
        """Interpolate new rows from the old rows of a window along one axis of a tensor."""
        import torch

        from napari_segment.deep.data.resample import interpolate

        if self.is_identity:
            return values.narrow(axis, rows.start - window.start, rows.stop - rows.start)
        if self.order <= 1:
            return interpolate(values, axis, self.positions[rows] - window.start)
        matrix = torch.from_numpy(_matrix(self.size, self.target, self.order)[rows, window])
        return torch.movedim(matrix @ torch.movedim(values, axis, -2), -2, axis)


@lru_cache(maxsize=8)
def _matrix(size: int, target: int, order: int) -> NDArray[np.float32]:
    """Return the spline interpolation of one axis as a matrix ``(target, size)``."""
    from scipy.ndimage import zoom

    matrix = zoom(
        np.eye(size), (target / size, 1), order=order, mode="nearest", grid_mode=True
    )  # fmt: skip
    return np.ascontiguousarray(matrix, np.float32)


@dataclass(frozen=True)
class GridChange:
    """From one voxel grid to another.

    Parameters
    ----------
    axes : tuple of Axis
        One for each spatial axis.
    separate : int or None
        The axis of low resolution, across which planes are interpolated one by one.
    """

    axes: tuple[Axis, ...]
    separate: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.target for axis in self.axes)

    @property
    def is_identity(self) -> bool:
        return all(axis.is_identity for axis in self.axes)

    @property
    def overshoots(self) -> bool:
        """Whether splines may leave the range of the values, to which they are clipped."""
        return any(a.order > 1 and not a.is_identity for a in self.axes)


def grid_change(
    shape: Sequence[int], target: Sequence[int], spacing: Sequence[float],
    target_spacing: Sequence[float], resampling: Resampling,
) -> GridChange:  # fmt: skip
    """Return how an array is resampled.

    Parameters
    ----------
    shape, target : sequence of int
        Old and new size.
    spacing, target_spacing : sequence of float
        Old and new distance between voxels, which decide whether planes are resampled one by one.
    resampling : Resampling
        Of the plans.
    """
    separate = separate_axis(spacing, target_spacing, resampling)
    orders = [resampling.order_z if a == separate else resampling.order for a in range(len(shape))]
    axes = tuple(Axis(int(s), int(t), o) for s, t, o in zip(shape, target, orders, strict=True))
    return GridChange(axes, separate)


def target_shape(
    shape: Sequence[int], spacing: Sequence[float], target: Sequence[float], resampling: Resampling
) -> tuple[int, ...]:
    """Return the size of an array in another spacing."""
    if resampling.identity:
        return tuple(shape)
    return resampled_shape(shape, spacing, target)


def separate_axis(
    spacing: Sequence[float], target: Sequence[float], resampling: Resampling
) -> int | None:
    """Return the axis across which planes are resampled one by one; None where none is."""
    if resampling.separate is False:
        return None
    if resampling.separate:
        return _coarsest(spacing)
    for present in (spacing, target):
        if max(present) / min(present) > resampling.threshold:
            return _coarsest(present)
    return None


def _coarsest(spacing: Sequence[float]) -> int | None:
    """Return the axis of the largest spacing; None where several have it."""
    largest = [axis for axis, s in enumerate(spacing) if s == max(spacing)]
    return largest[0] if len(largest) == 1 else None

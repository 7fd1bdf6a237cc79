"""The input of the network as a view: cropped, normalised and resampled where it is read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, Sliceable
from napari_segment.exchange.nnunet.grids.normalisation import (
    Normaliser,
    Numbers,
    measure,
    needs_numbers,
    nonzero_box,
    nonzero_mask,
    normaliser,
)
from napari_segment.exchange.nnunet.grids.resampling import GridChange, grid_change, target_shape
from napari_segment.exchange.nnunet.reading.plans import Configuration, Plans
from napari_segment.step import Step

if TYPE_CHECKING:
    from torch import Tensor


_LARGEST = 2**26  # bytes of the image that are resampled at once
_FEWEST = 16  # rows; a spline takes as many again around them


@dataclass(frozen=True)
class Preprocessed:
    """An image as the network sees it, computed where it is read.

    Parameters
    ----------
    image : array (C, *S)
        Transposed and cropped.
    normalisers : sequence of Normaliser
        One for each channel.
    change : GridChange
        To the network's grid.
    mask : array (*S), optional
        Of nonzero voxels, where a normaliser needs it.
    ranges : array (C, 2, planes), optional
        Least and largest normalised value of each channel, or of each plane of it.
    """

    image: Sliceable
    normalisers: tuple[Normaliser, ...]
    change: GridChange
    mask: NDArray[np.bool_] | None = None
    ranges: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.normalisers), *self.change.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def __getitem__(self, where: tuple[slice, ...]) -> NDArray[np.float32]:
        rows = full_rows(where, self.shape)[1:]
        if self.change.is_identity:
            return np.ascontiguousarray(self._normalised(tuple(rows))[where[0]])
        parts = [self._resampled([part, *rows[1:]]) for part in self._pieces(rows)]
        return (parts[0] if len(parts) == 1 else np.concatenate(parts, 1))[where[0]]

    def _pieces(self, rows: Sequence[slice]) -> list[slice]:
        """Cut the rows of the first axis, so that little of the image is held at once."""
        windows = [axis.window(r) for axis, r in zip(self.change.axes, rows, strict=True)]
        sizes = [w.stop - w.start for w in windows]
        count = -(-4 * self.shape[0] * prod(sizes) // _LARGEST)
        first = rows[0]
        step = max(-(-(first.stop - first.start) // count), _FEWEST)
        starts = range(first.start, first.stop, step)
        return [slice(start, min(start + step, first.stop)) for start in starts]

    def _resampled(self, rows: Sequence[slice]) -> NDArray[np.float32]:
        import torch

        windows = [axis.window(r) for axis, r in zip(self.change.axes, rows, strict=True)]
        block = torch.from_numpy(self._normalised(tuple(windows)))
        separate = self.change.separate
        lowest = self._lowest(block)
        block -= lowest  # an empty part stays exactly so, and its tiles are computed once
        for axis in in_order(self.change):
            if axis == separate:
                block = self._clipped(block, lowest, windows[axis])
            one = self.change.axes[axis]
            block = one.apply(block, axis + 1, windows[axis], rows[axis])
        if separate is None:
            block = self._clipped(block, lowest, None)
        resampled: NDArray[np.float32] = block.add_(lowest).numpy()
        return resampled

    def _lowest(self, block: Tensor) -> Tensor:
        """Return the least normalised value of each channel, 0 where it is not known."""
        import torch

        shape = (block.shape[0], *[1] * (block.ndim - 1))
        if self.ranges is None:
            return torch.zeros(shape)
        return torch.from_numpy(self.ranges[:, 0].min(-1)).reshape(shape)

    def _normalised(self, where: tuple[slice, ...]) -> NDArray[np.float32]:
        block = np.array(self.image[(slice(None), *where)], np.float32)
        for channel, normalise in zip(block, self.normalisers, strict=True):
            if normalise.masked and self.mask is not None:
                inside = self.mask[where]
                channel[inside] = normalise(channel[inside])
            else:
                normalise.apply(channel)
        return block

    def _clipped(self, block: Tensor, lowest: Tensor, planes: slice | None) -> Tensor:
        """Clip what splines overshot to the range of the volume, or of each plane, less its low."""
        import torch

        if self.ranges is None:
            return block
        part = self.ranges if planes is None else self.ranges[..., planes]
        shape = [len(part), *[1] * (block.ndim - 1)]
        if self.change.separate is not None:
            shape[1 + self.change.separate] = -1
        low, high = (
            torch.from_numpy(np.ascontiguousarray(part[:, i])).reshape(shape) for i in (0, 1)
        )
        return torch.minimum(torch.maximum(block, low - lowest), high - lowest)


def in_order(change: GridChange) -> list[int]:
    """Return the axes in the order of their interpolation: shrinking ones first, separate last."""
    axes = range(len(change.axes))
    ratio = {a: change.axes[a].target / change.axes[a].size for a in axes}
    return sorted(axes, key=lambda a: (a == change.separate, ratio[a]))


def full_rows(where: Sequence[slice], shape: Sequence[int]) -> list[slice]:
    """Return slices with start and stop for every axis."""
    given = [*where, *[slice(None)] * (len(shape) - len(where))]
    return [slice(*w.indices(n)[:2]) for w, n in zip(given, shape, strict=True)]


@dataclass(frozen=True)
class Prepared:
    """The input of the network, and where its field of view lies in the image.

    Parameters
    ----------
    view : Preprocessed
        The input.
    box : tuple of slice
        Of the transposed image.
    shape : tuple of int
        Of the transposed image.
    spacing : tuple of float
        Of its axes.
    """

    view: Preprocessed
    box: tuple[slice, ...]
    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    @property
    def cropped(self) -> tuple[int, ...]:
        """Return the size of the box."""
        return tuple(side.stop - side.start for side in self.box)


def prepare(
    image: Array, spacing: Sequence[float], plans: Plans, configuration: Configuration
) -> Generator[Step, None, Prepared]:
    """Transpose, crop, and measure what the normalisation needs.

    Parameters
    ----------
    image : array (C, Z, Y, X)
        As the reader of nnU-Net gives it.
    spacing : sequence of float
        Of Z, Y and X.
    plans, configuration
        Of the network.
    """
    order = plans.transpose_forward
    turned = image.transpose((0, *(1 + axis for axis in order)))
    own = tuple(float(spacing[axis]) for axis in order)
    box = yield from nonzero_box(turned)
    cropped = turned[(slice(None), *box)]
    target = network_spacing(configuration, own)
    shape = target_shape(cropped.shape[1:], own, target, configuration.data)
    change = grid_change(cropped.shape[1:], shape, own, target, configuration.data)
    view = yield from _view(cropped, change, plans, configuration)
    return Prepared(view, box, tuple(turned.shape[1:]), own)


def network_spacing(configuration: Configuration, own: Sequence[float]) -> tuple[float, ...]:
    """Return the spacing of the network's grid; a 2-D network leaves that of the planes."""
    missing = len(own) - len(configuration.spacing)
    return (*own[:missing], *configuration.spacing)


def _view(
    cropped: Array, change: GridChange, plans: Plans, configuration: Configuration
) -> Generator[Step, None, Preprocessed]:
    schemes = configuration.schemes[: len(plans.channels)]
    masked = [
        own and scheme == "ZScoreNormalization"
        for scheme, own in zip(schemes, configuration.masked, strict=False)
    ]
    mask = nonzero_mask(cropped) if any(masked) else None
    separate = None if change.is_identity else change.separate
    numbers = [Numbers(1) for _ in schemes]
    if needs_numbers(schemes) or change.overshoots:
        if not all(masked):
            numbers = yield from measure(cropped, None, separate)
        if mask is not None:
            inside = yield from measure(cropped, mask, separate)
            numbers = [i if m else n for i, n, m in zip(inside, numbers, masked, strict=True)]
    normalisers = tuple(map(normaliser, schemes, masked, numbers, plans.intensities))
    ranges = None
    if change.overshoots:
        outside = None if mask is None else _planes_with_outside(mask, separate)
        ranges = np.stack(
            [_range(*pair, outside) for pair in zip(normalisers, numbers, strict=True)]
        )
    return Preprocessed(cropped, normalisers, change, mask, ranges)


def _planes_with_outside(mask: NDArray[np.bool_], separate: int | None) -> NDArray[np.bool_]:
    axes = tuple(a for a in range(mask.ndim) if a != separate)
    return np.atleast_1d(~mask.all(axes))


def _range(
    normalise: Normaliser, numbers: Numbers, outside: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    """Return the range of the normalised values of each plane ``(2, planes)``."""
    low, high = (normalise(np.asarray(ends, np.float32)) for ends in (numbers.low, numbers.high))
    if normalise.masked and outside is not None:  # unchanged there, which is 0
        low = np.where(outside, np.minimum(low, 0), low)
        high = np.where(outside, np.maximum(high, 0), high)
    return np.stack([low, high])

"""Labels of a cascade's first stage as input channels of its second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable
from napari_segment.exchange.nnunet.grids.preprocessing import Preprocessed, full_rows
from napari_segment.exchange.nnunet.grids.resampling import Axis, GridChange

if TYPE_CHECKING:
    from torch import Tensor

OUTSIDE = -1  # the label of voxels outside of the nonzero mask, which competes as any other


@dataclass(frozen=True)
class StageLabels:
    """One channel for each class: 1 where the first stage found it, on the network's grid.

    Labels are resampled as the class whose indicator, interpolated, is largest.

    Parameters
    ----------
    labels : array (*S)
        Of the first stage, transposed and cropped; `OUTSIDE` outside of the nonzero mask.
    change : GridChange
        To the network's grid.
    classes : int
        Number of classes without the background.
    """

    labels: NDArray[np.int16]
    change: GridChange
    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.classes, *self.change.shape)

    def __getitem__(self, where: tuple[slice, ...]) -> NDArray[np.float32]:
        rows = full_rows(where, self.shape)[1:]
        resampled = self._resampled(rows)
        numbers = np.arange(1, self.classes + 1).reshape(-1, *[1] * resampled.ndim)
        return np.asarray(resampled == numbers, np.float32)

    def _resampled(self, rows: Sequence[slice]) -> NDArray[np.int16]:
        windows = tuple(a.window(r) for a, r in zip(self.change.axes, rows, strict=True))
        block = self.labels[windows]
        if self.change.is_identity:
            inner = (
                slice(r.start - w.start, r.stop - w.start)
                for r, w in zip(rows, windows, strict=True)
            )
            return block[tuple(inner)]
        separate = self.change.separate
        if separate is None:
            return self._winners(block, self.change.axes, windows, rows)
        taken = np.moveaxis(block, separate, 0)
        others = [a for a in range(block.ndim) if a != separate]
        axes = [self.change.axes[a] for a in others]
        inner_windows, inner_rows = [windows[a] for a in others], [rows[a] for a in others]
        planes = [self._winners(plane, axes, inner_windows, inner_rows) for plane in taken]
        across = self.change.axes[separate]
        nearest = Axis(across.size, across.target, 0).positions[rows[separate]].astype(int)
        stack = np.stack(planes)[nearest - windows[separate].start]
        return np.moveaxis(stack, 0, separate)

    @staticmethod
    def _winners(
        block: NDArray[np.int16], axes: Sequence[Axis], windows: Sequence[slice],
        rows: Sequence[slice],
    ) -> NDArray[np.int16]:  # fmt: skip
        """Return the label of the largest interpolated indicator; of equal ones the nearest."""
        import torch

        numbers = np.unique(block)
        shape = tuple(r.stop - r.start for r in rows)
        if len(numbers) == 1:
            return np.full(shape, numbers[0], np.int16)
        index = torch.from_numpy(np.searchsorted(numbers, block).astype(np.int16))
        nearest_axes = [Axis(axis.size, axis.target, 0) for axis in axes]
        nearest = _interpolated(index, nearest_axes, windows, rows)
        winner = torch.zeros_like(nearest)
        best = _interpolated((index == 0).float(), axes, windows, rows)
        is_nearest = nearest == 0
        for number in range(1, len(numbers)):
            score = _interpolated((index == number).float(), axes, windows, rows)
            better, own = score > best, nearest == number
            is_nearest = torch.where(better, own, is_nearest | ((score == best) & own))
            winner[better] = number
            best = torch.maximum(best, score)
        chosen: Any = torch.where(is_nearest, nearest, winner).numpy()
        return np.asarray(numbers[chosen], np.int16)


def _interpolated(
    values: Tensor, axes: Sequence[Axis], windows: Sequence[slice], rows: Sequence[slice]
) -> Tensor:
    for position, (axis, window, row) in enumerate(zip(axes, windows, rows, strict=True)):
        values = axis.apply(values, position, window, row)
    return values


@dataclass(frozen=True)
class WithStage:
    """The channels of an image, then those of the first stage's labels."""

    image: Preprocessed
    stage: StageLabels

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.image.shape[0] + self.stage.shape[0], *self.image.shape[1:])

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def __getitem__(self, where: tuple[slice, ...]) -> NDArray[np.float32]:
        inner = (slice(None), *where[1:])
        return np.concatenate([self.image[inner], self.stage[inner]])[where[0]]


def marked_outside(labels: Sliceable, mask: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return labels with the background outside of the nonzero mask marked."""
    own = np.array(labels, np.int16)
    own[(own == 0) & ~mask] = OUTSIDE
    return own

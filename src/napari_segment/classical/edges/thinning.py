"""Canny's non-maximum suppression, in boxes and threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.edges.stencil import SOBEL
from napari_segment.classical.filters.separable import Kernel, mirrored
from napari_segment.classical.grid import float_type
from napari_segment.runtime import threads

_CACHE = 1 << 20  # bytes that the planes in work should not exceed
_THICKEST = 64  # planes of a box, of which other types than float hold a copy
_ALONE = 1 << 15  # voxels for which no threads are woken

Box: TypeAlias = tuple[int, int, int, int]
"""First plane and one past the last, first row and one past the last."""


@dataclass(frozen=True)
class GradientMaxima:
    """Local maxima of the gradient magnitude along the gradient, of one box.

    Parameters
    ----------
    indices : array of int64
        Flat positions in the volume.
    magnitudes : array of float
        The gradient magnitude there.
    max_magnitude : float
        The largest finite gradient magnitude of the box, or a larger one of another; 0 where
        `top` was given and none reaches the fraction.
    """

    indices: NDArray[np.int64]
    magnitudes: NDArray[Any]
    max_magnitude: float


def gradient_maxima(
    volume: NDArray[Any],
    spacing: Sequence[float],
    kernels: Sequence[Kernel],
    *,
    low: float,
    top: float = 0.0,
) -> list[GradientMaxima]:
    """Find the voxels at which the gradient of the smoothed volume is largest along itself.

    Parameters
    ----------
    volume : array (Z, Y, X)
        Real numbers of any type, in memory.
    spacing : sequence of float
        Distance between neighbours along each axis.
    kernels : sequence of Kernel
        Even ones, for each axis.
    low : float
        All maxima above this fraction of the largest gradient magnitude are returned. Some below
        it are too, depending on the largest that was known by then.
    top : float
        The largest gradient magnitude, if it is known.

    Returns
    -------
    list of GradientMaxima
        One for each box.
    """
    from napari_segment.classical.edges import thinning_kernels

    dtype = float_type(volume.dtype)
    weights = tuple(np.array(kernel.weights, dtype) for kernel in kernels)
    scale, step = np.array([[0.5 / s, 1 / s] for s in spacing], dtype).T.copy()
    sobel, least, peak = np.array(SOBEL, dtype), dtype.type(low * top), np.zeros(1, dtype)
    rising = 0.0 if top else low  # beyond the edges of a block, gradients are not true
    margin = [kernel.radius + 2 for kernel in kernels]

    def maxima_of(box: Box) -> GradientMaxima:
        part, inner, origin = _held(volume, box, margin, dtype)
        mirror = tuple(mirrored(n, k.radius) for n, k in zip(part.shape, kernels, strict=True))
        layout, buffers = (
            (origin, volume[0].size),
            _buffers(part.shape, inner, kernels[0].radius, dtype),
        )
        most = (box[1] - box[0]) * (box[3] - box[2]) * part.shape[2] + 1
        indices, magnitudes = np.empty(most, np.int64), np.empty(most, dtype)  # seldom touched
        count, best = thinning_kernels.gradient_maxima(
            part, inner, indices, magnitudes, layout, buffers, weights, mirror, sobel, scale, step,
            least, rising, peak,
        )  # fmt: skip
        return GradientMaxima(indices[:count].copy(), magnitudes[:count].copy(), float(best))

    boxes = _boxes(volume.shape, margin[0], dtype.itemsize)
    return over_slabs(lambda a, _: maxima_of(boxes[a]), len(boxes), 1)


def _held(
    volume: NDArray[Any], box: Box, margin: Sequence[int], dtype: np.dtype[Any]
) -> tuple[NDArray[Any], Box, int]:
    """What a box needs, as kernels want it; the box therein; and the flat position of its start."""
    flags = volume.flags
    if volume.dtype == dtype and flags.c_contiguous and flags.writeable:
        return volume, box, 0
    z0, z1, y0, y1 = box
    z, y = max(z0 - margin[0], 0), max(y0 - margin[1], 0)
    part = np.array(volume[z : z1 + margin[0], y : y1 + margin[1]], dtype, order="C")
    inner = (z0 - z, z1 - z, y0 - y, y1 - y)
    return part, inner, (z * volume.shape[1] + y) * volume.shape[2]


def _buffers(shape: Sequence[int], box: Box, radius: int, dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Planes smoothed along Y and X; along Z; gradient magnitudes; and lists of the steep ones."""
    planes, rows, columns = shape
    height = box[3] - box[2]
    tall, wide = min(box[3] + 2, rows) - max(box[2] - 2, 0), columns + 2
    soft = np.empty((min(2 * radius + 1, planes), tall, columns), dtype)
    smooth, strength = np.empty((3, tall, wide), dtype), np.empty((3, height + 2, wide), dtype)
    most = height * columns + 8
    slope, where, counts = (
        np.empty((2, 3, most), dtype),
        np.empty((2, most), np.int64),
        np.zeros(2, np.int64),
    )
    packed = np.zeros(-(-columns // 8), np.uint64)
    sums, parts = np.empty((3, wide), dtype), np.empty((3, 8 * len(packed)), dtype)
    lines = (sums, parts, packed.view(np.uint8), packed)
    return soft, smooth, strength, slope, where, counts, lines


def _boxes(shape: Sequence[int], margin: int, itemsize: int) -> list[Box]:
    """Boxes over whole rows, from the middle outwards: what lies there is seldom background.

    So the largest gradient is soon known to a good part.
    """
    planes, rows, columns = shape
    if not planes * rows * columns:
        return []
    if planes * rows * columns <= _ALONE:
        return [(0, planes, 0, rows)]
    held = columns * itemsize * (min(2 * margin - 3, planes) + 6)  # bytes of a row
    height = max(8, min(_CACHE // held, -(-rows // (2 * threads()))))
    strips = -(-rows // height)
    thickness = max(16, min(_THICKEST, -(-planes * strips // (2 * threads()))))
    boxes = [
        (z, min(z + thickness, planes), y, min(y + height, rows))
        for z in range(0, planes, thickness)
        for y in range(0, rows, height)
    ]
    return sorted(boxes, key=lambda b: abs(b[0] + b[1] - planes) + abs(b[2] + b[3] - rows))

"""Masks from what the neighbourhood of each voxel says: the work of the local thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.filters.separable import Kernel, convolve_block
from napari_segment.classical.histogram import finite_range, real
from napari_segment.classical.threshold.binarise import Objects
from napari_segment.classical.threshold.window import (
    Coding,
    Edge,
    Indices,
    Unit,
    comparable,
    on_windows,
    radii,
)


class Rule:
    """A formula of `local_kernels`, and its numbers."""

    def __init__(self, name: str, *, k: float, unit: float = 1, p: float = 0, q: float = 0) -> None:
        self.name, self.numbers = name, (k, unit, p, q)


def by_moments(
    image: Array,
    spacing: Sequence[float],
    window: float,
    units: Unit,
    rule: Rule,
    objects: Objects,
    edge: Edge = "skip",
) -> Array:
    """Mask of an image by a rule on the mean and spread of each voxel's window."""
    image = real(image)
    reach = radii(image, spacing, window, units)
    coding = Coding.of(image, reach)
    work = partial(_beyond_rule, coding=coding, rule=rule, bright=objects == "bright")
    return on_windows(work, image, reach, edge)


def _beyond_rule(
    volume: NDArray[Any],
    index: Indices,
    out: NDArray[np.bool_],
    *,
    coding: Coding,
    rule: Rule,
    bright: bool,
) -> None:
    from napari_segment.classical.threshold import local_kernels

    z, y, x = index
    center = z[(len(z) - len(out)) // 2 :][: len(out)]
    if volume.dtype == np.uint16 and volume.flags.c_contiguous and volume.dtype.isnative:
        codes = volume
    else:
        codes, z = coding.codes(volume, z), np.arange(len(z))
    numbers = np.array([coding.low, coding.step, *rule.numbers])
    kind = getattr(local_kernels, rule.name)
    local_kernels.beyond_local_threshold(codes, z, y, x, coding.holes, kind, numbers, bright, out)
    if coding.holes:
        infinite = np.isposinf if bright else np.isneginf
        for k, plane in enumerate(center):
            out[k] |= infinite(volume[plane])


def beyond_median(
    volume: NDArray[Any], index: Indices, out: NDArray[np.bool_], *, offset: float, bright: bool
) -> None:
    """Where a block lies beyond the median of each window."""
    from napari_segment.classical.threshold.local_kernels import beyond_local_median

    z, y, x = index
    values = np.ascontiguousarray(volume[z], comparable(volume.dtype, offset))
    limits = values[(len(z) - len(out)) // 2 :][: len(out)]
    if offset:
        moved = limits.astype(np.float64) + offset
        limits = (np.ceil(moved) if values.dtype.kind == "i" else moved).astype(values.dtype)
    size = np.prod([len(i) - n + 1 for i, n in zip(index, out.shape, strict=True)])
    narrow = values.dtype.itemsize == 2 and size < 1 << 16
    counts = np.empty((2, out.shape[2]), np.uint16 if narrow else np.uint32)
    holes = values.dtype.kind == "f"
    beyond_local_median(values, limits, np.arange(len(z)), y, x, holes, bright, counts, out)


def beyond_gaussian(
    block: NDArray[Any], *, kernels: Sequence[Kernel], offset: float, objects: Objects
) -> NDArray[np.bool_]:
    """Where a block lies beyond its Gaussian mean; what equals it but for rounding does not."""
    limits = convolve_block(block, kernels=kernels)
    mask = np.empty(block.shape, np.bool_)
    compare = np.greater if objects == "bright" else np.less_equal
    roundings = 8 + max(kernel.radius for kernel in kernels) / 16  # of the mean of equal values
    slack = limits.dtype.type(roundings * np.finfo(limits.dtype).eps)

    def decide(start: int, stop: int) -> None:
        limit = limits[start:stop]
        limit *= 1 + np.copysign(slack, limit)
        limit -= offset
        compare(block[start:stop], limit, out=mask[start:stop])

    over_slabs(decide, len(block))
    return mask


def levels_in_use(image: Array) -> float:
    """The intensities in use: of as many bits as the greatest integer has, or of floats."""
    image = real(image)
    low, high = finite_range(image)
    if low > high:
        return 1.0
    if image.dtype.kind != "f" and low >= 0:
        return float((1 << max(8, int(high).bit_length())) - 1)
    return float(high - low) or 1.0

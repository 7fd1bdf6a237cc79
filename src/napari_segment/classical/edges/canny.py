"""Canny's edge detector in planes and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.blocks import is_lazy, label, map_blocks, reduce
from napari_segment.classical._slabs import over_slabs, threads
from napari_segment.classical.edges.stencil import (
    SOBEL,
    as_volume,
    gradient,
    gradient_block,
    in_volume,
)
from napari_segment.classical.filters.separable import convolve, gaussian_kernel
from napari_segment.classical.grid import checked, in_voxels
from napari_segment.errors import SettingError
from napari_segment.registry import methods

_SLAB = 1 << 21  # voxels thinned at once, so that their gradients stay in the cache


@methods.add("canny", title="Canny", gives="mask", group="edges")
def canny(
    image: Any,
    spacing: Sequence[float] = (),
    *,
    sigma: Annotated[float, Field(ge=0)] = 1.0,
    low: Annotated[float, Field(ge=0, le=1)] = 0.1,
    high: Annotated[float, Field(ge=0, le=1)] = 0.2,
) -> Any:
    """Find thin, connected edges: the ridges of the gradient, followed by hysteresis.

    The image is smoothed with a Gaussian, its gradient taken by Sobel's operator. A voxel stays
    where the gradient is not smaller than on either side along its own direction, in space for a
    volume, interpolated linearly between neighbours. Of these, the ones above `high` are edges,
    and the ones above `low` that hang together with them (8 or 26 neighbours).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask. A volume has surfaces for edges; to find the
        edges of each plane, segment it with ``per="plane"``.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    sigma : float
        Standard deviation of the Gaussian in the unit of the spacing.
    low, high : float
        Fractions of the largest gradient magnitude in the image, `low` at most `high`.

    Returns
    -------
    array of bool
        True on edges; never where the Gaussian meets NaN or infinities.

    References
    ----------
    J. Canny, "A computational approach to edge detection", IEEE Transactions on Pattern Analysis
    and Machine Intelligence 8(6), 679–698, 1986. :doi:`10.1109/TPAMI.1986.4767851`

    Examples
    --------
    >>> import numpy as np
    >>> step = np.zeros((5, 9))
    >>> step[:, 5:] = 1
    >>> canny(step)[2].astype(int)
    array([0, 0, 0, 0, 1, 1, 0, 0, 0])
    """
    spacing = checked(image, spacing)
    if low > high:
        raise SettingError(f"'low' is {low:g} and 'high' {high:g}: 'low' is at most 'high'.")
    smooth = convolve(image, [gaussian_kernel(s) for s in in_voxels(sigma, spacing)])
    top = _steepest(smooth, spacing)
    halo = [min(2, n) for n in image.shape]
    thin = partial(_thinned, spacing=spacing, low=low * top, high=high * top)
    return hysteresis(map_blocks(thin, smooth, dtype=np.uint8, halo=halo))


def hysteresis(code: Any) -> Any:
    """Keep weak voxels (1) that hang together with strong ones (2), by any of the neighbours."""
    return _hysteresis_lazily(code) if is_lazy(code) else _hysteresis(code)


def _hysteresis(code: NDArray[np.uint8]) -> NDArray[np.bool_]:
    from napari_segment.classical.edges._canny import STRONG, follow

    code = np.pad(code, 1)
    flat, plane = code.reshape(-1), code[0].size
    offsets = _neighbours(code.shape)
    size = -(-len(code) // threads())
    over_slabs(
        lambda a, b: follow(flat, offsets, a * plane, b * plane, a * plane, b * plane),
        len(code),
        size,
    )
    for seam in range(size, len(code), size):  # what crosses from one slab to the next
        follow(flat, offsets, (seam - 1) * plane, (seam + 1) * plane, 0, flat.size)
    return np.equal(code[(slice(1, -1),) * code.ndim], STRONG)


def _hysteresis_lazily(code: Any) -> Any:
    components, count = label(code > 0, code.ndim)
    strong = map_blocks(_of_strong, components, code, dtype=components.dtype)
    kept = np.zeros(count + 1, bool)
    kept[reduce(strong, np.unique, _union)] = True
    kept[0] = False
    return map_blocks(partial(np.take, kept), components, dtype=bool)


def _of_strong(components: NDArray[Any], code: NDArray[np.uint8]) -> NDArray[Any]:
    return np.where(code == 2, components, 0)


def _union(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.unique(np.concatenate(parts))


def _neighbours(shape: Sequence[int]) -> NDArray[np.int64]:
    """Steps in a flat array from a voxel to all that touch it."""
    around = np.indices((3,) * len(shape)).reshape(len(shape), -1) - 1
    steps = np.cumprod((1, *shape[:0:-1]))[::-1] @ around
    return np.array([step for step in steps if step], np.int64)


def _scale(spacing: Sequence[float]) -> tuple[float, ...]:
    return in_volume(0.5 / s for s in spacing)


def _steepest(smooth: Any, spacing: Sequence[float]) -> float:
    """The largest gradient magnitude, without keeping the magnitudes."""
    if is_lazy(smooth):
        return reduce(gradient(smooth, spacing, SOBEL, "magnitude"), _largest, _greatest)
    volume = as_volume(smooth)

    def slab(a: int, b: int) -> float:
        return _largest(_magnitude(volume, a, b, spacing))

    return (
        max(over_slabs(slab, len(volume), _thickness(volume)), default=0.0) if volume.size else 0.0
    )


def _thickness(volume: NDArray[Any]) -> int:
    share = -(-len(volume) // (2 * threads()))
    return max(1, min(_SLAB // max(int(volume[0].size), 1), share))


def _largest(block: NDArray[Any]) -> float:
    from napari_segment.classical.edges._canny import largest

    values = np.ascontiguousarray(block).reshape(-1)
    bits = values.view(f"i{values.itemsize}")
    infinity = np.array(np.inf, values.dtype).view(bits.dtype)[()]
    return float(np.array(largest(bits, infinity), bits.dtype).view(values.dtype))


def _greatest(parts: Sequence[float]) -> float:
    return max(parts)


def _magnitude(volume: NDArray[Any], a: int, b: int, spacing: Sequence[float]) -> NDArray[Any]:
    low, high = max(a - 1, 0), min(b + 1, len(volume))
    strength = gradient_block(volume[low:high], smooth=SOBEL, scale=_scale(spacing))
    return strength[a - low : len(strength) - (high - b)]


def _thinned(
    block: NDArray[Any], *, spacing: Sequence[float], low: float, high: float
) -> NDArray[np.uint8]:
    from napari_segment.classical.edges._canny import thin

    smooth = np.require(as_volume(block), None, ["C", "W"])
    dtype = smooth.dtype.type
    out = np.empty(smooth.shape, np.uint8)
    weights = np.array(SOBEL, smooth.dtype)
    factors = np.array(_scale(spacing), smooth.dtype)
    steps = np.array(in_volume(1 / s for s in spacing), smooth.dtype)

    def slab(a: int, b: int) -> None:
        first, last = max(a - 1, 0), min(b + 1, len(smooth))
        strength = _with_margin(_magnitude(smooth, first, last, spacing), a - first, b - a, smooth)
        part = smooth[first:last]
        thin(
            part, strength, a - first, b - first, weights, factors, steps, dtype(low), dtype(high),
            out[a:b],
        )  # fmt: skip

    if out.size:
        over_slabs(slab, len(smooth), _thickness(smooth))
    return out.reshape(block.shape)


def _with_margin(
    strength: NDArray[Any], first: int, count: int, volume: NDArray[Any]
) -> NDArray[Any]:
    """The magnitudes of some planes and of the voxels around them; the outermost repeat."""
    margin = [1 if n > 1 else 0 for n in volume.shape]
    inner = [slice(m, -m or None) for m in margin]
    shape = [n + 2 * m for n, m in zip((count, *volume.shape[1:]), margin, strict=True)]
    padded = np.empty(shape, strength.dtype)
    planes = np.clip(np.arange(first - margin[0], first + count + margin[0]), 0, len(strength) - 1)
    padded[:, inner[1], inner[2]] = strength[planes]
    for axis in (1, 2):
        if margin[axis]:
            moved = np.moveaxis(padded, axis, 0)
            moved[0], moved[-1] = moved[1], moved[-2]
    return padded

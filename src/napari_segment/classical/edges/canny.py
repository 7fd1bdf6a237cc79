"""Canny's edge detector in planes and volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        Fractions (0 to 1) of the largest gradient magnitude in the image, `low` at most `high`.

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
    code = map_blocks(thin, smooth, dtype=np.uint8, halo=halo)
    del smooth  # makes room
    return hysteresis(code)


def hysteresis(code: Any) -> Any:
    """Keep weak voxels (1) that hang together with strong ones (2), by any of the neighbours."""
    return _hysteresis_lazily(code) if is_lazy(code) else _hysteresis(code)


def _hysteresis(code: NDArray[np.uint8]) -> NDArray[np.bool_]:
    from napari_segment.classical.edges._canny import STRONG, follow

    margined = np.zeros([n + 2 for n in code.shape], np.uint8)
    inner = margined[(slice(1, -1),) * code.ndim]
    _by_slabs(lambda a, b: np.copyto(inner[a:b], code[a:b]), code)
    flat, plane = margined.reshape(-1), margined[0].size
    offsets = _neighbours(margined.shape)
    size = -(-len(margined) // threads())
    over_slabs(
        lambda a, b: follow(flat, offsets, a * plane, b * plane, a * plane, b * plane),
        len(margined),
        size,
    )
    for seam in range(size, len(margined), size):  # what crosses from one slab to the next
        follow(flat, offsets, (seam - 1) * plane, (seam + 1) * plane, 0, flat.size)
    edges = np.empty(code.shape, bool)
    _by_slabs(lambda a, b: np.equal(inner[a:b], STRONG, out=edges[a:b]), code)
    return edges


def _by_slabs(work: Callable[[int, int], Any], code: NDArray[Any]) -> None:
    """Work in threads where there is enough to do for them."""
    parts = threads() if code.size > _SLAB else 1
    over_slabs(work, len(code), -(-len(code) // parts) or 1)


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


def _constants(spacing: Sequence[float], dtype: np.dtype[Any]) -> tuple[NDArray[Any], ...]:
    """Sobel's weights, and what makes intensity per unit of length of their differences."""
    return np.array(SOBEL, dtype), np.array(in_volume(0.5 / s for s in spacing), dtype)


def _steepest(smooth: Any, spacing: Sequence[float]) -> float:
    """The largest gradient magnitude, without keeping the magnitudes."""
    if is_lazy(smooth):
        return reduce(gradient(smooth, spacing, SOBEL, "magnitude"), _largest, _greatest)
    from napari_segment.classical.edges._canny import steepest

    volume = as_volume(smooth)
    constants = _constants(spacing, volume.dtype)

    def slab(a: int, b: int) -> float:
        peaks = np.zeros(volume.shape[2], volume.dtype)
        steepest(volume, a, b, *constants, peaks)
        return float(peaks.max())

    return max(over_slabs(slab, len(volume))) if volume.size else 0.0


def _largest(block: NDArray[Any]) -> float:
    return float(block[np.isfinite(block)].max(initial=0))


def _greatest(parts: Sequence[float]) -> float:
    return max(parts)


def _thinned(
    block: NDArray[Any], *, spacing: Sequence[float], low: float, high: float
) -> NDArray[np.uint8]:
    from napari_segment.classical.edges._canny import magnitudes, thin

    smooth = np.require(as_volume(block), None, ["C", "W"])
    kind = smooth.dtype.type
    out = np.empty(smooth.shape, np.uint8)
    constants = _constants(spacing, smooth.dtype)
    steps = np.array(in_volume(1 / s for s in spacing), smooth.dtype)
    margin = [2 if n > 1 else 0 for n in smooth.shape]

    def slab(a: int, b: int) -> None:
        shape = [n + m for n, m in zip((b - a, *smooth.shape[1:]), margin, strict=True)]
        strength = np.empty(shape, smooth.dtype)
        magnitudes(smooth, a, b, *constants, strength)
        thin(smooth, strength, a, b, *constants, steps, kind(low), kind(high), out[a:b])

    if out.size:
        over_slabs(slab, len(smooth), _thickness(smooth))
    return out.reshape(block.shape)


def _thickness(volume: NDArray[Any]) -> int:
    share = -(-len(volume) // (2 * threads()))
    return max(1, min(_SLAB // max(int(volume[0].size), 1), share))

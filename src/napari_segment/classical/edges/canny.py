"""Canny's edge detector in planes and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import connected_to, is_lazy, map_blocks
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.edges.marking import max_strength
from napari_segment.classical.edges.stencil import SOBEL, gradient
from napari_segment.classical.edges.thinning import GradientMaxima, gradient_maxima
from napari_segment.classical.filters.separable import Kernel, convolve, gaussian_kernel
from napari_segment.classical.grid import checked, float_type, in_voxels
from napari_segment.errors import SettingError
from napari_segment.image import Spacing
from napari_segment.registry import methods


@methods.add("canny", title="Canny", gives="mask", group="edges")
def canny(
    image: Array,
    spacing: Spacing = (),
    *,
    sigma: Annotated[float, Field(ge=0)] = 1.0,
    low: Annotated[float, Field(ge=0, le=1)] = 0.1,
    high: Annotated[float, Field(ge=0, le=1)] = 0.2,
) -> Array:
    """Find thin, connected edges: local maxima of the gradient, followed by hysteresis.

    The image is smoothed with a Gaussian, its gradient taken by Sobel's operator. A voxel stays
    where the gradient is not smaller than on either side along its own direction, in space for a
    volume, interpolated linearly between neighbours. Of these, the ones above `high` are edges,
    and the ones above `low` that hang together with them (8 or 26 neighbours).

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask. A volume has surfaces for edges; to find the
        edges of each plane, segment it with ``apply_to="plane"``.
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
    kernels = [gaussian_kernel(s) for s in in_voxels(sigma, spacing)]
    if is_lazy(image):
        return _of_blocks(image, spacing, kernels, low, high)
    volume, lengths, kernels = _as_volume(image, spacing, kernels)
    maxima = gradient_maxima(volume, lengths, kernels, low=low)
    top = max((part.max_magnitude for part in maxima), default=0.0)
    code, weak = _painted(volume.shape, maxima, low * top, high * top)
    _follow(code, weak)
    return code.view(bool).reshape(image.shape)


def _as_volume(
    image: Array, spacing: Sequence[float], kernels: Sequence[Kernel]
) -> tuple[Any, tuple[float, ...], list[Kernel]]:
    """A plane as a volume of one plane, along which nothing is smoothed."""
    if image.ndim == 3:
        return image, tuple(spacing), list(kernels)
    return image[None], (1.0, *spacing), [Kernel((1.0,)), *kernels]


def _painted(
    shape: tuple[int, ...], maxima: Sequence[GradientMaxima], low: float, high: float
) -> tuple[NDArray[np.uint8], list[NDArray[np.int64]]]:
    """Mark the maxima above either threshold in a volume; return it and the weak ones' indices."""
    from napari_segment.classical.edges.hysteresis_kernels import STRONG, WEAK

    code, weak = np.zeros(shape, np.uint8), []
    flat = code.reshape(-1)
    for part in maxima:
        kind = part.magnitudes.dtype.type
        above, strong = part.magnitudes >= kind(low), part.magnitudes >= kind(high)
        flat[part.indices[strong]] = STRONG
        weak.append(part.indices[above & ~strong])
        flat[weak[-1]] = WEAK
    return code, weak


def _follow(code: NDArray[np.uint8], weak: Sequence[NDArray[np.int64]]) -> None:
    """Make strong what is weak and hangs together with strong voxels; the others become 0."""
    from napari_segment.classical.edges.hysteresis_kernels import WEAK, follow

    over_slabs(lambda a, _: follow(code, weak[a]), len(weak), 1)
    flat = code.reshape(-1)
    for indices in weak:
        flat[indices[flat[indices] == WEAK]] = 0


def _of_blocks(
    image: Array, spacing: Sequence[float], kernels: Sequence[Kernel], low: float, high: float
) -> Array:
    """`canny` of a Dask array."""
    from napari_segment.classical.edges.hysteresis_kernels import STRONG

    strength = partial(_strength, spacing=spacing, kernels=kernels)
    halo = [min(k.radius + 1, n) for k, n in zip(kernels, image.shape, strict=True)]
    top = max_strength(map_blocks(strength, image, dtype=float_type(image.dtype), halo=halo))
    mark = partial(_code, spacing=spacing, kernels=kernels, low=low, high=high, top=top)
    halo = [min(k.radius + 2, n) for k, n in zip(kernels, image.shape, strict=True)]
    code = map_blocks(mark, image, dtype=np.uint8, halo=halo)
    return connected_to(code == STRONG, code > 0, code.ndim)


def _code(
    block: NDArray[Any],
    *,
    spacing: Sequence[float],
    kernels: Sequence[Kernel],
    low: float,
    high: float,
    top: float,
) -> NDArray[np.uint8]:
    volume, lengths, kernels = _as_volume(block, spacing, kernels)
    maxima = gradient_maxima(volume, lengths, kernels, low=low, top=top)
    return _painted(volume.shape, maxima, low * top, high * top)[0].reshape(block.shape)


def _strength(
    block: NDArray[Any], *, spacing: Sequence[float], kernels: Sequence[Kernel]
) -> NDArray[Any]:
    smooth, lengths, _ = _as_volume(convolve(block, kernels), spacing, kernels)
    return np.asarray(gradient(smooth, lengths, SOBEL, "magnitude")).reshape(block.shape)

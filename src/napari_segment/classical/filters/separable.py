"""Separable convolution in 2-D and 3-D; the kernels of Gaussians and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.grid import float_type
from napari_segment.runtime import threads

TRUNCATE = 4.0  # standard deviations, as in scipy.ndimage
_STRIP = 1 << 20  # bytes of a strip of rows, which should stay in the second-level cache


@dataclass(frozen=True)
class Kernel:
    """A kernel along one axis: the weights of distance 0, 1, …, and whether it is odd.

    An even kernel sums ``w[k] (f[i + k] + f[i - k])``, an odd one ``w[k] (f[i + k] - f[i - k])``.
    """

    weights: tuple[float, ...]
    odd: bool = False

    @property
    def radius(self) -> int:
        return len(self.weights) - 1


def gaussian_kernel(sigma: float, order: int = 0) -> Kernel:
    """A sampled Gaussian or its first or second derivative, cut at 4 standard deviations.

    The weights are scaled so that constants stay, ramps have exactly their slope and parabolas
    exactly their curvature.

    Parameters
    ----------
    sigma : float
        Standard deviation in voxels; positive for derivatives.
    order : {0, 1, 2}
        Of the derivative, per voxel.

    Returns
    -------
    Kernel
    """
    radius = int(TRUNCATE * sigma + 0.5)
    k = np.arange(radius + 1, dtype=np.float64)
    g = np.exp(-0.5 * (k / max(sigma, 1e-9)) ** 2)
    if order == 0:
        g /= 2 * g.sum() - g[0]
    elif order == 1:
        g *= k
        g /= 2 * (g * k).sum()
    else:
        g *= k**2 / sigma**2 - 1
        g[0] = -2 * g[1:].sum()
        g /= (g * k**2).sum()
    return Kernel(tuple(g.tolist()), odd=order == 1)


def convolve(image: Array, kernels: Sequence[Kernel], *, scale: float = 1.0) -> Array:
    """Convolve with one kernel along each axis.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Any real type; NumPy or Dask. Its values are mirrored about its edges (d c b a|a b c d).
    kernels : sequence of Kernel
        One for each axis.
    scale : float
        A factor of the result.

    Returns
    -------
    array
        Of the `float_type` of the image.
    """
    halo = [min(kernel.radius, size) for kernel, size in zip(kernels, image.shape, strict=True)]
    function = partial(convolve_block, kernels=tuple(kernels), scale=scale)
    return map_blocks(function, image, dtype=float_type(image.dtype), halo=halo)


def convolve_block(
    block: NDArray[Any], *, kernels: Sequence[Kernel], scale: float = 1.0
) -> NDArray[Any]:
    """`convolve` of an array in memory."""
    dtype = float_type(block.dtype)
    out = np.empty(block.shape, dtype)
    if not block.size:
        return out
    last = Kernel(tuple(scale * w for w in kernels[-1].weights), kernels[-1].odd)
    if block.ndim == 2:
        source = np.require(block, dtype, ["C", "W"])
        over_slabs(lambda a, b: _rows(source, out, a, b, kernels[0], last), len(source))
        return out

    def plane(start: int, stop: int) -> None:
        for z in range(start, stop):
            source = np.require(block[z], dtype, ["C", "W"])
            _rows(source, out[z], 0, block.shape[1], kernels[1], last)

    over_slabs(plane, block.shape[0], 1)
    _along_z(out, kernels[0])
    return out


def _rows(source: NDArray[Any], out: NDArray[Any], a: int, b: int, y: Kernel, x: Kernel) -> None:
    """Rows `a` to `b` of a plane, convolved along Y, then X."""
    from napari_segment.classical.filters.convolution_kernels import along_first, along_rows

    rows, columns = source.shape
    held = np.empty((b - a, columns), out.dtype)
    index, weights = mirrored(rows, y.radius), np.array(y.weights, out.dtype)
    along_first(source[:, None], 1, a, b, index, weights, y.odd, held[:, None])
    index, weights = mirrored(columns, x.radius), np.array(x.weights, out.dtype)
    along_rows(held, index, weights, x.odd, out[a:b])


def _along_z(out: NDArray[Any], kernel: Kernel) -> None:
    """Convolve along the first axis, in place."""
    from napari_segment.classical.filters.convolution_kernels import along_first

    planes, rows, columns = out.shape
    index, weights = mirrored(planes, kernel.radius), np.array(kernel.weights, out.dtype)
    thickness = max(1, min(_STRIP // (planes * columns * out.itemsize), -(-rows // threads())))

    def strip(a: int, b: int) -> None:
        source = np.array(out[:, a:b], order="C")
        result = np.empty_like(source)
        along_first(source, b - a, 0, planes, index, weights, kernel.odd, result)
        out[:, a:b] = result

    over_slabs(strip, rows, thickness)


def mirrored(size: int, radius: int) -> NDArray[np.int64]:
    """Existing positions for those from ``-radius`` to ``size + radius``: d c b a|a b c d."""
    position = np.arange(-radius, size + radius) % (2 * size)
    return np.minimum(position, 2 * size - 1 - position)

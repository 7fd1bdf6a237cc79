"""What depends on direct neighbours only, in one pass: gradients, zero crossings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical._slabs import over_slabs, slab
from napari_segment.classical.grid import checked, float_type
from napari_segment.errors import SettingError

Response: TypeAlias = Annotated[
    Literal["magnitude", "z", "y", "x"],
    Field(
        description="The magnitude of the gradient, or its component along one axis (positive "
        "where the intensity rises with the index)."
    ),
]

SOBEL = (1 / 4, 2 / 4)


def zero_crossings(response: Array, spacing: Sequence[float] = ()) -> Array:
    """How steeply a response passes through zero between neighbours.

    Parameters
    ----------
    response : array (Y, X) or (Z, Y, X)
        Such as a Laplacian.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.

    Returns
    -------
    array
        The largest slope towards a face neighbour of the other sign, at the voxel whose response
        is nearer to zero (at both, if equal); 0 where there is no crossing.
    """
    spacing = checked(response, spacing)
    return stencil("crossings", response, in_volume(1 / s for s in spacing))


def gradient(
    image: Array, spacing: Sequence[float], smooth: tuple[float, float], response: Response
) -> Array:
    """The gradient from neighbours along each axis and the smoothing across it.

    Parameters
    ----------
    image, spacing
        As in `sobel`.
    smooth : tuple of float
        Weights of either neighbour and of the centre; ``2 * smooth[0] + smooth[1] == 1``.
    response : {"magnitude", "z", "y", "x"}
        What is given of it.

    Returns
    -------
    array
        Of the `float_type` of the image.
    """
    spacing = checked(image, spacing)
    which = component_of(response, image.ndim)
    return stencil("gradient", image, which, smooth, in_volume(0.5 / s for s in spacing))


def rows_as_planes(block: NDArray[Any]) -> NDArray[Any]:
    """A plane as a volume of one row in each plane, so that its rows are shared among threads."""
    return block if block.ndim == 3 else block[:, None]


def in_volume(numbers: Iterable[float]) -> tuple[float, ...]:
    """One number for each axis of `rows_as_planes`: those of a plane with a 0 between them."""
    given = tuple(numbers)
    return given if len(given) == 3 else (given[0], 0.0, given[1])


def component_of(response: Response, ndim: int) -> int:
    """What kernels are asked for: 0 for the magnitude, else 1 plus the axis of `rows_as_planes`."""
    axis = axis_of(response, ndim)
    if axis < 0:
        return 0
    return 1 + (axis if ndim == 3 else 2 * axis)


def stencil(name: str, image: Array, *arguments: int | tuple[float, ...]) -> Array:
    """Run the kernel of this name, which looks one voxel far, on any array."""
    function = partial(_stencil_block, name=name, arguments=arguments)
    halo = [min(1, n) for n in image.shape]
    return map_blocks(function, image, dtype=float_type(image.dtype), halo=halo)


def _stencil_block(block: NDArray[Any], *, name: str, arguments: tuple[Any, ...]) -> NDArray[Any]:
    from napari_segment.classical.edges import gradient_kernels

    kernel, dtype = getattr(gradient_kernels, name), float_type(block.dtype)
    volume = rows_as_planes(block)
    out = np.empty(volume.shape, dtype)
    given = [np.array(a, dtype) if isinstance(a, tuple) else a for a in arguments]

    def planes(a: int, b: int) -> None:
        low, high = max(a - 1, 0), min(b + 1, len(volume))
        kernel(slab(volume, low, high, dtype), a - low, b - low, out[a:b], *given)

    if out.size:
        over_slabs(planes, len(volume))
    return out.reshape(block.shape)


def axis_of(response: Response, ndim: int) -> int:
    """The array's axis along which a response is; -1 for the magnitude."""
    if response == "magnitude":
        return -1
    if response == "z" and ndim == 2:
        raise SettingError(
            "The setting 'response' is 'z', but the image is a plane (YX). Use 'y', 'x' or "
            "'magnitude', or give a volume."
        )
    return "zyx"[-ndim:].index(response)

"""Predict an image with a network as a callable: tiles in, results out slab by slab."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_segment.deep.device import Precision
from napari_segment.deep.inference.decoding import Decode, Slab, argmax
from napari_segment.deep.inference.fallback import initial_fallbacks
from napari_segment.deep.inference.tiling import Grid, Prepare, Reader, Where, as_float, slab_axis
from napari_segment.errors import InputError, SettingError
from napari_segment.step import Step

if TYPE_CHECKING:
    from torch import Tensor


def predict(  # noqa: PLR0913 - settings, each with a name
    network: Callable[[Tensor], Tensor],
    image: Any,
    *,
    tile: Sequence[int],
    overlap: float = 0.5,
    batch: int = 1,
    device: str = "cpu",
    precision: Precision = "auto",
    prepare: Prepare = as_float,
    decode: Decode = argmax,
    out: Any = None,
) -> Generator[Step, None, Any]:
    """Run a network over an image of any size, in overlapping tiles.

    The outputs of the tiles are blended with Gaussian weights; the image is mirrored where it is
    smaller than a tile. No more than a slab, one tile thick along the axis that needs the least
    memory, is blended at once; finished slabs are decoded and written. Where memory runs out, the
    run goes on with less at once and says so.

    Parameters
    ----------
    network : module or callable
        ``(B, C, *tile)`` float32 tensors to raw outputs ``(B, K, *tile)``, in eval mode. A module
        is moved to the device.
    image : array (C, *S)
        NumPy, Dask, zarr, or anything with ``shape`` and slicing; S has 2 or 3 axes.
    tile : sequence of int
        Size of the tiles. Two numbers for a 3-D image run a 2-D network plane by plane.
    overlap : float
        Fraction of a tile shared with its neighbour, in [0, 1).
    batch : int
        Tiles that go through the network at once.
    device : str
        "auto", "cpu", "cuda:1", …; see `napari_segment.deep.device.resolve`. Several, separated
        by commas, share the tiles; a module is copied to each.
    precision : {"auto", "float32", "bfloat16", "float16"}
        bfloat16 and channels-last on the CPU too: about twice as fast, and about one label in 200
        changes. Accelerators always use mixed precision.
    prepare : callable
        From a block ``(C, *block)`` to what the network sees, voxel by voxel (normalisation). Of
        a tile of equal voxels one is prepared, and tiles that are constant in the same way go
        through the network once.
    decode : callable
        From a `Slab` to an array ``(*slab)`` or ``(n, *slab)``; see `deep.inference.decoding`.
    out : array, optional
        Where results are written by slices: ``(*S)``, or ``(n, *S)``. A NumPy array otherwise.

    Yields
    ------
    Step
        After every batch of tiles. Closing the generator cancels within one batch.

    Returns
    -------
    array (*S) or (n, *S)
        The decoded outputs: `out` where it was given.
    """
    network, grid = plan_tiles(network, image, tile, overlap)
    fallbacks = initial_fallbacks(grid.tile, batch, device)
    result = DecodedArray(grid.shape, decode, out)
    from napari_segment.deep.inference.compute.device_workers_torch import workers_on_devices
    from napari_segment.deep.inference.compute.stream_torch import stream

    yield from stream(
        workers_on_devices(network, fallbacks), Reader(image, grid, prepare), result.write,
        precision=precision, partial_slabs=out is None,
    )  # fmt: skip
    return result.array


def plan_tiles(
    network: Callable[[Tensor], Tensor], image: Any, tile: Sequence[int], overlap: float
) -> tuple[Callable[[Tensor], Tensor], Grid]:
    """Return the network as it takes the tiles of an image, and the grid of tiles.

    A 2-D network gets the planes of a 3-D image, those of one slab as a batch.
    """
    shape = tuple(int(s) for s in image.shape[1:])
    if len(shape) not in (2, 3) or 0 in image.shape:
        raise InputError(
            f"An array of shape {tuple(image.shape)} cannot be predicted: give (C, Y, X) or "
            "(C, Z, Y, X) with at least one voxel."
        )
    tile = tuple(int(t) for t in tile)
    if len(tile) == 2 and len(shape) == 3:
        from napari_segment.deep.inference.networks.composite_torch import PlaneByPlane

        return PlaneByPlane(network), Grid(shape, (1, *tile), overlap, axis=0)
    if len(tile) != len(shape):
        raise SettingError(
            f"A tile of {tile} voxels does not fit an image of shape {shape}: give one number for "
            "each spatial axis."
        )
    return network, Grid(shape, tile, overlap, axis=slab_axis(image, tile))


class DecodedArray:
    """Decoded slabs in one array, which is made when the first one comes."""

    def __init__(self, shape: tuple[int, ...], decode: Decode, array: Any) -> None:
        self.shape, self.decode, self.array = shape, decode, array

    def write(self, slab: Slab) -> None:
        """Decode a slab and write it."""
        self.write_values(slab.where, self.decode(slab))

    def write_values(self, where: Where, part: Any) -> None:
        """Write decoded values at a position in the volume."""
        lead = part.shape[: part.ndim - len(self.shape)]
        if self.array is None:
            self.array = np.empty((*lead, *self.shape), part.dtype)
        self.array[(*(slice(None) for _ in lead), *where)] = part

"""Prediction with a MONAI bundle: MONAI's preprocessing, tiles of the common engine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.deep.inference.decoding import Slab
from napari_segment.deep.inference.fallback import initial_fallbacks
from napari_segment.deep.inference.memory_estimate import estimate
from napari_segment.deep.inference.options import Options
from napari_segment.deep.inference.tiling import Grid, Reader, as_float, slab_axis, starts
from napari_segment.deep.inference.writers.in_memory import InMemoryWriter
from napari_segment.deep.inference.writers.regrid import Regrid
from napari_segment.exchange.monai_bundle.bundle import Bundle
from napari_segment.exchange.monai_bundle.output import Output
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.exchange.monai_bundle.preprocessing_torch import Preprocessed


@dataclass(frozen=True)
class Tiles(Grid):
    """Tiles at the positions of MONAI's sliding window, with equal weights.

    The parameters are those of `Grid`, and:

    Parameters
    ----------
    overlaps : tuple of float
        Of each axis.
    """

    overlaps: tuple[float, ...] = ()

    @cached_property
    def starts(self) -> tuple[tuple[int, ...], ...]:
        """First voxels of the tiles along each axis, in padded coordinates."""
        triples = zip(self.shape, self.tile, self.overlaps, strict=True)
        return tuple(starts(s, t, o) for s, t, o in triples)

    @cached_property
    def profiles(self) -> tuple[NDArray[np.float32], ...]:
        """Weights of a tile along each axis; a voxel's weight is the product."""
        return tuple(np.ones(t, np.float32) for t in self.tile)


def predict_bundle(
    bundle: Bundle,
    image: Array,
    spacing: Sequence[float],
    orientation: str,
    options: Options,
    overlap: float | None = None,
) -> Generator[Step, None, NDArray[Any]]:
    """Segment one image.

    Parameters
    ----------
    bundle : Bundle
        See `open_bundle`.
    image : array (C, *S)
        With the spatial axes of the network.
    spacing : sequence of float
        Of the spatial axes, in millimetres.
    orientation : str
        Direction of each spatial axis, or "".
    options : Options
        Device, batch and precision.
    overlap : float, optional
        Of the tiles; that of the bundle otherwise.

    Yields
    ------
    Step
        Before the first tile, and after every batch of tiles.

    Returns
    -------
    ndarray (*S)
        Class numbers.
    """
    from napari_segment.exchange.monai_bundle.network_torch import Weighted, load_network
    from napari_segment.exchange.monai_bundle.preprocessing_torch import preprocess

    network = load_network(bundle)
    if bundle.window.gaussian:
        network = Weighted(network, bundle.window.sigma)
    yield Step(0, 0, "preprocessing")
    spatial = tuple(reversed(range(1, image.ndim)))
    read = np.asarray(image).transpose(0, *spatial)  # X, Y, Z as MONAI's readers give it
    view = preprocess(read, tuple(spacing)[::-1], orientation[::-1], bundle.transforms)
    grid = _tiles(bundle, view.array, overlap)
    shape = tuple(map(len, view.positions))
    writer = InMemoryWriter(shape, tuple(slice(0, n) for n in shape))
    take, direct = _consumer(bundle.output, view, grid, writer, weighted=bundle.window.gaussian)
    memory = estimate(network, grid, len(view.array), options.batch, 1)
    yield Step(0, len(grid), f"{len(grid)} tiles, {memory}")
    yield from _stream(bundle, network, view.array, grid, options, take, partial_slabs=direct)
    labels = view.turn.inverse().apply(writer.result())
    return np.ascontiguousarray(labels.transpose())


def _tiles(bundle: Bundle, array: NDArray[np.float32], overlap: float | None) -> Tiles:
    window, shape = bundle.window, array.shape[1:]
    roi = window.roi or (-1,)
    roi = roi * len(shape) if len(roi) == 1 else roi
    tile = tuple(r if r > 0 else n for r, n in zip(roi, shape, strict=True))
    overlaps = window.overlap if overlap is None else (overlap,)
    overlaps = overlaps * len(shape) if len(overlaps) == 1 else overlaps
    return Tiles(shape, tile, overlaps[0], slab_axis(array, tile), overlaps)


def _consumer(
    output: Output, view: Preprocessed, grid: Tiles, writer: InMemoryWriter, *, weighted: bool
) -> tuple[Callable[[Slab], None], bool]:
    """Return what takes the slabs, and whether they lie on the image's own grid."""
    output = replace(output, weighted=weighted)
    same = [
        len(p) == n and np.array_equal(p, np.arange(n))
        for p, n in zip(view.positions, grid.shape, strict=True)
    ]
    if all(same):
        return lambda slab: writer.write(slab.where, output.decode(output.activated(slab))), True
    positions = [np.rint(p) if output.nearest else p for p in view.positions]
    shape = tuple(map(len, positions))
    regrid = Regrid(grid, shape, output.decode, writer.write, positions)
    return lambda slab: regrid(output.activated(slab)), False


def _stream(
    bundle: Bundle, network: Any, array: NDArray[np.float32], grid: Tiles, options: Options,
    take: Callable[[Slab], None], *, partial_slabs: bool,
) -> Generator[Step, None, None]:  # fmt: skip
    from napari_segment.deep.inference.compute.device_workers_torch import workers_on_devices
    from napari_segment.deep.inference.compute.forward_torch import channels_last, reduced_on_cpu
    from napari_segment.deep.inference.compute.stream_torch import stream

    if reduced_on_cpu(options.precision):
        network = network.to(memory_format=channels_last(len(grid.shape) + 2))
    workers = workers_on_devices(
        network, initial_fallbacks(grid.tile, options.batch, options.device)
    )
    border: Literal["mirror", "zero"] = "mirror" if bundle.window.mirrored else "zero"
    read = Reader(array, grid, as_float, border=border)
    yield from stream(workers, read, take, precision=options.precision, partial_slabs=partial_slabs)

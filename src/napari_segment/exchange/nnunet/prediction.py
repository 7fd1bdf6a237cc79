"""Prediction with a results folder of nnU-Net, streamed through the tiles of all networks."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.deep.inference.decoding import Slab
from napari_segment.deep.inference.fallback import initial_fallbacks
from napari_segment.deep.inference.memory_estimate import estimate
from napari_segment.deep.inference.options import Options
from napari_segment.deep.inference.tiling import Reader, as_float, slab_axis
from napari_segment.deep.inference.writers.in_memory import InMemoryWriter
from napari_segment.deep.inference.writers.regrid import Regrid
from napari_segment.deep.inference.writers.result_key import key_of, result_folder
from napari_segment.deep.inference.writers.zarr_store import Store, ZarrWriter
from napari_segment.exchange.nnunet.folder import TrainedFolder
from napari_segment.exchange.nnunet.grids.normalisation import nonzero_mask
from napari_segment.exchange.nnunet.grids.preprocessing import (
    Prepared,
    Preprocessed,
    network_spacing,
    prepare,
)
from napari_segment.exchange.nnunet.grids.resampling import GridChange, grid_change
from napari_segment.exchange.nnunet.grids.stages import StageLabels, WithStage, marked_outside
from napari_segment.exchange.nnunet.grids.tiles import SlidingWindow, sliding_window
from napari_segment.step import Step

if TYPE_CHECKING:
    from torch.nn import Module


def predict_folder(
    trained: TrainedFolder,
    image: Array,
    spacing: Sequence[float],
    options: Options,
    first: TrainedFolder | None = None,
) -> Generator[Step, None, Any]:
    """Segment one image with one trained configuration.

    Parameters
    ----------
    trained : TrainedFolder
        See `open_folder`.
    image : array (C, Z, Y, X)
        As nnU-Net's reader gives it; a 2-D image has a Z axis of length 1.
    spacing : sequence of float
        Of Z, Y and X, in the unit of the plans.
    options : Options
        Device, overlap, batch, precision, test-time augmentation and store.
    first : TrainedFolder, optional
        The first stage of a cascade, whose labels `trained` sees as further channels.

    Yields
    ------
    Step
        While the image is measured, and after every tile.

    Returns
    -------
    array (Z, Y, X)
        Label numbers; lazy (Dask) where ``options.store`` holds them.
    """
    prepared = yield from prepare(image, spacing, trained.plans, trained.configuration)
    view: Preprocessed | WithStage = prepared.view
    if first is not None:
        labels = yield from predict_folder(first, image, spacing, options)
        view = _with_stage(trained, prepared, labels)
    network, grid = _tiles(trained, view, options)
    key = {}
    if not options.in_memory:
        networks = [trained, *([first] if first else [])]
        key = yield from _key(networks, image, spacing, options, grid)
    workers = _workers(trained, network, grid, options)
    with _writer(trained, prepared, options, grid, key) as writer:
        take = _consumer(trained, prepared, grid, writer)
        begin = take.first_row(writer.done)
        yield _announcement(network, grid, view.shape[0], options, begin)
        read = Reader(view, grid, as_float, border="zero")
        from napari_segment.deep.inference.compute.stream_torch import stream

        yield from stream(
            workers, read, take, first=begin, precision=options.precision,
            partial_slabs=options.in_memory and isinstance(take, _DecodeAndWrite),
        )  # fmt: skip
        return writer.result().transpose(trained.plans.transpose_backward)


def _with_stage(trained: TrainedFolder, prepared: Prepared, labels: Array) -> WithStage:
    """Return the input with the labels of the first stage as further channels."""
    configuration, view = trained.configuration, prepared.view
    target = network_spacing(configuration, prepared.spacing)
    change = grid_change(
        prepared.cropped, view.change.shape, prepared.spacing, target, configuration.segmentation
    )
    turned = labels.transpose(trained.plans.transpose_forward)[prepared.box]
    own = marked_outside(turned, nonzero_mask(view.image))
    return WithStage(view, StageLabels(own, change, len(trained.plans.table.numbers) - 1))


def _tiles(
    trained: TrainedFolder, view: Preprocessed | WithStage, options: Options
) -> tuple[Any, SlidingWindow]:
    """Return the network as it takes the tiles, and their positions."""
    network, patch = trained.network(options.test_time_augmentation), trained.configuration.patch
    shape = view.shape[1:]
    if len(patch) < len(shape):
        from napari_segment.deep.inference.networks.composite_torch import PlaneByPlane

        return PlaneByPlane(network), sliding_window(shape, patch, options.overlap, axis=0)
    axis = slab_axis(view, patch)
    return network, sliding_window(shape, patch, options.overlap, axis)


def _workers(trained: TrainedFolder, network: Module, grid: SlidingWindow, options: Options) -> Any:
    from napari_segment.deep.inference.compute.device_workers_torch import workers_on_devices
    from napari_segment.deep.inference.compute.forward_torch import channels_last, reduced_on_cpu

    if reduced_on_cpu(options.precision):
        ndim = len(trained.configuration.patch)
        network = network.to(memory_format=channels_last(ndim + 2))
    return workers_on_devices(network, initial_fallbacks(grid.tile, options.batch, options.device))


def _key(
    networks: Sequence[TrainedFolder], image: Array, spacing: Sequence[float], options: Options,
    grid: SlidingWindow,
) -> Generator[Step, None, dict[str, Any]]:  # fmt: skip
    settings = {
        "overlap": options.overlap, "batch": options.batch, "precision": options.precision,
        "test_time_augmentation": options.test_time_augmentation,
        "configurations": [n.configuration.name for n in networks], "axis": grid.axis,
    }  # fmt: skip
    what = {"settings": settings, "outputs": ["labels"], "method": "nnunet"}
    return (yield from key_of(
        image, spacing, [n.hashes() for n in networks], options.device, 0, what
    ))  # fmt: skip


def _announcement(
    network: Module, grid: SlidingWindow, channels: int, options: Options, begin: int
) -> Step:
    values = int(options.in_memory)
    memory = estimate(network, grid, channels, options.batch, values)
    count = sum(len(row.corners) for row in grid.rows(begin))
    resumed = f"going on with the last {count} of " if begin else ""
    return Step(0, count, f"{resumed}{len(grid)} tiles, {memory}")


# ---- output ----


def _back(trained: TrainedFolder, prepared: Prepared) -> GridChange:
    """Return how logits are brought from the network's grid to that of the cropped image."""
    configuration = trained.configuration
    present = network_spacing(configuration, prepared.spacing)
    shape = prepared.view.shape[1:]
    return grid_change(
        shape, prepared.cropped, present, prepared.spacing, configuration.probabilities
    )


def _consumer(
    trained: TrainedFolder, prepared: Prepared, grid: SlidingWindow, writer: InMemoryWriter
) -> _DecodeAndWrite | Regrid:
    """Return what takes the slabs: decoded as they are, or first brought onto the image's grid."""
    back, decode = _back(trained, prepared), trained.plans.table.decode
    if back.is_identity:
        return _DecodeAndWrite(decode, writer)
    positions = [axis.positions for axis in back.axes]
    return Regrid(grid, prepared.cropped, decode, writer.write, positions)


@dataclass
class _DecodeAndWrite:
    """Decode slabs that lie on the image's own grid, and write them."""

    decode: Any
    writer: InMemoryWriter

    def __call__(self, slab: Slab) -> None:
        labels: NDArray[Any] = self.decode(slab)
        self.writer.write(slab.where, labels)

    def first_row(self, done: int) -> int:
        """Return the first row that is needed when `done` rows are written."""
        return done


@contextmanager
def _writer(
    trained: TrainedFolder, prepared: Prepared, options: Options, grid: SlidingWindow,
    key: Mapping[str, Any],
) -> Iterator[InMemoryWriter]:  # fmt: skip
    """The writer of labels: into memory, or into the folder of the key, which is held."""
    if options.in_memory:
        yield InMemoryWriter(prepared.shape, prepared.box)
        return
    job = {**key, "shape": list(prepared.shape)}
    scale = prepared.cropped[grid.axis] / max(grid.shape[grid.axis], 1)
    starts = grid.starts[grid.axis]
    step = starts[1] if len(starts) > 1 else grid.tile[grid.axis]
    with result_folder(Path(options.store), key, [trained.folder]) as folder:
        store = Store(folder / "labels", job, grid.axis)
        yield ZarrWriter(prepared.shape, prepared.box, store, max(int(np.ceil(step * scale)), 1))

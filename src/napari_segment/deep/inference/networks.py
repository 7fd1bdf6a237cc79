"""Networks of checkpoints: mirrored, averaged, by PyTorch or ONNX Runtime, here or on workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from napari_segment.deep.checkpoint import MODEL, WEIGHTS, Checkpoint
from napari_segment.deep.device import Precision
from napari_segment.deep.inference.options import Gives, Options
from napari_segment.deep.inference.tiling import Grid
from napari_segment.deep.inference.volume import fallbacks_of
from napari_segment.errors import SettingError
from napari_segment.io.changed import State, state_of


def places_of(
    network: Any, grid: Grid, checkpoints: Sequence[Checkpoint], options: Options,
    gives: Sequence[Gives],
) -> Any:  # fmt: skip
    """Where tiles are computed: on the workers of a Dask client where there is one, else here."""
    from napari_segment.deep.inference.cluster import OnWorker, workers
    from napari_segment.deep.inference.compute import device_workers_torch as _places

    addresses = workers()
    if not addresses:
        return _places.places_of(network, fallbacks_of(grid, options.batch, options.device))
    folders = tuple(str(c.folder.resolve()) for c in checkpoints)
    stamps = tuple(stamp(c) for c in checkpoints)
    flat = checkpoints[0].ndim < len(grid.shape)
    here = fallbacks_of(grid, options.batch, "cpu")[0]
    return [
        _places.Place(
            OnWorker(address, folders, stamps, options, tuple(gives), flat), replace(here)
        )
        for address in addresses
    ]


def stamp(checkpoint: Checkpoint) -> State:
    """The state of the files: other weights, or another model, are another network."""
    files = (checkpoint.folder / name for name in (MODEL, WEIGHTS))
    return tuple(number for file in files for number in state_of(file))


def network_of(checkpoints: Sequence[Checkpoint], options: Options, gives: Sequence[Gives]) -> Any:
    """The networks of some checkpoints as one, which gives what is wanted of them."""
    from napari_segment.deep.inference.compute import forward_torch as _parts

    networks = [_loaded(c, options) for c in checkpoints]
    if options.test_time_augmentation:
        axes = range(-checkpoints[0].ndim, 0)
        objects = checkpoints[0].objects
        flow = objects is not None and objects.target == "flow"
        networks = [_parts.Flips(n, axes, flow) for n in networks]
    if "disagreement" in gives:
        if len(networks) < 2:
            raise SettingError("Disagreement needs at least two checkpoints of the same task.")
        return _parts.Members(networks, checkpoints[0].activation)
    return _parts.Ensemble(networks) if len(networks) > 1 else networks[0]


def _loaded(checkpoint: Checkpoint, options: Options) -> Any:
    if options.backend == "onnx":
        from napari_segment.deep.inference.onnx_backend import exported

        tile = options.tile or checkpoint.patch
        return exported(checkpoint, tile, options.device)
    return _built(str(checkpoint.folder.resolve()), stamp(checkpoint), options.precision)


@lru_cache(maxsize=8)
def _built(folder: str, stamp: State, precision: Precision) -> Any:  # noqa: ARG001 - new weights, new network
    """A network, built once for all time points and images of a process."""
    network = Checkpoint.load(folder).network()
    from napari_segment.deep.inference.compute.forward_torch import channels_last, reduced_on_cpu

    if reduced_on_cpu(precision):
        network.to(memory_format=channels_last(Checkpoint.load(folder).ndim + 2))
    return network

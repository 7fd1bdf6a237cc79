"""Tiles computed by the workers of a Dask cluster, each of which loads the network once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.device import Precision
from napari_segment.deep.inference.dask_workers import worker_addresses
from napari_segment.deep.inference.fallback import MemoryFallback, initial_fallbacks
from napari_segment.deep.inference.networks.checkpoint_files import file_states
from napari_segment.deep.inference.networks.loading import load_network
from napari_segment.deep.inference.options import Options, OutputName
from napari_segment.deep.inference.tiling import Grid
from napari_segment.io.changed import State

if TYPE_CHECKING:
    from torch import Tensor


def workers_of_run(
    network: Any, grid: Grid, checkpoints: Sequence[Checkpoint], options: Options,
    outputs: Sequence[OutputName],
) -> Any:  # fmt: skip
    """Return the workers that compute the tiles of a run.

    Those of a Dask cluster where this process has a client, else the devices of this machine.

    Parameters
    ----------
    network : callable
        The network in this process.
    grid : Grid
        The tiles.
    checkpoints : sequence of Checkpoint
        What a worker of a cluster loads.
    options : Options
        Devices, batch and all that loading needs.
    outputs : sequence of str
        What is wanted of the networks.

    Returns
    -------
    list of DeviceWorker
    """
    from napari_segment.deep.inference.compute.device_workers_torch import (
        DeviceWorker,
        workers_on_devices,
    )

    addresses = worker_addresses()
    if not addresses:
        fallbacks = initial_fallbacks(grid.tile, options.batch, options.device)
        return workers_on_devices(network, fallbacks)
    folders = tuple(str(c.folder.resolve()) for c in checkpoints)
    states = tuple(file_states(c) for c in checkpoints)
    by_plane = checkpoints[0].ndim < len(grid.shape)
    (local,) = initial_fallbacks(grid.tile, options.batch, "cpu")
    return [
        DeviceWorker(
            DaskWorkerNetwork(address, folders, states, options, tuple(outputs), by_plane),
            replace(local),
        )
        for address in addresses
    ]


class DaskWorkerNetwork:
    """A network on one worker of a Dask cluster, called as a PyTorch network is.

    Parameters
    ----------
    address : str
        Of the worker.
    folders : tuple of str
        Of the checkpoints, under the paths by which the worker reads them too.
    states : tuple of tuple of int
        The states of their files: other weights are loaded anew.
    options : Options
        How to predict; the device is the worker's.
    outputs : tuple of str
        What is wanted of the networks.
    by_plane : bool
        Whether planes of a stack go through a 2-D network.
    """

    def __init__(
        self, address: str, folders: tuple[str, ...], states: tuple[State, ...], options: Options,
        outputs: tuple[OutputName, ...], by_plane: bool,
    ) -> None:  # fmt: skip
        self.address = address
        self.job = (folders, states, options, outputs, by_plane)

    def __call__(self, block: Tensor) -> Tensor:
        import torch
        from distributed import default_client

        future = default_client().submit(
            _forward_on_worker, self.job, block.numpy(), workers=[self.address], pure=False,
            allow_other_workers=False,
        )  # fmt: skip
        return torch.from_numpy(np.array(future.result()))


def _forward_on_worker(job: Any, block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the outputs of some tiles; runs on the worker."""
    import torch

    from napari_segment.deep.inference.compute.forward_torch import forward

    network, device, precision = _load_on_worker(*job)
    tile = tuple(block.shape[2:])
    fallback = MemoryFallback(len(block), tile, device)
    tensor = forward(network, torch.from_numpy(np.array(block)), fallback, precision)
    outputs: NDArray[np.float32] = tensor.float().cpu().numpy()
    return outputs


@lru_cache(maxsize=2)
def _load_on_worker(
    folders: Sequence[str],
    states: tuple[State, ...],  # noqa: ARG001 - new weights, new network
    options: Options,
    outputs: tuple[OutputName, ...],
    by_plane: bool,
) -> tuple[Any, str, Precision]:
    """Load the network onto the worker's device, once; runs on the worker."""
    from napari_segment.deep.device import resolve

    network = load_network([Checkpoint.load(folder) for folder in folders], options, outputs)
    if by_plane:
        from napari_segment.deep.inference.networks.composite_torch import PlaneByPlane

        network = PlaneByPlane(network)
    device = resolve(options.device)
    network = network.to(device) if hasattr(network, "to") else network
    return network, str(device), options.precision

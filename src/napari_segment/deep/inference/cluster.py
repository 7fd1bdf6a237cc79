"""Tiles computed by the workers of a Dask cluster, each of which loads the network once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.device import Precision
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.deep.inference.options import Gives, Options
from napari_segment.io.changed import State

if TYPE_CHECKING:
    from torch import Tensor


def workers() -> list[str]:
    """Addresses of the workers of this process's Dask client; none where it has no client.

    A worker has none, whatever cluster it works for.
    """
    if "distributed" not in sys.modules:
        return []
    from distributed import default_client, get_worker

    try:
        get_worker()
    except ValueError:
        pass
    else:
        return []
    try:
        return list(default_client().scheduler_info(n_workers=-1)["workers"])
    except ValueError:
        return []


class OnWorker:
    """A network on one worker, called as a PyTorch network is.

    Parameters
    ----------
    worker : str
        Its address.
    folders : tuple of str
        Of the checkpoints, where the worker finds them too.
    stamps : tuple of tuple of int
        The states of their files: other weights are loaded anew.
    options : Options
        How to predict; the device is the worker's.
    gives : tuple of str
        What is wanted of the networks.
    flat : bool
        Whether planes of a stack go through a 2-D network.
    """

    def __init__(
        self, worker: str, folders: tuple[str, ...], stamps: tuple[State, ...], options: Options,
        gives: tuple[Gives, ...], flat: bool,
    ) -> None:  # fmt: skip
        self.worker = worker
        self.job = (folders, stamps, options, gives, flat)

    def __call__(self, block: Tensor) -> Tensor:
        import torch
        from distributed import default_client

        future = default_client().submit(
            _computed, self.job, block.numpy(), workers=[self.worker], pure=False,
            allow_other_workers=False,
        )  # fmt: skip
        return torch.from_numpy(np.array(future.result()))


def _computed(job: Any, block: NDArray[np.float32]) -> NDArray[np.float32]:
    """On the worker: the outputs of some tiles."""
    import torch

    from napari_segment.deep.inference.compute.forward_torch import forward

    network, device, precision = _loaded(*job)
    tile = tuple(block.shape[2:])
    fallback = MemoryFallback(len(block), tile, device)
    outputs: NDArray[np.float32] = (
        forward(network, torch.from_numpy(np.array(block)), fallback, precision)
        .float()
        .cpu()
        .numpy()
    )
    return outputs


@lru_cache(maxsize=2)
def _loaded(
    folders: Sequence[str],
    stamps: tuple[State, ...],  # noqa: ARG001 - new weights, new network
    options: Options,
    gives: tuple[Gives, ...],
    flat: bool,
) -> tuple[Any, str, Precision]:
    """On the worker: the network on its device, loaded once."""
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.deep.device import resolve
    from napari_segment.deep.inference.networks import network_of

    network = network_of([Checkpoint.load(folder) for folder in folders], options, gives)
    if flat:
        from napari_segment.deep.inference.compute.forward_torch import PlaneByPlane

        network = PlaneByPlane(network)
    device = resolve(options.device)
    return (
        (network.to(device) if hasattr(network, "to") else network),
        str(device),
        options.precision,
    )

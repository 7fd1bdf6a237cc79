"""Compute tiles on one or several devices, however little memory they have (torch)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_segment.deep.device import Precision, is_out_of_memory, release_memory
from napari_segment.deep.inference.compute.forward_torch import device_of, forward
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.step import Step

Network = Callable[[Tensor], Tensor]
Steps = Generator[Step, None, Any]
Tile = NDArray[np.float32]


@dataclass
class DeviceWorker:
    """A network, its device, and what it falls back to when memory runs out."""

    network: Network
    fallback: MemoryFallback

    def move(self, done: int, total: int) -> Generator[Step, None, None]:
        """Move the network to its device, or to the CPU where it does not fit."""
        if not isinstance(self.network, torch.nn.Module):
            return
        try:
            self.network.to(self.fallback.device)
            return
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self.fallback.device == "cpu":
                raise
        release_memory(device_of(self.fallback.device))
        self.fallback.device = self.fallback.blend = "cpu"
        self.network.to("cpu")
        yield Step(
            done, total, message="The network does not fit on the device: going on on the CPU."
        )

    def outputs(
        self, tiles: Sequence[Tile], count: tuple[int, int], precision: Precision
    ) -> Generator[Step, None, list[Tensor]]:
        """Compute the network's outputs for each of some tiles."""
        outputs: list[Tensor] = []
        while len(outputs) < len(tiles):
            chunk = tiles[len(outputs) : len(outputs) + self.fallback.batch]
            try:
                outputs += forward(self.network, _stacked(chunk), self.fallback, precision)
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Out of the except block: the traceback, and the tensors it holds, are gone.
            release_memory(device_of(self.fallback.device))
            yield Step(*count, message=self.fallback.reduce())
            yield from self.move(*count)
        return outputs


class DeviceWorkers:
    """Several workers that share the tiles, each in a thread of its own.

    Parameters
    ----------
    workers : sequence of DeviceWorker
        One alone works in the caller's thread.
    precision : {"auto", "float32", "bfloat16", "float16"}
        bfloat16 on CPUs too.
    """

    def __init__(self, workers: Sequence[DeviceWorker], precision: Precision) -> None:
        self.workers, self.precision = list(workers), precision
        self._threads = ThreadPoolExecutor(len(self.workers), "network")
        self._constant: tuple[bytes, Tensor] | None = None

    def close(self) -> None:
        """Let the threads finish."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def batch(self) -> int:
        """Return how many tiles are computed at once."""
        return sum(worker.fallback.batch for worker in self.workers)

    @property
    def on_cpu(self) -> bool:
        """Return whether the network and the blending share the same cores."""
        return all(worker.fallback.device == "cpu" for worker in self.workers)

    def outputs(
        self, tiles: Sequence[Tile], count: tuple[int, int]
    ) -> Generator[Step, None, list[Tensor]]:
        """Compute the outputs for each of some tiles; those of a constant tile once.

        A network in eval mode gives equal outputs for equal tiles, so that the empty parts of a
        sparse volume need not be computed one by one. The last constant is remembered.
        """
        keys = [constant_key(tile) for tile in tiles]
        known = [key is not None and self._known(key) is not None for key in keys]
        new = [tile for tile, is_known in zip(tiles, known, strict=True) if not is_known]
        computed = iter((yield from self._computed(new, count)) if new else ())
        outputs = []
        for key, is_known in zip(keys, known, strict=True):
            output = self._known(key or b"") if is_known else next(computed)
            assert output is not None
            if key is not None:
                self._constant = (key, output)
            outputs.append(output)
        return outputs

    def _known(self, key: bytes) -> Tensor | None:
        return self._constant[1] if self._constant and self._constant[0] == key else None

    def _computed(
        self, tiles: Sequence[Tile], count: tuple[int, int]
    ) -> Generator[Step, None, list[Tensor]]:
        if len(self.workers) == 1:
            return (yield from self.workers[0].outputs(tiles, count, self.precision))
        work, begin = [], 0
        for worker in self.workers:
            share = tiles[begin : begin + worker.fallback.batch]
            begin += len(share)
            if share:
                steps = worker.outputs(share, count, self.precision)
                work.append(self._threads.submit(_run_to_end, steps))
        outputs: list[Tensor] = []
        for future in work:
            emitted, part = future.result()
            yield from emitted
            outputs += part
        return outputs


def constant_key(tile: Tile) -> bytes | None:
    """Return the bytes of the one voxel of a constant tile; None for any other tile.

    A constant tile (C, *tile) is a view of one voxel: its strides are 0.
    """
    if any(tile.strides[1:]):
        return None
    first: Any = (slice(None), *(0,) * (tile.ndim - 1))
    return tile[first].tobytes()


def workers_on_devices(network: Network, fallbacks: Sequence[MemoryFallback]) -> list[DeviceWorker]:
    """Return a worker for each device; a module is copied for all but the first."""
    copies = [network, *(deepcopy(network) for _ in fallbacks[1:])]
    return [DeviceWorker(copy, fallback) for copy, fallback in zip(copies, fallbacks, strict=True)]


def _run_to_end(steps: Generator[Step, None, list[Tensor]]) -> tuple[list[Step], list[Tensor]]:
    """Run a generator to its end; return its Steps and its result."""
    emitted = []
    while True:
        try:
            emitted.append(next(steps))
        except StopIteration as stop:
            return emitted, stop.value


def _stacked(tiles: Sequence[Tile]) -> Tensor:
    if len(tiles) > 1:
        return torch.from_numpy(np.stack(tiles))
    return torch.from_numpy(np.ascontiguousarray(tiles[0]))[None]

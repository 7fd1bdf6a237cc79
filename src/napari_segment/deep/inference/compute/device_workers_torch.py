"""Where tiles are computed: on one or several devices, however little memory they have (torch)."""

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
from napari_segment.deep.inference.compute.forward_torch import forward, place
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.step import Step

Network = Callable[[Tensor], Tensor]
Steps = Generator[Step, None, Any]
Tile = NDArray[np.float32]


@dataclass
class Place:
    """A network, its device, and what it falls back to when memory runs out."""

    network: Network
    fallback: MemoryFallback

    def move(self, done: int, total: int) -> Generator[Step, None, None]:
        """Bring the network to its device, or to the CPU where it does not fit."""
        if not isinstance(self.network, torch.nn.Module):
            return
        try:
            self.network.to(self.fallback.device)
            return
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self.fallback.device == "cpu":
                raise
        release_memory(place(self.fallback.device))
        self.fallback.device = self.fallback.blend = "cpu"
        self.network.to("cpu")
        yield Step(
            done, total, message="The network does not fit on the device: going on on the CPU."
        )

    def outputs(
        self, tiles: Sequence[Tile], count: tuple[int, int], precision: Precision
    ) -> Generator[Step, None, list[Tensor]]:
        """The network's outputs for each of some tiles."""
        outputs: list[Tensor] = []
        while len(outputs) < len(tiles):
            some = tiles[len(outputs) : len(outputs) + self.fallback.batch]
            try:
                outputs += forward(self.network, _together(some), self.fallback, precision)
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Out of the except block: the traceback, and the tensors it holds, are gone.
            release_memory(place(self.fallback.device))
            yield Step(*count, message=self.fallback.down())
            yield from self.move(*count)
        return outputs


class Places:
    """Several places that share the tiles, each in a thread of its own.

    Parameters
    ----------
    places : sequence of Place
        One alone works in the caller's thread.
    precision : {"auto", "float32", "bfloat16", "float16"}
        bfloat16 on CPUs too.
    """

    def __init__(self, places: Sequence[Place], precision: Precision) -> None:
        self.places, self.precision = list(places), precision
        self._threads = ThreadPoolExecutor(len(self.places), "network")
        self._constant: tuple[bytes, Tensor] | None = None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def batch(self) -> int:
        """How many tiles are computed at once."""
        return sum(place.fallback.batch for place in self.places)

    @property
    def on_cpu(self) -> bool:
        """Whether the network and the blending share the same cores."""
        return all(place.fallback.device == "cpu" for place in self.places)

    def outputs(
        self, tiles: Sequence[Tile], count: tuple[int, int]
    ) -> Generator[Step, None, list[Tensor]]:
        """The outputs for each of some tiles; those of a constant tile are computed once.

        A network in eval mode says the same of the same tile, so that the empty parts of a sparse
        volume need not be computed one by one. The last constant is remembered.
        """
        keys = [constant_key(tile) for tile in tiles]
        known = [key is not None and self._known(key) is not None for key in keys]
        new = [tile for tile, there in zip(tiles, known, strict=True) if not there]
        computed = iter((yield from self._computed(new, count)) if new else ())
        outputs = []
        for key, there in zip(keys, known, strict=True):
            output = self._known(key or b"") if there else next(computed)
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
        if len(self.places) == 1:
            return (yield from self.places[0].outputs(tiles, count, self.precision))
        work, begin = [], 0
        for one in self.places:
            share = tiles[begin : begin + one.fallback.batch]
            begin += len(share)
            if share:
                work.append(self._threads.submit(_ended, one.outputs(share, count, self.precision)))
        outputs: list[Tensor] = []
        for future in work:
            steps, some = future.result()
            yield from steps
            outputs += some
        return outputs


def constant_key(tile: Tile) -> bytes | None:
    """What tells one constant tile from another; None of any other tile.

    A constant tile (C, *tile) is a view of one voxel: its strides are 0.
    """
    if any(tile.strides[1:]):
        return None
    first: Any = (slice(None), *(0,) * (tile.ndim - 1))
    return tile[first].tobytes()


def places_of(network: Network, fallbacks: Sequence[MemoryFallback]) -> list[Place]:
    """The network on each of some devices; a module is copied for all but the first."""
    copies = [network, *(deepcopy(network) for _ in fallbacks[1:])]
    return [Place(one, fallback) for one, fallback in zip(copies, fallbacks, strict=True)]


def _ended(steps: Generator[Step, None, list[Tensor]]) -> tuple[list[Step], list[Tensor]]:
    """Run to the end: the Steps, and what was returned."""
    emitted = []
    while True:
        try:
            emitted.append(next(steps))
        except StopIteration as stop:
            return emitted, stop.value


def _together(tiles: Sequence[Tile]) -> Tensor:
    if len(tiles) > 1:
        return torch.from_numpy(np.stack(tiles))
    return torch.from_numpy(np.ascontiguousarray(tiles[0]))[None]

"""Tiles through a detector, on one or several devices (torch)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from napari_segment.deep.device import Precision, is_out_of_memory, release_memory
from napari_segment.deep.inference.compute.forward_torch import cast
from napari_segment.deep.inference.compute.forward_torch import place as named_place
from napari_segment.deep.inference.fallback import MemoryShortError
from napari_segment.step import Step

Outputs: TypeAlias = dict[str, NDArray[Any]]
Tile: TypeAlias = NDArray[np.float32]


class Detectors:
    """A detector on each of some devices, which share the tiles.

    Parameters
    ----------
    network : Detector
        In eval mode; copied for all devices but the first.
    devices : sequence of str
        Their names.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Number type of the computation; "auto" is float32 on the CPU, mixed elsewhere.
    movable : bool
        Whether a detector whose device runs out of memory goes on on the CPU.
    """

    def __init__(
        self, network: Any, devices: Sequence[str], precision: Precision, *, movable: bool = False
    ) -> None:
        copies = [network, *(deepcopy(network) for _ in devices[1:])]
        self.devices, self.precision, self.movable = list(devices), precision, movable
        self.networks = [n.to(named_place(d)) for n, d in zip(copies, devices, strict=True)]

    def __len__(self) -> int:
        return len(self.networks)

    def least(self, score: float) -> None:
        """Less sure objects are not given."""
        for network in self.networks:
            network.least_score = score

    def __call__(
        self, tiles: Sequence[Tile], count: tuple[int, int]
    ) -> Generator[Step, None, list[Outputs]]:
        """Boxes, scores, classes and small masks of at most as many tiles as there are devices."""
        if len(tiles) == 1:
            return [(yield from self._computed(0, tiles[0], count))]
        with ThreadPoolExecutor(len(tiles), "detector") as threads:
            work = [threads.submit(self._tried, i, tile) for i, tile in enumerate(tiles)]
            found = [future.result() for future in work]
        outputs: list[Outputs] = []
        for i, (tile, one) in enumerate(zip(tiles, found, strict=True)):
            outputs.append(
                one if one is not None else (yield from self._computed(i, tile, count, short=True))
            )
        return outputs

    def _computed(
        self, i: int, tile: Tile, count: tuple[int, int], *, short: bool = False
    ) -> Generator[Step, None, Outputs]:
        """One tile on one device; on the CPU from there on where its memory is short."""
        one = None if short else self._tried(i, tile)
        while one is None:
            if self.devices[i] == "cpu":
                raise MemoryShortError(
                    f"The detector needs more memory than there is for a tile of {tile.shape[1:]} "
                    "pixels. Give a smaller tile, or close other programs."
                )
            message = f"Out of memory on {self.devices[i]}: going on on the CPU, which is slower."
            release_memory(named_place(self.devices[i]))
            self.devices[i] = "cpu"
            self.networks[i] = self.networks[i].to("cpu")
            yield Step(*count, message=message)
            one = self._tried(i, tile)
        return one

    @torch.inference_mode()
    def _tried(self, i: int, tile: Tile) -> Outputs | None:
        """The outputs; None where memory ran out and the detector may move."""
        device = named_place(self.devices[i])
        try:
            image = torch.from_numpy(np.ascontiguousarray(tile))[None].to(device)
            with cast(device, self.precision):
                (outputs,) = self.networks[i](image)
            return {name: value.float().cpu().numpy() for name, value in outputs.items()}
        except (RuntimeError, MemoryError) as error:
            if not self.movable or not is_out_of_memory(error):
                raise
        return None

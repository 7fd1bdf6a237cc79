"""Run a detector on tiles, on one or several devices (torch)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from napari_segment.deep.detection.mask_rcnn_torch import Detector
from napari_segment.deep.device import Precision, is_out_of_memory, release_memory
from napari_segment.deep.inference.compute.forward_torch import autocast, device_of
from napari_segment.errors import MemoryShortError
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
        self,
        network: Detector,
        devices: Sequence[str],
        precision: Precision,
        *,
        movable: bool = False,
    ) -> None:
        copies = [network, *(deepcopy(network) for _ in devices[1:])]
        self.devices, self.precision, self.movable = list(devices), precision, movable
        self.networks = [n.to(device_of(d)) for n, d in zip(copies, devices, strict=True)]

    def __len__(self) -> int:
        return len(self.networks)

    def set_min_score(self, score: float) -> None:
        """Set the smallest score of the detections."""
        for network in self.networks:
            network.min_score = score

    def __call__(
        self, tiles: Sequence[Tile], count: tuple[int, int]
    ) -> Generator[Step, None, list[Outputs]]:
        """Detect in at most as many tiles as there are devices: boxes, scores, classes, masks."""
        if len(tiles) == 1:
            return [(yield from self._compute(0, tiles[0], count))]
        with ThreadPoolExecutor(len(tiles), "detector") as threads:
            work = [threads.submit(self._try, i, tile) for i, tile in enumerate(tiles)]
            results = [future.result() for future in work]
        outputs: list[Outputs] = []
        for i, tile in enumerate(tiles):
            result = results[i]
            if result is None:
                result = yield from self._compute(i, tile, count, short=True)
            outputs.append(result)
        return outputs

    def _compute(
        self, i: int, tile: Tile, count: tuple[int, int], *, short: bool = False
    ) -> Generator[Step, None, Outputs]:
        """Compute one tile on one device; from then on on the CPU where memory is short."""
        result = None if short else self._try(i, tile)
        while result is None:
            if self.devices[i] == "cpu":
                raise MemoryShortError(
                    f"The detector needs more memory than there is for a tile of {tile.shape[1:]} "
                    "pixels. Give a smaller tile, or close other programs."
                )
            message = f"Out of memory on {self.devices[i]}: going on on the CPU, which is slower."
            release_memory(device_of(self.devices[i]))
            self.devices[i] = "cpu"
            self.networks[i] = self.networks[i].to("cpu")
            yield Step(*count, message=message)
            result = self._try(i, tile)
        return result

    @torch.inference_mode()
    def _try(self, i: int, tile: Tile) -> Outputs | None:
        """Return the outputs; None where memory ran out and the detector may move."""
        device = device_of(self.devices[i])
        try:
            image = torch.from_numpy(np.ascontiguousarray(tile))[None].to(device)
            with autocast(device, self.precision):
                (outputs,) = self.networks[i](image)
            return {name: value.float().cpu().numpy() for name, value in outputs.items()}
        except (RuntimeError, MemoryError) as error:
            if not self.movable or not is_out_of_memory(error):
                raise
        return None

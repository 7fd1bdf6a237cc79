"""The tiles through the network and into slabs (torch)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_segment.deep.device import is_out_of_memory, release_memory
from napari_segment.deep.predict._blend import Blend, Corner, Sink
from napari_segment.deep.predict._parts import forward, place
from napari_segment.deep.predict.ladder import Ladder
from napari_segment.deep.predict.tiles import Reader, Row
from napari_segment.step import Step


def stream(
    network: Callable[[Tensor], Tensor],
    read: Reader,
    ladder: Ladder,
    sink: Sink,
    *,
    first: int = 0,
    fast: bool = False,
) -> Generator[Step, None, None]:
    """Run all tiles of a grid; slabs leave through the sink as they are finished.

    While the network computes, a second thread reads the next tiles, adds the last ones to the
    slab and hands finished slabs out, strictly one after the other.

    Parameters
    ----------
    network : module or callable
        ``(B, C, *tile)`` to ``(B, K, *tile)``.
    read : Reader
        Of the tiles of a grid.
    ladder : Ladder
        Where and how many tiles at once; changed when memory runs out.
    sink : callable
        Takes a `Slab`, whose tensor is its own for as long as the call lasts.
    first : int
        First voxel along the slab axis that is wanted.
    fast : bool
        bfloat16 on the CPU too.

    Yields
    ------
    Step
        After every batch of tiles, and one for every rung taken on the ladder.
    """
    grid = read.grid
    rows = list(grid.rows(first))
    total = sum(len(row.corners) for row in rows)
    blend = Blend(grid, ladder, sink)
    done = 0
    yield from _moved(network, ladder, done, total)
    with ThreadPoolExecutor(1, "tiles") as beside:
        try:
            tiles = _Ahead(beside, read, rows)
            for row in rows:
                left = len(row.corners)
                while left:
                    corners, block = tiles.take(min(ladder.batch, left))
                    if ladder.device == "cpu":  # two at work on the same cores gain nothing
                        yield from blend.settle((done, total))
                    outputs = yield from _sturdy(network, block, ladder, (done, total), fast)
                    yield from blend.settle((done, total))
                    blend.submit(beside, outputs, corners)
                    del outputs, block  # not to be held while the next ones are computed
                    left, done = left - len(corners), done + len(corners)
                    yield Step(done, total)
                yield from blend.settle((done, total))
                blend.finish(beside, row, first)
            yield from blend.settle((done, total))
        finally:
            beside.shutdown(wait=True, cancel_futures=True)


class _Ahead:
    """Tiles in their order, the next ones being read while the present ones are computed."""

    def __init__(self, beside: ThreadPoolExecutor, read: Reader, rows: Sequence[Row]) -> None:
        self._beside, self._read = beside, read
        self._corners = iter([corner for row in rows for corner in row.corners])
        self._waiting: deque[tuple[Corner, Future[Any]]] = deque()

    def take(self, count: int) -> tuple[list[Corner], Tensor]:
        """The next tiles as one tensor (count, C, *tile)."""
        self._request(count - len(self._waiting))
        taken = [self._waiting.popleft() for _ in range(count)]
        arrays = [future.result() for _, future in taken]
        self._request(count - len(self._waiting))
        block = np.stack(arrays) if count > 1 else np.ascontiguousarray(arrays[0])[None]
        return [corner for corner, _ in taken], torch.from_numpy(block)

    def _request(self, count: int) -> None:
        for _ in range(count):
            corner = next(self._corners, None)
            if corner is None:
                return
            self._waiting.append((corner, self._beside.submit(self._read, corner)))


def _sturdy(
    network: Callable[[Tensor], Tensor],
    block: Tensor,
    ladder: Ladder,
    count: tuple[int, int],
    fast: bool,
) -> Generator[Step, None, list[Tensor]]:
    """The network's outputs for each of some tiles, however little memory there is."""
    outputs: list[Tensor] = []
    while len(outputs) < len(block):
        some = block[len(outputs) : len(outputs) + ladder.batch]
        try:
            outputs += forward(network, some, ladder, fast)
            continue
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Out of the except block: the traceback, and the tensors it holds, are gone.
        yield from _step_down(network, ladder, count)
    return outputs


def _step_down(network: Any, ladder: Ladder, count: tuple[int, int]) -> Generator[Step, None, None]:
    release_memory(place(ladder.device))
    yield Step(*count, message=ladder.down())
    yield from _moved(network, ladder, *count)


def _moved(network: Any, ladder: Ladder, done: int, total: int) -> Generator[Step, None, None]:
    """Bring the network to its device, or to the CPU where it does not fit."""
    if not isinstance(network, torch.nn.Module):
        return
    try:
        network.to(ladder.device)
        return
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or ladder.device == "cpu":
            raise
    release_memory(place(ladder.device))
    ladder.device = ladder.blend = "cpu"
    network.to("cpu")
    yield Step(done, total, message="The network does not fit on the device: going on on the CPU.")

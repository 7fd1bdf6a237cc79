"""Run tiles through a network and blend them into slabs (torch)."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from torch import Tensor

from napari_segment.deep.allocator import faulted, give_back, retained_memory
from napari_segment.deep.device import Precision, is_out_of_memory
from napari_segment.deep.inference.compute.blending_torch import Blend, Corner, Sink
from napari_segment.deep.inference.compute.device_workers_torch import (
    DeviceWorker,
    DeviceWorkers,
    Tile,
)
from napari_segment.deep.inference.compute.forward_torch import precision_message
from napari_segment.deep.inference.tiling import Reader, Row
from napari_segment.errors import MemoryShortError
from napari_segment.step import Step

_MUCH = 4  # times the size of the output


def stream(
    workers: Sequence[DeviceWorker],
    read: Reader,
    sink: Sink,
    *,
    first: int = 0,
    precision: Precision = "auto",
    partial_slabs: bool = False,
) -> Generator[Step, None, None]:
    """Run all tiles of a grid; the sink takes slabs as they are finished.

    While the network computes, a second thread reads the next tiles; on a device with memory of
    its own it also adds the last ones to the slab and emits finished slabs. Where the network
    runs on the CPU, blending takes turns with it: the cores are the same.

    Parameters
    ----------
    workers : sequence of DeviceWorker
        Networks ``(B, C, *tile)`` to ``(B, K, *tile)`` with their devices and batch sizes, which
        change when memory runs out. Tiles are blended on the device of the first.
    read : Reader
        Of the tiles of a grid.
    sink : callable
        Takes a `Slab`, whose tensor is its own for as long as the call lasts.
    first : int
        First voxel along the slab axis that is wanted.
    precision : {"auto", "float32", "bfloat16", "float16"}
        bfloat16 on the CPU too.
    partial_slabs : bool
        Whether the sink takes parts of slabs too, so that less has to be held.

    Yields
    ------
    Step
        After every batch of tiles, and one for every step of a fallback.
    """
    network = DeviceWorkers(workers, precision)
    partial_slabs = partial_slabs and network.batch == 1 and network.on_cpu
    rows = list(read.grid.rows(first, partial_slabs=partial_slabs))
    total = sum(len(row.corners) for row in rows)
    begin = rows[0].start if rows else 0
    done = 0
    if message := precision_message([w.fallback.device for w in workers], precision):
        yield Step(done, total, message=message)
    for worker in workers:
        yield from worker.move(done, total)
    with ExitStack() as memory, ThreadPoolExecutor(1, "tiles") as executor:
        blend = Blend(
            read.grid, workers[0].fallback, sink, begin=begin, partial_slabs=partial_slabs,
            executor=None if network.on_cpu else executor,
        )  # fmt: skip
        try:
            tiles = _TilePrefetcher(executor, read, rows)
            for row in rows:
                left = len(row.corners)
                while left:
                    corners, block = yield from tiles.take(min(network.batch, left), (done, total))
                    if network.on_cpu:
                        yield from blend.wait((done, total))
                    outputs = yield from _outputs(network, block, (done, total), memory)
                    yield from blend.wait((done, total))
                    blend.submit(outputs, corners)
                    del outputs, block  # not to be held while the next ones are computed
                    left, done = left - len(corners), done + len(corners)
                    yield Step(done, total)
                yield from blend.wait((done, total))
                blend.finish(row, first)
                if network.on_cpu and row.across.stop == read.grid.shape[read.grid.cross]:
                    give_back()  # fragments that are too small for reuse
            yield from blend.wait((done, total))
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
            network.close()


def _outputs(
    network: DeviceWorkers, block: list[Tile], progress: tuple[int, int], memory: ExitStack
) -> Generator[Step, None, list[Tensor]]:
    """Run tiles through the network; after the first, decide whether memory is retained."""
    before = faulted()
    outputs = yield from network.outputs(block, progress)
    if network.on_cpu and not progress[0]:
        memory.enter_context(retained_memory(_allocates_much(faulted() - before, outputs)))
    return outputs


def _allocates_much(taken: int, outputs: Sequence[Tensor]) -> bool:
    """Return whether a network takes so much memory in each pass that retaining it pays."""
    return taken > _MUCH * sum(output.nbytes for output in outputs)


class _TilePrefetcher:
    """Tiles in order; the next ones are read while the present ones are computed."""

    def __init__(self, executor: ThreadPoolExecutor, read: Reader, rows: Sequence[Row]) -> None:
        self._executor, self._read = executor, read
        self._corners = iter([corner for row in rows for corner in row.corners])
        self._waiting: deque[tuple[Corner, Future[Tile]]] = deque()
        self._eager = True

    def take(
        self, count: int, progress: tuple[int, int]
    ) -> Generator[Step, None, tuple[list[Corner], list[Tile]]]:
        """Return the next tiles (C, *tile); where memory is short, stop reading ahead."""
        self._request(count - len(self._waiting))
        taken = [self._waiting.popleft() for _ in range(count)]
        tiles = []
        for corner, future in taken:
            try:
                tiles.append(future.result())
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            if self._eager:
                self._eager = False
                yield Step(*progress, message="Out of memory: going on without reading ahead.")
            tiles.append(self._read_again(corner))
        if self._eager:
            self._request(count - len(self._waiting))
        return [corner for corner, _ in taken], tiles

    def _read_again(self, corner: Corner) -> Tile:
        try:
            return self._executor.submit(self._read, corner).result()  # after those begun before
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        raise MemoryShortError(
            "The image cannot be read tile by tile in the memory there is. Give a smaller tile, an "
            "image in smaller chunks, or close other programs."
        )

    def _request(self, count: int) -> None:
        for _ in range(count):
            corner = next(self._corners, None)
            if corner is None:
                return
            self._waiting.append((corner, self._executor.submit(self._read, corner)))

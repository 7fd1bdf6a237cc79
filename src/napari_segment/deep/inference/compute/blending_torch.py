"""Blend overlapping tiles slab by slab (torch)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

from napari_segment.deep.device import is_out_of_memory, release_memory
from napari_segment.deep.inference.compute.accumulators_torch import TileSums
from napari_segment.deep.inference.compute.forward_torch import device_of, outer_product
from napari_segment.deep.inference.decoding import Slab
from napari_segment.deep.inference.fallback import MemoryFallback
from napari_segment.deep.inference.tiling import Grid, Row, Where
from napari_segment.errors import MemoryShortError
from napari_segment.step import Step

Sink: TypeAlias = Callable[[Slab], None]
Corner: TypeAlias = tuple[int, ...]


class Blend:
    """Weighted sums of the tiles' outputs, emitted as soon as no further tile reaches them.

    Voxels that no tile has reached before are written, the others are added to. Voxels beyond the
    volume's border are not held.

    Parameters
    ----------
    grid : Grid
        The tiles.
    fallback : MemoryFallback
        Device of the blending.
    sink : callable
        Takes finished slabs.
    begin : int
        First voxel of the first row of tiles along the slab axis.
    partial_slabs : bool
        Whether parts of slabs are emitted.
    executor : ThreadPoolExecutor, optional
        Threads that blend while the network computes; without it `wait` blends in the caller's.
    """

    def __init__(
        self, grid: Grid, fallback: MemoryFallback, sink: Sink, *, begin: int = 0,
        partial_slabs: bool = False, executor: ThreadPoolExecutor | None = None,
    ) -> None:  # fmt: skip
        self.grid, self.fallback, self.sink, self.executor = grid, fallback, sink, executor
        self._sums = TileSums(grid, partial_slabs=partial_slabs)
        self._new = [_first_reached(grid, a, begin) for a in range(len(grid.shape))]
        self._device = device_of(fallback.blend)
        self._channels = 1
        self._map: Tensor | None = None
        self._operations: list[Callable[[], None]] = []
        self._pending: Future[None] | None = None
        self._retried = False

    # ---- in the thread of the network ----

    def submit(self, outputs: list[Tensor], corners: list[Corner]) -> None:
        """Add some tiles."""
        self._channels = outputs[0].shape[0]
        self._start(part for o, c in zip(outputs, corners, strict=True) for part in self._add(o, c))

    def finish(self, row: Row, first: int) -> None:
        """Emit what a row of tiles finishes."""
        self._start(self._emissions(row, first))

    def wait(self, count: tuple[int, int]) -> Generator[Step, None, None]:
        """Finish the pending work; where memory runs out, go on with less."""
        while self._operations or self._pending is not None:
            pending, self._pending = self._pending, None
            try:
                if pending is None:
                    self._work()
                else:
                    pending.result()
                self._retried = False
                continue
            except MemoryShortError:
                raise
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            short = f"Out of memory on {self.fallback.blend}"
            yield Step(*count, message=f"{short}: {self._with_less()}")

    def _with_less(self) -> str:
        """Give up memory: first the free blocks on the CPU, then the device."""
        if self.fallback.blend != "cpu" or self._retried:
            return self.fallback.blend_on_cpu()
        self._retried = True
        self._sums.trim()
        release_memory(self._device)
        return "trying again after free memory was released."

    def _start(self, work: Iterator[Callable[[], None]]) -> None:
        self._operations = list(work)
        if self.executor is not None:
            self._pending = self.executor.submit(self._work)

    # ---- in the thread of the executor, where there is one ----

    @torch.inference_mode()
    def _work(self) -> None:
        """Run the pending operations; after an error the rest stays pending."""
        while self._operations:
            self._operations[0]()
            self._operations.pop(0)

    def _add(self, output: Tensor, corner: Corner) -> Iterator[Callable[[], None]]:
        """Yield the operations that add one tile, block by block."""
        grid = self.grid
        begin = [c - p for c, p in zip(corner, grid.padding, strict=True)]
        low = [max(b, 0) for b in begin]
        high = [min(b + t, s) for b, t, s in zip(begin, grid.tile, grid.shape, strict=True)]
        new = [reached[c] for reached, c in zip(self._new, corner, strict=True)]
        for cell, fresh in self._sums.cells(low, high, new):
            inside = tuple(slice(c.start - b, c.stop - b) for c, b in zip(cell, begin, strict=True))
            yield partial(self._accumulate, output, inside, cell, fresh)

    def _accumulate(self, output: Tensor, inside: Where, cell: Where, fresh: bool) -> None:
        sums = self._sums_of(cell)
        part = output[(slice(None), *inside)].to(sums.device, torch.float32)
        weight = self._weights(sums.device)[inside]
        if fresh:
            torch.mul(part, weight, out=sums)
        else:
            sums.addcmul_(part, weight)

    def _emissions(self, row: Row, first: int) -> Iterator[Callable[[], None]]:
        grid, axis = self.grid, self.grid.axis
        pad, size = grid.padding[axis], grid.shape[axis]
        ended = slice(max(row.start - pad, 0), min(row.stop - pad, size))
        whole = tuple(slice(0, s) for s in grid.shape)
        for cell in self._sums.finished(_set(_set(whole, axis, ended), grid.cross, row.across)):
            start = max(cell[axis].start, first)
            if start < cell[axis].stop:
                yield partial(self._emit, _set(cell, axis, slice(start, cell[axis].stop)))
            yield partial(self._sums.release, cell)

    def _emit(self, where: Where) -> None:
        weights = [total[w] for total, w in zip(self.grid.totals, where, strict=True)]
        self.sink(Slab(self._sums_of(where), where, weights))

    def _sums_of(self, cell: Where) -> Tensor:
        """Return the sums of a part of a block, on the present device of the blending."""
        if self._device.type != device_of(self.fallback.blend).type:
            self._sums.move(device_of(self.fallback.blend))
            self._device = device_of(self.fallback.blend)
        return self._sums.view(cell, self._channels, self._device)

    def _weights(self, device: torch.device) -> Tensor:
        """Return the weights of a tile on a device."""
        if self._map is None or self._map.device != device:
            self._map = outer_product([torch.from_numpy(p).to(device) for p in self.grid.profiles])
        return self._map


def _first_reached(grid: Grid, axis: int, begin: int) -> dict[int, int]:
    """Return, by a tile's start, the first voxel that no earlier tile reaches."""
    starts = grid.starts[axis]
    pad, tile = grid.padding[axis], grid.tile[axis]
    reached = {b: min(a + tile - pad, grid.shape[axis]) for a, b in pairwise(starts)}
    first = begin if axis == grid.axis else starts[0]
    return {**reached, first: max(first - pad, 0)}


def _set(where: Where, axis: int, value: slice) -> Where:
    return (*where[:axis], value, *where[axis + 1 :])

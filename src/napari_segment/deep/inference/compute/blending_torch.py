"""Weighted sums of overlapping tiles, no larger than a slab (torch)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

from napari_segment.deep.device import is_out_of_memory, release_memory
from napari_segment.deep.inference.compute.accumulators_torch import Sums
from napari_segment.deep.inference.compute.forward_torch import outer, place
from napari_segment.deep.inference.decoding import Slab
from napari_segment.deep.inference.fallback import MemoryFallback, MemoryShortError
from napari_segment.deep.inference.tiling import Grid, Row, Where
from napari_segment.step import Step

Sink: TypeAlias = Callable[[Slab], None]
Corner: TypeAlias = tuple[int, ...]


class Blend:
    """Weighted sums of the tiles' outputs, handed out as soon as no further tile reaches them.

    What no tile has reached before is written, the rest is added to. Voxels beyond the volume's
    border are never held.

    Parameters
    ----------
    grid : Grid
        The tiles.
    fallback : MemoryFallback
        Where they are blended.
    sink : callable
        Takes what is finished.
    begin : int
        Where the first row of tiles starts along the slab axis.
    pieces : bool
        Whether parts of slabs are handed out.
    executor : ThreadPoolExecutor, optional
        Where to work while the network computes; the caller's thread otherwise, when it settles.
    """

    def __init__(
        self, grid: Grid, fallback: MemoryFallback, sink: Sink, *, begin: int = 0,
        pieces: bool = False, executor: ThreadPoolExecutor | None = None,
    ) -> None:  # fmt: skip
        self.grid, self.fallback, self.sink, self.executor = grid, fallback, sink, executor
        self._sums = Sums(grid, pieces=pieces)
        self._new = [_first_reached(grid, a, begin) for a in range(len(grid.shape))]
        self._place = place(fallback.blend)
        self._channels = 1
        self._map: Tensor | None = None
        self._todo: list[Callable[[], None]] = []
        self._pending: Future[None] | None = None
        self._again = False

    # ---- called from the network's thread ----

    def submit(self, outputs: list[Tensor], corners: list[Corner]) -> None:
        """Add some tiles."""
        self._channels = outputs[0].shape[0]
        self._start(part for o, c in zip(outputs, corners, strict=True) for part in self._add(o, c))

    def finish(self, row: Row, first: int) -> None:
        """Hand out what a row of tiles finishes."""
        self._start(self._out(row, first))

    def settle(self, count: tuple[int, int]) -> Generator[Step, None, None]:
        """End what was begun; where its memory runs out, go on with less."""
        while self._todo or self._pending is not None:
            pending, self._pending = self._pending, None
            try:
                if pending is None:
                    self._work()
                else:
                    pending.result()
                self._again = False
                continue
            except MemoryShortError:
                raise
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            short = f"Out of memory on {self.fallback.blend}"
            yield Step(*count, message=f"{short}: {self._with_less()}")

    def _with_less(self) -> str:
        """Give up something: first what is kept for later on the CPU, then the device."""
        if self.fallback.blend != "cpu" or self._again:
            return self.fallback.blend_on_cpu()
        self._again = True
        self._sums.trim()
        release_memory(self._place)
        return "trying again with what was kept for later given back."

    def _start(self, work: Iterator[Callable[[], None]]) -> None:
        self._todo = list(work)
        if self.executor is not None:
            self._pending = self.executor.submit(self._work)

    # ---- perhaps in the other thread ----

    @torch.inference_mode()
    def _work(self) -> None:
        """Do what is to do; after an error the rest is still to do."""
        while self._todo:
            self._todo[0]()
            self._todo.pop(0)

    def _add(self, output: Tensor, corner: Corner) -> Iterator[Callable[[], None]]:
        """Add one tile, block by block."""
        grid = self.grid
        begin = [c - p for c, p in zip(corner, grid.padding, strict=True)]
        low = [max(b, 0) for b in begin]
        high = [min(b + t, s) for b, t, s in zip(begin, grid.tile, grid.shape, strict=True)]
        new = [reached[c] for reached, c in zip(self._new, corner, strict=True)]
        for cell, fresh in self._sums.cells(low, high, new):
            from_ = tuple(slice(c.start - b, c.stop - b) for c, b in zip(cell, begin, strict=True))
            yield partial(self._accumulate, output, from_, cell, fresh)

    def _accumulate(self, output: Tensor, from_: Where, cell: Where, fresh: bool) -> None:
        sums = self._held(cell)
        part = output[(slice(None), *from_)].to(sums.device, torch.float32)
        weight = self._weights(sums.device)[from_]
        if fresh:
            torch.mul(part, weight, out=sums)
        else:
            sums.addcmul_(part, weight)

    def _out(self, row: Row, first: int) -> Iterator[Callable[[], None]]:
        grid, axis = self.grid, self.grid.axis
        pad, size = grid.padding[axis], grid.shape[axis]
        ended = slice(max(row.start - pad, 0), min(row.stop - pad, size))
        whole = tuple(slice(0, s) for s in grid.shape)
        for cell in self._sums.finished(_set(_set(whole, axis, ended), grid.cross, row.across)):
            start = max(cell[axis].start, first)
            if start < cell[axis].stop:
                yield partial(self._hand_out, _set(cell, axis, slice(start, cell[axis].stop)))
            yield partial(self._sums.release, cell)

    def _hand_out(self, where: Where) -> None:
        weights = [total[w] for total, w in zip(self.grid.totals, where, strict=True)]
        self.sink(Slab(self._held(where), where, weights))

    def _held(self, cell: Where) -> Tensor:
        """The sums of a part of a block, on the device where they are wanted by now."""
        if self._place.type != place(self.fallback.blend).type:
            self._sums.move(place(self.fallback.blend))
            self._place = place(self.fallback.blend)
        return self._sums.at(cell, self._channels, self._place)

    def _weights(self, device: torch.device) -> Tensor:
        """The weights of a tile, on the device where it is blended."""
        if self._map is None or self._map.device != device:
            self._map = outer([torch.from_numpy(h).to(device) for h in self.grid.hills])
        return self._map


def _first_reached(grid: Grid, axis: int, begin: int) -> dict[int, int]:
    """By where a tile starts: the first voxel of the volume that no tile before it reaches."""
    starts = grid.starts[axis]
    pad, tile = grid.padding[axis], grid.tile[axis]
    reached = {b: min(a + tile - pad, grid.shape[axis]) for a, b in pairwise(starts)}
    first = begin if axis == grid.axis else starts[0]
    return {**reached, first: max(first - pad, 0)}


def _set(where: Where, axis: int, value: slice) -> Where:
    return (*where[:axis], value, *where[axis + 1 :])

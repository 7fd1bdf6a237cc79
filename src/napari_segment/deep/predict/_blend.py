"""Weighted sums of overlapping tiles, no larger than a slab (torch)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from napari_segment.deep.device import is_out_of_memory
from napari_segment.deep.predict._lent import Lent, can_lend
from napari_segment.deep.predict._parts import outer, place
from napari_segment.deep.predict.decode import Slab
from napari_segment.deep.predict.ladder import Ladder
from napari_segment.deep.predict.tiles import Grid, Row
from napari_segment.step import Step

Sink: TypeAlias = Callable[[Slab], None]
Corner: TypeAlias = tuple[int, ...]


class Blend:
    """Weighted sums of the tiles' outputs, for as many voxels as a tile is long.

    The sums are a ring along the slab axis: what a row of tiles finishes is handed out, set to
    zero and used again for what comes after. Voxels beyond the volume's border are never held
    but along that axis.

    Parameters
    ----------
    grid : Grid
        The tiles.
    ladder : Ladder
        Where they are blended.
    sink : callable
        Takes what is finished.
    frugal : bool
        Give the memory of what is finished back to the system until it is used again.
    """

    def __init__(self, grid: Grid, ladder: Ladder, sink: Sink, *, frugal: bool = False) -> None:
        self.grid, self.ladder, self.sink, self.frugal = grid, ladder, sink, frugal
        self._ring: Lent | None = None
        self._sums: Tensor | None = None
        self._map: Tensor | None = None
        self._todo: list[Callable[[], None]] = []
        self._pending: Future[None] | None = None
        self._beside: ThreadPoolExecutor | None = None

    # ---- called from the network's thread ----

    def submit(
        self, beside: ThreadPoolExecutor, outputs: list[Tensor], corners: list[Corner]
    ) -> None:
        """Add some tiles, in the other thread."""
        self._todo = [
            part for o, c in zip(outputs, corners, strict=True) for part in self._add(o, c)
        ]
        self._start(beside)

    def finish(self, beside: ThreadPoolExecutor, row: Row, first: int) -> None:
        """Hand out what a row of tiles finishes, in the other thread."""
        self._todo = list(self._out(row, first))
        self._start(beside)

    def settle(self, count: tuple[int, int]) -> Generator[Step, None, None]:
        """Wait for the other thread; where its memory ran out, go on on the CPU."""
        while self._pending is not None:
            try:
                self._pending.result()
                self._pending = None
                return
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            short = f"Out of memory on {self.ladder.blend}"
            yield Step(*count, message=f"{short}: {self.ladder.blend_on_cpu()}")
            assert self._beside is not None
            self._start(self._beside)

    def _start(self, beside: ThreadPoolExecutor) -> None:
        self._beside = beside
        self._pending = beside.submit(self._work)

    # ---- in the other thread ----

    @torch.inference_mode()
    def _work(self) -> None:
        """Do what is to do; after an error the rest is still to do."""
        while self._todo:
            self._todo[0]()
            self._todo.pop(0)

    def _add(self, output: Tensor, corner: Corner) -> Iterator[Callable[[], None]]:
        """Add one tile, in two parts where it passes the ring's end."""
        grid, axis = self.grid, self.grid.axis
        inside = tuple(
            slice(max(p - c, 0), max(p - c, 0) + min(t, s))
            for c, p, t, s in zip(corner, grid.padding, grid.tile, grid.shape, strict=True)
        )
        begin = corner[axis] % grid.tile[axis]
        for source, target in ring(begin, grid.tile[axis], grid.tile[axis]):
            from_ = _set(inside, axis, source)
            to = tuple(
                slice(max(c - p, 0), max(c - p, 0) + f.stop - f.start)
                for c, p, f in zip(corner, grid.padding, from_, strict=True)
            )
            yield partial(self._accumulate, output, from_, _set(to, axis, target))

    def _accumulate(self, output: Tensor, from_: tuple[slice, ...], to: tuple[slice, ...]) -> None:
        sums = self._held(output.shape[0])
        part = output[(slice(None), *from_)].to(sums.device, torch.float32)
        weight = self._weights(sums.device)[from_]
        sums[(slice(None), *to)].addcmul_(part, weight)

    def _out(self, row: Row, first: int) -> Iterator[Callable[[], None]]:
        grid, axis = self.grid, self.grid.axis
        pad, size, length = grid.padding[axis], grid.shape[axis], grid.tile[axis]
        start, stop = max(row.start, pad + first), min(row.stop, pad + size)
        for source, target in ring(start % length, max(stop - start, 0), length):
            yield partial(self._hand_out, start - pad + source.start, target, row.across)
        for _, target in ring(row.start % length, row.stop - row.start, length):
            yield partial(self._clear, target, row.across)

    def _hand_out(self, begin: int, held: slice, across: slice) -> None:
        grid, axis = self.grid, self.grid.axis
        assert self._sums is not None
        sums = self._held(self._sums.shape[0])[self._part(held, across)]
        whole = tuple(slice(0, s) for s in grid.shape)
        where = _set(whole, axis, slice(begin, begin + held.stop - held.start))
        where = _set(where, grid.cross, across)
        weights = [total[w] for total, w in zip(grid.totals, where, strict=True)]
        self.sink(Slab(sums, where, weights))

    def _clear(self, held: slice, across: slice) -> None:
        if self._ring is not None:
            self._ring.clear(self._part(held, across))
        elif self._sums is not None:
            self._sums[self._part(held, across)] = 0

    def _part(self, held: slice, across: slice) -> tuple[slice, ...]:
        """Where in the sums a part of the ring is, all channels."""
        whole = (slice(None),) * (len(self.grid.shape) + 1)
        return _set(_set(whole, self.grid.axis + 1, held), self.grid.cross + 1, across)

    def _held(self, channels: int) -> Tensor:
        """The sums, on the device where they are wanted by now."""
        if self._sums is None:
            shape = list(self.grid.shape)
            shape[self.grid.axis] = self.grid.tile[self.grid.axis]
            self._sums = self._zeros((channels, *shape))
        if self._sums.device.type != place(self.ladder.blend).type:
            self._sums = self._sums.to(place(self.ladder.blend))
        return self._sums

    def _zeros(self, shape: tuple[int, ...]) -> Tensor:
        if self.frugal and can_lend():
            self._ring = Lent(shape)
            return self._ring.tensor
        return torch.zeros(shape, device=place(self.ladder.blend))

    def _weights(self, device: torch.device) -> Tensor:
        """The weights of a tile, on the device where it is blended."""
        if self._map is None or self._map.device != device:
            self._map = outer([torch.from_numpy(h).to(device) for h in self.grid.hills])
        return self._map


def ring(begin: int, count: int, length: int) -> Iterator[tuple[slice, slice]]:
    """Places of `count` items from `begin` on in a ring: (of the items, in the ring).

    >>> list(ring(3, 4, 5))
    [(slice(0, 2, None), slice(3, 5, None)), (slice(2, 4, None), slice(0, 2, None))]
    """
    done = 0
    while done < count:
        at = (begin + done) % length
        some = min(count - done, length - at)
        yield slice(done, done + some), slice(at, at + some)
        done += some


def _set(where: tuple[slice, ...], axis: int, value: slice) -> tuple[slice, ...]:
    return (*where[:axis], value, *where[axis + 1 :])

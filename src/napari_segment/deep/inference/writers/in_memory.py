"""Write finished slabs into arrays in memory; several results at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.memory_estimate import format_bytes
from napari_segment.errors import MemoryShortError

Window = tuple[slice, ...]


class InMemoryWriter:
    """Writer into an array of the image's shape, of which a window is predicted.

    Parameters
    ----------
    shape : sequence of int
        Of the image.
    window : tuple of slice
        The part of it that is predicted; elsewhere is 0.
    """

    def __init__(self, shape: Sequence[int], window: Window) -> None:
        self.shape, self.window = tuple(shape), window
        self.array: Any = None
        self.done = 0

    def write(self, where: Window, values: NDArray[Any]) -> None:
        """Write values ``(*slab)`` or ``(n, *slab)`` at a position in the window."""
        lead = values.shape[: values.ndim - len(where)]
        if self.array is None:
            self.array = self._new((*lead, *self.shape), values.dtype)
        self.array[(*(slice(None),) * len(lead), *shifted(where, self.window))] = values

    @staticmethod
    def _new(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            return np.zeros(shape, dtype)
        except MemoryError:
            takes = format_bytes(int(np.prod(shape)) * dtype.itemsize)
        raise MemoryShortError(
            f"The result of {shape} voxels takes {takes}, which is more than is free. Give "
            "'store', a folder into which it is written while it is computed."
        )

    def result(self) -> Any:
        return self.array


class MultiWriter:
    """Writer of several results of one run, by name."""

    def __init__(self, writers: Mapping[str, InMemoryWriter]) -> None:
        self.writers = dict(writers)

    @property
    def done(self) -> int:
        """Number of rows along the slab axis that all of them have finished."""
        return min(writer.done for writer in self.writers.values())

    def write(self, where: Window, values: Mapping[str, NDArray[Any]]) -> None:
        """Write the values of each by name."""
        for name, writer in self.writers.items():
            writer.write(where, values[name])

    def result(self) -> dict[str, Any]:
        """Return the arrays by name."""
        return {name: writer.result() for name, writer in self.writers.items()}


def shifted(where: Window, window: Window) -> Window:
    """Return a position in the window as one in the image."""
    return tuple(
        slice(w.start + o.start, w.stop + o.start) for w, o in zip(where, window, strict=True)
    )

"""Where finished slabs go: into arrays in memory or in folders, several at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.fallback import MemoryShortError
from napari_segment.deep.inference.memory import size
from napari_segment.deep.inference.zarr_store import Store

Window = tuple[slice, ...]


class InMemoryWriter:
    """Results in an array of the image's shape, of which a window is predicted.

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
        """Take values ``(*slab)`` or ``(n, *slab)`` at a place in the window."""
        lead = values.shape[: values.ndim - len(where)]
        if self.array is None:
            self.array = self._new((*lead, *self.shape), values.dtype)
        self.array[(*(slice(None),) * len(lead), *_shifted(where, self.window))] = values

    @staticmethod
    def _new(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            return np.zeros(shape, dtype)
        except MemoryError:
            takes = size(int(np.prod(shape)) * dtype.itemsize)
        raise MemoryShortError(
            f"The result of {shape} voxels takes {takes}, which is more than there is. Give "
            "'store', a folder in which it is kept while it is computed."
        )

    def result(self) -> Any:
        return self.array


class ZarrWriter(InMemoryWriter):
    """The same in a `Store`, which a killed run leaves behind for the next one.

    Parameters
    ----------
    shape, window
        As of `InMemoryWriter`.
    store : Store
        Where.
    step : int
        How many voxels are finished at once along the store's axis.
    """

    def __init__(self, shape: Sequence[int], window: Window, store: Store, step: int) -> None:
        super().__init__(shape, window)
        self.store, self.step = store, step
        self.done = max(store.done - window[store.axis].start, 0)

    def write(self, where: Window, values: NDArray[Any]) -> None:
        lead = values.shape[: values.ndim - len(where)]
        self.store.begin((*lead, *self.shape), values.dtype, self.step)
        self.store.write(_shifted(where, self.window), values)

    def result(self) -> Any:
        """Lazy: a Dask array."""
        import dask.array as da

        return da.from_zarr(self.store.array)


class MultiWriter:
    """Several results of one run, by name."""

    def __init__(self, writers: Mapping[str, InMemoryWriter]) -> None:
        self.writers = dict(writers)

    @property
    def done(self) -> int:
        """How far along the slab axis all of them are finished."""
        return min(writers.done for writers in self.writers.values())

    def write(self, where: Window, values: Mapping[str, NDArray[Any]]) -> None:
        """Take the values of each by name."""
        for name, writers in self.writers.items():
            writers.write(where, values[name])

    def result(self) -> dict[str, Any]:
        """The arrays by name."""
        return {name: writers.result() for name, writers in self.writers.items()}


def _shifted(where: Window, window: Window) -> Window:
    return tuple(
        slice(w.start + o.start, w.stop + o.start) for w, o in zip(where, window, strict=True)
    )

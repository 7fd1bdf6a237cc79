"""Write finished slabs into zarr arrays, so that a killed run can be continued."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.tiling import Where
from napari_segment.deep.inference.writers.in_memory import InMemoryWriter, Window, shifted
from napari_segment.io.lock import check_held
from napari_segment.io.replacing import write_atomically

_PROGRESS = "napari-segment.json"
_CHUNK = 128


class Store:
    """A zarr array in a folder, and the number of rows that are finished along one axis.

    Progress is recorded after the pixels are on the disk. A run that is killed at any moment
    leaves a true record, and the next run of the same job continues there.

    Parameters
    ----------
    folder : Path
        Of this result alone; any other content is replaced.
    job : mapping
        What is computed, as plain values. A different job starts anew.
    axis : int
        The axis along which results are finished.
    """

    def __init__(self, folder: Path, job: Mapping[str, Any], axis: int) -> None:
        self.folder, self.job, self.axis = Path(folder), dict(job), axis
        record = self._recorded()
        self.resumed = record.get("job") == json.loads(json.dumps(self.job))
        self.done = int(record.get("done", 0)) if self.resumed else 0
        self.array: Any = self._opened() if self.done else None
        if self.array is None:
            self.resumed, self.done = False, 0

    def _opened(self) -> Any:
        import zarr

        try:
            return zarr.open_array(store=self.folder, mode="r+")
        except (OSError, ValueError, KeyError):  # the array is gone or damaged
            return None

    def begin(self, shape: Sequence[int], dtype: Any, step: int) -> None:
        """Create the array, unless a killed run has.

        Parameters
        ----------
        shape : sequence of int
            ``(*S)``, or ``(n, *S)`` of several values a voxel.
        dtype : dtype
            Of the results.
        step : int
            Number of voxels that are finished at once along the axis; chunks are cut there.
        """
        if self.array is not None:
            return
        import zarr

        chunks = [min(_CHUNK, n) for n in shape]
        at = len(shape) - len(self.job["shape"]) + self.axis
        chunks[at] = min(max(step, 1), shape[at])
        self.array = zarr.create_array(
            self.folder, shape=tuple(shape), chunks=tuple(chunks), dtype=np.dtype(dtype),
            overwrite=True,
        )  # fmt: skip

    def write(self, where: Where, values: Any) -> None:
        """Write finished voxels, then record them."""
        check_held(self.folder)
        lead = values.ndim - len(where)
        self.array[(*(slice(None),) * lead, *where)] = values
        self.record(where[self.axis].stop)

    def record(self, done: int) -> None:
        """Record how many rows are finished, atomically."""
        self.done = done
        record = {"job": self.job, "done": done}
        write_atomically(self.folder / _PROGRESS, json.dumps(record).encode())

    def _recorded(self) -> dict[str, Any]:
        try:
            record = json.loads((self.folder / _PROGRESS).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}


class ZarrWriter(InMemoryWriter):
    """Writer into a `Store`, which a later run of the same job continues.

    Parameters
    ----------
    shape, window
        As of `InMemoryWriter`.
    store : Store
        The array and its progress.
    step : int
        Number of voxels that are finished at once along the store's axis.
    """

    def __init__(self, shape: Sequence[int], window: Window, store: Store, step: int) -> None:
        super().__init__(shape, window)
        self.store, self.step = store, step
        self.done = max(store.done - window[store.axis].start, 0)

    def write(self, where: Window, values: NDArray[Any]) -> None:
        lead = values.shape[: values.ndim - len(where)]
        self.store.begin((*lead, *self.shape), values.dtype, self.step)
        self.store.write(shifted(where, self.window), values)

    def result(self) -> Any:
        """Return a Dask array."""
        import dask.array as da

        return da.from_zarr(self.store.array)

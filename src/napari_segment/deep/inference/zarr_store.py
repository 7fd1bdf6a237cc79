"""Results kept in a zarr array while they are computed, so that a killed run can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_segment.deep.inference.tiling import Where

_PROGRESS = "napari-segment.json"
_CHUNK = 128


class Store:
    """A zarr array in a folder, and how far it is finished along one axis.

    What is finished is noted after the pixels are on the disk. A run that is killed at any moment
    leaves a note that is true, and the next run of the same job starts there.

    Parameters
    ----------
    folder : Path
        Of this result alone; what else lies there is replaced.
    job : mapping
        What is computed, as plain values. Another job starts anew.
    axis : int
        The axis along which results are finished.
    """

    def __init__(self, folder: Path, job: Mapping[str, Any], axis: int) -> None:
        self.folder, self.job, self.axis = Path(folder), dict(job), axis
        note = self._note()
        self.resumed = note.get("job") == json.loads(json.dumps(self.job))
        self.done = int(note.get("done", 0)) if self.resumed else 0
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
        """Make the array, unless a killed run has.

        Parameters
        ----------
        shape : sequence of int
            ``(*S)``, or ``(n, *S)`` of several values a voxel.
        dtype : dtype
            Of the results.
        step : int
            How many voxels are finished at once along the axis; chunks are cut there.
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
        """Write finished voxels, then note that they are."""
        lead = values.ndim - len(where)
        self.array[(*(slice(None),) * lead, *where)] = values
        self.note(where[self.axis].stop)

    def note(self, done: int) -> None:
        """Note how far along the axis all is finished; whole or not at all."""
        self.done = done
        partial = self.folder / f".{_PROGRESS}.{os.getpid()}"
        partial.write_text(json.dumps({"job": self.job, "done": done}), "utf-8")
        partial.replace(self.folder / _PROGRESS)

    def _note(self) -> dict[str, Any]:
        try:
            note = json.loads((self.folder / _PROGRESS).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

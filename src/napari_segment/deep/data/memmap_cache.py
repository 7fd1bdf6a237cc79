"""Memory-mapped cache: arrays that do not fit into memory, in files that are mapped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import prod
from pathlib import Path
from shutil import disk_usage, rmtree
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_segment.errors import InputError
from napari_segment.io.lock import check_held
from napari_segment.io.temporary import mapped_file

_RESERVED = 2**30  # bytes of the disk that are left alone


class MemmapCache:
    """A folder of arrays; the system keeps in memory what of them is in use.

    Parameters
    ----------
    folder : Path
        Made when it is needed first; what an earlier process left there is thrown away.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count()
        self.clear()

    def new(self, shape: Sequence[int], dtype: DTypeLike) -> np.memmap[Any, Any]:
        """Return an array to be filled.

        Raises
        ------
        InputError
            If the disk has no room for it.
        FormatError
            If a quota or another limit allows no such file.
        """
        check_held(self.folder)  # a run folder that was removed is not made again
        self.folder.mkdir(parents=True, exist_ok=True)
        size, free = prod(shape) * np.dtype(dtype).itemsize, disk_usage(self.folder).free
        if size > free - _RESERVED:
            raise InputError(
                f"A case needs {size / 1e9:.3g} GB besides the memory, but the disk of "
                f"{self.folder} has {free / 1e9:.3g} GB left. Make room, give a run folder on "
                "another disk (out), or crop the case."
            )
        return mapped_file(self.folder / f"{next(self._numbers)}.bin", shape, dtype)

    def clear(self) -> None:
        """Throw everything away; arrays that are still in use stay until they are not."""
        rmtree(self.folder, ignore_errors=True)

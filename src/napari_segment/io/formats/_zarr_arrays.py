"""Arrays of Zarr: whether their chunks are whole, and the arrays as Dask reads and writes them."""

from __future__ import annotations

import itertools
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Index, Lazy
from napari_segment.blocks.memory import free_memory
from napari_segment.errors import FormatError
from napari_segment.io.boundary import lazy_array
from napari_segment.io.changed import state_of_folder
from napari_segment.io.reports import ALWAYS, check_expansion, report_warning

if TYPE_CHECKING:
    import zarr

_BLOSC_HEAD = 16  # bytes, of which the last four say how long the chunk is


def check_chunks(array: zarr.Array, path: Path, *, lazy: bool) -> None:
    """Say of an array without any chunk that it is empty; refuse one that no memory holds.

    Of numbers only: other types are decoded by codecs that may run code (pickle).
    """
    if array.dtype.kind not in "buifc":
        raise FormatError(
            f"{path.name} holds values of type {array.dtype}; real numbers are needed."
        )
    if not lazy and array.nbytes > free_memory():
        raise MemoryError
    if not is_local(array):
        return
    folder = Path(array.store.root) / array.path
    if not lazy and array.nbytes > ALWAYS:
        check_expansion(path.name, array.nbytes, state_of_folder(folder)[1])
    if array.size and not any(not f.name.startswith((".", "zarr.json")) for f in folder.iterdir()):
        report_warning(
            f"{path.name} holds no chunk of pixels: all are {array.fill_value}. Check that it was "
            "copied whole, unless it is empty."
        )
    if not lazy:
        _check_cut(array, (slice(None),) * array.ndim)


def is_local(array: zarr.Array) -> bool:
    """Whether the chunks are files of a folder here."""
    return isinstance(getattr(array.store, "root", None), Path)


def _check_cut(array: zarr.Array, index: tuple[Any, ...]) -> None:
    """Refuse chunks that are shorter than they say: Blosc would read beyond their end."""
    metadata = array.metadata
    codecs = getattr(metadata, "codecs", None) or (getattr(metadata, "compressor", None),)
    if "blosc" not in type(codecs[-1]).__name__.lower():
        return
    folder = Path(array.store.root) / array.path
    shape, chunks = array.shape, array.chunks
    ranges = [
        range(start // c, -(-stop // c))
        for (start, stop, _), c in zip(
            (i.indices(n) for i, n in zip(index, shape, strict=True)), chunks, strict=True
        )
    ]
    for coordinates in itertools.product(*ranges):
        file = folder / metadata.encode_chunk_key(coordinates)
        if not file.is_file():
            continue
        with file.open("rb") as stream:
            head = stream.read(_BLOSC_HEAD)
        held = file.stat().st_size
        if len(head) < _BLOSC_HEAD or int.from_bytes(head[12:16], "little") > held:
            raise FormatError(
                f"The chunk {file.relative_to(folder.parent)} of {folder.parent.name} is cut off "
                f"after {held:,} bytes. Copy the folder again."
            )


class OnDisk:
    """A Zarr array, read and written only where its folder is.

    Zarr takes chunks that are not there for zeros, and makes the folder that it writes to: where
    the workers of a cluster do not see the folder, both would go unnoticed.
    """

    def __init__(self, array: zarr.Array) -> None:
        self.array, self.folder = array, Path(array.store.root) / array.path
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index: Index) -> NDArray[Any]:
        array = self._reachable()
        if isinstance(index, tuple) and all(isinstance(i, slice) for i in index):
            _check_cut(array, index)
        return np.asarray(array[index])

    def __setitem__(self, index: Index, values: NDArray[Any]) -> None:
        self._reachable()[index] = values

    def _reachable(self) -> Any:
        if self.folder.is_dir():
            return self.array
        raise FormatError(
            f"{self.folder} is not there on {platform.node()!r}. The workers of a cluster must see "
            "the same folders as the program that gives them work."
        )


def lazily(array: zarr.Array, path: Path) -> Lazy:
    if not is_local(array):
        return lazy_array(array, path, "OME-Zarr", array.chunks)
    source = OnDisk(array)
    metadata = (source.folder / name for name in ("zarr.json", ".zarray"))
    files = tuple(file for file in metadata if file.is_file())
    return lazy_array(source, path, "OME-Zarr", array.chunks, files)

"""Copies of layers' pixels in files, for the worker: written once as long as they stay the same."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

import numpy as np

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy
from napari_segment.io.boundary import states_behind
from napari_segment.io.temporary import temporary_folder
from napari_segment.worker.stacks import Chunks, save_array

if TYPE_CHECKING:
    from napari.layers import Layer

Writer: TypeAlias = Callable[[Any, Path], Chunks]

_BLOCK = 2**26  # bytes that are read at once for a checksum


@dataclass(frozen=True)
class Copy:
    """One layer's pixels in a file.

    Parameters
    ----------
    path : Path
        The file.
    chunks : list of list of int
        As `save_array` gave them.
    mark : tuple
        What tells these pixels from others.
    source : object
        A lazy layer's data, held so that no other object takes its place in the mark.
    """

    path: Path
    chunks: Chunks
    mark: tuple[Any, ...]
    source: Any


class Copies:
    """The copies of one process, one a layer.

    Pixels in memory are compared by a checksum, which takes a tenth of the time of writing them
    and notices what was painted or written in place; so are those of arrays on disk, which may be
    written to. Dask arrays are known by their object, the name of what computes them and the
    states of the files that they read.
    """

    def __init__(self) -> None:
        self._retained: dict[int, Copy] = {}
        self._ends: dict[int, Any] = {}  # what waits for the end of each layer
        self._lock = Lock()
        self._folder: Path | None = None

    def writer(self, layer: Layer) -> Writer:
        """Return the function with which `save_stack` writes pixels: it links to the cached copy.

        Parameters
        ----------
        layer : napari layer
            Its copy is dropped when the layer is; `forget` drops it before.
        """
        key, source = id(layer), layer.data
        end = self._ends.get(key)
        if end is None or not end.alive:
            end = self._ends[key] = weakref.finalize(layer, self._drop, key)

        def write(array: Array, path: Path) -> Chunks:
            mark = pixels_mark(array, source)
            with self._lock:
                copy = self._retained.get(key)
                if copy is None or copy.mark != mark or not copy.path.exists():
                    self._drop(key)
                    file = self._new_file()
                    copy = Copy(file, save_array(array, file), mark, source)
                    self._retained[key] = copy
                try:
                    _link(copy.path, path)
                finally:
                    if not end.alive:  # the layer was deleted meanwhile
                        self._drop(key)
            return copy.chunks

        return write

    def forget(self, layer: Layer) -> None:
        """Drop the copy of a layer."""
        self._drop(id(layer))

    def _drop(self, key: int) -> None:
        copy = self._retained.pop(key, None)
        if copy is not None:
            copy.path.unlink(missing_ok=True)

    def _new_file(self) -> Path:
        if self._folder is None:
            self._folder = temporary_folder()
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        handle, name = tempfile.mkstemp(suffix=".npy", dir=self._folder)
        os.close(handle)
        return Path(name)


copies = Copies()


def pixels_mark(array: Array, source: object) -> tuple[Any, ...]:
    """Return what tells pixels from others: of a checksum, or of what computes them.

    Parameters
    ----------
    array : array
        The pixels.
    source : object
        The data of the layer that they are of.
    """
    if is_lazy(array) and is_lazy(source):
        files = states_behind(array)
        return ("lazy", id(source), array.name, array.shape, str(array.dtype), files)
    total = 0
    rows = max(_BLOCK // max(array.dtype.itemsize * int(np.prod(array.shape[1:])), 1), 1)
    for start in range(0, array.shape[0], rows):
        part = np.ascontiguousarray(array[start : start + rows])
        total = crc32(part.view(np.uint8), total)
    return ("pixels", array.shape, str(array.dtype), total)


def _link(copy: Path, path: Path) -> None:
    """Give a copy another name: the worker may still read it when the layer is gone."""
    try:
        os.link(copy, path)
    except OSError:  # a file system without links
        shutil.copyfile(copy, path)

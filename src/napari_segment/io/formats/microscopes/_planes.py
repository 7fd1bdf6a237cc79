"""What the files of microscopes have in common: planes, series, and libraries that are extras."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_segment.arrays import Array
from napari_segment.arrays import Index as Selection
from napari_segment.errors import FormatError, MissingError
from napari_segment.io.boundary import lazy_array

Index: TypeAlias = tuple[int, ...]
Loader: TypeAlias = Callable[[Path, int, Sequence[Index]], Iterator[NDArray[Any]]]


def library(module: str, title: str) -> Any:
    """Import an optional library.

    Raises
    ------
    MissingError
        If it is not installed, with what to install.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingError(
            f"{title} files need a package: pip install 'napari-segment[microscopes]'."
        ) from None


def chosen(names: Sequence[str], series: str, path: Path) -> int:
    """Return the number of the series that is meant, by number or name.

    Raises
    ------
    FormatError
        If there are several and none of them is named.
    """
    if series in names:
        return list(names).index(series)
    if series.isdigit() and int(series) < len(names):
        return int(series)
    if not series and len(names) == 1:
        return 0
    listed = ", ".join(f"{i} ({name})" for i, name in enumerate(names))
    raise FormatError(f"{path.name} holds {len(names)} images; say which by series=…: {listed}.")


@dataclass(eq=False)
class Planes:
    """An array of planes in a file, which are read as they are needed, in any process.

    Parameters
    ----------
    path : Path
        The file.
    series : int
        Which image of it.
    loops : tuple of int
        Sizes of the axes before those of a plane.
    plane : tuple of int
        The shape of a plane, (Y, X) or with an axis of colours or channels.
    dtype : dtype
        Of a value.
    load : callable
        ``load(path, series, indices)`` gives the planes at some positions along the loops. A
        function of a module, so that it can be sent to another process.
    """

    path: Path
    series: int
    loops: Index
    plane: Index
    dtype: np.dtype[Any]
    load: Loader

    def __post_init__(self) -> None:
        self.shape = (*self.loops, *self.plane)
        self.ndim = len(self.shape)

    def __getitem__(self, index: Selection) -> NDArray[Any]:
        given = index if isinstance(index, tuple) else (index,)
        given = tuple(slice(None) if i is Ellipsis else i for i in given)
        filled = (*given, *[slice(None)] * (self.ndim - len(given)))
        outer, inner = filled[: len(self.loops)], filled[len(self.loops) :]
        along = [np.arange(n)[i] for n, i in zip(self.loops, outer, strict=True)]
        where = list(product(*(np.atleast_1d(i).tolist() for i in along)))
        planes = self.load(self.path, self.series, where)
        data = [np.asarray(plane).reshape(self.plane)[inner] for plane in planes]
        shape = [len(i) for i in along if np.ndim(i)]
        if not data:
            rest = np.empty(self.plane, self.dtype)[inner].shape
            return np.empty((*shape, *rest), self.dtype)
        return np.stack(data).reshape((*shape, *data[0].shape)).astype(self.dtype, copy=False)

    def array(self, title: str, *, lazy: bool) -> Array:
        """All of it in memory, or as a Dask array with a block for each plane."""
        if not lazy:
            return self[...]
        chunks = (*[1] * len(self.loops), *self.plane)
        return lazy_array(self, self.path, title, chunks)


def check_planes(path: Path, shape: Sequence[int], dtype: DTypeLike, held: int) -> None:
    """Refuse an image that declares far more than its file can hold when it is unpacked."""
    declared = prod(shape) * np.dtype(dtype).itemsize
    if declared > held * 2000 + (1 << 20):
        raise FormatError(
            f"{path.name} declares {declared:,} bytes of pixels but has {held:,}: it is cut off, "
            "or its header is damaged. Copy or export it again."
        )

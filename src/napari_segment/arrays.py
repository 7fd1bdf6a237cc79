"""Types of arrays: in memory, or lazy."""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import dask.array

Lazy: TypeAlias = "dask.array.Array"
Array: TypeAlias = "NDArray[Any] | Lazy"  # in memory or lazy
Floats: TypeAlias = NDArray[np.floating[Any]]  # in memory, of any precision
Integers: TypeAlias = NDArray[np.integer[Any]]  # in memory, of any width and sign
# What Dask says of the blocks of a call, by their position among its arguments.
BlockInfo: TypeAlias = Mapping[Any, Mapping[str, Any]]
Position: TypeAlias = int | slice | EllipsisType
Index: TypeAlias = Position | tuple[Position, ...]


class Stored(Protocol):
    """An array in a file, read by basic indexing."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    ndim: int

    def __getitem__(self, index: Index, /) -> NDArray[Any]:
        """Read a part."""


class Sliceable(Protocol):
    """An array of which parts are read by slices: NumPy, Dask, zarr, or a view that computes."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, where: tuple[slice, ...], /) -> Any: ...

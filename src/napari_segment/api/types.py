"""Types of what the verbs take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import Image, Labels, Stack
from napari_segment.recipe import SpecLike

if TYPE_CHECKING:
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.io.datasets.pairs import Pairs


class Array(Protocol):
    """A NumPy, Dask or zarr array."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> Any: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Layer(Protocol):
    """A layer of napari, which this package never imports outside of its widgets."""

    @property
    def data(self) -> Any: ...

    @property
    def scale(self) -> Any: ...

    @property
    def translate(self) -> Any: ...


class PointsLayer(Layer, Protocol):
    """A layer of napari that holds points."""

    name: str
    ndim: int

    def data_to_world(self, position: NDArray[np.float64], /) -> tuple[float, ...]: ...


class Module(Protocol):
    """A network of PyTorch, which this package never imports outside of `deep`."""

    def parameters(self, recurse: bool = True) -> Iterator[Any]: ...


ImageLike: TypeAlias = Image | Stack | Array | Layer | str | Path
DataLike: TypeAlias = Labels | Stack | Array | Layer | Path  # what no setting can be
LabelsLike: TypeAlias = DataLike | str
PairsLike: TypeAlias = (
    "Pairs | str | Path | tuple[str | Path, str | Path] | Iterable[tuple[ImageLike, LabelsLike]]"
)
ModelLike: TypeAlias = "SpecLike | Checkpoint | Path | Module"

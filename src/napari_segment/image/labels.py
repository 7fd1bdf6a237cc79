"""Labels: what a segmentation gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.errors import InputError
from napari_segment.image.image import Image
from napari_segment.image.stack import Stack
from napari_segment.recipe import Recipe

Holds: TypeAlias = Literal["mask", "classes", "objects"]
Features: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Labels(Stack):
    """Integers with the geometry of the image they were made from; 0 is background.

    Takes the parameters of `Stack`, and:

    holds : {"mask", "classes", "objects"}
        What a number means: 1 for foreground, a class, or one object.
    names : mapping of int to str
        Class names by number.
    recipe : Recipe, optional
        What made the labels.
    values : tuple of int
        Of a mask and of classes: every number that could have come out, background first; empty
        where that is not known.
    features : mapping of str to array (N,)
        What is known of each object, a column each: ``label``, ``time`` (with a time axis), and
        what the method tells, such as ``class``, ``score`` and ``bbox_y_start``.
        ``pandas.DataFrame(labels.features)`` is the table.
    maps : mapping of str to Image
        What the method gives besides the labels, such as "probabilities" (a channel for each of
        `values`) or "entropy"; of the same geometry.
    """

    holds: Holds = "objects"
    names: Mapping[int, str] = field(default_factory=dict)
    recipe: Recipe | None = None
    values: tuple[int, ...] = ()
    features: Features = field(default_factory=dict)
    maps: Mapping[str, Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if "C" in self.axes:
            raise InputError(f"Labels have no channel axis, but axes {self.axes!r} were given.")
        if self.dtype.kind == "b":
            object.__setattr__(self, "data", self.data.view(np.uint8))  # no copy
        elif self.dtype.kind == "f":
            object.__setattr__(self, "data", _integers(self.data))
        elif self.dtype.kind not in "ui":
            raise InputError(f"Labels must be integers, not {self.dtype}.")
        object.__setattr__(self, "features", _checked_columns(self.features))

    def _extra_text(self) -> tuple[str, ...]:
        names = ", ".join(f"{k} {v}" for k, v in self.names.items())
        more = [f"features: {', '.join(self.features)}"] if self.features else []
        more += [f"maps: {', '.join(self.maps)}"] if self.maps else []
        return (self.holds, names, *more)

    # ---- other labels from them, with what belongs to them ----

    def compute(self) -> Self:
        maps = {name: image.compute() for name, image in self.maps.items()}
        return super().compute().replace(maps=maps)

    def transpose(self, axes: str) -> Self:
        maps = {
            name: image.transpose("C" + axes if "C" in image.axes else axes)
            for name, image in self.maps.items()
        }
        return super().transpose(axes).replace(maps=maps)

    def take(self, axis: str, index: int) -> Self:
        maps = {name: image.take(axis, index) for name, image in self.maps.items()}
        features = _at(self.features, axis, index % max(self.size(axis), 1))
        return super().take(axis, index).replace(maps=maps, features=features)


def smallest_integers(largest: int) -> np.dtype[Any]:
    """Return the smallest unsigned type that holds `largest`."""
    return np.dtype(np.min_scalar_type(max(int(largest), 1)))


def _integers(data: Array) -> Array:
    """Convert whole numbers stored as floats (NIfTI label files) to integers."""
    if isinstance(data, np.ndarray):
        return _whole_numbers(data).astype(smallest_integers(int(data.max(initial=0))))
    meta = np.empty((0,) * data.ndim, np.uint32)
    return data.map_blocks(_as_uint32, dtype=np.uint32, meta=meta)


def _as_uint32(block: NDArray[Any]) -> NDArray[np.uint32]:
    return _whole_numbers(block).astype(np.uint32)


def _whole_numbers(data: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(data).all() or (data != np.rint(data)).any() or (data < 0).any():
        raise InputError("Labels must be whole numbers from 0, but the array holds others.")
    return data


def _checked_columns(features: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    columns = {name: np.asarray(values) for name, values in features.items()}
    if columns and ("label" not in columns or len({c.shape for c in columns.values()}) > 1):
        shapes = ", ".join(f"{name} {c.shape}" for name, c in columns.items())
        raise InputError(
            f"Features are columns of one length, one of them 'label', but these were given: "
            f"{shapes}."
        )
    return columns


def _at(features: Features, axis: str, index: int) -> Features:
    """Return the features at one position along an axis; of the box only what is left of it."""
    rows = features["time"] == index if axis == "T" and "time" in features else slice(None)
    gone = {"time"} if axis == "T" else {f"bbox_{axis.lower()}_{end}" for end in ("start", "stop")}
    return {name: column[rows] for name, column in features.items() if name not in gone}

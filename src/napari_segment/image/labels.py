"""Labels: what a segmentation gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from napari_segment.errors import InputError
from napari_segment.image.stack import Stack
from napari_segment.recipe import Recipe

Holds: TypeAlias = Literal["mask", "classes", "objects"]


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
    """

    holds: Holds = "objects"
    names: Mapping[int, str] = field(default_factory=dict)
    recipe: Recipe | None = None

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

    def _extra_words(self) -> tuple[str, ...]:
        return (self.holds, ", ".join(f"{k} {v}" for k, v in self.names.items()))


def smallest_integers(largest: int) -> np.dtype[Any]:
    """The smallest unsigned type that holds `largest`."""
    return np.dtype(np.min_scalar_type(max(int(largest), 1)))


def _integers(data: Any) -> Any:
    """Whole numbers kept as floats (NIfTI label files) become integers."""
    if isinstance(data, np.ndarray):
        if not np.isfinite(data).all() or (data != np.rint(data)).any() or (data < 0).any():
            raise InputError("Labels must be whole numbers from 0, but the array holds others.")
        return data.astype(smallest_integers(int(data.max(initial=0))))
    return data.astype(np.uint32)

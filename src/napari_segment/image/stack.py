"""Stack: an array that knows its axes, spacing, unit and place in the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Annotated, Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.image.units import length_factor

AXES = "TCZYX"
SPATIAL = "ZYX"
Spacing: TypeAlias = Annotated[
    Sequence[float],
    Field(
        description="Distance between neighbouring voxels along each spatial axis, in array order; "
        "empty for 1."
    ),
]

_DEFAULT_AXES = {2: "YX", 3: "ZYX"}
_PICTURE_SIDE = 16  # (H, W, 3) with both sides longer than this may be a colour picture


@dataclass(frozen=True, eq=False, repr=False)
class Stack:
    """What Image and Labels share: an array and its geometry.

    Parameters
    ----------
    data : ndarray or dask Array
        The pixels. Never copied, never changed.
    axes : str
        One letter of ``TCZYX`` for each array axis, in array order; Y and X are always there.
    spacing : sequence of float
        Distance between neighbours along each spatial axis, in array order, in `unit`.
        Empty means 1 (or what `affine` says).
    unit : str
        Unit of the spacing, such as "micrometer", "millimeter" or "pixel".
    affine : array (D + 1, D + 1), optional
        From the index along the D spatial axes (array order) to world coordinates, whose axes
        have the same order. Default: scaling by the spacing.
    interval : float
        Seconds between time points.
    name : str
        A short name, such as the file's.
    header : mapping
        What else the file said, by format, so that writing the same format keeps it.
    """

    data: Any
    axes: str = ""
    spacing: Sequence[float] = ()
    unit: str = "pixel"
    affine: NDArray[np.float64] | None = None
    interval: float = 1.0
    name: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data = self.data if hasattr(self.data, "ndim") else np.asarray(self.data)
        axes = (self.axes or default_axes(data.shape)).upper()
        _check_axes(axes, data.shape)
        dimensions = sum(a in SPATIAL for a in axes)
        affine = _checked_affine(self.affine, dimensions)
        spacing = tuple(float(s) for s in self.spacing) or _spacing_of(affine, dimensions)
        _check_spacing(spacing, dimensions, axes)
        for key, value in (
            ("data", data),
            ("axes", axes),
            ("spacing", spacing),
            ("affine", affine),
        ):
            object.__setattr__(self, key, value)

    # ---- what it is ----

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    @property
    def spatial_axes(self) -> str:
        """The spatial letters in array order, such as "ZYX"."""
        return "".join(a for a in self.axes if a in SPATIAL)

    @property
    def is_lazy(self) -> bool:
        """Whether the pixels are computed only when asked for (a Dask array)."""
        return not isinstance(self.data, np.ndarray)

    def size(self, axis: str) -> int:
        """Return the length of an axis by letter; 1 where the stack lacks it."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def world(self) -> NDArray[np.float64]:
        """Map indices to the world, (D + 1, D + 1): the affine, or the scaling by the spacing."""
        if self.affine is not None:
            return self.affine
        return np.diag([*self.spacing, 1.0])

    def __repr__(self) -> str:
        size = "×".join(map(str, self.shape))
        step = "×".join(f"{s:.4g}" for s in self.spacing)
        lazy = "lazy " if self.is_lazy else ""
        extra = ", ".join(filter(None, (f"{step} {self.unit}", *self._extra_text())))
        return f"<{type(self).__name__} {self.axes} {size} {lazy}{self.dtype}, {extra}>"

    def _extra_text(self) -> tuple[str, ...]:
        return ()

    def geometry(self) -> dict[str, Any]:
        """Return the fields that stacks on the same grid share: all but pixels and axes."""
        names = ("spacing", "unit", "affine", "interval", "name", "header")
        return {name: getattr(self, name) for name in names}

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.data, dtype=dtype, copy=copy)

    def __getitem__(self, _: Any) -> Any:
        raise InputError(
            f"{type(self).__name__} are not indexed, because a part would lose its place: index "
            "the array, `.data[…]`, or use `.take(axis, index)`. For a napari viewer use "
            "`viewer.add_layer(stack.to_layer())` or `napari_segment.show(stack)`."
        )

    def to_layer(self) -> Any:
        """A napari layer with this stack's pixels, name and place in the world.

        Returns
        -------
        napari.layers.Image or napari.layers.Labels
            For ``viewer.add_layer``. Labels keep their recipe, class names and features.
        """
        # By name: this package, which the others are built on, does not depend on the window.
        return import_module("napari_segment.widgets.layers.show").to_layer(self)

    # ---- other stacks from it ----

    def replace(self, **changes: Any) -> Self:
        """Return the same stack with other fields."""
        return replace(self, **changes)

    def in_unit(self, unit: str) -> Self:
        """The same stack with its lengths in another unit; itself where either is the pixel."""
        factor = length_factor(self.unit, unit)
        if factor is None or unit == self.unit:
            return self
        scale = np.diag([*[factor] * len(self.spacing), 1.0])
        return self.replace(
            spacing=tuple(s * factor for s in self.spacing),
            unit=unit,
            affine=None if self.affine is None else scale @ self.affine,
        )

    def compute(self) -> Self:
        """Return the same stack with its pixels in memory."""
        return self.replace(data=self.data.compute()) if self.is_lazy else self

    def transpose(self, axes: str) -> Self:
        """Reorder the axes; `axes` names the same letters in the wanted order."""
        if sorted(axes) != sorted(self.axes):
            raise InputError(f"Cannot turn axes {self.axes!r} into {axes!r}: other letters.")
        if axes == self.axes:
            return self
        order = [self.axes.index(a) for a in axes]
        spatial = [self.spatial_axes.index(a) for a in axes if a in SPATIAL]
        return self.replace(data=self.data.transpose(order), axes=axes, **_reordered(self, spatial))

    def canonical(self) -> Self:
        """Return the same stack with its axes in the order ``TCZYX``."""
        return self.transpose("".join(a for a in AXES if a in self.axes))

    def named(self, axes: str) -> Self:
        """Name the axes anew, in array order; those that stay spatial keep their spacing."""
        if len(axes) != self.data.ndim or axes == self.axes:
            return self.replace(axes=axes)
        spatial = [b for a, b in zip(axes, self.axes, strict=True) if a in SPATIAL]
        changes: dict[str, Any] = {"channels": ()} if "C" not in axes and "C" in self.axes else {}
        if set(spatial) <= set(SPATIAL):
            changes |= _reordered(self, [self.spatial_axes.index(a) for a in spatial])
        else:
            known = dict(zip(self.spatial_axes, self.spacing, strict=True))
            changes |= {"spacing": tuple(known.get(a, 1.0) for a in spatial), "affine": None}
        return self.replace(axes=axes, **changes)

    def take(self, axis: str, index: int) -> Self:
        """Return one position along an axis; the axis is gone from the result."""
        if axis not in self.axes:
            raise InputError(f"The axes {self.axes!r} have no {axis!r}.")
        where = (slice(None),) * self.axes.index(axis) + (index,)
        changes: dict[str, Any] = {}
        if axis in SPATIAL:
            rest = [i for i, a in enumerate(self.spatial_axes) if a != axis]
            changes = _reordered(self, rest)
        if axis == "C" and hasattr(self, "channels"):
            changes["channels"] = ()
        return self.replace(data=self.data[where], axes=self.axes.replace(axis, ""), **changes)


def default_axes(shape: Sequence[int]) -> str:
    """Return the axes of an array that names none: YX or ZYX.

    Parameters
    ----------
    shape : sequence of int
        The array's shape.

    Raises
    ------
    InputError
        For other dimensions, and for what may be a colour picture: roles are never guessed.
    """
    if len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > _PICTURE_SIDE:
        raise InputError(
            f"An array of shape {tuple(shape)} may be a colour picture or a volume. "
            "Say which: axes='YXC' or axes='ZYX'."
        )
    if len(shape) == 3 and shape[2] == 1 and min(shape[:2]) > 1:
        raise InputError(
            f"An array of shape {tuple(shape)} may be a plane with one channel or a volume one "
            "voxel wide. Say which: axes='YXC' or axes='ZYX'."
        )
    if len(shape) not in _DEFAULT_AXES:
        raise InputError(
            f"An array of {len(shape)} dimensions needs its axes named, one letter of {AXES} "
            "each, such as axes='TZYX' (without axes, 2-D is YX and 3-D is ZYX)."
        )
    return _DEFAULT_AXES[len(shape)]


def _check_axes(axes: str, shape: Sequence[int]) -> None:
    wrong = [a for a in axes if a not in AXES]
    if wrong or len(set(axes)) < len(axes) or not {"Y", "X"} <= set(axes):
        raise InputError(
            f"The axes {axes!r} are not usable. Use each letter of {AXES} at most once, "
            "Y and X always, such as 'ZYX' or 'TCYX'."
        )
    if len(axes) != len(shape):
        raise InputError(
            f"The axes {axes!r} name {len(axes)} dimensions, but the array has {len(shape)} "
            f"(shape {tuple(shape)})."
        )


def _checked_affine(affine: ArrayLike | None, dimensions: int) -> NDArray[np.float64] | None:
    if affine is None:
        return None
    matrix = np.array(affine, np.float64)
    if matrix.shape != (dimensions + 1, dimensions + 1) or not np.isfinite(matrix).all():
        raise InputError(
            f"The affine must be a finite matrix of shape {(dimensions + 1, dimensions + 1)} for "
            f"{dimensions} spatial axes, but has shape {matrix.shape}."
        )
    matrix.setflags(write=False)
    return matrix


def _spacing_of(affine: NDArray[np.float64] | None, dimensions: int) -> tuple[float, ...]:
    if affine is None:
        return (1.0,) * dimensions
    return tuple(float(s) for s in np.linalg.norm(affine[:-1, :-1], axis=0))


def _check_spacing(spacing: tuple[float, ...], dimensions: int, axes: str) -> None:
    if len(spacing) != dimensions or not all(0 < s < np.inf for s in spacing):
        raise InputError(
            f"The spacing {spacing} does not fit: give one positive number for each of the "
            f"{dimensions} spatial axes of {axes!r}, in array order."
        )


def _reordered(stack: Stack, keep: list[int]) -> dict[str, Any]:
    spacing = tuple(stack.spacing[i] for i in keep)
    if stack.affine is None:
        return {"spacing": spacing}
    index = [*keep, len(stack.spacing)]
    return {"spacing": spacing, "affine": stack.affine[np.ix_(index, index)]}

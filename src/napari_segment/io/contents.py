"""What a file gives: pixels with their geometry, before it is known whether they are labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_segment.arrays import Array
from napari_segment.errors import FormatError, InputError
from napari_segment.image import SPATIAL, Image, Labels, Stack, smallest_integers
from napari_segment.image.units import PIXEL, canonical_unit, common_length_unit, time_factor
from napari_segment.io.names import stem
from napari_segment.io.reports import WARNINGS, report_warning

COLORS = "colors"  # in the header of labels: red, green and blue from 0 to 1 of each label
LINEAGE = "lineage"  # in the header of labels: rows of label, first and last time, parent
REACH = "reach"  # in the header of labels: whether the file gives outlines without a size
DICOM = "dicom"  # in the header: the source and series of an image, the codes of segments
KEY = "napari-segment"  # under which formats with room for it keep what they have no field for

_SYMBOLS = {
    "nanometer": "nm", "micrometer": "um", "millimeter": "mm", "centimeter": "cm",
    "decimeter": "dm", "meter": "m", "inch": "in",
}  # fmt: skip
_NO_UNIT = "reference frame"  # OME's word for pixels of an unknown size


@dataclass(frozen=True, eq=False)
class Contents(Stack):
    """Takes the parameters of `Stack`, and what `Image` and `Labels` have beyond it."""

    channels: tuple[str, ...] = ()
    holds: str = ""
    names: Mapping[int, str] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return the parameters that Image and Labels share."""
        keys = ("data", "axes", "spacing", "unit", "affine", "interval", "name", "header")
        return {key: getattr(self, key) for key in keys}


def gather(
    path: Path,
    data: Array,
    axes: str,
    scale: Mapping[str, float] | None = None,
    *,
    wanted: str = "",
    affine: ArrayLike | None = None,
    **more: Any,
) -> Contents:
    """Put together what a format module found.

    Parameters
    ----------
    path : Path
        The file, for its name and for messages.
    data : ndarray or dask Array
        The pixels; other byte orders are turned into the machine's.
    axes : str
        One letter for each array axis as the file has it, or "" where the file does not say.
    scale : mapping of str to float
        Spacing by axis letter; missing or unusable ones count as 1.
    wanted : str
        Axis letters from the user, which win over the file's.
    affine : array, optional
        Index to world for the spatial axes of `axes`.
    **more
        Further parameters of `Contents`.
    """
    if not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    letters = wanted.upper() or axes
    if affine is not None and [a for a in letters if a in SPATIAL] != [
        a for a in axes if a in SPATIAL
    ]:
        affine = None
    if "C" not in letters:
        more.pop("channels", None)
    try:
        plain = Contents(data, letters, name=stem(path))
        affine = _usable_affine(affine, path)
        more["unit"] = more.get("unit", PIXEL)
        spacing, more["unit"] = _usable_spacing(plain.spatial_axes, scale or {}, more["unit"], path)
        return plain.replace(spacing=spacing, affine=affine, **more)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


def one_channel(contents: Contents, path: Path) -> Contents:
    """Return labels without their channel axis, if all channels but alpha are equal.

    Raises
    ------
    FormatError
        If channels differ: which colour is which label is not known.
    """
    if "C" not in contents.axes:
        return contents
    names = contents.channels or ("",) * contents.size("C")
    first, *others = [contents.take("C", i) for i, name in enumerate(names) if name != "alpha"]
    if any(bool((other.data != first.data).any()) for other in others):
        raise FormatError(
            f"{path.name} is a colour picture, or has channels that differ, and which colour is "
            "which label is not known. Save labels as numbers: one channel, or a palette."
        )
    return first.replace(channels=())


def _usable_spacing(
    axes: str, scale: Mapping[str, float], unit: str, path: Path
) -> tuple[list[float], str]:
    """Return positive spacings and their unit; what is missing or impossible is reported."""
    sizes = {a: float(scale[a]) if a in scale else np.nan for a in axes}
    for axis, size in sizes.items():
        if np.isfinite(size) and size < 0:
            sizes[axis] = -size
            report_warning(
                f"{path.name} gives the spacing {size:g} along {axis}: taken as {-size:g} {unit}."
            )
    unknown = [a for a, size in sizes.items() if not (np.isfinite(size) and size > 0)]
    wrong = [f"{scale[a]:g} along {a}" for a in unknown if a in scale]
    if not unknown or (not wrong and unit == PIXEL):
        return [size if a not in unknown else 1.0 for a, size in sizes.items()], unit
    unit = PIXEL if len(unknown) == len(sizes) else unit
    what = f"gives the spacing {', '.join(wrong)}" if wrong else "gives no spacing"
    report_warning(
        f"{path.name} {what}: the distance of voxels along {', '.join(unknown)} is not known, and "
        f"1 {unit} is taken. Give the right spacing."
    )
    return [size if a not in unknown else 1.0 for a, size in sizes.items()], unit


def _usable_affine(affine: ArrayLike | None, path: Path) -> NDArray[np.float64] | None:
    """Return an affine that can be inverted, or None, which is reported."""
    if affine is None:
        return None
    matrix = np.asarray(affine, float)
    if np.isfinite(matrix).all() and np.linalg.matrix_rank(matrix[:-1, :-1]) == len(matrix) - 1:
        return matrix
    report_warning(
        f"{path.name}: its affine does not span a space, so that its position and orientation are "
        "not known. Only its spacing is taken."
    )
    return None


def from_lps(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn an affine of (x, y[, z]) in a world of left, posterior, superior into ours.

    A plane's world has no directions of anatomy, and keeps its signs.
    """
    n = len(matrix) - 1
    order = [*range(n - 1, -1, -1), n]
    signs = np.diag([-1.0, -1, 1, 1]) if n == 3 else np.eye(n + 1)
    return np.asarray((signs @ matrix)[np.ix_(order, order)], np.float64)


def to_lps(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn an affine of ours into one of (x, y[, z]) in left, posterior, superior."""
    n = len(matrix) - 1
    order = [*range(n - 1, -1, -1), n]
    signs = np.diag([-1.0, -1, 1, 1]) if n == 3 else np.eye(n + 1)
    return np.asarray(signs @ matrix[np.ix_(order, order)], np.float64)


PLANE = "plane"  # in the header of a 2-D stack: where it lies in three dimensions


def plane_geometry(matrix: NDArray[np.float64]) -> dict[str, Any]:
    """Return the affine of a plane and its header, which says where it lies in three dimensions.

    Parameters
    ----------
    matrix : array (4, 4)
        From (z, y, x) to (superior, anterior, right), z being across the plane.

    Returns
    -------
    dict
        ``header``, and ``affine``, which an axial plane alone has.
    """
    metadata: dict[str, Any] = {"header": {PLANE: np.asarray(matrix).tolist()}}
    if not np.allclose(matrix[0, 1:3], 0) or not np.allclose(matrix[1:3, 0], 0):
        return metadata
    affine = matrix[1:, 1:]
    return (
        metadata | {"affine": affine} if np.linalg.matrix_rank(affine[:-1, :-1]) == 2 else metadata
    )


def plane_matrix(stack: Stack) -> NDArray[np.float64] | None:
    """Return the matrix of a plane in three dimensions, for `plane_geometry`, if it still fits."""
    given = stack.header.get(PLANE)
    if given is None or stack.spatial_axes != "YX":
        return None
    matrix = np.array(given, float)
    if stack.affine is not None:
        return matrix if np.allclose(stack.affine, matrix[1:, 1:], atol=1e-6) else None
    sizes = np.linalg.norm(matrix[:3, 1:3], axis=0)
    return matrix if np.allclose(sizes, stack.spacing, rtol=1e-5) else None


def unit_name(text: str | None) -> str:
    """Return the full name of a unit of length.

    Examples
    --------
    >>> unit_name("µm"), unit_name("mm"), unit_name(None), unit_name("furlong")
    ('micrometer', 'millimeter', 'pixel', 'furlong')
    """
    text = (text or "").strip()
    return PIXEL if text.lower() == _NO_UNIT else canonical_unit(text) or text


def unit_symbol(name: str) -> str:
    """Return the short form of a unit's full name ("µm" as ASCII "um"), or the name itself."""
    return _SYMBOLS.get(name, name)


def one_unit(units: Mapping[str, str | None], path: Path) -> tuple[str, dict[str, float]]:
    """Bring the spatial axes of a file to one unit.

    Parameters
    ----------
    units : mapping of str to str or None
        The unit of each axis by its letter, X last, in any usual spelling.
    path : Path
        For the message.

    Returns
    -------
    unit, factors : str, dict of str to float
        The unit of the last axis, and what the spacing of each axis is to be multiplied with. Where
        a unit is not known, a warning says that the numbers are taken without conversion.
    """
    names = {axis: unit_name(unit) for axis, unit in units.items()}
    common = common_length_unit(list(names.values()))
    if common is not None:
        return common[0], dict(zip(names, common[1], strict=True))
    listed = ", ".join(f"{axis} in {name!r}" for axis, name in names.items())
    report_warning(
        f"{path.name} gives its spacing in units that cannot be converted ({listed}). The numbers "
        "are taken as they are; check them, and give the right spacing and unit."
    )
    return names[next(reversed(names))], dict.fromkeys(names, 1.0)


def in_seconds(interval: float, unit: str | None, path: Path) -> float:
    """Convert the time between time points; a unit that is not known is reported."""
    factor = time_factor(unit or "second")
    if factor is None:
        report_warning(
            f"{path.name} gives its time interval in {unit!r}, which is no known unit of time. "
            f"{interval:g} seconds are taken; check them."
        )
    return interval * (factor or 1.0)


# ---- what formats have no field for ----


def extras(stack: Stack, *keys: str) -> dict[str, Any]:
    """Return what a format has no field for, in plain values; `keys` are further attributes."""
    saved: dict[str, Any] = {"axes": stack.axes}
    if stack.affine is not None:
        saved["affine"] = stack.affine.tolist()
    if isinstance(stack, Labels):
        saved["holds"] = stack.holds
        if stack.names:
            saved["names"] = {str(k): v for k, v in stack.names.items()}
        if stack.header.get(COLORS):
            saved[COLORS] = {str(k): list(v) for k, v in stack.header[COLORS].items()}
    elif isinstance(stack, Image) and stack.channels:
        saved["channels"] = list(stack.channels)
    if stack.header.get(WARNINGS):
        saved[WARNINGS] = list(stack.header[WARNINGS])
    saved.update({key: getattr(stack, key) for key in keys})
    return saved


def from_extras(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of Contents among what `extras` gave."""
    result = {k: saved[k] for k in ("holds", "unit", "interval") if k in saved}
    if "names" in saved:
        result["names"] = {int(k): str(v) for k, v in saved["names"].items()}
    if "channels" in saved:
        result["channels"] = tuple(saved["channels"])
    if "affine" in saved:
        result["affine"] = np.array(saved["affine"])
    header: dict[str, Any] = {}
    if WARNINGS in saved:
        header[WARNINGS] = tuple(map(str, saved[WARNINGS]))
    if COLORS in saved:
        header[COLORS] = {int(k): tuple(map(float, v)) for k, v in saved[COLORS].items()}
    return result | ({"header": header} if header else {})


def to_text(saved: Mapping[str, Any]) -> str:
    """JSON in one line of ASCII without "=", which some headers split at."""
    return json.dumps(saved).replace("=", "\\u003d")


def from_text(text: object) -> dict[str, Any]:
    """Return what `to_text` wrote; empty for anything else."""
    try:
        parsed = json.loads(text) if isinstance(text, str | bytes) else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


# ---- making data fit a format ----


def fit_type(stack: Stack, allowed: str, path: Path) -> Stack:
    """Bring pixels to a type that the format has, without changing a value.

    Parameters
    ----------
    stack : Stack
        What is to be written.
    allowed : str
        NumPy type codes that the format has, such as "u1 u2 f4".
    path : Path
        For the message.

    Raises
    ------
    FormatError
        If no type of the format holds all values.
    """
    types = [np.dtype(code) for code in allowed.split()]
    if stack.dtype in types:
        return stack
    same_kind = [t for t in types if (t.kind == "f") == (stack.dtype.kind == "f")]
    fitting = [t for t in same_kind if np.can_cast(stack.dtype, t, "safe")]
    if not fitting and stack.dtype.kind in "ui":
        low, high = _range(stack.data)
        fitting = [t for t in same_kind if np.iinfo(t).min <= low and high <= np.iinfo(t).max]
    if fitting:
        return stack.replace(data=stack.data.astype(fitting[0]))
    raise FormatError(
        f"{path.name} cannot hold values of type {stack.dtype} without loss. "
        "Write .tif, .zarr or .npz, which hold any type, or convert the values first."
    )


def _range(data: Array) -> tuple[int, int]:
    from napari_segment.blocks import reduce

    if data.size == 0:
        return 0, 0
    return reduce(
        data,
        lambda block: (int(block.min()), int(block.max())),
        lambda parts: (min(p[0] for p in parts), max(p[1] for p in parts)),
    )


def compact(labels: Labels) -> Labels:
    """Return labels in the smallest unsigned type that holds them; negative ones as they are."""
    low, high = _range(labels.data)
    if low < 0:
        return labels
    return labels.replace(data=labels.data.astype(smallest_integers(high), copy=False))

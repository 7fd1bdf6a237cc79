"""NRRD (``.nrrd``, ``.nhdr`` with its pixels in a file of their own), the format of 3D Slicer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB, Labels, Stack
from napari_segment.io.containment import contained
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    fit_type,
    from_extras,
    from_text,
    gather,
    one_unit,
    to_text,
    unit_name,
    unit_symbol,
)
from napari_segment.io.formats._slicer_segments import (
    described,
    fields_of,
    one_layer,
    segments_of,
)
from napari_segment.io.names import suffix
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import DEFLATE, check_expansion, check_size

_COLOURS = {"RGB-color": RGB, "RGBA-color": (*RGB, "alpha")}
# From the world of the file, (x, y, z), to (right, anterior, superior).
_TO_RAS = {
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
}  # fmt: skip
_SIZES = {
    "char": 1, "uchar": 1, "int8": 1, "uint8": 1, "short": 2, "ushort": 2, "int16": 2, "uint16": 2,
    "int": 4, "uint": 4, "int32": 4, "uint32": 4, "longlong": 8, "ulonglong": 8, "int64": 8,
    "uint64": 8, "float": 4, "double": 8,
}  # fmt: skip
_TYPES = "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8"


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Read an NRRD file; the parameters are those of `napari_segment.io.read`.

    Axes come from the header's ``kinds``; without them up to three axes are ZYX. Segment names
    and colours of 3D Slicer (``.seg.nrrd``) become those of classes.
    """
    return _read(path, axes, labels=False)


def read_indices(
    path: Path,
    *,
    axes: str = "",
    lazy: bool = False,  # noqa: ARG001
    series: str = "",  # noqa: ARG001
) -> Contents:
    """Read labels; the layers of 3D Slicer's segments, where there are several, become one."""
    return _read(path, axes, labels=True)


def _read(path: Path, axes: str, *, labels: bool) -> Contents:
    import nrrd

    _check_sizes(nrrd.read_header(str(path)), path)
    data, header = nrrd.read(str(path), index_order="C")
    own, segments = _axes(header), segments_of(header)
    layered = labels and "C" in own and len({s.layer for s in segments}) > 1
    if layered:
        data = np.moveaxis(data, own.index("C"), 0)
        data, segments = one_layer(data, segments, path.name)
    metadata = described(segments) | ({"holds": "classes"} if segments else {})
    metadata |= from_extras({} if layered else from_text(header.get(KEY)))
    metadata.pop("affine", None)
    colour = _COLOURS.get(next((k for k in header.get("kinds", ()) if k in _COLOURS), ""))
    if colour:
        metadata.setdefault("channels", colour)
    scale, affine = _geometry(header, own)
    stated, scale, affine = _in_one_unit(header, own, scale, affine, path)
    metadata["unit"] = metadata.get("unit") or stated
    if "space" in header:
        metadata["header"] = metadata.get("header", {}) | {"nrrd": {"space": str(header["space"])}}
    own = own.replace("C", "") if layered else own
    return gather(path, np.asarray(data), own, scale, wanted=axes, affine=affine, **metadata)


def _check_sizes(header: dict[str, Any], path: Path) -> None:
    """Compare the declared size with that of the file, or of the one that it names."""
    named = header.get("data file", header.get("datafile"))
    source = path if named is None else path.parent / str(named)
    contained(source, path.parent, path)
    if named is not None and (isinstance(named, list) or str(named).startswith("LIST")):
        return
    if not source.is_file():
        raise FormatError(
            f"{path.name} names its data file {named}, which is not there. Put it into the folder."
        )
    plain = re.sub(r"_t$", "", str(header.get("type")).replace("unsigned ", "u"))
    bytes_each = _SIZES.get(plain.replace("signed ", "").replace(" int", "").replace(" ", ""))
    if bytes_each is None or header.get("encoding") not in ("raw", "gzip", "gz"):
        return
    declared = math.prod(int(n) for n in header["sizes"]) * bytes_each
    ratio = 1 if header["encoding"] == "raw" else DEFLATE
    check_size(path.name, declared, source.stat().st_size, ratio=ratio)
    check_expansion(path.name, declared, source.stat().st_size)


def _in_one_unit(
    header: dict[str, Any],
    own: str,
    scale: dict[str, float],
    affine: NDArray[np.float64] | None,
    path: Path,
) -> tuple[str, dict[str, float], Any]:
    """Return the unit of X, with the spacings and the affine in it."""
    world = header.get("space units")
    listed = world if world is not None else header.get("units")
    if listed is None or not own:
        return unit_name(""), scale, affine
    letters = "XYZ"[: len(listed)] if world is not None else own[::-1]
    names = {a: str(u).strip('"') for a, u in zip(letters, listed, strict=False) if a in "XYZ"}
    ordered = {a: names[a] for a in "ZYX" if a in names}
    unit, factors = one_unit(ordered, path)
    if world is None or affine is None:
        return unit, {a: s * factors.get(a, 1.0) for a, s in scale.items()}, affine
    rows = [factors.get(a, 1.0) for a in "ZYX" if a in own]
    affine = np.diag([*rows, 1.0]) @ affine
    sizes = np.linalg.norm(affine[:-1, :-1], axis=0)
    return unit, dict(zip([a for a in "ZYX" if a in own], map(float, sizes), strict=True)), affine


def _axes(header: dict[str, Any]) -> str:
    """Return the letters in array order; the file lists its axes from fast to slow."""
    kinds = [str(k) for k in header.get("kinds", ())]
    directions = header.get("space directions")
    dimension = int(header["dimension"])
    if not kinds and directions is not None:
        kinds = ["domain" if np.isfinite(d).all() else "list" for d in _rows(directions)]
    if not kinds:
        return "ZYX"[-dimension:] if dimension <= 3 else ""
    letters, space = "", iter("XYZ")
    for kind in kinds:
        plain = kind in ("domain", "space", "???", "none")
        letters += next(space, "?") if plain else "T" if kind == "time" else "C"
    return letters[::-1] if len(set(letters)) == len(letters) and "?" not in letters else ""


def _rows(directions: Iterable[Sequence[float] | None]) -> list[NDArray[Any]]:
    dimension = next((len(d) for d in directions if d is not None), 0)
    return [np.full(dimension, np.nan) if d is None else np.asarray(d, float) for d in directions]


def _geometry(header: dict[str, Any], own: str) -> tuple[dict[str, float], NDArray[Any] | None]:
    letters = own[::-1]
    if "space directions" not in header or not own:
        spacings = header.get("spacings", ())
        return dict(zip(letters, map(float, spacings), strict=False)), None
    rows = _rows(header["space directions"])
    spatial = [r for r, a in zip(rows, letters, strict=True) if a in "XYZ"]
    scale = {a: float(np.linalg.norm(r)) for a, r in zip(letters, rows, strict=True) if a in "XYZ"}
    n = len(spatial)
    if any(len(r) != n or not np.isfinite(r).all() for r in spatial):
        return scale, None
    matrix = np.eye(n + 1)
    matrix[:n, :n] = np.array(spatial).T
    matrix[:n, n] = header.get("space origin", np.zeros(n))
    sign = _TO_RAS.get(str(header.get("space", "")).lower(), (1,) * n)
    matrix = np.diag([*sign, 1.0]) @ matrix if len(sign) == n else matrix
    order = [*range(n - 1, -1, -1), n]
    return scale, matrix[np.ix_(order, order)]


def write(stack: Stack, path: Path) -> None:
    """Write NRRD, in the world of the file that was read, else right-anterior-superior.

    Class names and colours are written as those of 3D Slicer's segments. The pixels of ``.nhdr``
    are in a file next to it.
    """
    import nrrd

    if suffix(path) == ".seg.nrrd" and not isinstance(stack, Labels):
        raise FormatError(f"{path.name} is for labels. Write an image as .nrrd.")
    stack = fit_type(stack, _TYPES, path)
    stack = stack.transpose("".join(a for a in "CTZYX" if a in stack.axes)).compute()
    try:
        nrrd.write(str(path), np.ascontiguousarray(stack.data), _header(stack), index_order="C")
    except nrrd.NRRDError as error:
        raise FormatError(f"{path.name} cannot be written: {error}") from None


def _header(stack: Stack) -> dict[str, Any]:
    letters, n = stack.axes[::-1], len(stack.spacing)
    order = [*range(n - 1, -1, -1), n]
    matrix = stack.world()[np.ix_(order, order)]
    header: dict[str, Any] = {}
    if n == 3 and stack.affine is not None:
        space = stack.header.get("nrrd", {}).get("space", "right-anterior-superior")
        matrix = np.diag([*_TO_RAS.get(space.lower(), (1, 1, 1)), 1.0]) @ matrix
        header["space"] = space
    else:
        header["space dimension"] = n
    columns = iter(matrix[:n, :n].T)
    header["space directions"] = np.array(
        [next(columns) if a in "XYZ" else np.full(n, np.nan) for a in letters]
    )
    header["space origin"] = matrix[:n, n]
    kinds = {"T": "time", "C": "list"}
    header["kinds"] = [kinds.get(a, "domain") for a in letters]
    if stack.unit != "pixel":
        header["space units"] = [unit_symbol(stack.unit)] * n
    header[KEY] = to_text(extras(stack, "interval"))
    if isinstance(stack, Labels):
        header |= fields_of(stack)
    return header


formats.add(Format(
    name="nrrd", title="NRRD", suffixes=(".nrrd", ".nhdr"), read=read, read_indices=read_indices,
    write=write,
))  # fmt: skip
formats.add(Format(
    name="slicer-segments", title="3D Slicer's segmentation (NRRD)", suffixes=(".seg.nrrd",),
    read=read, read_indices=read_indices, write=write, writes_images=False, floats_as=".nrrd",
))  # fmt: skip

"""MetaImage (``.mha``, ``.mhd`` with its pixels in a file of their own), the format of ITK.

https://docs.itk.org/en/latest/learn/metaio.html
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import SPATIAL, Stack
from napari_segment.image.units import length_factor
from napari_segment.io.boundary import lazy_array
from napari_segment.io.containment import contained
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    fit_type,
    from_extras,
    from_lps,
    from_text,
    gather,
    to_lps,
    to_text,
    unit_name,
    unit_symbol,
)
from napari_segment.io.names import suffix
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import DEFLATE, check_expansion, check_size

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_NAMES = {code: name for name, code in _TYPES.items() if name not in ("MET_LONG", "MET_ULONG")}
_UNITS = ("micrometer", "millimeter", "centimeter")
_LONGEST_HEADER = 2**20  # bytes of a line
_LONGEST_FIELD = 20_000


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Read a MetaImage file; the parameters are those of `napari_segment.io.read`.

    A fourth dimension is T. Spacing without a unit is in millimetres, as every reader takes it.
    """
    header, offset = _header(path)
    data = _pixels(path, header, offset, lazy)
    own = "TZYX"[-len(header["DimSize"].split()) :] + "C" * (_channels(header) > 1)
    saved = from_text("".join(v for k, v in header.items() if k.startswith(KEY)))
    if saved:
        stored = _stored_axes(saved["axes"])
        data = data[..., None] if stored.endswith("C") and "C" not in own else data
        own = stored if len(stored) == data.ndim else own
    metadata = from_extras(saved)
    metadata.pop("affine", None)
    unit = unit_name(header.get("DistanceUnits", "mm").replace("?", "mm"))
    metadata.setdefault("unit", unit)
    scale, affine, interval = _geometry(header, own, length_factor(unit, metadata["unit"]) or 1.0)
    metadata["interval"] = interval
    return gather(path, data, own, scale, wanted=axes, affine=affine, **metadata)


# ---- header ----


def _header(path: Path) -> tuple[dict[str, str], int]:
    """The fields, and where they end; the field that names the file of the pixels is the last."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while "ElementDataFile" not in fields:
            line = file.readline(_LONGEST_HEADER)
            key, sign, value = line.decode("utf-8", "replace").partition("=")
            if not sign:
                break
            fields[key.strip()] = value.strip()
        offset = file.tell()
    missing = [k for k in ("NDims", "DimSize", "ElementType", "ElementDataFile") if k not in fields]
    if missing:
        raise FormatError(
            f"{path.name} has no field {missing[0]} in its header, which a MetaImage file needs. "
            "It is damaged or another kind of file; export it again."
        )
    _check_header(path, fields)
    return fields, offset


def _check_header(path: Path, fields: Mapping[str, str]) -> None:
    sizes = [int(n) for n in fields["DimSize"].split()]
    if len(sizes) != int(fields["NDims"]) or not 2 <= len(sizes) <= 4 or min(sizes) < 1:
        raise FormatError(
            f"{path.name} declares {fields['NDims']} dimensions of sizes {fields['DimSize']}; two "
            "to four of at least 1 are read. Export it again."
        )
    if fields["ElementType"].removesuffix("_ARRAY") not in _TYPES:
        raise FormatError(
            f"{path.name} declares values of type {fields['ElementType']}, which is no type of "
            "numbers that is known. Export it again."
        )
    if fields.get("BinaryData", "True").lower() == "false":
        raise FormatError(f"{path.name} holds its pixels as text. Export it in binary form.")


def _channels(header: Mapping[str, str]) -> int:
    return int(header.get("ElementNumberOfChannels", 1))


def _geometry(
    header: Mapping[str, str], own: str, factor: float
) -> tuple[dict[str, float], NDArray[np.float64] | None, float]:
    """Spacing by axis, the affine, and the interval; lengths are multiplied with a factor."""
    letters = [a for a in reversed(own) if a != "C"]
    count = int(header["NDims"])
    steps = _numbers(header, ("ElementSpacing", "ElementSize"), np.ones(count))
    sizes = {a: s * (1 if a == "T" else factor) for a, s in zip(letters, steps, strict=False)}
    interval = sizes.pop("T", 1.0)
    n = len([a for a in own if a in SPATIAL])
    turn = _numbers(header, ("TransformMatrix", "Rotation", "Orientation"), np.eye(count).ravel())
    origin = _numbers(header, ("Offset", "Position", "Origin"), np.zeros(count))
    if not {"TransformMatrix", "Offset", "Position", "Origin", "Orientation"} & set(header):
        return sizes, None, interval
    if turn.size != count**2 or origin.size != count:
        raise FormatError("its orientation or its origin does not have the numbers of its axes.")
    matrix = np.eye(n + 1)
    matrix[:n, :n] = (turn.reshape(count, count)[:n, :n] * steps[:n, None]).T * factor
    matrix[:n, n] = origin[:n] * factor
    return sizes, from_lps(matrix), interval if interval > 0 else 1.0


def _numbers(
    header: Mapping[str, str], names: tuple[str, ...], default: NDArray[np.float64]
) -> NDArray[np.float64]:
    text = next((header[n] for n in names if n in header), None)
    return default if text is None else np.array([float(v) for v in text.split()])


def _stored_axes(axes: str) -> str:
    """The order of axes in a file: channels belong to a voxel."""
    return "".join(a for a in "TZYX" if a in axes) + "C" * ("C" in axes)


# ---- pixels ----


def _pixels(path: Path, header: Mapping[str, str], offset: int, lazy: bool) -> Any:
    big = header.get("BinaryDataByteOrderMSB", header.get("ElementByteOrderMSB", "False"))
    code = _TYPES[header["ElementType"].removesuffix("_ARRAY")]
    dtype = np.dtype(code).newbyteorder(">" if big.lower() == "true" else "<")
    sizes = [int(n) for n in header["DimSize"].split()][::-1]
    shape = (*sizes, _channels(header)) if _channels(header) > 1 else tuple(sizes)
    files = _data_files(path, header)
    if files != [path]:
        offset = max(int(header.get("HeaderSize", 0)), 0)
    part = shape if len(files) == 1 else shape[1:]
    packed = header.get("CompressedData", "False").lower() == "true"
    if int(header.get("HeaderSize", 0)) < 0 and not packed:
        offset = files[0].stat().st_size - math.prod(part) * dtype.itemsize
    for file in files:
        held = file.stat().st_size - max(offset, 0)
        declared = math.prod(part) * dtype.itemsize
        check_size(f"{path.name} ({file.name})", declared, held, ratio=DEFLATE if packed else 1)
        if packed:
            check_expansion(path.name, declared, file.stat().st_size)
    if len(files) == 1 and not packed:
        mapped = _Mapped(files[0], dtype, offset, shape)
        watched = (path, *(f for f in files if f != path))
        return lazy_array(mapped, path, "MetaImage", files=watched) if lazy else mapped[...]
    planes = [_unpacked(f, dtype, offset, part, packed=packed) for f in files]
    return planes[0] if len(planes) == 1 else np.stack(planes)


def _data_files(path: Path, header: Mapping[str, str]) -> list[Path]:
    """The file itself, the one that it names, or one for each plane of its last dimension."""
    named = header["ElementDataFile"]
    if named.upper() == "LOCAL":
        return [path]
    if named.upper().startswith("LIST"):
        lines = path.read_text("utf-8", "replace").partition("ElementDataFile")[2].splitlines()
        files = [path.parent / line.strip() for line in lines[1:] if line.strip()]
    elif "%" in named:
        pattern, *limits = named.split()
        first, last, step = (*map(int, limits), 1)[:3]
        files = [path.parent / (pattern % i) for i in range(first, last + 1, step)]
    else:
        return _present([path.parent / named], path)
    planes = int(header["DimSize"].split()[-1])
    if len(files) != planes:
        raise FormatError(
            f"{path.name} declares {planes} planes but names {len(files)} files. Export it again."
        )
    return _present(files, path)


def _present(files: list[Path], path: Path) -> list[Path]:
    for file in files:
        contained(file, path.parent, path)
    absent = [f.name for f in files if not f.is_file()]
    if absent:
        raise FormatError(
            f"{path.name} names the file {absent[0]} of its pixels, which is not there. Put it "
            "into the folder."
        )
    return files


def _unpacked(
    file: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...], *, packed: bool
) -> NDArray[Any]:
    content = file.read_bytes()[offset:]
    if packed:
        content = zlib.decompress(content, wbits=47)  # zlib or gzip
    data = np.frombuffer(content, dtype, math.prod(shape))
    return data.reshape(shape)


class _Mapped:
    """The pixels of a file, mapped anew in every process that reads from it."""

    def __init__(
        self, path: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]
    ) -> None:
        self.path, self.stored, self.offset, self.shape = path, dtype, offset, shape
        self.dtype, self.ndim = dtype.newbyteorder("="), len(shape)

    def __getitem__(self, index: Any) -> Any:
        data = np.memmap(self.path, self.stored, "r", self.offset, self.shape)
        return np.array(data[index], self.dtype)


# ---- writing ----


def write(stack: Stack, path: Path) -> None:
    """Write MetaImage in ITK's world; the pixels of ``.mhd`` are in a ``.zraw`` file next to it.

    What the format has no field for is in fields of our own, which other programs pass over.
    """
    stack = fit_type(stack, " ".join(_NAMES), path)
    stack = stack.transpose(_stored_axes(stack.axes)).compute()
    stored = np.ascontiguousarray(stack.data, stack.dtype.newbyteorder("<"))
    content = zlib.compress(stored.tobytes(), 2)
    detached = suffix(path) == ".mhd"
    fields = _fields(stack) | {
        "CompressedData": "True",
        "CompressedDataSize": str(len(content)),
        "ElementDataFile": f"{path.stem}.zraw" if detached else "LOCAL",
    }
    header = "".join(f"{key} = {value}\n" for key, value in fields.items()).encode()
    path.write_bytes(header if detached else header + content)
    if detached:
        path.with_suffix(".zraw").write_bytes(content)


def _fields(stack: Stack) -> dict[str, str]:
    letters = [a for a in reversed(stack.axes) if a != "C"]
    unit = _file_unit(stack.unit)
    factor = length_factor(stack.unit, unit) or 1.0
    size = dict(zip(stack.spatial_axes, stack.spacing, strict=True))
    steps = [stack.interval if a == "T" else size[a] * factor for a in letters]
    fields = {
        "ObjectType": "Image", "NDims": str(len(letters)),
        **_own_fields(to_text(extras(stack, "unit"))),
        "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    }  # fmt: skip
    if stack.affine is not None:
        fields |= _direction(stack, len(letters), factor)
    fields["ElementSpacing"] = _joined(steps)
    fields["DistanceUnits"] = unit_symbol(unit)
    fields["DimSize"] = _joined([stack.size(a) for a in letters])
    if "C" in stack.axes:
        fields["ElementNumberOfChannels"] = str(stack.size("C"))
    fields["ElementType"] = _NAMES[f"{stack.dtype.kind}{stack.dtype.itemsize}"]
    return fields


def _own_fields(text: str) -> dict[str, str]:
    """Fields of our own, each no longer than ITK reads."""
    parts = [text[i : i + _LONGEST_FIELD] for i in range(0, len(text), _LONGEST_FIELD)]
    return {f"{KEY}-{number}": part for number, part in enumerate(parts)}


def _direction(stack: Stack, count: int, factor: float) -> dict[str, str]:
    """The direction of each axis and the origin."""
    matrix, n = to_lps(stack.world()), len(stack.spacing)
    turn, origin = np.eye(count), np.zeros(count)
    turn[:n, :n] = (matrix[:n, :n] / np.linalg.norm(matrix[:n, :n], axis=0)).T
    origin[:n] = matrix[:n, n] * factor
    return {"TransformMatrix": _joined(turn.ravel()), "Offset": _joined(origin)}


def _file_unit(unit: str) -> str:
    """The unit in which lengths are written: MetaImage has three."""
    if unit in _UNITS or length_factor(unit, "millimeter") is None:
        return unit if unit in _UNITS else "millimeter"
    return "micrometer" if (length_factor(unit, "micrometer") or 0) < 1 else "millimeter"


def _joined(values: Any) -> str:
    return " ".join(repr(float(v)) if float(v) != int(v) else str(int(v)) for v in values)


formats.add(Format(
    name="metaimage", title="MetaImage", suffixes=(".mha", ".mhd"), read=read, write=write,
    lazy=True,
))  # fmt: skip

"""NIfTI (``.nii``, ``.nii.gz``): medical volumes with their place in the scanner.

Files run X, Y, Z from fast to slow; here arrays are ZYX, and the affine's rows and columns are
permuted likewise: from (z, y, x) indices to (superior, anterior, right) in millimetres.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, Index, Lazy
from napari_segment.blocks import is_lazy
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Labels, Stack
from napari_segment.image.units import length_factor, time_factor
from napari_segment.io.boundary import lazy_array
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    fit_type,
    from_extras,
    from_text,
    gather,
    plane_geometry,
    plane_matrix,
    to_text,
    unit_name,
)
from napari_segment.io.names import suffix
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import DEFLATE, check_expansion, check_size, report_warning

if TYPE_CHECKING:
    from nibabel import Nifti1Header, Nifti1Image

_CODES = {"millimeter": "mm", "micrometer": "micron", "meter": "meter"}
_TYPES = "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8"
_COMMENT = 6  # the extension code of free text
_LONGEST = 32767  # along one axis in NIfTI-1
_SLAB_BYTES = 2**26
_TURN = [2, 1, 0, 3]  # the order of x, y, z and 1 in our matrices: its own inverse


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Read a NIfTI file; the parameters are those of `napari_segment.io.read`.

    A fourth axis is T as the standard says (``axes="CZYX"`` where it holds modalities), a fifth
    C. Spacing without a unit is in millimetres, as every reader takes it.
    """
    stored, metadata = _load(path, lazy=lazy)
    if stored.ndim == 5 and metadata.pop("colours", False):
        metadata["channels"] = (*RGB, "alpha")[: stored.shape[-1]]
    if stored.dtype.kind not in "buif":
        raise FormatError(
            f"{path.name} holds values of type {stored.dtype}; real numbers are needed."
        )
    data, own = _without_filling(stored.transpose(), metadata.pop("axes"))
    affine = metadata.pop("matrix")[np.ix_(_TURN, _TURN)]
    scale = dict(zip("ZYX", np.linalg.norm(affine[:-1, :-1], axis=0), strict=True))
    if own and "Z" not in own:
        plane = plane_geometry(affine)
        affine, metadata["header"] = plane.get("affine"), metadata["header"] | plane["header"]
    return gather(path, data, own, scale, wanted=axes, affine=affine, **metadata)


def _load(path: Path, *, lazy: bool) -> tuple[Any, dict[str, Any]]:
    """Return the values as the file has them, X first, and what its header says."""
    import nibabel

    image = nibabel.load(path)
    pixels = Path(image.file_map["image"].filename)
    packed = pixels.name.lower().endswith(".gz")
    declared = math.prod(map(int, image.shape)) * image.dataobj.dtype.itemsize
    held = pixels.stat().st_size - (0 if packed else int(image.dataobj.offset))
    check_size(pixels.name, declared, held, ratio=DEFLATE if packed else 1)
    if not lazy:
        check_expansion(pixels.name, declared, pixels.stat().st_size)
    if image.dataobj.dtype.names:
        return _colours(image), _geometry(image)
    if lazy:
        return _lazily(image, path), _geometry(image)
    return _pixels(np.array(image.dataobj.get_unscaled()), image), _geometry(image)


def _colours(image: Nifti1Image) -> NDArray[Any]:
    """RGB or RGBA voxels as a last axis of the array, which is the fifth dimension of NIfTI."""
    voxels = np.asarray(image.dataobj.get_unscaled())
    colours = np.stack([voxels[name] for name in voxels.dtype.names or ()], -1)
    return colours.reshape(*voxels.shape, *[1] * (4 - voxels.ndim), colours.shape[-1])


def _without_filling(data: Array, saved: str) -> tuple[Array, str]:
    """Name the axes; drop those of length 1 that only fill up the first dimensions of NIfTI."""
    own = "CTZYX"[-data.ndim :] if data.ndim <= 5 else ""
    for axis in own:
        absent = axis not in saved if saved else (axis == "T" and "C" in own)
        if absent and data.shape[own.index(axis)] == 1:
            data, own = data.squeeze(own.index(axis)), own.replace(axis, "")
    return data, own


def _geometry(image: Nifti1Image) -> dict[str, Any]:
    header = image.header
    space, time = _units(header) if "xyzt_units" in header else _analyze(image)
    zooms = header.get_zooms()
    saved: dict[str, Any] = {}
    for extension in getattr(header, "extensions", ()):
        if extension.get_code() == _COMMENT:
            saved = from_text(extension.get_content()).get(KEY, saved)
    stated = "millimeter" if space == "unknown" else unit_name(space)
    metadata = {"unit": stated, **from_extras(saved)}
    metadata.pop("affine", None)
    # A unit that NIfTI does not have was written as one that it has.
    factor = 1.0 if space == "unknown" else length_factor(stated, metadata["unit"]) or 1.0
    matrix = np.diag([factor] * 3 + [1.0]) @ image.affine
    metadata["matrix"], metadata["axes"] = matrix, saved.get("axes", "")
    interval = float(zooms[3]) * (time_factor(time) or 1.0) if len(zooms) > 3 else 1.0
    metadata["interval"] = interval if np.isfinite(interval) and interval > 0 else 1.0
    if image.dataobj.dtype.names:
        metadata["colours"] = True
    if "qform_code" not in header:
        return metadata | {"header": metadata.get("header", {})}
    metadata["header"] = metadata.get("header", {}) | {"nifti": {
        "qform_code": int(header["qform_code"]), "sform_code": int(header["sform_code"]),
        "qform": header.get_qform().tolist(), "sform": header.get_sform().tolist(),
        "units": [space, time], "affine": image.affine.tolist(),
    }}  # fmt: skip
    return metadata


def _analyze(image: Nifti1Image) -> tuple[str, str]:
    """Analyze has no units, and does not say which side is left."""
    report_warning(
        f"{Path(image.file_map['header'].filename).name} is an Analyze file, which does not say "
        "which side is left: the convention of SPM is taken, in millimeter. Check the orientation."
    )
    return "unknown", "unknown"


def _units(header: Nifti1Header) -> tuple[str, str]:
    """Return the units of space and time, "unknown" where their code is none."""
    try:
        return cast("tuple[str, str]", header.get_xyzt_units())
    except KeyError:
        report_warning(
            f"The code {int(header['xyzt_units'])} of its units means nothing in NIfTI; "
            "millimeter and second are taken. Check the spacing."
        )
        return "unknown", "unknown"


# ---- values ----


def _slope(image: Nifti1Image) -> tuple[float, float]:
    slope, inter = image.dataobj.slope, image.dataobj.inter
    return float(slope), float(inter)


def _value_type(image: Nifti1Image) -> np.dtype[Any]:
    """Return the type of scaled values: 16 bits fit float32 with every level distinct."""
    stored = image.dataobj.dtype
    if _slope(image) == (1.0, 0.0):
        return cast("np.dtype[Any]", stored.newbyteorder("="))
    return np.dtype(np.float32 if stored.itemsize <= 2 or stored == np.float32 else np.float64)


def _pixels(stored: NDArray[Any], image: Nifti1Image) -> NDArray[Any]:
    slope, inter = _slope(image)
    if (slope, inter) == (1.0, 0.0):
        return stored
    return (stored * np.float64(slope) + inter).astype(_value_type(image))


class _Region:
    """The voxels of a file, read by region, each time from the file."""

    def __init__(self, image: Nifti1Image) -> None:
        self.image = image
        self.shape, self.dtype, self.ndim = image.shape, _value_type(image), len(image.shape)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        return np.asarray(self.image.dataobj[index]).astype(self.dtype, copy=False)


def _lazily(image: Nifti1Image, path: Path) -> Lazy:
    """Read slabs of whole planes; a compressed file is unpacked from its start for each."""
    region = _Region(image)
    plane = int(np.prod(region.shape[:2])) * region.dtype.itemsize
    chunks = [*region.shape[:2], *[1] * (region.ndim - 2)]
    if region.ndim > 2:
        chunks[2] = min(max(_SLAB_BYTES // max(plane, 1), 1), max(region.shape[2], 1))
    files = tuple(Path(part.filename) for part in image.file_map.values() if part.filename)
    present = tuple(file for file in files if file.is_file())
    return lazy_array(region, path, "NIfTI", tuple(chunks), present)


# ---- writing ----


def write(stack: Stack, path: Path) -> None:
    """Write NIfTI-1 (NIfTI-2 past 32,767 voxels along an axis), slab by slab.

    The affine, its codes and the units of a file that was read are preserved. A stack without an
    affine is put at the origin, unturned.
    """
    stack = fit_type(stack, _TYPES, path)
    stack = stack.transpose("".join(a for a in "CTZYX" if a in stack.axes))
    packed = suffix(path) == ".nii.gz"
    with path.open("wb") as file:
        for piece in _pieces(_header(stack), stack.data):
            file.write(_packed(piece) if packed else piece)


def _pieces(header: Nifti1Header, data: Array) -> Iterator[memoryview]:
    """Yield the bytes of a file: the header, then a row of blocks at a time."""
    start = BytesIO()
    header.write_to(start)
    yield memoryview(start.getvalue().ljust(int(header["vox_offset"]), b"\0"))
    first = 0
    for length in data.chunks[0] if is_lazy(data) else data.shape[:1]:
        slab = np.asarray(data[first : first + length])
        first += length
        row = memoryview(np.ascontiguousarray(slab).reshape(-1).view(np.uint8))
        yield from (row[i : i + _SLAB_BYTES] for i in range(0, len(row), _SLAB_BYTES))


def _packed(piece: memoryview) -> bytes:
    """Return a member of a gzip file, which may have many; libdeflate is much faster than zlib."""
    import imagecodecs

    packed = imagecodecs.gzip_encode(piece, level=3)  # type: ignore[arg-type]  # takes buffers
    return cast("bytes", packed)


def _header(stack: Stack) -> Any:
    import nibabel

    shape = _file_shape(stack)
    kind = nibabel.Nifti1Header if max(shape) <= _LONGEST else nibabel.Nifti2Header
    header = kind()
    header.set_data_dtype(stack.dtype)
    header.set_data_shape(shape)
    matrix = _matrix(stack)
    matrix = np.diag([_factor(stack.unit)] * 3 + [1.0]) @ matrix
    _set_geometry(header, matrix, stack.header.get("nifti", {}), stack.unit)
    if "T" in stack.axes:
        zooms = list(header.get_zooms())
        zooms[3] = stack.interval / (time_factor(header.get_xyzt_units()[1]) or 1.0)
        header.set_zooms(zooms)
    plain = stack.unit in _CODES and stack.axes in ("YX", "ZYX", "TZYX")
    if isinstance(stack, Labels) or not plain:
        text = to_text({KEY: extras(stack, "unit")})
        header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", text.encode()))
    header["magic"] = header.single_magic
    header["vox_offset"] = 0  # set, with room for the extensions, when it is written
    return header


def _matrix(stack: Stack) -> NDArray[np.float64]:
    """Map (x, y, z) to the world; for a plane, the world has three dimensions."""
    if "Z" in stack.axes:
        return stack.world()[np.ix_(_TURN, _TURN)]
    known = plane_matrix(stack)
    if known is not None:
        return known[np.ix_(_TURN, _TURN)]
    matrix = np.eye(4)
    matrix[np.ix_([1, 0, 3], [1, 0, 3])] = stack.world()
    return matrix


def _file_shape(stack: Stack) -> tuple[int, ...]:
    """Return the lengths from fast to slow; absent axes before the last are 1 long."""
    sizes = [stack.size(a) for a in "XYZTC"]
    last = max("XYZTC".index(a) for a in stack.axes)
    return tuple(sizes[: last + 1])


def _set_geometry(
    header: Nifti1Header, matrix: NDArray[Any], saved: dict[str, Any], unit: str
) -> None:
    if saved and np.allclose(saved["affine"], matrix, atol=1e-6):
        header.set_qform(np.array(saved["qform"]), saved["qform_code"])
        header.set_sform(np.array(saved["sform"]), saved["sform_code"])
        header.set_xyzt_units(*saved["units"])
        return
    header.set_sform(matrix, saved.get("sform_code", 0) or 2)
    header.set_qform(matrix, saved.get("qform_code", 0) or 2)
    header.set_xyzt_units(_CODES.get(_file_unit(unit), "unknown"), "sec")


def _file_unit(unit: str) -> str:
    """Return the unit in which a length is written: NIfTI has three."""
    if unit in _CODES or length_factor(unit, "millimeter") is None:
        return unit
    return "millimeter" if unit in ("centimeter", "decimeter", "inch") else "micrometer"


def _factor(unit: str) -> float:
    return length_factor(unit, _file_unit(unit)) or 1.0


def _is_pair(path: Path) -> bool:
    """Whether a file holds the pixels to a header next to it."""
    return path.suffix.lower() == ".img" and path.with_suffix(".hdr").is_file()


formats.add(Format(
    name="nifti", title="NIfTI", suffixes=(".nii", ".nii.gz"), read=read, write=write, lazy=True
))  # fmt: skip
formats.add(Format(
    name="nifti-pair", title="NIfTI or Analyze (.hdr with .img)", suffixes=(".hdr",), read=read,
    lazy=True, labels_as=".nii.gz", floats_as=".nii.gz", is_file=_is_pair,
))  # fmt: skip

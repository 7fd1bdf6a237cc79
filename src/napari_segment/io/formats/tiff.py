"""TIFF: OME-TIFF, ImageJ hyperstacks, and plain TIFF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, Index, Lazy
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels, Stack
from napari_segment.io.boundary import lazy_array
from napari_segment.io.changed import State, state_of
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    fit_type,
    from_extras,
    from_text,
    gather,
    in_seconds,
    one_unit,
    to_text,
    unit_name,
    unit_symbol,
)
from napari_segment.io.formats._tiff_checks import (
    check,
    check_companions,
    check_end,
    collecting_log,
)
from napari_segment.io.names import suffix
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import check_expansion

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tifffile import TiffFile, TiffPage

_IMAGEJ_TYPES = ("uint8", "uint16", "float32")
_IMAGEJ_BYTES = 4e9  # more does not fit its 32-bit offsets
_OME_TYPES = "u1 i1 u2 i2 u4 i4 f4 f8"


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read a TIFF file; the parameters are those of `napari_segment.io.read`.

    Axes come from the OME or ImageJ metadata. Without such, samples of a pixel are C and the
    pages of a stack are Z.
    """
    import tifffile

    with collecting_log() as messages, tifffile.TiffFile(path) as file:
        check_companions(file, path)
        check_end(file, path)
        number = _number(file, path, series)
        check(file, number, path, messages)
        files = _files(file, number)
        if not lazy:
            check_expansion(
                path.name, file.series[number].nbytes, sum(f.stat().st_size for f in files)
            )
        metadata = _described(file, number, path)
        own = file.series[number].axes
        photometric = getattr(file.series[number].keyframe, "photometric", None)
        data = _lazily(path, number, files) if lazy else file.series[number].asarray()
    if data.ndim != len(own):
        raise FormatError(
            f"{path.name} is damaged: its header describes the axes {own}, but its planes give an "
            f"array of shape {data.shape}. Copy or export it again."
        )
    data, own = _named(data, own, path, axes, metadata.pop("axes", ""))
    rgb = photometric is not None and photometric.name in ("RGB", "YCBCR")
    if rgb and "C" in own and data.shape[own.index("C")] in (3, 4):
        metadata.setdefault("channels", (*RGB, "alpha")[: data.shape[own.index("C")]])
    if len(metadata.get("channels", ())) != (data.shape[own.index("C")] if "C" in own else 0):
        metadata.pop("channels", None)
    return gather(path, data, own, metadata.pop("scale"), wanted=axes, **metadata)


def _number(file: TiffFile, path: Path, series: str) -> int:
    """Return the series that is meant, by number or name."""
    names = [s.name for s in file.series]
    if series in names:
        return names.index(series)
    if series.isdigit() and int(series) < len(names):
        return int(series)
    if not series and len(names) == 1:
        return 0
    listed = ", ".join(f"{i} ({s.name}: {s.axes} {s.shape})" for i, s in enumerate(file.series))
    raise FormatError(f"{path} holds {len(names)} images; say which by series=…: {listed}.")


def _named(data: Array, own: str, path: Path, wanted: str, saved: str) -> tuple[Array, str]:
    """Turn the file's axis letters into ours; unknown ones are Z where that is free."""
    own = own.upper()
    if "S" in own and "C" in own:
        order = [i for i, a in enumerate(own) if a not in "CS"]
        data = data.transpose([own.index("C"), own.index("S"), *order])
        data = data.reshape((-1, *data.shape[2:]))
        own = "C" + "".join(own[i] for i in order)
    own = own.replace("S", "C")
    unknown = [a for a in own if a not in "TCZYX"]
    if len(unknown) == 1 and "Z" not in own:
        own = own.replace(unknown[0], "Z")
    elif unknown and not wanted:
        raise FormatError(
            f"{path.name} has the axes {own!r} of shape {data.shape}. Say what they are, one "
            "letter of TCZYX each, such as axes='TZYX'."
        )
    for i, axis in enumerate(saved):  # axes of length 1, which TIFF drops
        if axis not in own and set(own) < set(saved):
            data = data.reshape((*data.shape[:i], 1, *data.shape[i:]))
            own = own[:i] + axis + own[i:]
    return data, own


# ---- geometry ----


def _described(file: TiffFile, number: int, path: Path) -> dict[str, Any]:
    """Geometry and names, as the kind of file states them."""
    if file.is_ome:
        return _ome(file, number, path)
    if file.is_lsm:
        return _lsm(file.lsm_metadata)
    if file.is_stk:
        return _stk(file.stk_metadata)
    return _imagej(file, path)


def _lsm(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Zeiss LSM states its sizes in metres."""
    scale = {a: 1e6 * float(stated.get(f"VoxelSize{a}", 0)) or np.nan for a in "ZYX"}
    names = (stated.get("ChannelColors") or {}).get("ColorNames", ())
    interval = float(stated.get("TimeIntervall") or 1)
    channels = tuple(map(str, names))
    return {"scale": scale, "unit": "micrometer", "interval": interval, "channels": channels}


def _stk(stated: Mapping[str, Any]) -> dict[str, Any]:
    """MetaMorph STK states the size of pixels, and the distance and the time of each plane."""
    distances = np.ravel(stated.get("ZDistance", ()))
    scale = {a: float(stated.get(f"{a}Calibration") or np.nan) for a in "YX"}
    scale["Z"] = float(distances[-1]) if distances.size and distances[-1] > 0 else 1.0
    unit = unit_name(str(stated.get("CalibrationUnits", "")))
    steps = np.diff(np.ravel(stated.get("TimeCreated", ())).astype(float)) / 1000
    interval = float(np.median(steps)) if steps.size and np.median(steps) > 0 else 1.0
    return {"scale": scale, "unit": unit, "interval": interval}


def _imagej(file: TiffFile, path: Path) -> dict[str, Any]:
    attributes: Mapping[str, Any] = file.imagej_metadata or (file.shaped_metadata or ({},))[0]
    saved = from_text(attributes.get(KEY))
    unit = unit_name(str(attributes.get("unit", "")))
    y, x, stated = _resolution(file.pages[0], in_unit=unit != "pixel")
    metadata = from_extras(saved)
    metadata["scale"] = {"Z": attributes.get("spacing", 1.0), "Y": y, "X": x}
    metadata["unit"] = stated
    if unit != "pixel":
        own = {a: str(attributes.get(f"{a.lower()}unit", "")) or unit for a in "ZY"} | {"X": unit}
        metadata["unit"], factors = one_unit(own, path)
        metadata["scale"] = {a: size * factors[a] for a, size in metadata["scale"].items()}
    interval = float(attributes.get("finterval", 0) or 1)
    metadata["interval"] = in_seconds(interval, attributes.get("tunit"), path)
    metadata["axes"] = saved.get("axes", "")
    return metadata


def _resolution(page: TiffPage, *, in_unit: bool) -> tuple[float, float, str]:
    """Return the pixel sizes from the resolution tags, and their unit.

    Resolutions per inch are those of printing and scanning software and say nothing of the
    object, unless the metadata name a unit, which then replaces the inch.
    """
    tags = page.tags
    unit = int(tags.valueof("ResolutionUnit", 2))
    if "XResolution" not in tags or "YResolution" not in tags or (unit == 2 and not in_unit):
        return 1.0, 1.0, "pixel"
    y, x = (_size(tags.valueof(name)) for name in ("YResolution", "XResolution"))
    if not (np.isfinite(y) and np.isfinite(x)):
        return np.nan, np.nan, "pixel"
    if unit == 3 and not in_unit:
        return y * 1e4, x * 1e4, "micrometer"
    return y, x, "pixel"


def _size(rational: tuple[int, int]) -> float:
    numerator, denominator = rational
    return denominator / numerator if numerator and denominator else np.nan


def _ome(file: TiffFile, number: int, path: Path) -> dict[str, Any]:
    root = ElementTree.fromstring(file.ome_metadata)
    space = {"o": root.tag.partition("}")[0].lstrip("{")}
    images = root.findall("o:Image", space)
    image = images[min(number, len(images) - 1)]
    pixels = image.find("o:Pixels", space)
    attributes = {} if pixels is None else pixels.attrib
    given = [a for a in "ZYX" if f"PhysicalSize{a}" in attributes]
    units = {a: attributes.get(f"PhysicalSize{a}Unit", "µm") for a in given}
    unit, factors = one_unit(units, path) if "X" in given else ("pixel", {})
    saved = _annotation(root, space)
    metadata = from_extras(saved)
    metadata["scale"] = {
        a: float(attributes[f"PhysicalSize{a}"]) * factors.get(a, 1.0) for a in given
    }
    metadata["unit"] = unit
    interval = float(attributes.get("TimeIncrement", 1))
    metadata["interval"] = in_seconds(interval, attributes.get("TimeIncrementUnit"), path)
    names = image.findall("o:Pixels/o:Channel", space)
    if names and all(c.get("Name") for c in names):
        metadata.setdefault("channels", tuple(str(c.get("Name")) for c in names))
    metadata["axes"] = saved.get("axes", "")
    return metadata


def _annotation(root: Element, space: dict[str, str]) -> dict[str, Any]:
    for note in root.iterfind(".//o:MapAnnotation", space):
        if note.get("Namespace") == KEY:
            return from_text(note.findtext("o:Value/o:M[@K='json']", "", space))
    return {}


# ---- lazy reading ----


class _Pages:
    """An array in a TIFF file, opened anew in every process that reads from it."""

    def __init__(self, path: Path, number: int, files: tuple[Path, ...]) -> None:
        self.path, self.number = path, number
        self.state = tuple(number for file in files for number in state_of(file))
        array = _opened(path, number, self.state)
        self.shape, self.dtype, self.chunks = array.shape, array.dtype, array.chunks
        self.ndim = len(self.shape)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        return np.asarray(_opened(self.path, self.number, self.state)[index])


@lru_cache(maxsize=8)
def _opened(path: Path, number: int, state: State) -> Any:  # noqa: ARG001
    """Open a file once for each of its states, so that a rewritten one is opened again."""
    import tifffile
    import zarr

    store = tifffile.imread(path, series=number, level=0, aszarr=True)
    return zarr.open_array(store, mode="r")


def _files(file: TiffFile, number: int) -> tuple[Path, ...]:
    """Return the file, and those of the planes that lie in others."""
    own, series = Path(file.filehandle.path), file.series[number]
    pages = () if series.dataoffset is not None else series
    others = (Path(page.parent.filehandle.path) for page in pages if page is not None)
    return tuple(dict.fromkeys((own, *others)))


def _lazily(path: Path, number: int, files: tuple[Path, ...]) -> Any:
    pages = _Pages(path.absolute(), number, files)
    return lazy_array(pages, path, "TIFF", _whole_planes(pages), files)


def _whole_planes(pages: _Pages) -> Any:
    """Return blocks of the file's own chunks, joined to about 16 MB."""
    import dask.array as da

    limit = max(2**24, int(np.prod(pages.chunks)) * pages.dtype.itemsize)
    return da.core.normalize_chunks(
        "auto", pages.shape, limit=limit, dtype=pages.dtype, previous_chunks=pages.chunks
    )


# ---- writing ----


def write(stack: Stack, path: Path) -> None:
    """Write ``.ome.tif`` as OME-TIFF, other names as an ImageJ hyperstack where it can be one.

    ImageJ has 8- and 16-bit unsigned integers and 32-bit floats up to 4 GB; everything else is
    written with the same words in JSON, which tifffile reads.
    """
    ome = suffix(path).startswith(".ome")
    rgb = isinstance(stack, Image) and stack.is_rgb and stack.dtype in (np.uint8, np.uint16)
    if ome:
        stack = fit_type(stack, _OME_TYPES, path)
    order = "TCZYX" if ome else "TZCYX"
    order = order.replace("C", "") + "C" if rgb else order
    stack = stack.transpose("".join(a for a in order if a in stack.axes))
    data = stack.data.astype(np.uint8) if stack.dtype == bool else stack.data
    _save(stack, path, data, rgb=rgb, ome=ome)


def _save(stack: Stack, path: Path, data: Array, *, rgb: bool, ome: bool) -> None:
    import tifffile

    imagej = not ome and str(data.dtype) in _IMAGEJ_TYPES and data.nbytes < _IMAGEJ_BYTES
    imagej = imagej and not (rgb and data.dtype != np.uint8)
    size = dict(zip(stack.spatial_axes, stack.spacing, strict=True))
    written = stack.axes.replace("C", "S") if rgb else stack.axes
    tifffile.imwrite(
        path,
        data if not stack.is_lazy else _planes(data, len(stack.axes) - 2 - rgb),
        shape=data.shape,
        dtype=data.dtype,
        ome=ome,
        imagej=imagej,
        bigtiff=data.nbytes >= _IMAGEJ_BYTES,
        photometric="rgb" if rgb else "minisblack",
        compression="zlib" if isinstance(stack, Labels) and not imagej else None,
        resolution=(1 / size["X"], 1 / size["Y"]),
        resolutionunit="none",
        metadata=(_ome_metadata if ome else _metadata)(stack, size, written),
    )


def _planes(data: Lazy, leading: int) -> Iterator[NDArray[Any]]:
    """Yield the planes of a lazy array in order; a row of blocks is computed at a time."""
    if leading == 0:
        yield data.compute()
        return
    start = 0
    for length in data.chunks[0]:
        slab = data[start : start + length].compute()
        yield from slab.reshape((-1, *slab.shape[leading:]))
        start += length


def _metadata(stack: Stack, size: dict[str, float], axes: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes, "unit": unit_symbol(stack.unit)}
    if "Z" in size:
        metadata["spacing"] = size["Z"]
    if "T" in axes:
        metadata["finterval"] = stack.interval
    return {**metadata, KEY: to_text(extras(stack))}


def _ome_metadata(stack: Stack, size: dict[str, float], axes: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes}
    if stack.name:
        metadata["Name"] = stack.name
    symbol = {"um": "µm", "in": "in.", "angstrom": "Å"}.get(short := unit_symbol(stack.unit), short)
    for axis, value in size.items():
        metadata |= {f"PhysicalSize{axis}": value, f"PhysicalSize{axis}Unit": symbol}
    if "T" in axes:
        metadata |= {"TimeIncrement": stack.interval, "TimeIncrementUnit": "s"}
    if isinstance(stack, Image) and stack.channels and "C" in axes:
        metadata["Channel"] = {"Name": list(stack.channels)}
    metadata["MapAnnotation"] = {"Namespace": KEY, "json": to_text(extras(stack))}
    return metadata


formats.add(Format(
    name="tiff", title="TIFF", suffixes=(".tif", ".tiff", ".ome.tif", ".ome.tiff"),
    read=read, write=write, lazy=True,
))  # fmt: skip
formats.add(Format(
    name="lsm", title="Zeiss LSM, MetaMorph STK", suffixes=(".lsm", ".stk"), read=read, lazy=True,
    labels_as=".tif", floats_as=".tif",
))  # fmt: skip

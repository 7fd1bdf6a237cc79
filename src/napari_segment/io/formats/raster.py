"""PNG, JPEG and BMP: single planes, grey or in colour, without geometry."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels, Stack
from napari_segment.io.contents import Contents, compact, gather, one_channel
from napari_segment.io.names import suffix
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import DEFLATE, check_expansion, check_size, report_missing

_CHANNELS = {2: ("gray", "alpha"), 3: RGB, 4: (*RGB, "alpha")}
_LOSSY = (".jpg", ".jpeg")
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's markers of frame headers
_PNG_COLOUR_TYPE = 25  # byte of the header; 3 says palette


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Read a picture; the parameters are those of `napari_segment.io.read`.

    Orientation tags (EXIF) are ignored, so that pixels and labels made elsewhere stay together.
    A palette gives its colours.
    """
    data = _decode(path)
    if data.ndim == 2:
        return gather(path, data, "YX", wanted=axes)
    if data.shape[2] == 1:
        return gather(path, data[..., 0], "YX", wanted=axes)
    return gather(path, data, "YXC", wanted=axes, channels=_CHANNELS[data.shape[2]])


def read_indices(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read a picture that shows labels: of a palette the indices, of equal channels one.

    Raises
    ------
    FormatError
        If the colours differ between channels, so that it is not known which colour is which
        label, or if it is a JPEG.
    """
    if suffix(path) in _LOSSY:
        raise FormatError(
            f"{path.name} is a JPEG, which changes values, so that labels in it are ruined. "
            "Save them as .png or .tif."
        )
    if _has_palette(path):
        _check_content(path.read_bytes(), path)
        return gather(path, _palette_indices(path), "YX", wanted=axes)
    return one_channel(read(path, axes=axes, lazy=lazy, series=series), path)


def _decode(path: Path) -> NDArray[Any]:
    import imagecodecs

    content = path.read_bytes()
    _check_content(content, path)
    decode = {
        ".png": imagecodecs.png_decode,
        ".bmp": imagecodecs.bmp_decode,
    }.get(suffix(path), imagecodecs.jpeg_decode)
    return np.asarray(decode(content))


def _check_content(content: bytes, path: Path) -> None:
    """Compare what a picture declares with what follows, before it is decoded."""
    held = len(content)
    if content.startswith(b"\x89PNG") and len(content) > _PNG_COLOUR_TYPE:
        width, height, bits, colour = struct.unpack(">IIBB", content[16:26])
        samples = {2: 3, 4: 2, 6: 4}.get(colour, 1)
        declared = height * (width * bits * samples // 8)
        check_size(path.name, declared, len(content), ratio=DEFLATE)
        palette = 3 if colour == 3 else 1  # its colours are read
        check_expansion(path.name, height * width * max(bits // 8, 1) * samples * palette, held)
    elif content.startswith(b"BM") and len(content) > 34:
        width, height, _, bits, packing = struct.unpack("<iiHHI", content[18:34])
        if packing == 0:
            check_size(path.name, abs(width * height) * bits // 8, len(content))
        check_expansion(path.name, abs(width * height) * 3, held)
    elif content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(
        b"\xff\xda"
    ):
        report_missing(f"{path.name} is cut off: the mark of its end is missing.")
    if content.startswith(b"\xff\xd8"):
        check_expansion(path.name, _jpeg_bytes(content), held)


def _jpeg_bytes(content: bytes) -> int:
    """Return how many bytes a JPEG unpacks to: height, width and samples of its frame header."""
    offset = 2
    while offset + 10 <= len(content) and content[offset] == 0xFF:
        marker = content[offset + 1]
        if marker == 0xFF:  # a byte that fills
            offset += 1
        elif marker in _FRAMES:
            header = content[offset + 4 : offset + 10]
            height, width = (int.from_bytes(header[i : i + 2], "big") for i in (1, 3))
            return height * width * header[5] * -(-header[0] // 8)
        else:
            offset += 2 + int.from_bytes(content[offset + 2 : offset + 4], "big")
    return 0


def _has_palette(path: Path) -> bool:
    if suffix(path) != ".png":
        return False
    with path.open("rb") as file:
        head = file.read(_PNG_COLOUR_TYPE + 1)
    return len(head) > _PNG_COLOUR_TYPE and head[_PNG_COLOUR_TYPE] == 3


def _palette_indices(path: Path) -> NDArray[Any]:
    from PIL import Image as Picture

    with Picture.open(path) as picture:
        return np.array(picture)


def write(stack: Stack, path: Path) -> None:
    """Write one plane; PNG has 8 and 16 bits, JPEG and BMP 8. Spacing and affine are lost."""
    import imagecodecs

    kind = suffix(path)[1:]
    if suffix(path) in _LOSSY and isinstance(stack, Labels):
        raise FormatError("JPEG changes values, which ruins labels. Write .png or .tif.")
    data = _plane(stack, path)
    allowed = (np.uint8, np.uint16) if kind == "png" else (np.uint8,)
    if data.dtype not in allowed:
        raise FormatError(
            f"{path.name} cannot hold {data.dtype} pixels. Write .tif, or scale the values to "
            f"{' or '.join(np.dtype(t).name for t in allowed)} first."
        )
    if kind == "png":
        path.write_bytes(imagecodecs.png_encode(data))
    elif kind == "bmp":
        path.write_bytes(imagecodecs.bmp_encode(data))
    else:
        path.write_bytes(imagecodecs.jpeg_encode(data, level=95))


def _plane(stack: Stack, path: Path) -> NDArray[Any]:
    squeezed = stack
    for axis in "TZ":
        if axis in stack.axes and stack.size(axis) == 1:
            squeezed = squeezed.take(axis, 0)
    if "T" in squeezed.axes or "Z" in squeezed.axes:
        raise FormatError(
            f"{path.name} holds one plane, but the stack has axes {stack.axes} of shape "
            f"{stack.shape}. Write .tif, .nii.gz or .zarr."
        )
    if "C" in squeezed.axes:
        colour = isinstance(stack, Image) and stack.is_rgb
        if not colour or squeezed.size("C") not in (3, 4):
            raise FormatError(f"{path.name} holds grey or RGB; write other channels as .tif.")
        squeezed = squeezed.transpose("YXC")
    else:
        squeezed = squeezed.transpose("YX")
    squeezed = squeezed.compute()
    if isinstance(squeezed, Labels):
        squeezed = compact(squeezed)
    data = squeezed.data
    return np.ascontiguousarray(data * np.uint8(255) if data.dtype == bool else data)


formats.add(Format(
    name="png", title="PNG", suffixes=(".png",), read=read, read_indices=read_indices, write=write,
    floats_as=".tif",
))  # fmt: skip
formats.add(Format(
    name="jpeg", title="JPEG", suffixes=_LOSSY, read=read, read_indices=read_indices, write=write,
    labels_as=".png", floats_as=".tif",
))  # fmt: skip
formats.add(Format(
    name="bmp", title="BMP", suffixes=(".bmp",), read=read, read_indices=read_indices, write=write,
    floats_as=".tif",
))  # fmt: skip

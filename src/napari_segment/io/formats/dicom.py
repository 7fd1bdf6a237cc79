"""DICOM series: the images of one folder as a volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Index, Lazy
from napari_segment.errors import FormatError
from napari_segment.io.boundary import lazy_array, reading
from napari_segment.io.contents import DICOM, Contents, gather
from napari_segment.io.formats._dicom_codecs import register
from napari_segment.io.formats._dicom_contours import read_contours, write_contours
from napari_segment.io.formats._dicom_files import (
    contours_in,
    image_headers,
    is_dicom,
    is_series,
    segmentation_in,
)
from napari_segment.io.formats._dicom_frames import Frame, geometry, interval_of, sorted_frames
from napari_segment.io.formats._dicom_seg_writing import write_segmentation
from napari_segment.io.formats._dicom_segments import read_segmentation
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import check_expansion, report_warning

# "CT.1.2.840…", a UID, "IM000001": napari asks for patterns before it looks at a file.
_NAMES = ("??.[0-2].*.*", "[0-2].[0-9]*.[0-9]*.[0-9]*", *("??" + "[0-9]" * n for n in range(4, 9)))


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read one series; the parameters are those of `napari_segment.io.read`.

    Slices are sorted along their normal, and their spacing is that of their positions
    (SliceThickness is something else). Values are rescaled, so that CT is in Hounsfield units and
    dose in its own. Several images at each position become time points, in the order of their
    times or numbers; the frames of a film do too. The segments of a DICOM Segmentation and the
    structures of an RT Structure Set are classes.
    """
    segments = segmentation_in(path)
    if segments is not None:
        return read_segmentation(segments, axes)
    contours = contours_in(path)
    if contours is not None:
        return read_contours(contours, axes, series)
    heads = _series(image_headers(path), path, series)
    _report_values(heads, path)
    frames = sorted_frames(heads, path)
    own, metadata = geometry(frames, path, interval_of(heads[0]) if len(heads) == 1 else None)
    shape = metadata.pop("shape")
    times = shape[own.index("T")] if "T" in own else 1
    uid = str(heads[0].get("SeriesInstanceUID", ""))
    source = {DICOM: {"source": str(path), "series": uid}}
    metadata["header"] = metadata.get("header", {}) | source
    data = _stack([f for t in range(times) for f in frames[t::times]], lazy)
    return gather(path, data.reshape(shape), own, metadata.pop("scale"), wanted=axes, **metadata)


def _report_values(heads: Sequence[Any], path: Path) -> None:
    if any(h.get("PhotometricInterpretation") == "MONOCHROME1" for h in heads):
        report_warning(
            f"{path.name} is MONOCHROME1: high values are shown dark. They are read as they are "
            "stored; invert them (the filter 'invert') where bright objects are expected."
        )
    echoes = {str(h.get("EchoTime")) for h in heads}
    if len(echoes) > 1:
        report_warning(
            f"{path.name} holds images of {len(echoes)} echo times; they lie along T, the "
            "shortest first. They are no time points."
        )


def _series(heads: Sequence[Any], path: Path, series: str) -> list[Any]:
    if not heads:
        raise FormatError(f"{path} holds no DICOM images.")
    groups: dict[str, list[Any]] = defaultdict(list)
    for head in heads:
        groups[str(head.get("SeriesInstanceUID", ""))].append(head)
    descriptions = [str(group[0].get("SeriesDescription", "")) for group in groups.values()]
    chosen = list(groups.values())
    if series.isdigit() and int(series) < len(chosen):
        return chosen[int(series)]
    for uid, name, group in zip(groups, descriptions, chosen, strict=True):
        if (series and series in (uid, name)) or len(chosen) == 1:
            return group
    listed = ", ".join(
        f"{i} ({name or 'no description'}, {len(group)} images)"
        for i, (name, group) in enumerate(zip(descriptions, chosen, strict=True))
    )
    raise FormatError(f"{path} holds {len(chosen)} DICOM series; say which by series=…: {listed}.")


# ---- values ----


def _stack(ordered: list[Frame], lazy: bool) -> Any:
    """Return all frames in order, (N, Y, X[, C])."""
    first = ordered[0]
    plain = {(s.slope, s.intercept) for s in ordered} == {(1.0, 0.0)}
    shape = first.shape[:2] if first.shape[2] == 1 else first.shape
    sample = _values(first, None if plain else np.dtype(np.float32))
    dtype = sample.dtype if plain else _rescaled_type(ordered)
    if not lazy:
        held = sum(file.stat().st_size for file in {one.path for one in ordered})
        size = len(ordered) * int(np.prod(shape)) * dtype.itemsize
        check_expansion(first.path.name, size, held)
        data = np.empty((len(ordered), *shape), dtype)
        for i, one in enumerate(ordered):
            data[i] = _values(one, None if plain else dtype)
        return data
    import dask.array as da

    return da.stack([_lazily(one, shape, None if plain else dtype, dtype) for one in ordered])


class _Plane:
    """One frame, decoded at each access."""

    def __init__(
        self, frame: Frame, shape: tuple[int, ...], scaled: np.dtype[Any] | None,
        dtype: np.dtype[Any],
    ) -> None:  # fmt: skip
        self.frame, self.scaled, self.shape, self.dtype = frame, scaled, shape, dtype
        self.ndim = len(shape)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        return _values(self.frame, self.scaled)[index]


def _lazily(
    one: Frame, shape: tuple[int, ...], scaled: np.dtype[Any] | None, dtype: np.dtype[Any]
) -> Lazy:
    plane = _Plane(one, shape, scaled, dtype)
    return lazy_array(plane, Path(one.path), "DICOM", shape)


def _rescaled_type(frames: Sequence[Frame]) -> np.dtype[Any]:
    """Return the smallest of int16, int32 and float32 for what the stored bits can stand for."""
    if any(s.slope != int(s.slope) or s.intercept != int(s.intercept) for s in frames):
        return np.dtype(np.float32)
    ends = [value * s.slope + s.intercept for s in frames for value in s.stored]
    return np.dtype(np.int16 if min(ends) >= -(2**15) and max(ends) < 2**15 else np.int32)


def _values(one: Frame, dtype: np.dtype[Any] | None) -> NDArray[Any]:
    with reading(Path(one.path), "DICOM"):
        stored = _decoded(one)
    if stored.shape != (one.shape if one.shape[2] > 1 else one.shape[:2]):
        raise FormatError(
            f"{one.path.name} declares pixels of shape {one.shape} but holds {stored.shape}: its "
            "header is damaged. Export it again."
        )
    if dtype is None:
        return stored
    if dtype.kind == "i":
        return (stored.astype(np.int64) * int(one.slope) + int(one.intercept)).astype(dtype)
    return (stored * one.slope + one.intercept).astype(dtype)


def _decoded(one: Frame) -> NDArray[Any]:
    import pydicom

    register()
    options: dict[str, Any] = {"index": one.frame} if one.frames > 1 else {}
    source: Any = one.path
    head = pydicom.dcmread(one.path, stop_before_pixels=True)
    deflated = head.file_meta.TransferSyntaxUID.is_deflated
    if one.palette or deflated:
        source = pydicom.dcmread(one.path)
    stored = np.asarray(pydicom.pixels.pixel_array(source, **options))
    if one.palette:
        return np.asarray(pydicom.pixels.apply_color_lut(stored, source))
    return stored


formats.add(Format(
    name="dicom", title="DICOM", suffixes=(".dcm",), read=read, lazy=True,
    write=write_segmentation, writes_images=False,
    labels_as=".nii.gz", floats_as=".nii.gz", names=_NAMES, is_file=is_dicom, is_folder=is_series,
))  # fmt: skip
formats.add(Format(
    name="rt_structures", title="DICOM RT Structure Set", suffixes=(".rtstruct.dcm",), read=read,
    write=write_contours, writes_images=False, labels_as="", floats_as=".nii.gz",
))  # fmt: skip

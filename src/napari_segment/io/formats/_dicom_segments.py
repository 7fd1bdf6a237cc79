"""DICOM Segmentation objects as labels: their segments, names, colours, codes and positions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import smallest_integers
from napari_segment.io.contents import COLORS, DICOM, Contents, from_lps, gather, plane_geometry
from napari_segment.io.reports import check_size, report_warning

TRACKED = "napari-segment label "  # the tracking identifier of a label that is no segment number
_UNEVEN = 0.05  # of the distance of slices


def read_segmentation(path: Path, wanted: str) -> Contents:
    """Read a DICOM Segmentation; each segment is one class, under its number.

    Slices that the file leaves out because they are empty lie between those it has. Probabilities
    of at least one half count as the segment.

    Raises
    ------
    FormatError
        If segments overlap, so that one number for each voxel does not say it.
    """
    import pydicom

    head = pydicom.dcmread(path)
    values = {int(s.SegmentNumber): _value(s) for s in head.SegmentSequence}
    frames = _pixels(head, path)
    where, turned, spacing = _positions(head, path)
    normal = np.cross(turned[:3], turned[3:])
    slices, step = _slices(where @ normal, _between(head), path)
    dtype = smallest_integers(max(values.values(), default=0))
    data = np.zeros((int(slices.max()) + 1, *frames.shape[1:]), dtype)
    owners = _segments_of_frames(head)
    names = {
        value: _name(s) for s, value in zip(head.SegmentSequence, values.values(), strict=True)
    }
    for frame, index, number in zip(frames, slices, owners, strict=True):
        _add(data[index], frame, values, number, names, path)
    origin = where[int(np.argmin(slices))]
    matrix = _matrix(turned, spacing, normal * step, origin)
    header = {DICOM: _described(head, values)} | _colors(head, values)
    more: dict[str, Any] = {"unit": "millimeter", "names": names, "holds": "classes"}
    scale = {"Z": step, "Y": float(spacing[0]), "X": float(spacing[1])}
    if len(data) > 1:
        more |= {"header": header, "affine": matrix}
        return gather(path, data, "ZYX", scale, wanted=wanted, **more)
    plane = plane_geometry(matrix)
    more |= plane | {"header": header | plane["header"]}
    return gather(path, data[0], "YX", scale, wanted=wanted, **more)


def _value(segment: Any) -> int:
    """The label: the number of the segment, unless we wrote it for another."""
    tracked = re.fullmatch(rf"{TRACKED}(\d+)", str(segment.get("TrackingID", "")))
    return int(tracked[1]) if tracked else int(segment.SegmentNumber)


def _name(segment: Any) -> str:
    return str(segment.get("SegmentLabel") or f"segment {segment.SegmentNumber}")


def _pixels(head: Any, path: Path) -> NDArray[Any]:
    count = int(head.get("NumberOfFrames") or 1)
    bits = int(head.get("BitsAllocated") or 1)
    if not head.file_meta.TransferSyntaxUID.is_compressed:
        declared = count * int(head.Rows) * int(head.Columns) * bits // 8
        check_size(path.name, declared, path.stat().st_size)
    frames = np.asarray(head.pixel_array).reshape(count, int(head.Rows), int(head.Columns))
    if head.get("SegmentationType") != "FRACTIONAL":
        return frames
    report_warning(
        f"{path.name} holds fractions of segments; voxels of at least one half are taken."
    )
    return (frames >= int(head.MaximumFractionalValue) / 2).astype(np.uint8)


def _groups(head: Any) -> list[tuple[Any, Any]]:
    """The shared and the own group of attributes of each frame."""
    shared = (head.get("SharedFunctionalGroupsSequence") or [{}])[0]
    return [(shared, own) for own in head.PerFrameFunctionalGroupsSequence]


def _attribute(groups: tuple[Any, Any], sequence: str, name: str) -> Any:
    for group in reversed(groups):
        items = group.get(sequence)
        if items and items[0].get(name) is not None:
            return items[0].get(name)
    return None


def _segments_of_frames(head: Any) -> list[int | None]:
    """The segment of each frame; None where a frame holds the numbers of several."""
    key = ("SegmentIdentificationSequence", "ReferencedSegmentNumber")
    numbers = [_attribute(groups, *key) for groups in _groups(head)]
    if head.get("SegmentationType") == "LABELMAP":
        return [None] * len(numbers)
    return [None if n is None else int(n) for n in numbers]


def _positions(head: Any, path: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The position of each frame, and the orientation and spacing of all."""
    groups = _groups(head)
    positions = [_attribute(g, "PlanePositionSequence", "ImagePositionPatient") for g in groups]
    turned = [_attribute(g, "PlaneOrientationSequence", "ImageOrientationPatient") for g in groups]
    spacing = [_attribute(g, "PixelMeasuresSequence", "PixelSpacing") for g in groups]
    if not groups or any(v is None for v in (*positions, *turned, *spacing)):
        raise FormatError(
            f"{path.name} does not say where its frames lie in the patient. Export it again."
        )
    turns, sizes = np.array(turned, float), np.array(spacing, float)
    if np.ptp(turns, axis=0).max() > 1e-3 or np.ptp(sizes, axis=0).max() > 1e-3:
        raise FormatError(
            f"{path.name} holds frames of several orientations or pixel sizes, which are no "
            "volume. Export them one by one."
        )
    return np.array(positions, float), turns[0], sizes[0]


def _between(head: Any) -> float:
    """The distance of slices that the file states, or 0."""
    groups = _groups(head)[0]
    stated = _attribute(groups, "PixelMeasuresSequence", "SpacingBetweenSlices")
    return abs(float(stated or 0))


def _slices(
    along: NDArray[np.float64], stated: float, path: Path
) -> tuple[NDArray[np.intp], float]:
    """The number of the slice of each frame, and the distance of slices."""
    positions = np.unique(np.round(along, 3))
    gaps = np.diff(positions)
    step = stated or (float(gaps.min()) if len(gaps) else 1.0)
    numbers = (along - positions[0]) / step
    if np.abs(numbers - np.rint(numbers)).max() > _UNEVEN:
        raise FormatError(
            f"{path.name}: its slices lie {gaps.min():.4g} to {gaps.max():.4g} mm apart, which is "
            f"no multiple of {step:.4g}. Export them evenly spaced."
        )
    return np.rint(numbers).astype(np.intp), step


def _add(
    plane: NDArray[Any],
    frame: NDArray[Any],
    values: Mapping[int, int],
    number: int | None,
    names: Mapping[int, str],
    path: Path,
) -> None:
    """Put one frame into the plane of labels where it lies."""
    for segment in values if number is None else (number,):
        mask = frame == segment if number is None else frame > 0
        taken = plane[mask]
        if taken.any():
            other = names.get(int(taken[taken > 0][0]), "?")
            raise FormatError(
                f"{path.name}: its segments {other!r} and {names[values[segment]]!r} overlap, and "
                "one label image holds one number for each voxel. Export them one by one."
            )
        plane[mask] = values[segment]


def _matrix(
    turned: NDArray[Any], spacing: NDArray[Any], step: NDArray[Any], origin: NDArray[Any]
) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = turned[:3] * spacing[1], turned[3:] * spacing[0]
    matrix[:3, 2], matrix[:3, 3] = step, origin
    return from_lps(matrix)


# ---- what the segments are ----


def _described(head: Any, values: Mapping[int, int]) -> dict[str, Any]:
    """The codes of the segments and the frame of reference, in plain values."""
    codes = {}
    for segment in head.SegmentSequence:
        category, kind = (
            _code(segment, f"SegmentedProperty{part}CodeSequence") for part in ("Category", "Type")
        )
        if category and kind:
            codes[values[int(segment.SegmentNumber)]] = {"category": category, "type": kind}
    return {"codes": codes, "frame_of_reference": str(head.get("FrameOfReferenceUID", ""))}


def _code(segment: Any, name: str) -> list[str]:
    items = segment.get(name)
    if not items:
        return []
    return [
        str(items[0].get(k, "")) for k in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
    ]


def _colors(head: Any, values: Mapping[int, int]) -> dict[str, Any]:
    from skimage.color import lab2rgb

    colors = {}
    for segment in head.SegmentSequence:
        stored = segment.get("RecommendedDisplayCIELabValue")
        if stored is not None and len(stored) == 3:
            lab = np.array(stored, float) / 65535 * (100, 255, 255) - (0, 128, 128)
            colors[values[int(segment.SegmentNumber)]] = tuple(map(float, lab2rgb(lab)))
    return {COLORS: colors} if colors else {}

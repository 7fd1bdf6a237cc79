"""DICOM series: the images of one folder as a volume."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB
from napari_segment.io.boundary import reading
from napari_segment.io.contents import Contents, gather
from napari_segment.io.registry import Format, formats

_EVEN = 0.01  # tolerated unevenness of the slice positions, of their spacing


def is_dicom(path: Path) -> bool:
    """Whether a file carries the mark of DICOM."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def is_series(folder: Path) -> bool:
    """Whether a folder holds a DICOM file."""
    return any(is_dicom(f) for f in folder.iterdir() if f.is_file())


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read one series; the parameters are those of `napari_segment.io.read`.

    Slices are sorted along their normal, and their spacing is that of their positions
    (SliceThickness is something else). Values are rescaled, so that CT is in Hounsfield units.
    Several images at each position become time points, in the order of their numbers.
    """
    slices = _sorted(_series(_headers(path), path, series), path)
    data = _stack(slices, lazy)
    own, found = _described(slices)
    return gather(
        path, data.reshape(found.pop("shape")), own, found.pop("scale"), wanted=axes, **found
    )


def _headers(path: Path) -> list[Any]:
    import pydicom

    if path.is_file():
        return [pydicom.dcmread(path, stop_before_pixels=True)]
    files = (f for f in sorted(path.iterdir()) if f.is_file() and f.name != "DICOMDIR")
    heads = [pydicom.dcmread(f, stop_before_pixels=True) for f in files if is_dicom(f)]
    return [h for h in heads if "Rows" in h]


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


# ---- geometry ----


class _Slice:
    """One frame of one file: where it lies and how its values are scaled."""

    def __init__(self, head: Any, frame: int = 0) -> None:
        self.path, self.frame = Path(head.filename), frame
        self.frames = int(head.get("NumberOfFrames", 1))
        self.shape = (int(head.Rows), int(head.Columns), int(head.get("SamplesPerPixel", 1)))
        self.number = (int(head.get("InstanceNumber") or 0), frame)
        parts = _functional(head, frame)
        position = parts.get("ImagePositionPatient")
        self.position = None if position is None else np.array(position, float)
        turned = parts.get("ImageOrientationPatient")
        self.turned = None if turned is None else np.array(turned, float)
        spacing = parts.get("PixelSpacing") or parts.get("ImagerPixelSpacing")
        self.spacing = (1.0, 1.0) if spacing is None else (float(spacing[0]), float(spacing[1]))
        self.calibrated = spacing is not None
        bits, signed = int(head.get("BitsStored", 16)), int(head.get("PixelRepresentation", 0))
        self.stored = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        self.slope = float(parts.get("RescaleSlope", 1))
        self.intercept = float(parts.get("RescaleIntercept", 0))
        self.between = float(parts.get("SpacingBetweenSlices") or 1)

    def along(self) -> float:
        """The position along the normal of the plane."""
        if self.position is None or self.turned is None:
            return float(self.number[0] * 1_000_000 + self.number[1])
        return float(np.cross(self.turned[:3], self.turned[3:]) @ self.position)


def _functional(head: Any, frame: int) -> dict[str, Any]:
    """The attributes of a frame; in multi-frame files they are kept in nested groups."""
    keys = (
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing",
        "RescaleSlope", "RescaleIntercept", "SpacingBetweenSlices",
    )  # fmt: skip
    found = {k: head.get(k) for k in keys if head.get(k) is not None}
    groups = list(head.get("SharedFunctionalGroupsSequence", ()))
    per_frame = head.get("PerFrameFunctionalGroupsSequence", ())
    groups += [per_frame[frame]] if len(per_frame) > frame else []
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value:
                inner = element.value[0]
                found |= {k: inner.get(k) for k in keys if inner.get(k) is not None}
    return found


def _sorted(heads: Sequence[Any], path: Path) -> list[_Slice]:
    slices = [_Slice(h, f) for h in heads for f in range(int(h.get("NumberOfFrames", 1)))]
    first = slices[0]
    for other in slices:
        same = other.shape == first.shape and (
            other.turned is None
            or first.turned is None
            or np.allclose(other.turned, first.turned, atol=1e-3)
        )
        if not same:
            raise FormatError(
                f"{path}: {other.path.name} differs in size or orientation from "
                f"{first.path.name}; the images of a volume must be alike."
            )
    return sorted(slices, key=lambda s: (round(s.along(), 3), s.number))


def _described(slices: list[_Slice]) -> tuple[str, dict[str, Any]]:
    """Axes, shape, spacing and affine of the sorted slices."""
    first = slices[0]
    times, positions = _times(slices)
    rows, columns, samples = first.shape
    volume = positions > 1 or (first.frames > 1 and times == 1)
    present = {"T": times > 1, "Z": volume, "Y": True, "X": True, "C": samples > 1}
    sizes = {"T": times, "Z": positions, "Y": rows, "X": columns, "C": samples}
    own = "".join(a for a in "TZYXC" if present[a])
    step = _step(slices, times, positions)
    size = {"Z": float(np.linalg.norm(step)), "Y": first.spacing[0], "X": first.spacing[1]}
    found: dict[str, Any] = {
        "shape": tuple(sizes[a] for a in own),
        "scale": size,
        "unit": "millimeter" if first.calibrated else "pixel",
        "channels": RGB if samples > 1 else (),
    }
    if first.position is not None and first.turned is not None:
        found["affine"] = _affine(first, step, volume)
    return own, found


def _times(slices: list[_Slice]) -> tuple[int, int]:
    if slices[0].position is None:
        return 1, len(slices)
    counts = Counter(round(s.along(), 3) for s in slices)
    if len(set(counts.values())) > 1:
        raise ValueError(
            f"the {len(counts)} positions hold between {min(counts.values())} and "
            f"{max(counts.values())} images; some are missing or double"
        )
    return next(iter(counts.values())), len(counts)


def _step(slices: list[_Slice], times: int, positions: int) -> NDArray[np.float64]:
    """From one position to the next (x, y, z), which a tilted gantry makes oblique."""
    first, last = slices[0].position, slices[-1].position
    turned = slices[0].turned
    normal = np.array([0.0, 0, 1]) if turned is None else np.cross(turned[:3], turned[3:])
    if positions < 2 or first is None or last is None:
        return normal * slices[0].between
    gaps = np.diff([s.along() for s in slices[::times]])
    if np.ptp(gaps) > 2 * _EVEN * np.median(gaps):
        raise ValueError(
            f"the distances between its slices run from {gaps.min():.3g} to {gaps.max():.3g} mm; "
            "slices are missing or were taken unevenly"
        )
    return np.asarray((last - first) / (positions - 1), np.float64)


def _affine(first: _Slice, step: NDArray[np.float64], volume: bool) -> NDArray[np.float64]:
    """From (z, y, x) to (superior, anterior, right); DICOM's world is left, posterior, superior."""
    assert first.turned is not None
    matrix = np.eye(4)
    matrix[:3, 0] = first.turned[:3] * first.spacing[1]
    matrix[:3, 1] = first.turned[3:] * first.spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = first.position
    matrix = np.diag([-1.0, -1, 1, 1]) @ matrix
    order = [2, 1, 0, 3] if volume else [1, 0, 3]
    return matrix[np.ix_(order, order)]


# ---- values ----


def _stack(slices: list[_Slice], lazy: bool) -> Any:
    """All slices in order, (N, Y, X[, C]), with time points outermost."""
    times, _ = _times(slices)
    ordered = [s for t in range(times) for s in slices[t::times]]
    first = ordered[0]
    plain = {(s.slope, s.intercept) for s in ordered} == {(1.0, 0.0)}
    shape = first.shape[:2] if first.shape[2] == 1 else first.shape
    sample = _values(first, None if plain else np.dtype(np.float32))
    dtype = sample.dtype if plain else _rescaled_type(ordered)
    if not lazy:
        data = np.empty((len(ordered), *shape), dtype)
        for i, one in enumerate(ordered):
            data[i] = _values(one, None if plain else dtype)
        return data
    import dask
    import dask.array as da

    planes = [
        da.from_delayed(dask.delayed(_values)(one, None if plain else dtype), shape, dtype)
        for one in ordered
    ]
    return da.stack(planes)


def _rescaled_type(slices: Sequence[_Slice]) -> np.dtype[Any]:
    """The smallest of int16, int32 and float32 for what the stored bits can stand for."""
    if any(s.slope != int(s.slope) or s.intercept != int(s.intercept) for s in slices):
        return np.dtype(np.float32)
    ends = [value * s.slope + s.intercept for s in slices for value in s.stored]
    return np.dtype(np.int16 if min(ends) >= -(2**15) and max(ends) < 2**15 else np.int32)


def _values(one: _Slice, dtype: np.dtype[Any] | None) -> NDArray[Any]:
    import pydicom

    options: dict[str, Any] = {"index": one.frame} if one.frames > 1 else {}
    with reading(Path(one.path), "DICOM"):
        stored = np.asarray(pydicom.pixels.pixel_array(one.path, **options))
    if dtype is None:
        return stored
    if dtype.kind == "i":
        return (stored.astype(np.int64) * int(one.slope) + int(one.intercept)).astype(dtype)
    return (stored * one.slope + one.intercept).astype(dtype)


formats.add(Format(
    name="dicom", title="DICOM", suffixes=(".dcm",), read=read, lazy=True,
    labels_as=".nii.gz", floats_as=".nii.gz", is_file=is_dicom, is_folder=is_series,
))  # fmt: skip

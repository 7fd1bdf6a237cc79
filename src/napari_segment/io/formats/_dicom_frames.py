"""Where the frames of DICOM files lie, in space and time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB
from napari_segment.io.contents import plane_geometry
from napari_segment.io.reports import report_warning

if TYPE_CHECKING:
    from pydicom import Dataset

_EVEN = 0.01  # tolerated unevenness of the slice positions, of their spacing
_ROUNDED = 0.1  # mm: positions may be rounded to as much
_SLICE_VECTOR = 0x00540080
_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065
_ATTRIBUTES = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing",
    "RescaleSlope", "RescaleIntercept", "SpacingBetweenSlices", "TemporalPositionIndex",
)  # fmt: skip


class Frame:
    """One frame of one file: where it lies and how its values are scaled."""

    def __init__(self, head: Dataset, frame: int = 0) -> None:
        self.path, self.frame = Path(head.filename), frame
        self.frames = int(head.get("NumberOfFrames") or 1)
        self.palette = head.get("PhotometricInterpretation") == "PALETTE COLOR"
        samples = 3 if self.palette else int(head.get("SamplesPerPixel") or 1)
        self.shape = (int(head.Rows), int(head.Columns), samples)
        parts = _functional(head, frame)
        self._locate(head, parts)
        self._scale(head, parts)
        self.times = _times_of(head, parts)
        self.number = (int(head.get("InstanceNumber") or 0), frame)

    def _locate(self, head: Dataset, parts: dict[str, Any]) -> None:
        turned, position = parts.get("ImageOrientationPatient"), parts.get("ImagePositionPatient")
        self.turned = None if turned is None else np.array(turned, float)
        self.position = None if position is None else np.array(position, float)
        self.between = float(parts.get("SpacingBetweenSlices") or 1)
        self.positioned = self.frames == 1 or _per_frame(head, "ImagePositionPatient")
        offsets = _offsets(head, self.between)
        if not self.positioned and offsets is not None:
            self.positioned = True
            if self.position is None or self.turned is None:
                self.position, self.turned = np.zeros(3), np.array([1.0, 0, 0, 0, 1, 0])
            self.position = self.position + self.normal * offsets[self.frame]
        spacing = parts.get("PixelSpacing") or parts.get("ImagerPixelSpacing")
        self.calibrated = spacing is not None
        self.spacing = (1.0, 1.0) if spacing is None else (float(spacing[0]), float(spacing[1]))

    def _scale(self, head: Dataset, parts: dict[str, Any]) -> None:
        bits, signed = int(head.get("BitsStored") or 16), int(head.get("PixelRepresentation") or 0)
        self.stored = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        dose = head.get("DoseGridScaling")
        self.slope = float(parts.get("RescaleSlope", 1) if dose is None else dose)
        self.intercept = float(parts.get("RescaleIntercept", 0))

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction across the plane."""
        if self.turned is None:
            return np.array([0.0, 0, 1])
        return np.asarray(np.cross(self.turned[:3], self.turned[3:]), np.float64)

    def along(self) -> float:
        """Return the position along the normal of the plane."""
        if self.position is None or self.turned is None or not self.positioned:
            return float(self.number[0] * 1_000_000 + self.number[1])
        return float(self.normal @ self.position)


def _functional(head: Dataset, frame: int) -> dict[str, Any]:
    """Return the attributes of a frame; in multi-frame files they are in nested groups."""
    attributes = {k: head.get(k) for k in _ATTRIBUTES if head.get(k) is not None}
    for item in head.get("DetectorInformationSequence") or ():
        attributes = {k: item.get(k) for k in _ATTRIBUTES if item.get(k) is not None} | attributes
    groups = list(head.get("SharedFunctionalGroupsSequence", ()))
    per_frame = head.get("PerFrameFunctionalGroupsSequence", ())
    groups += [per_frame[frame]] if len(per_frame) > frame else []
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value:
                inner = element.value[0]
                attributes |= {k: inner.get(k) for k in _ATTRIBUTES if inner.get(k) is not None}
    return attributes


def _per_frame(head: Dataset, key: str) -> bool:
    groups: Sequence[Any] = head.get("PerFrameFunctionalGroupsSequence") or []
    return len(groups) > 1 and any(
        e.VR == "SQ" and e.value and key in e.value[0] for e in groups[0]
    )


def _offsets(head: Dataset, between: float) -> NDArray[np.float64] | None:
    """Return the positions of frames along their normal, where the file lists them: dose, NM."""
    frames = int(head.get("NumberOfFrames") or 1)
    listed = head.get("GridFrameOffsetVector")
    if listed is not None and np.size(listed) == frames:
        offsets = np.atleast_1d(np.array(listed, np.float64))
        return np.asarray(offsets - offsets[0])  # from 0, or as coordinates
    if _SLICE_VECTOR in _increments(head) and np.size(head.get("SliceVector")) == frames:
        numbers = np.array(head.SliceVector, float)
        return (numbers - 1) * between if len(set(numbers)) == frames else None
    return None


def _increments(head: Dataset) -> list[int]:
    pointer = head.get("FrameIncrementPointer")
    if pointer is None:
        return []
    return [int(v) for v in (pointer if np.iterable(pointer) else [pointer])]


def _times_of(head: Dataset, parts: dict[str, Any]) -> tuple[float, ...]:
    """Return the attributes that distinguish phases at one position, the surest first."""
    keys = ("TemporalPositionIdentifier", "TriggerTime", "EchoTime", "DiffusionBValue")
    numbers = [parts.get("TemporalPositionIndex"), *(head.get(k) for k in keys)]
    return tuple(_number(n) for n in numbers)


def _clock(head: Dataset) -> tuple[float, ...]:
    return tuple(_number(head.get(k)) for k in ("AcquisitionTime", "ContentTime"))


def _number(value: str | float | None) -> float:
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return 0.0


def interval_of(head: Dataset) -> float | None:
    """Return the seconds between the frames of a film; None where frames are no time points."""
    pointed = _increments(head)
    timed = _FRAME_TIME in pointed or _FRAME_TIME_VECTOR in pointed or "FrameTime" in head
    if not timed or _offsets(head, 1.0) is not None or _per_frame(head, "ImagePositionPatient"):
        return None
    steps = head.get("FrameTimeVector")
    step = _number(head.get("FrameTime")) or (np.size(steps) > 1 and float(np.mean(steps[1:])))
    return float(step or 1000.0) / 1000


def sorted_frames(heads: Sequence[Any], path: Path) -> list[Frame]:
    """Return all frames along their normal, and at one position in the order of their times.

    Raises
    ------
    FormatError
        If they differ in size or orientation.
    """
    frames: list[Frame] = []
    clocks: dict[int, tuple[float, ...]] = {}
    for head in heads:
        for i in range(int(head.get("NumberOfFrames") or 1)):
            frames.append(Frame(head, i))
            clocks[id(frames[-1])] = _clock(head)
    _check_alike(frames, path)
    at: dict[float, list[Frame]] = defaultdict(list)
    for frame in frames:
        at[round(frame.along(), 3)].append(frame)
    distinct = all(len({f.number for f in group}) == len(group) for group in at.values())
    return [
        frame
        for position in sorted(at)
        for frame in sorted(
            at[position],
            key=lambda f: (f.times, f.number if distinct else clocks[id(f)], f.number),
        )
    ]


def _check_alike(frames: Sequence[Frame], path: Path) -> None:
    first = frames[0]
    for other in frames:
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


def geometry(frames: list[Frame], path: Path, film: float | None) -> tuple[str, dict[str, Any]]:
    """Axes, shape, spacing and affine of the sorted frames.

    Parameters
    ----------
    frames : list of Frame
        Sorted.
    path : Path
        For messages.
    film : float, optional
        Seconds between frames that are time points.
    """
    first = frames[0]
    times, positions = (len(frames), 1) if film else times_and_positions(frames, path)
    rows, columns, samples = first.shape
    volume = positions > 1 or (first.frames > 1 and times == 1)
    present = {"T": times > 1, "Z": volume, "Y": True, "X": True, "C": samples > 1}
    sizes = {"T": times, "Z": positions, "Y": rows, "X": columns, "C": samples}
    own = "".join(a for a in "TZYXC" if present[a])
    step = _step(frames, times, positions, path)
    size = {"Z": float(np.linalg.norm(step)), "Y": first.spacing[0], "X": first.spacing[1]}
    metadata: dict[str, Any] = {
        "shape": tuple(sizes[a] for a in own),
        "scale": size,
        "unit": "millimeter" if first.calibrated else "pixel",
        "channels": RGB if samples > 1 else (),
    }
    if film:
        metadata["interval"] = film
    if first.position is not None and first.turned is not None and first.calibrated:
        matrix = _affine(first, step)
        metadata |= {"affine": matrix} if volume else plane_geometry(matrix)
    return own, metadata


def times_and_positions(frames: Sequence[Frame], path: Path) -> tuple[int, int]:
    """Return how many images each position has, and how many positions there are."""
    if frames[0].position is None or not frames[0].positioned:
        return 1, len(frames)
    groups: dict[float, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[round(frame.along(), 3)].append(frame)
    counts = {len(group) for group in groups.values()}
    if len(counts) > 1:
        raise FormatError(
            f"{path.name}: its {len(groups)} positions hold between {min(counts)} and "
            f"{max(counts)} images; some are missing or double. Give the whole series."
        )
    return counts.pop(), len(groups)


def _step(frames: list[Frame], times: int, positions: int, path: Path) -> NDArray[np.float64]:
    """Return the step between positions (x, y, z), which a tilted gantry makes oblique."""
    first, last = frames[0], frames[-1]
    if positions < 2 or first.position is None or last.position is None or not first.positioned:
        return first.normal * first.between
    _check_even(np.array([f.along() for f in frames[::times]]), path)
    return np.asarray((last.position - first.position) / (positions - 1), np.float64)


def _check_even(along: NDArray[np.float64], path: Path) -> None:
    gaps = np.diff(along)
    middle = float(np.median(gaps))
    if np.ptp(gaps) <= 2 * _EVEN * middle:
        return
    off = float(abs(along - np.linspace(along[0], along[-1], len(along))).max())
    if off > _ROUNDED + 1e-6 or np.ptp(gaps) > min(2 * _ROUNDED + 1e-6, middle / 2):
        raise FormatError(
            f"{path.name}: the distances between its slices run from {gaps.min():.3g} to "
            f"{gaps.max():.3g} mm; slices are missing or were taken unevenly. Give the whole "
            "series, or resample it to even slices."
        )
    report_warning(
        f"{path.name}: the positions of its slices are uneven by up to {off:.2g} mm, as where they "
        f"were rounded; {(along[-1] - along[0]) / (len(along) - 1):.4g} mm are taken between all."
    )


def _affine(first: Frame, step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map (z, y, x) to (superior, anterior, right); DICOM's world is left, posterior, superior."""
    assert first.turned is not None
    matrix = np.eye(4)
    matrix[:3, 0] = first.turned[:3] * first.spacing[1]
    matrix[:3, 1] = first.turned[3:] * first.spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = first.position
    matrix = np.diag([-1.0, -1, 1, 1]) @ matrix
    return matrix[np.ix_([2, 1, 0, 3], [2, 1, 0, 3])]

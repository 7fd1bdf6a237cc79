"""The Cell Tracking Challenge: sequences with segmentation truth, tracking truth and lineage.

https://public.celltrackingchallenge.net/documents/Naming%20and%20file%20content%20conventions.pdf
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Image, Labels
from napari_segment.io.contents import LINEAGE
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.files import read, read_stored_labels
from napari_segment.registry import layouts

_FRAME = re.compile(r"^(?:t|man_seg_?|man_track)(\d+)(?:_(\d+))?$")


@layouts.add("cell_tracking", title="Cell Tracking Challenge")
def cell_tracking(
    folder: Path, *, truth: Literal["SEG", "TRA"] = "SEG", silver: bool = False
) -> Pairs:
    """Read the annotated frames of each sequence, or whole sequences with their tracks.

    Parameters
    ----------
    folder : Path
        Holds ``01`` with ``t000.tif`` …, and ``01_GT`` with ``SEG`` and ``TRA``.
    truth : {"SEG", "TRA"}
        Outlines of the cells, a case for each annotated frame, or slice of a volume; or markers
        with the same label through time, a case for each sequence, with the lineage of
        ``man_track.txt`` in the header of the labels.
    silver : bool
        Whether the outlines are those computed by others (``01_ST``), not drawn (``01_GT``).
    """
    if not folder.is_dir():
        raise OtherLayoutError("it is no folder")
    ending = "_ST" if silver else "_GT"
    sequences = sorted(
        f for f in folder.iterdir() if (folder / f"{f.name}{ending}/{truth}").is_dir()
    )
    if not sequences:
        raise OtherLayoutError(f"no sequence with a folder 01{ending}/{truth} in it")
    cases: list[Case] = []
    notes: list[str] = []
    for sequence in sequences:
        annotated = folder / f"{sequence.name}{ending}" / truth
        more = _frames if truth == "SEG" else _sequence
        cases += more(sequence, annotated, notes)
    kind = "annotated frames" if truth == "SEG" else "sequences with tracks"
    summary = f"{len(cases)} {kind} of {len(sequences)} sequences."
    return Pairs(tuple(cases), "objects", {}, notes=(summary, *notes))


def _numbered(folder: Path) -> dict[tuple[int, int | None], Path]:
    """The files of frames by time, and slice where they have one slice of a volume."""
    numbered = {}
    for file in sorted(folder.glob("*.tif")):
        match = _FRAME.match(file.stem)
        if match:
            numbered[int(match[1]), None if match[2] is None else int(match[2])] = file
    return numbered


def _frames(sequence: Path, annotated: Path, notes: list[str]) -> list[Case]:
    images = _numbered(sequence)
    cases = []
    for (time, plane), labels in _numbered(annotated).items():
        image = images.get((time, None))
        if image is None:
            notes.append(f"{labels.name} has no frame {time} in {sequence.name}; it was left out.")
        elif plane is None:
            cases.append(Case(f"{sequence.name}_t{time:03}", image, labels))
        else:
            name = f"{sequence.name}_t{time:03}_z{plane:03}"
            cases.append(Case(name, Plane(image, plane), labels))
    return cases


@dataclass(frozen=True)
class Plane:
    """One slice of a volume, read when asked for."""

    path: Path
    index: int

    def __call__(self) -> Image:
        """Read the slice."""
        return read(self.path, lazy=True).take("Z", self.index).compute()


def _sequence(sequence: Path, annotated: Path, notes: list[str]) -> list[Case]:
    images, markers = _numbered(sequence), _numbered(annotated)
    common = sorted(time for time, plane in markers if (time, plane) in images)
    if not common:
        notes.append(f"The sequence {sequence.name} has no frame with markers; it was left out.")
        return []
    missing = len(images) - len(common)
    if missing:
        notes.append(f"{missing} frames of {sequence.name} have no markers; they were left out.")
    frames = Frames(tuple(images[time, None] for time in common))
    tracks = Tracks(
        tuple(markers[time, None] for time in common), lineage(annotated / "man_track.txt")
    )
    return [Case(sequence.name, frames, tracks)]


def lineage(path: Path) -> tuple[tuple[int, int, int, int], ...]:
    """Read ``man_track.txt``: the label, first time, last time and parent (0: none) of each track.

    Raises
    ------
    FormatError
        If a line is not of four whole numbers, or names a parent that is not there.
    """
    if not path.is_file():
        return ()
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        columns = line.split()
        if len(columns) == 4 and all(w.isdigit() for w in columns):
            rows.append((int(columns[0]), int(columns[1]), int(columns[2]), int(columns[3])))
        elif columns:
            raise FormatError(
                f"{path}, line {number}: four whole numbers are expected (label, first time, last "
                f"time, parent), and it is {line[:60]!r}. Correct it."
            )
    known = {row[0] for row in rows}
    orphans = [row for row in rows if row[3] and row[3] not in known]
    if orphans:
        raise FormatError(
            f"{path}: the track {orphans[0][0]} has the parent {orphans[0][3]}, which is no track. "
            "Correct it."
        )
    return tuple(rows)


@dataclass(frozen=True)
class Frames:
    """The frames of a sequence as one image, T first, read when asked for."""

    files: tuple[Path, ...]

    def __call__(self) -> Image:
        """Read the frames."""
        frames = [read(file) for file in self.files]
        first = frames[0]
        data = _stacked([np.asarray(f.data) for f in frames], self.files)
        return Image(data, "T" + first.axes, first.spacing, first.unit, channels=first.channels)


@dataclass(frozen=True)
class Tracks:
    """The markers of a sequence, with the lineage in the header."""

    files: tuple[Path, ...]
    lineage: tuple[tuple[int, int, int, int], ...] = ()

    def __call__(self) -> Labels:
        """Read the markers."""
        frames = [read_stored_labels(file)[0] for file in self.files]
        data = _stacked([np.asarray(f.data) for f in frames], self.files)
        first = frames[0]
        return Labels(
            data, "T" + first.axes, first.spacing, first.unit, header={LINEAGE: self.lineage}
        )


def _stacked(frames: Sequence[NDArray[Any]], files: Sequence[Path]) -> NDArray[Any]:
    for frame, file in zip(frames, files, strict=True):
        if frame.shape != frames[0].shape:
            raise FormatError(
                f"{file} has the shape {frame.shape}, the first frame {frames[0].shape}. The "
                "frames of a sequence must be alike."
            )
    return np.stack(frames)

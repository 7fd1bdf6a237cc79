"""Write sequences of objects as the Cell Tracking Challenge has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels
from napari_segment.io.contents import LINEAGE
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.datasets.writing import read_case, write_text
from napari_segment.io.files import write


def cell_tracking(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """Sequences ``01``, ``02``, … with outlines (SEG), and markers with a lineage (TRA).

    A case with a time axis is a sequence. Cases without one are the annotated frames of one
    sequence, of which no cell is followed.

    Raises
    ------
    FormatError
        If labels are classes, or another suffix than .tif is asked for.
    """
    if suffix not in ("", ".tif"):
        raise FormatError(f"The Cell Tracking Challenge has .tif files, not {suffix}.")
    if pairs.holds == "classes":
        raise FormatError(
            "The Cell Tracking Challenge holds objects, and the labels are classes. Write the "
            "layout folders or decathlon."
        )
    moving = 0
    still = 0
    for case in pairs:
        image, labels = read_case(pairs, case)
        if "T" not in labels.axes:
            _write_frame(image, labels, folder, "01", still)
            still += 1
        else:
            moving += 1
            _write_sequence(image, labels, folder, f"{moving + bool(still):02}")
        yield case.name


def _write_frame(image: Image, labels: Labels, folder: Path, name: str, time: int) -> None:
    write(image, folder / name / f"t{time:03}.tif")
    write(_numbers(labels), folder / f"{name}_GT" / "SEG" / f"man_seg{time:03}.tif")


def _write_sequence(image: Image, labels: Labels, folder: Path, name: str) -> None:
    axes = "T" + labels.axes.replace("T", "")
    labels, image = labels.transpose(axes), image.transpose("T" + image.axes.replace("T", ""))
    spans: dict[int, tuple[int, int]] = {}
    for time in range(labels.size("T")):
        frame = labels.take("T", time)
        _write_frame(image.take("T", time), frame, folder, name, time)
        track = folder / f"{name}_GT" / "TRA" / f"man_track{time:03}.tif"
        write(_numbers(frame), track)
        for value in np.unique(frame.data).tolist():
            if value > 0:
                spans[value] = (spans.get(value, (time, time))[0], time)
    parents = {row[0]: row[3] for row in labels.header.get(LINEAGE, ())}
    rows = (f"{v} {a} {b} {parents.get(v, 0)}\n" for v, (a, b) in sorted(spans.items()))
    write_text(folder / f"{name}_GT" / "TRA" / "man_track.txt", "".join(rows))


def _numbers(labels: Labels) -> Labels:
    """The challenge has 16-bit numbers."""
    if int(labels.data.max(initial=0)) > np.iinfo(np.uint16).max:
        raise FormatError(
            f"The label {int(labels.data.max())} is larger than the 16 bits of the Cell Tracking "
            "Challenge hold. Number the objects anew."
        )
    return labels.replace(data=np.asarray(labels.data).astype(np.uint16))

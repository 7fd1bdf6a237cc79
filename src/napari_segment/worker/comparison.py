"""Rows for the tables of a comparison: the scores of each class and object, and where it lies."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from napari_segment.blocks import boxes, counts, replace_labels
from napari_segment.image import Labels
from napari_segment.results.compare import Scores
from napari_segment.results.compare.scores import plain_values

Row: TypeAlias = dict[str, Any]
Centres: TypeAlias = dict[tuple[int, int], list[float]]  # by time and label


def class_rows(scores: Scores, centres: tuple[Centres, Centres]) -> list[Row]:
    """Return a row for each class.

    Parameters
    ----------
    scores : Scores
        Of a comparison.
    centres : tuple of dict
        `centres_of` the labels and of the reference.

    Returns
    -------
    list of dict
        The scores in plain values; ``of`` says in which of the two the class is first ("reference"
        or "labels"), and ``at`` where.
    """
    rows = []
    for score in scores.classes:
        row: Row = {"class": score.name or f"class {score.label}", **score.numbers()}
        number = score.label if scores.holds == "classes" else 0  # 0: whatever comes first
        rows.append(plain_values(row) | _first(number, centres))
    return rows


def object_rows(scores: Scores, centres: tuple[Centres, Centres]) -> list[Row]:
    """Return a row for each reference object and each object without one, errors first.

    Parameters
    ----------
    scores, centres
        As of `class_rows`.

    Returns
    -------
    list of dict
        Of the columns of ``scores.per_object``, None for no object, and ``of`` and ``at``.
    """
    if scores.per_object is None:
        return []
    columns = {str(name): scores.per_object[name].tolist() for name in scores.per_object}
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    rows.sort(key=lambda row: (row["matched"], row["iou"]))
    for row in rows:
        side = int(row["reference"] > 0)
        key = (row.get("time", 0), row["reference" if side else "label"])
        row |= {"of": ("labels", "reference")[side], "at": centres[side].get(key)}
        row |= {name: row[name] or None for name in ("label", "reference")}
    return rows


def centres_of(labels: Labels) -> Centres:
    """Find the centre of the box of each label at each time, along the axes of the labels."""
    centres: Centres = {}
    timed = "T" in labels.axes
    for time in range(labels.size("T") if timed else 1):
        data = (labels.take("T", time) if timed else labels).data
        data = data.clip(0) if data.dtype.kind == "i" else data  # negative: without annotation
        ids, _ = counts(data)
        compact = replace_labels(data, ids, np.arange(1, len(ids) + 1), np.int32)
        for index, bounds in zip(*boxes(compact), strict=True):
            centre = ((bounds.sum(-1) - 1) / 2).tolist()
            if timed:
                centre.insert(labels.axes.index("T"), float(time))
            centres[time, int(ids[index - 1])] = centre
    return centres


def _first(number: int, centres: tuple[Centres, Centres]) -> Row:
    """Where a label is first, or where any is: in the reference, else in the labels."""
    for side, name in ((1, "reference"), (0, "labels")):
        for (_, label), centre in centres[side].items():
            if number in (0, label):
                return {"of": name, "at": centre}
    return {"of": "reference", "at": None}

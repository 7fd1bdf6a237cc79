"""What the writers of layouts share: cases in memory, planes, masks, and text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs


def read_case(pairs: Pairs, case: Case) -> tuple[Image, Labels]:
    """Read a case into memory."""
    image, labels = pairs.read(case)
    return image.compute(), labels.compute()


def read_plane(pairs: Pairs, case: Case) -> tuple[Image, Labels]:
    """Read a case of planes into memory.

    Raises
    ------
    FormatError
        If its labels are more than a plane.
    """
    image, labels = read_case(pairs, case)
    if labels.axes != "YX":
        raise FormatError(
            f"The case {case.name} has labels with the axes {labels.axes}; this layout holds "
            "planes. Write the layout folders, decathlon or omezarr."
        )
    return image, labels


def masks_of(labels: Labels) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """The mask of each label above 0."""
    for value in np.unique(labels.data):
        if value > 0:
            yield int(value), np.asarray(labels.data == value)


def class_of(pairs: Pairs, case: Case, value: int) -> int:
    """The class of a label: itself where labels are classes, else that of the object, or 1."""
    return value if pairs.holds == "classes" else case.classes.get(value, 1)


def class_names(pairs: Pairs) -> dict[int, str]:
    """The names of classes by number; "object" where there are none."""
    return dict(pairs.names) or {1: "object"}


def write_json(path: Path, document: Any) -> None:
    """Write JSON; folders are made."""
    write_text(path, json.dumps(document, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write text; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")

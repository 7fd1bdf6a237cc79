"""One image and its reference labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from napari_segment.image import Stack

Source: TypeAlias = "Path | tuple[Path, ...] | Stack | Callable[[], Stack]"


@dataclass(frozen=True, eq=False)
class Case:
    """One image and its reference labels, not read yet.

    Parameters
    ----------
    name : str
        Unique among the cases.
    image : Path, tuple of Path, Image or callable
        A file, one file for each channel, the image itself, or what gives it.
    labels : Path, Labels or callable
        Likewise.
    part : str
        "train", "validation" or "test" where the data set says so, else "".
    classes : mapping of int to int
        The class of each object, where objects have classes.
    """

    name: str
    image: Source
    labels: Source
    part: str = ""
    classes: Mapping[int, int] = field(default_factory=dict)

"""COCO panoptic segmentation: a PNG for each image, whose colours number its segments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Holds, Labels, smallest_integers
from napari_segment.io.containment import contained
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.formats import raster
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts

_PARTS = {"train": "train", "val": "validation", "test": "test"}


@layouts.add("coco_panoptic", title="COCO panoptic")
def coco_panoptic(folder: Path, *, holds: Literal["classes", "objects"] = "classes") -> Pairs:
    """Read images with the segments that COCO's panoptic JSON files list.

    Categories become the classes 1, 2, … in the order of their ids; pixels of no segment, and in
    classes those of crowds, are without annotation.

    Parameters
    ----------
    folder : Path
        A file ``panoptic*.json``, or the folder in which such lie. The PNG files of
        ``panoptic_val2017.json`` are in ``panoptic_val2017``.
    holds : {"classes", "objects"}
        The class of each pixel, or the single things, without what is no thing (sky, road).
    """
    files = [folder] if folder.is_file() else sorted(folder.glob("**/panoptic*.json"))
    documents = [(file, _document(file)) for file in files]
    if not documents:
        raise OtherLayoutError("no panoptic*.json in it")
    categories = {int(c["id"]): c for _, d in documents for c in d["categories"]}
    ordered = dict(sorted(categories.items()))
    cases: list[Case] = []
    notes: list[str] = []
    for file, document in documents:
        try:
            _add_cases(cases, notes, file, document, ordered, holds)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"{file} is not as COCO describes it: {error!r}.") from None
    cases.sort(key=lambda case: natural(case.name))
    names = {i: str(c.get("name", key)) for i, (key, c) in enumerate(ordered.items(), 1)}
    summary = f"{len(cases)} images with segments of {len(names)} classes."
    ignored = len(names) + 1 if holds == "classes" else None
    return Pairs(tuple(cases), holds, names, ignored, notes=(summary, *notes))


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        raise OtherLayoutError(f"{file.name} is not JSON") from None
    listed = document.get("annotations") if isinstance(document, dict) else None
    if not listed or "segments_info" not in listed[0]:
        raise OtherLayoutError(f"{file.name} lists no segments")
    return dict(document)


def _add_cases(
    cases: list[Case],
    notes: list[str],
    file: Path,
    document: Mapping[str, Any],
    categories: Mapping[int, Any],
    holds: Holds,
) -> None:
    numbers = {key: i for i, key in enumerate(categories, 1)}
    images = {image["id"]: str(image["file_name"]) for image in document["images"]}
    part = next((value for key, value in _PARTS.items() if key in file.stem), "")
    for annotation in document["annotations"]:
        picture = file.with_suffix("") / str(annotation["file_name"])
        image = _image_path(file, images[annotation["image_id"]])
        if image is None or not picture.is_file():
            notes.append(f"The image of {annotation['file_name']} or that file is not there.")
            continue
        contained(picture, file.parent, file)
        segments = annotation["segments_info"]
        things = [
            s for s in segments
            if not s.get("iscrowd") and categories[s["category_id"]].get("isthing", 1)
        ]  # fmt: skip
        if holds == "objects":
            new = {int(s["id"]): i for i, s in enumerate(things, 1)}
            classes = {i: numbers[s["category_id"]] for i, s in enumerate(things, 1)}
            source = Segments(picture, new, 0, "objects")
        else:
            new = {
                int(s["id"]): numbers[s["category_id"]] for s in segments if not s.get("iscrowd")
            }
            classes, source = {}, Segments(picture, new, len(numbers) + 1, "classes")
        cases.append(Case(stem(image), image, source, part, classes))


def _image_path(file: Path, name: str) -> Path | None:
    part = file.stem.removeprefix("panoptic_")
    root = file.parent.parent
    folders = (
        root / part,
        root / "images" / part,
        root / "images",
        file.parent / part,
        file.parent,
    )
    path = next((p / name for p in folders if (p / name).is_file()), None)
    return None if path is None else contained(path, root, file)


@dataclass(frozen=True)
class Segments:
    """The segments of one image, renumbered when asked for.

    Parameters
    ----------
    path : Path
        A colour PNG; a segment has the number red + 256 green + 65536 blue.
    numbers : mapping of int to int
        The label of each segment.
    rest : int
        The label of all other pixels.
    holds : {"classes", "objects"}
        What the labels mean.
    """

    path: Path
    numbers: Mapping[int, int] = field(default_factory=dict)
    rest: int = 0
    holds: Holds = "classes"

    def __call__(self) -> Labels:
        """Read the picture."""
        colours = raster.read(self.path)
        if "C" not in colours.axes:
            raise FormatError(f"{self.path} is no colour picture. Export it again.")
        red, green, blue = np.moveaxis(np.asarray(colours.data), -1, 0)[:3].astype(np.int64)
        values, inverse = np.unique(red + 256 * green + 65536 * blue, return_inverse=True)
        dtype = smallest_integers(max((*self.numbers.values(), self.rest)))
        new = np.array([self.numbers.get(int(v), self.rest) for v in values], dtype)
        return Labels(new[inverse].reshape(red.shape), "YX", holds=self.holds)

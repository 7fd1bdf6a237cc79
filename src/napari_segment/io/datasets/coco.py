"""COCO annotations: objects as polygons or run lengths, several to an image."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_segment.bounded import read_json
from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.io.containment import contained
from napari_segment.io.datasets.outlines import CROWD, Outlines, polygons_of, run_lengths
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts

_PARTS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
_LARGEST = 2**30  # bytes of a JSON file
_NOTES = 20  # of what was left out of one file


@layouts.add("coco", title="COCO annotations")
def coco(folder: Path, *, crowds: Literal["ignore", "unlabelled"] = "ignore") -> Pairs:
    """Read images with the objects that COCO JSON files list for them.

    Objects become labels 1, 2, …, painted from large to small, so that of overlapping objects
    the smaller stays whole. Category ids, which may have gaps, become classes 1, 2, … in their
    order; `Case.classes` says which object is of which.

    Parameters
    ----------
    folder : Path
        A JSON file, or the data set's folder with its ``instances*.json`` files.
    crowds : {"ignore", "unlabelled"}
        What is made of regions marked as crowds: background, or the label -1 for "not
        labelled".
    """
    files = [folder] if folder.is_file() else _json_files(folder)
    root = _root(folder) if folder.is_file() else folder
    document = [(f, _annotations(f)) for f in files]
    categories = _categories(document)
    cases: list[Case] = []
    notes: list[str] = []
    for file, content in document:
        try:
            more, left_out = _cases(file, content, categories, root, mark=crowds == "unlabelled")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FormatError(f"{file} is not as COCO describes it: {error!r}.") from None
        cases += more
        notes += left_out[:_NOTES]
        if len(left_out) > _NOTES:
            notes.append(f"{len(left_out) - _NOTES} more images or annotations were left out.")
    cases.sort(key=lambda c: natural(c.name))
    names = dict(enumerate(categories.values(), start=1))
    return Pairs(
        tuple(cases), "objects", names,
        ignore_index=CROWD if crowds == "unlabelled" else None,
        notes=(f"{len(cases)} images with objects of {len(names)} classes.", *notes),
    )  # fmt: skip


def _json_files(folder: Path) -> list[Path]:
    files = [f for pattern in ("*.json", "*/*.json") for f in sorted(folder.glob(pattern))]
    chosen = [
        f for f in files if f.name.startswith("instances") or f.name == "_annotations.coco.json"
    ]
    if not chosen:
        raise OtherLayoutError("no instances*.json in it")
    return chosen


def _annotations(file: Path) -> dict[str, Any]:
    try:
        document = read_json(file, largest=_LARGEST)
    except OSError as error:
        raise OtherLayoutError(str(error)) from None
    wanted = ("images", "annotations", "categories")
    if not isinstance(document, dict) or not all(isinstance(document.get(k), list) for k in wanted):
        raise OtherLayoutError(f"{file.name} lists no images, annotations and categories")
    return document


def _categories(document: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[int, str]:
    names = {
        int(c["id"]): str(c.get("name", c["id"])) for _, t in document for c in t["categories"]
    }
    return dict(sorted(names.items()))


def _cases(
    file: Path,
    document: Mapping[str, Any],
    categories: Mapping[int, str],
    within: Path,
    *,
    mark: bool,
) -> tuple[list[Case], list[str]]:
    """Return the cases of one JSON file, and notes on what was left out."""
    objects: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        objects[annotation["image_id"]].append(annotation)
    numbers = {c: i for i, c in enumerate(categories, start=1)}
    cases, notes, crowds = [], [], 0
    for image in document["images"]:
        path = _image_path(file, str(image["file_name"]), within)
        if path is None:
            notes.append(f"The image {image['file_name']} is not there; it was left out.")
            continue
        shown = [a for a in objects[image["id"]] if a.get("segmentation")]
        instances = [a for a in shown if not a.get("iscrowd")]
        crowds += len(shown) - len(instances)
        size = (int(image["height"]), int(image["width"]))
        unfit = _unfit(shown, size)
        notes += [f"{file.name}, {image['file_name']}: {reason}" for reason in unfit.values()]
        instances = [a for a in instances if id(a) not in unfit]
        labels = Outlines(
            size, tuple(a["segmentation"] for a in instances),
            tuple(
                a["segmentation"] for a in shown
                if mark and a.get("iscrowd") and id(a) not in unfit
            ),
        )  # fmt: skip
        classes = {i: numbers[a["category_id"]] for i, a in enumerate(instances, start=1)}
        cases.append(Case(stem(path), path, labels, _part(file), classes))
    if crowds:
        notes.append(f"{crowds} regions of {file.name} are crowds, not objects.")
    return cases, notes


def _unfit(annotations: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> dict[int, str]:
    """Say why an outline is no object of its image, by the annotation's `id`."""
    unfit = {}
    for annotation in annotations:
        reason = _fault(annotation["segmentation"], size)
        if reason:
            named = annotation.get("id", "without id")
            unfit[id(annotation)] = f"annotation {named} was left out: {reason}."
    return unfit


def _fault(segmentation: object, size: tuple[int, int]) -> str:
    """Say what is wrong with a COCO segmentation; "" for nothing."""
    if isinstance(segmentation, Mapping):
        given = segmentation.get("size")
        try:
            run_lengths(segmentation)
        except (KeyError, TypeError, ValueError, FormatError):
            return f"its run lengths do not fill their size {given}"
        fits = list(map(int, segmentation["size"])) == list(size)
        return "" if fits else f"its run lengths are of size {given}, the image of {list(size)}"
    try:
        polygons = [np.asarray(p, float) for p in polygons_of(segmentation)]
    except (TypeError, ValueError):
        return "its outline is no list of polygons"
    if all(p.ndim == 1 and p.size >= 6 and p.size % 2 == 0 for p in polygons):
        return "" if all(np.isfinite(p).all() for p in polygons) else "a corner is no number"
    sizes = ", ".join(str(p.size) for p in polygons)
    return f"a polygon needs three corners (x, y), and it has {sizes} numbers"


def _root(file: Path) -> Path:
    """Return the folder of a data set of which one JSON file is given."""
    return file.parent.parent if file.parent.name.lower().startswith("annot") else file.parent


def _image_path(file: Path, name: str, within: Path) -> Path | None:
    """Return the path of an image that a JSON file names with or without some of its folders."""
    part = re.sub(r"^instances_|\.json$", "", file.name)
    root = file.parent.parent
    folders = (
        file.parent, root / "images" / part, root / part, root / "images", root,
        file.parent / "images", file.parent / part,
    )  # fmt: skip
    path = next((p / name for p in folders if (p / name).is_file()), None)
    return None if path is None else contained(path, within, file)


def _part(file: Path) -> str:
    name = f"{file.stem} {file.parent.name}"
    return next((part for split, part in _PARTS.items() if split in name), "")

"""COCO annotations: objects as polygons or run lengths, several to an image."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Labels, smallest_integers
from napari_segment.io.containment import contained
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts

_PARTS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
CROWD = -1
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
        document = json.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        raise OtherLayoutError(f"{file.name} is not JSON") from None
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
            _run_lengths(segmentation)
        except (KeyError, TypeError, ValueError, FormatError):
            return f"its run lengths do not fill their size {given}"
        fits = list(map(int, segmentation["size"])) == list(size)
        return "" if fits else f"its run lengths are of size {given}, the image of {list(size)}"
    try:
        polygons = [np.asarray(p, float) for p in _polygons(segmentation)]
    except (TypeError, ValueError):
        return "its outline is no list of polygons"
    if all(p.ndim == 1 and p.size >= 6 and p.size % 2 == 0 for p in polygons):
        return "" if all(np.isfinite(p).all() for p in polygons) else "a corner is no number"
    sizes = ", ".join(str(p.size) for p in polygons)
    return f"a polygon needs three corners (x, y), and it has {sizes} numbers"


def _polygons(segmentation: object) -> list[Any]:
    """Return the polygons of a segmentation; one that stands alone counts as a list of one."""
    if not isinstance(segmentation, list | tuple):
        raise TypeError(type(segmentation).__name__)
    flat = bool(segmentation) and all(isinstance(v, int | float) for v in segmentation)
    return [segmentation] if flat else list(segmentation)


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


# ---- from outlines to pixels ----


@dataclass(frozen=True)
class Outlines:
    """Objects of one image, painted when asked for.

    Parameters
    ----------
    size : tuple of int
        Height and width.
    objects, crowds : tuple
        COCO segmentations: lists of polygons, or run lengths.
    """

    size: tuple[int, int]
    objects: tuple[Any, ...]
    crowds: tuple[Any, ...] = ()

    def __call__(self) -> Labels:
        """Paint the objects, numbered from 1 in their order, large ones first."""
        masks = [fill(s, self.size) for s in self.objects]
        dtype = np.int32 if self.crowds else smallest_integers(len(masks))
        labels: NDArray[Any] = np.zeros(self.size, dtype)
        for crowd in self.crowds:
            labels[fill(crowd, self.size)] = CROWD
        areas = [-int(m.sum()) for m in masks]
        for i in np.argsort(areas, kind="stable"):
            labels[masks[i]] = i + 1
        return Labels(labels, "YX", holds="objects")


def fill(segmentation: object, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of a COCO segmentation.

    Parameters
    ----------
    segmentation : list or dict
        Polygons ``[[x0, y0, x1, y1, …], …]``, of which the union is taken: a pixel belongs to
        one if its centre, half a pixel from its corner, lies within. Or run lengths
        ``{"size": [h, w], "counts": …}``, as numbers or as COCO's compressed string.
    size : tuple of int
        Height and width.

    Returns
    -------
    bool array of shape `size`

    Examples
    --------
    >>> fill([[1, 0, 3, 0, 3, 2, 1, 2]], (2, 4)).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]])
    >>> fill({"size": [2, 3], "counts": [1, 2, 3]}, (2, 3)).astype(int)
    array([[0, 1, 0],
           [1, 0, 0]])
    """
    if isinstance(segmentation, Mapping):
        return _runs(segmentation)
    from skimage.draw import polygon

    mask = np.zeros(size, bool)
    for points in _polygons(segmentation):
        if len(points) < 6 or len(points) % 2:
            raise FormatError(f"A polygon of {len(points)} numbers has no three corners (x, y).")
        xy = np.asarray(points, float).reshape(-1, 2) - 0.5
        mask[polygon(xy[:, 1], xy[:, 0], size)] = True
    return mask


def _runs(segmentation: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Paint runs of background and object in turns, down the columns."""
    (height, width), runs = _run_lengths(segmentation)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def _run_lengths(segmentation: Mapping[str, Any]) -> tuple[tuple[int, int], list[int]]:
    """Return the height and width, and the runs that fill them."""
    height, width = map(int, segmentation["size"])
    counts = segmentation["counts"]
    runs = _unpacked(counts) if isinstance(counts, str | bytes) else [int(c) for c in counts]
    if sum(runs) != height * width or min(runs, default=0) < 0:
        raise FormatError(f"Run lengths of {sum(runs)} pixels for a picture of {height} x {width}.")
    return (height, width), runs


def _unpacked(text: str | bytes) -> list[int]:
    """Decode COCO's compressed runs: five bits a character, each a change from two before."""
    codes = text if isinstance(text, bytes) else text.encode()
    numbers: list[int] = []
    value = shift = 0
    for code in codes:
        bits = code - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            numbers.append(value - (1 << shift) if bits & 0x10 else value)
            value = shift = 0
    for i in range(3, len(numbers)):
        numbers[i] += numbers[i - 2]
    return numbers

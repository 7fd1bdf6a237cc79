"""Write pairs of planes as COCO, COCO panoptic, YOLO, PASCAL VOC and Data Science Bowl 2018."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.datasets.voc import VOID, colour
from napari_segment.io.datasets.writing import (
    class_names,
    class_of,
    masks_of,
    read_plane,
    write_json,
    write_text,
)
from napari_segment.io.files import write
from napari_segment.io.formats._pixel_outlines import corner_rings

_COCO_PARTS = {"train": "train", "validation": "val", "test": "test", "": "all"}


def coco(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """COCO's JSON files with run lengths, which hold every pixel; overlaps there are none."""
    documents: dict[str, dict[str, list[Any]]] = {}
    categories = [{"id": k, "name": v} for k, v in class_names(pairs).items()]
    for number, case in enumerate(pairs, 1):
        image, labels = read_plane(pairs, case)
        file = f"{case.name}{suffix or '.png'}"
        part = _COCO_PARTS.get(case.part, "all")
        write(image, folder / part / file)
        document = documents.setdefault(
            part, {"images": [], "annotations": [], "categories": categories}
        )
        height, width = labels.size("Y"), labels.size("X")
        document["images"].append(
            {"id": number, "file_name": file, "height": height, "width": width}
        )
        for value, mask in masks_of(labels):
            document["annotations"].append({
                "id": len(document["annotations"]) + 1, "image_id": number,
                "category_id": class_of(pairs, case, value), "iscrowd": 0, "area": int(mask.sum()),
                "bbox": _box(mask),
                "segmentation": {"size": [height, width], "counts": _runs(mask)},
            })  # fmt: skip
        yield case.name
    for part, document in documents.items():
        write_json(folder / "annotations" / f"instances_{part}.json", document)


def dsb2018(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """A folder for each image, with a mask for each object."""
    for case in pairs:
        image, labels = read_plane(pairs, case)
        ending = suffix or ".png"
        write(image, folder / case.name / "images" / f"{case.name}{ending}")
        for value, mask in masks_of(labels):
            single = Labels(mask.astype(np.uint8), "YX", holds="classes")
            path = folder / case.name / "masks" / f"{value:06}.png"
            write(single.replace(data=single.data * np.uint8(255)), path)
        yield case.name


def coco_panoptic(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """COCO panoptic: a PNG for each image whose colours number its segments.

    Objects are things of their class. Classes are no things, and the background is one of them:
    pixels of no segment have no annotation there.
    """
    documents: dict[str, dict[str, list[Any]]] = {}
    categories = _panoptic_categories(pairs)
    for number, case in enumerate(pairs, 1):
        image, labels = read_plane(pairs, case)
        file = f"{case.name}{suffix or '.png'}"
        part = _COCO_PARTS.get(case.part, "all")
        write(image, folder / part / file)
        data = np.asarray(labels.data).astype(np.int64)
        ids = data + 1 if pairs.holds == "classes" else data
        ids[_unannotated(data, pairs)] = 0
        write(_coloured(ids), folder / "annotations" / f"panoptic_{part}" / f"{case.name}.png")
        document = documents.setdefault(
            part, {"images": [], "annotations": [], "categories": categories}
        )
        height, width = labels.size("Y"), labels.size("X")
        document["images"].append(
            {"id": number, "file_name": file, "height": height, "width": width}
        )
        segments = [
            {
                "id": value, "area": int(mask.sum()), "bbox": _box(mask), "iscrowd": 0,
                "category_id": value if pairs.holds == "classes" else class_of(pairs, case, value),
            }
            for value, mask in masks_of(Labels(ids, "YX"))
        ]  # fmt: skip
        document["annotations"].append(
            {"image_id": number, "file_name": f"{case.name}.png", "segments_info": segments}
        )
        yield case.name
    for part, document in documents.items():
        write_json(folder / "annotations" / f"panoptic_{part}.json", document)


def _panoptic_categories(pairs: Pairs) -> list[dict[str, Any]]:
    if pairs.holds == "classes":
        names = {0: "background", **class_names(pairs)}
        return [{"id": k + 1, "name": v, "isthing": 0} for k, v in names.items()]
    return [{"id": k, "name": v, "isthing": 1} for k, v in class_names(pairs).items()]


def _coloured(ids: NDArray[np.int64]) -> Image:
    """Numbers as colours: red + 256 green + 65536 blue."""
    channels = np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], -1)
    return Image(channels.astype(np.uint8), "YXC", channels=RGB)


def yolo(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """YOLO segmentation: a line with class and polygon for each object, along its pixels' edges.

    Raises
    ------
    FormatError
        If an object has a hole or several pieces, which one polygon does not hold.
    """
    for case in pairs:
        image, labels = read_plane(pairs, case)
        part = _COCO_PARTS.get(case.part, "all").replace("all", "train")
        write(image, folder / "images" / part / f"{case.name}{suffix or '.png'}")
        size = np.array([labels.size("X"), labels.size("Y")])
        lines = []
        for value, mask in masks_of(labels):
            outline = _single_outline(mask, case, value) / size
            numbers = " ".join(f"{v:.10g}" for v in outline.ravel())
            lines.append(f"{class_of(pairs, case, value) - 1} {numbers}\n")
        write_text(folder / "labels" / part / f"{case.name}.txt", "".join(lines))
        yield case.name
    names = class_names(pairs)
    listed = [names.get(i, f"class {i}") for i in range(1, max(names) + 1)]
    rows = "".join(f"  {i}: {json.dumps(name)}\n" for i, name in enumerate(listed))
    write_text(
        folder / "data.yaml", f"path: .\ntrain: images/train\nval: images/val\nnames:\n{rows}"
    )


def _single_outline(mask: NDArray[np.bool_], case: Case, value: int) -> NDArray[np.int64]:
    rings = corner_rings(mask)
    if len(rings) > 1:
        raise FormatError(
            f"The label {value} of the case {case.name} has a hole or several pieces, which YOLO's "
            "polygon of an object does not hold. Write the layout coco instead."
        )
    return rings[0]


def voc(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """PASCAL VOC: masks in its colours, of classes and, where labels are objects, of these."""
    parts: dict[str, list[str]] = {}
    names = class_names(pairs)
    for case in pairs:
        image, labels = read_plane(pairs, case)
        write(image, folder / "JPEGImages" / f"{case.name}{suffix or '.png'}")
        data = _below_void(np.asarray(labels.data).astype(np.int64), pairs, case)
        classes = data
        if pairs.holds != "classes":
            write(_in_colours(data), folder / "SegmentationObject" / f"{case.name}.png")
            table = {v: class_of(pairs, case, v) for v in np.unique(data).tolist() if 0 < v < VOID}
            classes = _replaced(data, table)
        write(_in_colours(classes), folder / "SegmentationClass" / f"{case.name}.png")
        parts.setdefault(_COCO_PARTS.get(case.part, "all"), []).append(case.name)
        yield case.name
    listed = ["background", *(names.get(i, f"class {i}") for i in range(1, max(names) + 1))]
    rows = (f"{name}:{','.join(map(str, colour(i)))}::\n" for i, name in enumerate(listed))
    write_text(folder / "labelmap.txt", "".join(rows))
    for part, cases in parts.items():
        path = folder / "ImageSets" / "Segmentation" / f"{part}.txt"
        write_text(path, "\n".join(cases) + "\n")


def _below_void(data: NDArray[np.int64], pairs: Pairs, case: Case) -> NDArray[np.int64]:
    """Numbers with VOC's 255 where nothing is annotated."""
    unannotated = _unannotated(data, pairs)
    largest = int(data[~unannotated].max(initial=0))
    if largest >= VOID:
        raise FormatError(
            f"The case {case.name} has the label {largest}; VOC holds numbers to {VOID - 1}. Write "
            "the layout coco instead."
        )
    return np.where(unannotated, VOID, data)


def _unannotated(data: NDArray[np.int64], pairs: Pairs) -> NDArray[np.bool_]:
    ignored = np.zeros(data.shape, bool)
    if pairs.ignore_index is not None:
        ignored = data == pairs.ignore_index
    return np.asarray(ignored | (data < 0))


def _in_colours(numbers: NDArray[np.int64]) -> Image:
    colours = np.array([colour(i) for i in range(VOID + 1)], np.uint8)
    return Image(colours[numbers], "YXC", channels=RGB)


def _replaced(data: NDArray[np.int64], table: dict[int, int]) -> NDArray[np.int64]:
    values, inverse = np.unique(data, return_inverse=True)
    new = np.array([table.get(v, v) for v in values.tolist()], np.int64)
    return new[inverse].reshape(data.shape)


# ---- masks as COCO writes them ----


def _box(mask: NDArray[np.bool_]) -> list[int]:
    """Left, top, width and height."""
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]


def _runs(mask: NDArray[np.bool_]) -> list[int]:
    """Runs of background and object in turns, down the columns."""
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs

"""Write pairs in a layout that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError, UnknownNameError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.files import write
from napari_segment.io.names import exact_suffix
from napari_segment.step import Step

_COCO_PARTS = {"train": "train", "validation": "val", "test": "test", "": "all"}

Write: TypeAlias = Callable[[Pairs, Path, str], Iterator[str]]


def write_pairs(
    pairs: Pairs, folder: Path, layout: str, suffix: str = ""
) -> Generator[Step, None, Path]:
    """Write a data set case by case.

    Parameters
    ----------
    pairs : Pairs
        What is written.
    folder : Path
        New, or empty.
    layout : str
        A name in `WRITERS`.
    suffix : str
        The format of the images, such as ".nii.gz"; "" for the one that is usual in the layout.

    Yields
    ------
    Step
        After each case.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FormatError
        If the folder holds files, or the layout cannot hold the data.
    UnknownNameError
        If the layout is not written.
    """
    if layout not in WRITERS:
        raise UnknownNameError("layout that is written", layout, WRITERS)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FormatError(f"{folder} is there and holds files. Give a new folder.")
    names = [case.name for case in pairs]
    if len(set(names)) < len(names):
        double = next(n for n in names if names.count(n) > 1)
        raise FormatError(f"Two cases are named {double!r}. Rename one.")
    for done, name in enumerate(WRITERS[layout](pairs, folder, suffix), 1):
        yield Step(done, len(pairs), name)
    return folder


def _read(pairs: Pairs, case: Case) -> tuple[Image, Labels]:
    image, labels = pairs.read(case)
    return image.compute(), labels.compute()


def _volume_suffix(image: Image) -> str:
    medical = image.affine is not None or image.unit == "millimeter"
    return ".nii.gz" if medical else ".tif"


def _folders(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """Two folders; labels have the format of the image, or the one that holds them exactly."""
    for case in pairs:
        image, labels = _read(pairs, case)
        ending = suffix or _volume_suffix(image)
        write(image, folder / "images" / f"{case.name}{ending}")
        write(labels, folder / "labels" / f"{case.name}{exact_suffix('a' + ending, 'labels')}")
        yield case.name


def _decathlon(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """The Decathlon's folders and ``dataset.json``."""
    ending = suffix or ".nii.gz"
    listed: dict[str, list[dict[str, str]]] = {"train": [], "validation": []}
    channels: tuple[str, ...] = ("image",)
    values = set(pairs.names)
    for case in pairs:
        image, labels = _read(pairs, case)
        if "C" in image.axes:
            image = image.transpose("C" + image.axes.replace("C", ""))
            channels = image.channels or tuple(f"channel {i}" for i in range(image.size("C")))
        named = {"image": f"imagesTr/{case.name}{ending}", "label": f"labelsTr/{case.name}{ending}"}
        write(image, folder / named["image"])
        write(labels, folder / named["label"])
        values |= {int(v) for v in np.unique(labels.data)} - {0, pairs.ignore_index}
        listed["validation" if case.part == "validation" else "train"].append(
            {key: f"./{path}" for key, path in named.items()}
        )
        yield case.name
    names = {"0": "background"} | {
        str(v): pairs.names.get(v, f"class {v}") for v in sorted(values) if v > 0
    }
    if pairs.ignore_index is not None:
        names[str(pairs.ignore_index)] = "ignore"
    description = {
        "name": folder.name, "tensorImageSize": "4D" if len(channels) > 1 else "3D",
        "modality": {str(i): c for i, c in enumerate(channels)}, "labels": names,
        "numTraining": len(listed["train"]), "training": listed["train"],
        "validation": listed["validation"], "test": [],
    }  # fmt: skip
    _write_json(folder / "dataset.json", description)


def _coco(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """COCO's JSON files with run lengths, which hold every pixel; overlaps there are none."""
    documents: dict[str, dict[str, list[Any]]] = {}
    names = dict(pairs.names) or {1: "object"}
    categories = [{"id": k, "name": v} for k, v in names.items()]
    for number, case in enumerate(pairs, 1):
        image, labels = _plane(pairs, case)
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
        for value, mask in _masks(labels):
            category = value if pairs.holds == "classes" else case.classes.get(value, 1)
            document["annotations"].append({
                "id": len(document["annotations"]) + 1, "image_id": number,
                "category_id": category, "iscrowd": 0, "area": int(mask.sum()),
                "bbox": _box(mask),
                "segmentation": {"size": [height, width], "counts": _runs(mask)},
            })  # fmt: skip
        yield case.name
    for part, document in documents.items():
        _write_json(folder / "annotations" / f"instances_{part}.json", document)


def _dsb2018(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """A folder for each image, with a mask for each object."""
    for case in pairs:
        image, labels = _plane(pairs, case)
        ending = suffix or ".png"
        write(image, folder / case.name / "images" / f"{case.name}{ending}")
        for value, mask in _masks(labels):
            single = Labels(mask.astype(np.uint8), "YX", holds="classes")
            path = folder / case.name / "masks" / f"{value:06}.png"
            write(single.replace(data=single.data * np.uint8(255)), path)
        yield case.name


def _omezarr(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:  # noqa: ARG001
    """OME-Zarr images with the labels inside."""
    for case in pairs:
        image, labels = _read(pairs, case)
        path = write(image, folder / f"{case.name}.ome.zarr")
        write(labels, path / "labels" / "labels")
        yield case.name


WRITERS: Mapping[str, Write] = {
    "folders": _folders, "decathlon": _decathlon, "coco": _coco, "dsb2018": _dsb2018,
    "omezarr": _omezarr,
}  # fmt: skip


# ---- planes of objects ----


def _plane(pairs: Pairs, case: Case) -> tuple[Image, Labels]:
    image, labels = _read(pairs, case)
    if labels.axes != "YX":
        raise FormatError(
            f"The case {case.name} has labels with the axes {labels.axes}; this layout holds "
            "planes. Write the layout folders, decathlon or omezarr."
        )
    return image, labels


def _masks(labels: Labels) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    for value in np.unique(labels.data):
        if value > 0:
            yield int(value), np.asarray(labels.data == value)


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


def _write_json(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1), "utf-8")

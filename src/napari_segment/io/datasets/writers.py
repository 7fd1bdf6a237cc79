"""Write pairs in a layout that other programs read."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from napari_segment.errors import FormatError, UnknownNameError
from napari_segment.image import Image
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.datasets.plane_writers import coco, coco_panoptic, dsb2018, voc, yolo
from napari_segment.io.datasets.sequence_writers import cell_tracking
from napari_segment.io.datasets.writing import read_case, write_json
from napari_segment.io.files import write
from napari_segment.io.names import exact_suffix, natural
from napari_segment.step import Step

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


def _volume_suffix(image: Image) -> str:
    medical = image.affine is not None or image.unit == "millimeter"
    return ".nii.gz" if medical else ".tif"


def _folders(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """Two folders; labels have the format of the image, or the one that holds them exactly."""
    for case in pairs:
        image, labels = read_case(pairs, case)
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
        image, labels = read_case(pairs, case)
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
    write_json(folder / "dataset.json", description)


def _nested_cases(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:
    """A folder for each case with a file for each channel, as BraTS has it."""
    for case in pairs:
        image, labels = read_case(pairs, case)
        ending = suffix or ".nii.gz"
        for name, channel in zip(_modalities(image), _channels(image), strict=True):
            write(channel, folder / case.name / f"{case.name}_{name}{ending}")
        write(labels, folder / case.name / f"{case.name}_seg{exact_suffix('a' + ending, 'labels')}")
        yield case.name


def _channels(image: Image) -> list[Image]:
    return [image.channel(i) for i in range(image.size("C"))] if "C" in image.axes else [image]


def _modalities(image: Image) -> list[str]:
    """Names for the files of channels that sort as the channels do."""
    count = image.size("C") if "C" in image.axes else 1
    names = [re.sub(r"[^A-Za-z0-9]+", "", n) for n in image.channels] or [""] * count
    plain = ["image"] if count == 1 and not names[0] else names
    if all(plain) and sorted(plain, key=natural) == plain and "seg" not in plain:
        return plain
    return [f"{i}{name}" for i, name in enumerate(names)]


def _omezarr(pairs: Pairs, folder: Path, suffix: str) -> Iterator[str]:  # noqa: ARG001
    """OME-Zarr images with the labels inside."""
    for case in pairs:
        image, labels = read_case(pairs, case)
        path = write(image, folder / f"{case.name}.ome.zarr")
        write(labels, path / "labels" / "labels")
        yield case.name


WRITERS: Mapping[str, Write] = {
    "folders": _folders, "decathlon": _decathlon, "coco": coco, "coco_panoptic": coco_panoptic,
    "yolo": yolo, "voc": voc, "dsb2018": dsb2018, "cell_tracking": cell_tracking,
    "nested_cases": _nested_cases, "omezarr": _omezarr,
}  # fmt: skip

"""PASCAL VOC: ``JPEGImages`` with ``SegmentationClass`` and ``SegmentationObject``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Holds
from napari_segment.io.datasets.painted import Colour, Painted
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts

VOID = 255
_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
_PARTS = {"train": "train", "val": "validation", "test": "test"}


@layouts.add("voc", title="PASCAL VOC")
def voc(folder: Path, *, what: Literal["classes", "objects"] = "classes") -> Pairs:
    """Read the images of a VOC data set that have segmentation masks.

    Parameters
    ----------
    folder : Path
        Holds ``JPEGImages`` and ``SegmentationClass``; and, if there, ``SegmentationObject``,
        ``ImageSets/Segmentation`` and ``labelmap.txt``.
    what : {"classes", "objects"}
        Which of the two kinds of masks. Borders of objects, number 255, are not labelled.
    """
    masks = folder / ("SegmentationClass" if what == "classes" else "SegmentationObject")
    if not masks.is_dir() or not (folder / "JPEGImages").is_dir():
        raise OtherLayoutError(f"no folders JPEGImages and {masks.name} in it")
    names, colours = _classes(folder / "labelmap.txt")
    if what == "objects":
        colours = {colour(i): i for i in range(256)}
    cases, notes = _cases(folder, masks, colours, what)
    first = f"{len(cases)} images with {what}."
    return Pairs(
        tuple(cases), what, names if what == "classes" else {}, VOID, notes=(first, *notes)
    )


def colour(number: int) -> Colour:
    """Return the colour that VOC gives to a number: its bits, spread over red, green and blue.

    Examples
    --------
    >>> colour(1), colour(15), colour(255)
    ((128, 0, 0), (192, 128, 128), (224, 224, 192))
    """
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= (number >> (3 * (bit) + channel) & 1) << (7 - bit)
    return channels[0], channels[1], channels[2]


def _classes(path: Path) -> tuple[dict[int, str], dict[Colour, int]]:
    """Return the class names and colours, from the file of the data set or VOC's own."""
    if not path.is_file():
        table = {colour(i): i for i in range(len(_CLASSES) + 1)}
        return dict(enumerate(_CLASSES, 1)), table | {colour(VOID): VOID}
    names: dict[int, str] = {}
    colours: dict[Colour, int] = {colour(VOID): VOID}
    lines = [line for line in path.read_text("utf-8").splitlines() if line and line[0] != "#"]
    for number, line in enumerate(lines):
        name, _, rest = line.partition(":")
        try:
            red, green, blue = map(int, rest.split(":")[0].split(","))
        except ValueError:
            raise FormatError(f"{path} has no colour in the line {line!r}.") from None
        colours[red, green, blue] = VOID if name == "ignored" else number
        if number and name != "ignored":
            names[number] = name
    return names, colours


def _cases(
    folder: Path, masks: Path, colours: Mapping[Colour, int], what: Holds
) -> tuple[list[Case], list[str]]:
    images = {stem(f): f for f in (folder / "JPEGImages").iterdir() if f.is_file()}
    parts = _parts(folder / "ImageSets" / "Segmentation")
    cases, notes = [], []
    for mask in sorted(masks.glob("*.png"), key=lambda f: natural(f.name)):
        name = stem(mask)
        if name in images:
            labels = Painted(mask, colours, {}, what)
            cases.append(Case(name, images.pop(name), labels, parts.get(name, "")))
        else:
            notes.append(f"The mask {mask.name} has no image; it was left out.")
    if images:
        notes.append(f"{len(images)} images have no masks; they were left out.")
    return cases, notes


def _parts(folder: Path) -> dict[str, str]:
    parts: dict[str, str] = {}
    for split, part in _PARTS.items():
        path = folder / f"{split}.txt"
        if path.is_file():
            parts |= dict.fromkeys(path.read_text("utf-8").split(), part)
    return parts

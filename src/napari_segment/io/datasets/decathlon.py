"""``dataset.json`` of the Medical Segmentation Decathlon and of nnU-Net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_segment.bounded import read_json
from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.io.containment import contained
from napari_segment.io.datasets.pairs import Case, Pairs, match_folders
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts

IGNORE = "ignore"
_PARTS = {"training": "train", "validation": "validation"}


@layouts.add("decathlon", title="Medical Decathlon or nnU-Net")
def decathlon(folder: Path) -> Pairs:
    """Read the cases that a ``dataset.json`` lists, with its class names.

    Parameters
    ----------
    folder : Path
        Holds ``dataset.json``; or that file. Without a list of cases (nnU-Net) the folders
        ``imagesTr`` and ``labelsTr`` are matched by name, ``_0000`` … being channels.
    """
    path = folder / "dataset.json" if folder.is_dir() else folder
    description = _description(path)
    numbers = _numbers(description["labels"])
    known: dict[str, Any] = {
        "holds": "classes", "names": _names(numbers), "ignore_index": _ignored(numbers)
    }  # fmt: skip
    if not any(isinstance(description.get(key), list) for key in _PARTS):
        matched = match_folders(path.parent / "imagesTr", path.parent / "labelsTr")
        return replace(matched, **known, notes=(*matched.notes, *_notes(numbers)))
    cases, notes = [], []
    for key, part in _PARTS.items():
        for item in description.get(key, ()):
            case, problem = _case(item, path.parent, part)
            cases += [case] if case else []
            notes += [problem] if problem else []
    cases.sort(key=lambda c: natural(c.name))
    summary = (
        f"{len(cases)} images with labels, of {description.get('name', 'an unnamed data set')}."
    )
    notes = [summary, *notes, *_notes(numbers)]
    return Pairs(tuple(cases), **known, axes=_axes(description), notes=tuple(notes))


def _description(path: Path) -> dict[str, Any]:
    if path.name != "dataset.json" or not path.is_file():
        raise OtherLayoutError("no dataset.json in it")
    try:
        description = read_json(path)
    except FormatError:
        raise
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}.") from None
    if not isinstance(description, dict) or not isinstance(description.get("labels"), dict):
        raise OtherLayoutError("its dataset.json names no labels")
    return description


def _numbers(labels: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The numbers of each name: ``{"1": "tumour"}`` of the Decathlon, ``{"tumour": 1}`` of nnU-Net.

    A region of nnU-Net has several numbers: ``{"whole tumour": [1, 2, 3]}``.
    """
    numbers: dict[str, tuple[int, ...]] = {}
    for key, value in labels.items():
        if str(key).isdigit() and isinstance(value, str):
            numbers[value] = (*numbers.get(value, ()), int(key))
            continue
        several = tuple(value) if isinstance(value, list) else (value,)
        if not several or any(type(number) is not int for number in several):
            raise FormatError(
                f"The label {key!r} of dataset.json is {value!r}, but a whole number, or for a "
                "region a list of them, is expected. Correct dataset.json."
            )
        numbers[str(key)] = several
    return numbers


def _ignored(numbers: Mapping[str, tuple[int, ...]]) -> int | None:
    """Return the number of nnU-Net's label "ignore"."""
    ignored = numbers.get(IGNORE, ())
    if len(ignored) > 1:
        raise FormatError(
            f"The label {IGNORE!r} of dataset.json has the numbers {ignored}: give one."
        )
    return ignored[0] if ignored else None


def _names(numbers: Mapping[str, tuple[int, ...]]) -> dict[int, str]:
    """Return the name of each number: that of its class, or of all regions that it is part of."""
    names: dict[int, list[str]] = {}
    for name, several in numbers.items():
        for number in several:
            if number != 0 and name != IGNORE:
                names.setdefault(number, []).append(name)
    return {number: " + ".join(names[number]) for number in sorted(names)}


def _notes(numbers: Mapping[str, tuple[int, ...]]) -> list[str]:
    notes = []
    ignored = _ignored(numbers)
    if ignored is not None:
        notes.append(f"Voxels of the label {ignored} ({IGNORE!r}) are without annotation.")
    regions = [name for name, several in numbers.items() if len(several) > 1 and name != "0"]
    if regions:
        notes.append(
            f"Overlapping regions ({', '.join(regions)}) are learnt as the classes into which they "
            "divide the labels; join these classes to get a region."
        )
    return notes


def _case(item: object, root: Path, part: str) -> tuple[Case | None, str]:
    if not isinstance(item, Mapping) or "image" not in item or "label" not in item:
        return None, f"{item!r} names no image and label; it was left out."
    listed = item["image"] if isinstance(item["image"], list) else [item["image"]]
    images, label = [root / str(i) for i in listed], root / str(item["label"])
    for named in (*images, label):
        contained(named, root, root / "dataset.json")
    missing = [f for f in (*images, label) if not f.exists()]
    if missing:
        return None, f"{missing[0].name} is not there; its case was left out."
    return Case(stem(label), tuple(images) if len(images) > 1 else images[0], label, part), ""


def _axes(description: Mapping[str, Any]) -> str:
    """Return the Decathlon keeps modalities in the axis that NIfTI reserves for time."""
    modalities = description.get("modality") or description.get("channel_names") or {}
    many = str(description.get("tensorImageSize", "")).upper() == "4D" and len(modalities) > 1
    return "CZYX" if many else ""

"""YOLO segmentation: a text file for each image, with a class and a polygon in each line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_segment.bounded import load_yaml
from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Labels
from napari_segment.io.datasets.outlines import Outlines
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.names import natural
from napari_segment.registry import layouts

_PARTS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
_NOTES = 20


@layouts.add("yolo", title="YOLO segmentation")
def yolo(folder: Path) -> Pairs:
    """Read images with the polygons of YOLO's text files.

    Polygons become the labels 1, 2, …, painted from large to small; classes are counted from 1.
    A line of four numbers is a box, which is no outline: it is left out.

    Parameters
    ----------
    folder : Path
        Holds ``images`` and ``labels``, each with or without folders such as ``train`` and ``val``
        (or these with ``images`` and ``labels`` in them), and ``data.yaml`` with the class names.
    """
    if not folder.is_dir():
        raise OtherLayoutError("it is no folder")
    texts = [f for f in folder.rglob("*.txt") if "labels" in f.relative_to(folder).parts[:-1]]
    if not texts:
        raise OtherLayoutError("no text files in a folder labels in it")
    cases: list[Case] = []
    notes: list[str] = []
    for text in sorted(texts, key=lambda f: natural(f.name)):
        image = _image_of(text, folder)
        if image is None:
            notes.append(f"{text.name} has no image of its name; it was left out.")
            continue
        polygons = _polygons(text, notes)
        classes = {i: number + 1 for i, (number, _) in enumerate(polygons, 1)}
        source = Scaled(image, tuple(p for _, p in polygons))
        cases.append(Case(text.stem, image, source, _part(text, folder), classes))
    names = _names(folder) or {n: f"class {n - 1}" for c in cases for n in c.classes.values()}
    summary = f"{len(cases)} images with outlines of {len(names)} classes."
    more = [f"{len(notes) - _NOTES} more were left out."] if len(notes) > _NOTES else []
    return Pairs(
        tuple(cases),
        "objects",
        dict(sorted(names.items())),
        notes=(summary, *notes[:_NOTES], *more),
    )


def _image_of(text: Path, folder: Path) -> Path | None:
    """The image whose path differs by its folder ``images`` and its suffix."""
    parts = list(text.relative_to(folder).parts)
    last = len(parts) - 1 - parts[::-1].index("labels")
    parts[last] = "images"
    base = folder.joinpath(*parts)
    return next((f for s in _IMAGES if (f := base.with_suffix(s)).is_file()), None)


def _part(text: Path, folder: Path) -> str:
    parts = text.relative_to(folder).parts[:-1]
    return next((_PARTS[p] for p in parts if p in _PARTS), "")


def _polygons(text: Path, notes: list[str]) -> list[tuple[int, tuple[float, ...]]]:
    """The class, from 0, and the outline of each line, in parts of width and height."""
    polygons = []
    for number, line in enumerate(text.read_text("utf-8").splitlines(), 1):
        columns = line.split()
        if not columns:
            continue
        try:
            kind, outline = int(columns[0]), tuple(map(float, columns[1:]))
        except ValueError:
            raise FormatError(
                f"{text}, line {number}: a class and the corners of a polygon are expected, and it "
                f"is {line[:60]!r}. Correct it."
            ) from None
        if len(outline) < 6 or len(outline) % 2:
            notes.append(f"{text.name}, line {number} is no polygon (a box?); it was left out.")
            continue
        polygons.append((kind, outline))
    return polygons


def _names(folder: Path) -> dict[int, str]:
    """The class names of ``data.yaml``, counted from 1."""
    for file in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        document: Any = load_yaml(file.read_text("utf-8"), file.name, of_tools=True)
        names = document.get("names") if isinstance(document, Mapping) else None
        if isinstance(names, list):
            return {i: str(name) for i, name in enumerate(names, 1)}
        if isinstance(names, Mapping):
            return {int(key) + 1: str(name) for key, name in names.items()}
    return {}


@dataclass(frozen=True)
class Scaled:
    """Outlines in parts of the size of an image, painted when asked for."""

    image: Path
    outlines: tuple[tuple[float, ...], ...]

    def __call__(self) -> Labels:
        """Paint the outlines, numbered from 1 in their order, large ones first."""
        from napari_segment.io.files import read

        picture = read(self.image, lazy=True)
        height, width = picture.size("Y"), picture.size("X")
        scaled = tuple(
            [[v * (height if i % 2 else width) for i, v in enumerate(outline)]]
            for outline in self.outlines
        )
        return Outlines((height, width), scaled)()

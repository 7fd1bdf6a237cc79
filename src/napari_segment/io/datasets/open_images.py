"""Open Images: one mask a file, listed in CSV tables."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Labels, smallest_integers
from napari_segment.io.containment import contained
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.formats import raster
from napari_segment.io.names import natural
from napari_segment.registry import layouts

_TABLE = "-annotations-object-segmentation.csv"
_PARTS = {"train": "train", "validation": "validation", "test": "test"}


@layouts.add("open_images", title="Open Images")
def open_images(folder: Path) -> Pairs:
    """Read the images of Open Images (V5 and later) that have object masks.

    Masks are brought to the size of their image by nearest neighbours, and painted from large to
    small. Classes are counted from 1, in the order of their names.

    Parameters
    ----------
    folder : Path
        Holds ``annotations`` with the tables, ``images`` and ``masks``, both by part.
    """
    tables = sorted((folder / "annotations").glob(f"*{_TABLE}"))
    if not tables:
        raise OtherLayoutError(f"no annotations/*{_TABLE} in it")
    rows = [(t.name.removesuffix(_TABLE), row) for t in tables for row in _rows(t)]
    called = _class_names(folder / "annotations")
    used = sorted({called.get(row["LabelName"], row["LabelName"]) for _, row in rows})
    numbers = {name: i for i, name in enumerate(used, 1)}
    groups: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)
    for part, row in rows:
        groups[part, row["ImageID"]].append(row)
    cases, notes = [], []
    for (part, name), listed in groups.items():
        image, masks = _files(folder, part, name, listed)
        if image is None or not all(m.is_file() for m in masks):
            notes.append(f"The image {name} or a mask of it is not there; it was left out.")
            continue
        classes = {
            i: numbers[called.get(row["LabelName"], row["LabelName"])]
            for i, row in enumerate(listed, 1)
        }
        source = Masks(image, tuple(masks))
        cases.append(Case(name, image, source, _PARTS.get(part, ""), classes))
    cases.sort(key=lambda c: natural(c.name))
    first = f"{len(cases)} images with objects of {len(used)} classes."
    return Pairs(tuple(cases), "objects", dict(enumerate(used, 1)), notes=(first, *notes))


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if rows and not {"MaskPath", "ImageID", "LabelName"} <= set(rows[0]):
        raise FormatError(f"{table} lacks the columns MaskPath, ImageID and LabelName.")
    return rows


def _class_names(folder: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for table in sorted(folder.glob("*class-descriptions*.csv")):
        with table.open(newline="", encoding="utf-8") as stream:
            names |= {row[0]: row[1] for row in csv.reader(stream) if len(row) == 2}
    return names


def _files(
    folder: Path, part: str, name: str, rows: Sequence[Mapping[str, str]]
) -> tuple[Path | None, list[Path]]:
    images = [folder / "images" / part / f"{name}{s}" for s in (".jpg", ".jpeg", ".png")]
    masks = [folder / "masks" / part / row["MaskPath"] for row in rows]
    for named in (*images, *masks):
        contained(named, folder, folder / "annotations" / f"{part}{_TABLE}")
    return next((i for i in images if i.is_file()), None), masks


@dataclass(frozen=True)
class Masks:
    """The objects of one image, painted when asked for, large ones first."""

    image: Path
    masks: tuple[Path, ...]

    def __call__(self) -> Labels:
        """Paint the masks, numbered from 1 in their order."""
        shape = raster.read(self.image).shape[:2]
        planes = [_resized(raster.read_indices(m).data != 0, shape) for m in self.masks]
        labels = np.zeros(shape, smallest_integers(len(planes)))
        for i in np.argsort([-int(p.sum()) for p in planes], kind="stable"):
            labels[planes[i]] = i + 1
        return Labels(labels, "YX", holds="objects")


def _resized(mask: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Resample to the nearest neighbour: the voxel in which the centre of each new one lies."""
    rows, columns = ((np.arange(n) + 0.5) * m // n for n, m in zip(shape, mask.shape, strict=True))
    return mask[np.ix_(rows.astype(int), columns.astype(int))]

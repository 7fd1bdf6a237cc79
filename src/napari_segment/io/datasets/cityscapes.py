"""Cityscapes: ``leftImg8bit`` and ``gtFine``, by part and city."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from napari_segment.errors import OtherLayoutError
from napari_segment.image import Labels, smallest_integers
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.formats import raster
from napari_segment.io.names import natural
from napari_segment.registry import layouts

VOID = 255
_IMAGE = "_leftImg8bit.png"
_PARTS = {"train": "train", "val": "validation", "test": "test"}
# The 19 classes that are scored, by their label id (Cordts et al. 2016, arXiv:1604.01685).
_CLASSES = {
    7: "road", 8: "sidewalk", 11: "building", 12: "wall", 13: "fence", 17: "pole",
    19: "traffic light", 20: "traffic sign", 21: "vegetation", 22: "terrain", 23: "sky",
    24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 31: "train", 32: "motorcycle",
    33: "bicycle",
}  # fmt: skip
_OF_ID = {label: number for number, label in enumerate(_CLASSES, 1)}
_EACH = 1000  # an object of class id 26 is 26000, 26001, …


@layouts.add("cityscapes", title="Cityscapes")
def cityscapes(folder: Path, *, what: Literal["classes", "objects"] = "classes") -> Pairs:
    """Read the images of Cityscapes with their fine annotations.

    Parameters
    ----------
    folder : Path
        Holds ``leftImg8bit`` and ``gtFine``.
    what : {"classes", "objects"}
        The 19 scored classes, counted from 1, other pixels being not labelled; or single people
        and vehicles.
    """
    images, truth = folder / "leftImg8bit", folder / "gtFine"
    if not images.is_dir() or not truth.is_dir():
        raise OtherLayoutError("no folders leftImg8bit and gtFine in it")
    cases, notes = [], []
    for image in sorted(images.glob(f"*/*/*{_IMAGE}"), key=natural):
        part, city = image.relative_to(images).parts[:2]
        name = image.name.removesuffix(_IMAGE)
        mask = _mask(truth / part / city, name, what)
        if mask is None:
            notes.append(f"The image {image.name} has no annotation; it was left out.")
            continue
        cases.append(Case(name, image, Identities(mask, what), _PARTS.get(part, "")))
    names = dict(enumerate(_CLASSES.values(), 1)) if what == "classes" else {}
    ignored = VOID if what == "classes" else None
    first = f"{len(cases)} images with {what}."
    return Pairs(tuple(cases), what, names, ignored, notes=(first, *notes))


def _mask(folder: Path, name: str, what: str) -> Path | None:
    kinds = ("labelIds", "instanceIds", "labelTrainIds") if what == "classes" else ("instanceIds",)
    files = (folder / f"{name}_gtFine_{kind}.png" for kind in kinds)
    return next((f for f in files if f.is_file()), None)


@dataclass(frozen=True)
class Identities:
    """One annotation, in label ids, instance ids or training ids by its name."""

    path: Path
    what: Literal["classes", "objects"]

    def __call__(self) -> Labels:
        """Read the annotation in our numbers."""
        stored = raster.read_indices(self.path).data
        values, inverse = np.unique(stored, return_inverse=True)
        numbers = self._classes(values) if self.what == "classes" else self._objects(values)
        ours = np.array(numbers, smallest_integers(max(numbers)))
        return Labels(ours[inverse].reshape(stored.shape), "YX", holds=self.what)

    def _classes(self, values: np.ndarray) -> list[int]:
        if self.path.name.endswith("labelTrainIds.png"):
            return [v + 1 if v < len(_CLASSES) else VOID for v in map(int, values)]
        ids = [v // _EACH if v >= _EACH else v for v in map(int, values)]
        return [_OF_ID.get(i, VOID) for i in ids]

    def _objects(self, values: np.ndarray) -> list[int]:
        single = {int(v): i for i, v in enumerate(values[values >= _EACH], 1)}
        return [single.get(int(v), 0) for v in values]

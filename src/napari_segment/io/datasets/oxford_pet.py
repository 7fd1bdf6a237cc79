"""The Oxford-IIIT Pet data set: photographs with trimaps, and lists of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from napari_segment.errors import OtherLayoutError
from napari_segment.io.containment import contained
from napari_segment.io.datasets.painted import Painted
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.names import natural
from napari_segment.registry import layouts

UNLABELLED = 255
_LISTS = {"trainval.txt": "train", "test.txt": "test"}
_PET, _BACKGROUND, _BORDER = 1, 2, 3  # in a trimap


@layouts.add("oxford_pet", title="Oxford-IIIT Pet")
def oxford_pet(folder: Path, *, border: Literal["class", "unlabelled"] = "class") -> Pairs:
    """Read the photographs with their trimaps; the parts are those of its lists.

    Parameters
    ----------
    folder : Path
        Holds ``images`` and ``annotations``, with ``trimaps`` and the lists ``trainval.txt`` and
        ``test.txt``.
    border : {"class", "unlabelled"}
        Whether the border between animal and background is a class of its own or without
        annotation.
    """
    trimaps = folder / "annotations" / "trimaps"
    if not trimaps.is_dir():
        raise OtherLayoutError("no annotations/trimaps in it")
    third = 2 if border == "class" else UNLABELLED
    numbers = {_PET: 1, _BACKGROUND: 0, _BORDER: third}
    cases, notes = [], []
    for name, part in _listed(folder / "annotations", trimaps).items():
        image, trimap = folder / "images" / f"{name}.jpg", trimaps / f"{name}.png"
        contained(image, folder, folder / "annotations")
        contained(trimap, folder, folder / "annotations")
        if image.is_file() and trimap.is_file():
            cases.append(Case(name, image, Painted(trimap, {}, numbers), part))
        else:
            notes.append(f"The image {name} or its trimap is not there; it was left out.")
    cases.sort(key=lambda case: natural(case.name))
    names = {1: "pet"} | ({2: "border"} if border == "class" else {})
    ignored = None if border == "class" else UNLABELLED
    summary = f"{len(cases)} photographs with trimaps."
    return Pairs(tuple(cases), "classes", names, ignored, notes=(summary, *notes))


def _listed(annotations: Path, trimaps: Path) -> dict[str, str]:
    """The names of the lists with their parts, or without lists those of all trimaps."""
    parts: dict[str, str] = {}
    for file, part in _LISTS.items():
        if (annotations / file).is_file():
            lines = (annotations / file).read_text("utf-8").splitlines()
            rows = [line.split() for line in lines if not line.startswith("#")]
            parts |= {row[0]: part for row in rows if row}
    return parts or {f.stem: "" for f in trimaps.glob("[!.]*.png")}

"""The Data Science Bowl 2018: a folder for each image, with a PNG file for each nucleus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError, OtherLayoutError
from napari_segment.image import Labels, smallest_integers
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.formats import raster
from napari_segment.io.names import natural
from napari_segment.registry import layouts


@layouts.add("dsb2018", title="Data Science Bowl 2018")
def dsb2018(folder: Path) -> Pairs:
    """Read the images of the Data Science Bowl 2018 with the nuclei of their masks.

    Nuclei become the labels 1, 2, … in the order of the names of their files. Where two masks share
    a pixel, it belongs to the later one.

    Parameters
    ----------
    folder : Path
        Holds a folder for each image, with ``images`` and ``masks`` in it.
    """
    if not folder.is_dir():
        raise OtherLayoutError("it is no folder")
    below = [f for f in folder.iterdir() if (f / "images").is_dir()]
    if not any((f / "masks").is_dir() for f in below):
        raise OtherLayoutError("no folders with images and masks in it")
    cases, notes = [], []
    for single in sorted(below, key=lambda f: natural(f.name)):
        images = sorted((single / "images").glob("[!.]*.png"))
        masks = tuple(sorted((single / "masks").glob("[!.]*.png")))
        if len(images) == 1 and masks:
            cases.append(Case(single.name, images[0], Nuclei(masks)))
        else:
            notes.append(
                f"The folder {single.name} has {len(images)} images and {len(masks)} masks; it was "
                "left out."
            )
    summary = f"{len(cases)} images with a mask for each nucleus."
    return Pairs(tuple(cases), "objects", {}, notes=(summary, *notes))


@dataclass(frozen=True)
class Nuclei:
    """The nuclei of one image, painted when asked for."""

    masks: tuple[Path, ...]

    def __call__(self) -> Labels:
        """Number the masks from 1."""
        labels: NDArray[Any] | None = None
        for number, file in enumerate(self.masks, 1):
            mask = raster.read_indices(file)
            if labels is None:
                labels = np.zeros(mask.shape, smallest_integers(len(self.masks)))
            if mask.axes != "YX" or mask.shape != labels.shape:
                raise FormatError(
                    f"The mask {file} has the shape {mask.shape}, the first one of its image "
                    f"{labels.shape}. Export it again."
                )
            labels[np.asarray(mask.data) > 0] = number
        assert labels is not None
        return Labels(labels, "YX", holds="objects")

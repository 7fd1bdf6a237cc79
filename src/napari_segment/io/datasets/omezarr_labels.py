"""OME-Zarr images with labels inside: ``image.zarr/labels/NAME``."""

from __future__ import annotations

from pathlib import Path

from napari_segment.errors import OtherLayoutError
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.formats.omezarr import is_zarr, labels_in
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts


@layouts.add("omezarr", title="OME-Zarr with labels")
def omezarr(folder: Path, *, labels: str = "") -> Pairs:
    """Read OME-Zarr images with the labels that lie in them.

    Parameters
    ----------
    folder : Path
        One OME-Zarr image, or a folder of them.
    labels : str
        The name of the labels, where images have several.
    """
    if not folder.is_dir():
        raise OtherLayoutError("it is no folder")
    images = [folder] if is_zarr(folder) else [f for f in folder.iterdir() if f.is_dir()]
    listed = {f: labels_in(f) for f in images if is_zarr(f)}
    if not any(listed.values()):
        raise OtherLayoutError("no OME-Zarr image with labels in it")
    several = sorted({name for names in listed.values() for name in names})
    if not labels and len(several) > 1:
        raise OtherLayoutError(f"its images have the labels {', '.join(several)}; name one")
    wanted = labels or several[0]
    cases, notes = [], []
    for image in sorted(listed, key=lambda f: natural(f.name)):
        if wanted in listed[image]:
            cases.append(Case(stem(image), image, image / "labels" / wanted))
        else:
            notes.append(f"{image.name} has no labels {wanted!r}; it was left out.")
    summary = f"{len(cases)} images with the labels {wanted!r}."
    return Pairs(tuple(cases), "", {}, notes=(summary, *notes))

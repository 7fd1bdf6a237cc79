"""Which paths are images, by name and content; nothing is decoded."""

from __future__ import annotations

from pathlib import Path

from napari_segment.io.names import natural, suffix
from napari_segment.io.registry import formats


def is_readable(path: str | Path) -> bool:
    """Return whether a name belongs to a known format; nothing is opened."""
    return formats.of_suffix(suffix(path)) is not None


def is_image(path: str | Path) -> bool:
    """Return whether a path is one image: a file of a known name, OME-Zarr, or a DICOM series.

    Files that are written for other programs only, such as meshes, are none.
    """
    path = Path(path)
    if path.is_dir():
        return formats.of_content(path) is not None
    form = formats.of_suffix(suffix(path))
    return path.is_file() and form is not None and form.reads


def is_inside(path: str | Path) -> bool:
    """Whether a path is one inside a file, such as ``image.zarr/labels/NAME``, there or not."""
    inside = [f.writes_inside for f in formats.values() if f.writes_inside is not None]
    return any(recognises(Path(path)) for recognises in inside)


def images_in(folder: str | Path, *, recursive: bool = False) -> list[Path]:
    """List the images of a folder in natural order of their names, without hidden ones.

    Parameters
    ----------
    folder : path
        Where.
    recursive : bool
        Whether the images in the folders below follow, folder by folder. Links to folders are not
        followed, nor are folders listed that are one image themselves.
    """
    entries = sorted(
        (p for p in Path(folder).iterdir() if not p.name.startswith(".")),
        key=lambda p: natural(p.name),
    )
    images = [p for p in entries if is_image(p)]
    if recursive:
        known = set(images)
        for below in entries:
            if below.is_dir() and not below.is_symlink() and below not in known:
                images += images_in(below, recursive=True)
    return images

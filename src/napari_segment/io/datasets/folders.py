"""The layout of two folders whose files are matched by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_segment.errors import OtherLayoutError
from napari_segment.io.datasets.pairs import Pairs, match_folders
from napari_segment.registry import layouts

IMAGE_FOLDERS = ("images", "imagesTr", "image", "imgs", "img", "raw", "inputs")
LABEL_FOLDERS = ("labels", "labelsTr", "label", "masks", "mask", "annotations", "gt", "targets")


@layouts.add("folders", title="Two folders")
def folders(folder: Path, *, images: str = "", labels: str = "") -> Pairs:
    """Match the files of a folder of images and a folder of labels by name.

    Parameters
    ----------
    folder : Path
        Holds both.
    images, labels : str
        Names of the two folders; "" for the first there is of ``images``, ``imagesTr``, ``raw`` …
        and ``labels``, ``labelsTr``, ``masks`` …
    """
    if not folder.is_dir():
        raise OtherLayoutError("it is no folder")
    first = _first(folder, (images,) if images else IMAGE_FOLDERS)
    second = _first(folder, (labels,) if labels else LABEL_FOLDERS)
    pairs = match_folders(first, second)
    if not pairs:
        raise OtherLayoutError(f"no names in {first.name} and {second.name} match")
    return pairs


def _first(folder: Path, names: Iterable[str]) -> Path:
    names = tuple(names)
    for name in names:
        if (folder / name).is_dir():
            return folder / name
    raise OtherLayoutError(f"no folder {' or '.join(names[:3])} in it")

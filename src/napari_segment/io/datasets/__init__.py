"""Dataset layouts: from a folder, or the file that describes it, to Pairs.

A layout is an entry ``(folder, *, settings) -> Pairs``. It raises `OtherLayoutError` at once where
the folder is not of its kind, so that `open_layout` can ask one after the other.
"""

from __future__ import annotations

from pathlib import Path

from napari_segment.errors import FormatError, SettingError
from napari_segment.io.datasets import (
    camvid,
    cityscapes,
    coco,
    decathlon,
    folders,
    open_images,
    voc,
)
from napari_segment.io.datasets.kind import OtherLayoutError
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry import layouts

__all__ = [
    "OtherLayoutError",
    "camvid",
    "cityscapes",
    "coco",
    "decathlon",
    "folders",
    "open_images",
    "open_layout",
    "voc",
]


def open_layout(path: str | Path, layout: SpecLike = "auto") -> Pairs:
    """Read the pairs of a dataset.

    Parameters
    ----------
    path : str or Path
        The dataset's folder, or the file that describes it (``dataset.json``, COCO's JSON).
    layout : Spec or str
        A layout by name; "auto" finds the only one that fits.

    Raises
    ------
    FormatError
        If no layout fits, saying why, or if several do.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError(f"{path} does not exist.")
    spec = Spec.of(layout)
    if spec.name != "auto":
        return _pairs(layouts[spec.name](path, **spec.settings), path)
    if spec.settings:
        raise SettingError("The layout 'auto' has no settings; name the layout.")
    fitting, reasons = {}, []
    for name, entry in layouts.items():
        try:
            fitting[name] = entry(path)
        except OtherLayoutError as other:
            reasons.append(f"{name}: {other}")
    if len(fitting) > 1:
        fitting.pop("folders", None)  # a data set that describes itself is known better
    if len(fitting) > 1:
        raise FormatError(f"{path} may be of the layouts {', '.join(fitting)}; say which.")
    if not fitting:
        raise FormatError(f"{path} is of no known layout ({'; '.join(sorted(reasons))}).")
    return _pairs(next(iter(fitting.values())), path)


def _pairs(pairs: Pairs, path: Path) -> Pairs:
    if not pairs:
        raise FormatError(f"{path} holds no image with labels. {' '.join(pairs.notes[:5])}")
    return pairs

"""Zeiss CZI (``.czi``), through ZEISS's own library pylibCZIrw: mosaics are put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB
from napari_segment.image.units import length_factor
from napari_segment.io.contents import Contents, gather
from napari_segment.io.formats.microscopes._planes import (
    Index,
    Planes,
    check_planes,
    chosen,
    library,
)
from napari_segment.io.registry import Format, formats

TITLE = "Zeiss CZI"
_TYPES = {
    "Gray8": ("u1", 1), "Gray16": ("u2", 1), "Gray32Float": ("f4", 1), "Bgr24": ("u1", 3),
    "Bgr48": ("u2", 3), "Bgr96Float": ("f4", 3),
}  # fmt: skip
_LOOPS = "TCZ"


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read one scene; the parameters are those of `napari_segment.io.read`."""
    czi = library("pylibCZIrw.czi", TITLE)
    with czi.open_czi(str(path)) as file:
        extents = file.total_bounding_box
        scenes = dict(file.scenes_bounding_rectangle)
        frame = file.total_bounding_rectangle
        kinds = {_TYPES.get(str(kind)) for kind in file.pixel_types.values()}
        metadata = _at(file.metadata, "ImageDocument", "Metadata")
    if None in kinds or len({kind[1] for kind in kinds if kind}) != 1:
        raise FormatError(
            f"{path.name} holds pixels that are not read: {', '.join(map(str, kinds))}. Export the "
            "file as OME-TIFF."
        )
    more = {k: v for k, v in extents.items() if k not in "TCZYX" and v[1] - v[0] > 1}
    if more:
        raise FormatError(
            f"{path.name} has more dimensions than time, channel and space: {', '.join(more)}. "
            "Export one position of each with ZEN."
        )
    number = chosen(_scene_names(metadata, sorted(scenes)), series, path)
    box = scenes[sorted(scenes)[number]] if scenes else frame
    loops = {a: extents[a][1] - extents[a][0] for a in _LOOPS if a in extents}
    dtype = np.result_type(*(kind[0] for kind in kinds if kind))
    colours = next(kind[1] for kind in kinds if kind)
    plane = (int(box.h), int(box.w)) + ((3,) if colours == 3 else ())
    letters = [a for a in loops if loops[a] > 1 and not (a == "C" and colours == 3)]
    sizes = tuple(int(loops[a]) for a in letters)
    check_planes(path, (*sizes, *plane), dtype, path.stat().st_size)
    load = _LOADERS["".join(letters)]
    pixels = Planes(path, number, sizes, plane, dtype, load).array(TITLE, lazy=lazy)
    named = RGB if colours == 3 else _channel_names(metadata) if "C" in letters else ()
    return gather(
        path, pixels, "".join(letters) + "YX" + ("C" if colours == 3 else ""), _scale(metadata),
        wanted=axes, unit="micrometer" if _scale(metadata) else "pixel", channels=named,
        interval=_interval(metadata),
    )  # fmt: skip


def _load(path: Path, series: int, indices: Sequence[Index], letters: str) -> Iterator[Any]:
    czi = library("pylibCZIrw.czi", TITLE)
    with czi.open_czi(str(path)) as file:
        scenes = sorted(file.scenes_bounding_rectangle)
        starts = {a: low for a, (low, _) in file.total_bounding_box.items() if a in _LOOPS}
        for index in indices:
            plane = starts | {a: starts[a] + i for a, i in zip(letters, index, strict=True)}
            scene = {"scene": scenes[series]} if scenes else {}
            yield _colours_in_order(file.read(plane=plane, **scene))


def _colours_in_order(plane: NDArray[Any]) -> NDArray[Any]:
    """Red, green, blue; the library gives blue first."""
    return plane[..., ::-1] if plane.shape[-1] == 3 else plane[..., 0]


class _Load:
    """`_load` of some axes; it can be pickled."""

    def __init__(self, letters: str) -> None:
        self.letters = letters

    def __call__(self, path: Path, series: int, indices: Sequence[Index]) -> Iterator[Any]:
        return _load(path, series, indices, self.letters)


_LOADERS = {
    letters: _Load(letters) for letters in ("", "T", "C", "Z", "TC", "TZ", "CZ", "TCZ")
}  # fmt: skip


def _at(tree: object, *keys: str) -> Any:
    """What lies at a path of a tree of mappings; an empty mapping where nothing does."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return {} if tree is None else tree


def _listed(node: object) -> list[Any]:
    return node if isinstance(node, list) else [node] if node else []


def _scene_names(metadata: object, scenes: Sequence[int]) -> list[str]:
    nodes = _listed(
        _at(metadata, "Information", "Image", "Dimensions", "S", "Scenes", "Scene")
    )  # fmt: skip
    names = [str(node.get("@Name") or i) for i, node in enumerate(nodes)]
    whole = [f"scene {scene}" for scene in scenes] or ["scene 0"]
    return names if len(names) == len(whole) and len(set(names)) == len(names) else whole


def _channel_names(metadata: object) -> tuple[str, ...]:
    nodes = _listed(_at(metadata, "Information", "Image", "Dimensions", "Channels", "Channel"))
    return tuple(str(node.get("@Name") or node.get("@Id") or i) for i, node in enumerate(nodes))


def _scale(metadata: object) -> dict[str, float]:
    """Spacings in micrometres; the file has metres."""
    factor = length_factor("meter", "micrometer") or 1e6
    nodes = _listed(_at(metadata, "Scaling", "Items", "Distance"))
    values = {str(n.get("@Id")): _number(n.get("Value")) for n in nodes if isinstance(n, Mapping)}
    return {axis: value * factor for axis, value in values.items() if axis in "ZYX" and value > 0}


def _interval(metadata: object) -> float:
    path = ("Information", "Image", "Dimensions", "T", "Positions", "Interval", "Increment")
    return _number(_at(metadata, *path)) or 1.0


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return 0.0


formats.add(Format(name="czi", title=TITLE, suffixes=(".czi",), read=read, lazy=True))

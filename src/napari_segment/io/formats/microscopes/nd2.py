"""Nikon ND2 (``.nd2``), through the library nd2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import RGB
from napari_segment.io.contents import Contents, gather
from napari_segment.io.formats.microscopes._planes import Index, Planes, chosen, library
from napari_segment.io.registry import Format, formats

if TYPE_CHECKING:
    from nd2 import ND2File
    from nd2.structures import ExpLoop

TITLE = "Nikon ND2"
_POSITION, _SAMPLES = "P", "S"


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read one position; the parameters are those of `napari_segment.io.read`."""
    nd2 = library("nd2", TITLE)
    with nd2.ND2File(path) as file:
        sizes = {str(axis): int(size) for axis, size in file.sizes.items()}
        dtype = np.dtype(file.dtype)
        voxel = file.voxel_size()
        channels = tuple(str(c.channel.name) for c in file.metadata.channels or ())
        names = _position_names(file, sizes.get(_POSITION, 1))
        interval = _interval(file.experiment)
    unknown = [a for a in sizes if a not in ("T", "Z", "C", "Y", "X", _POSITION, _SAMPLES)]
    if unknown or (_SAMPLES in sizes and sizes.get("C", 1) > 1):
        raise FormatError(
            f"{path.name} has the axes {', '.join(sizes)}, of which not all are read. Export it as "
            "OME-TIFF."
        )
    loops = [axis for axis in sizes if axis in "TZ"]
    inner = [axis for axis in sizes if axis in ("C", "Y", "X", _SAMPLES)]
    if _SAMPLES in inner and "C" in inner:
        inner.remove("C")
    pixels = Planes(
        path, chosen(names, series, path), tuple(sizes[a] for a in loops),
        tuple(sizes[a] for a in inner), dtype, load,
    )  # fmt: skip
    coloured = _SAMPLES in inner
    letters = "".join((*loops, *inner)).replace(_SAMPLES, "C")
    scale = {"X": voxel.x, "Y": voxel.y, "Z": voxel.z}
    named = RGB if coloured and sizes[_SAMPLES] == 3 else channels
    fits = "C" in letters and len(named) == sizes[_SAMPLES if coloured else "C"]
    return gather(
        path, pixels.array(TITLE, lazy=lazy), letters, scale, wanted=axes, unit="micrometer",
        channels=named if fits else (), interval=interval,
    )  # fmt: skip


def load(path: Path, series: int, indices: Sequence[Index]) -> Iterator[NDArray[Any]]:
    """Read the frames of a position, in which channels lie together."""
    nd2 = library("nd2", TITLE)
    with nd2.ND2File(path) as file:
        loops = [str(axis) for axis in file.sizes if axis in "TZ"]
        frames: dict[Index, int] = {}
        for number, where in enumerate(_loop_indices(file)):
            if where.get(_POSITION, 0) == series:
                frames[tuple(where.get(axis, 0) for axis in loops)] = number
        for index in indices:
            yield np.asarray(file.read_frame(frames[index]))


def _loop_indices(file: ND2File) -> Sequence[Mapping[str, int]]:
    return file.loop_indices or ({},)


def _position_names(file: ND2File, count: int) -> list[str]:
    """The names of the positions of the stage, or their numbers."""
    for loop in file.experiment or ():
        points = getattr(loop.parameters, "points", None)
        names = [str(p.name or i) for i, p in enumerate(points or ())]
        if len(names) == count and len(set(names)) == count:
            return names
    return [f"position {i}" for i in range(count)]


def _interval(experiment: Sequence[ExpLoop]) -> float:
    """Seconds between time points; 1 where the file does not say."""
    for loop in experiment or ():
        parameters = getattr(loop.parameters, "periods", None) or (loop.parameters,)
        period = getattr(parameters[0], "periodMs", 0)
        if period:
            return float(period) / 1000
    return 1.0


formats.add(Format(name="nd2", title=TITLE, suffixes=(".nd2",), read=read, lazy=True))

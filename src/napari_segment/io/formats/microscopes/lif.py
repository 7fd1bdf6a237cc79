"""Leica LIF (``.lif``, and LOF and XLEF), through the library liffile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Index
from napari_segment.errors import FormatError
from napari_segment.image import RGB
from napari_segment.io.boundary import lazy_array
from napari_segment.io.contents import Contents, gather
from napari_segment.io.formats.microscopes._planes import check_planes, chosen, library
from napari_segment.io.registry import Format, formats

if TYPE_CHECKING:
    from liffile import LifImage

TITLE = "Leica LIF"
_SAMPLES = "S"
_NUMBERED = re.compile(r"(Ch)?\d+")  # what liffile calls channels without a name


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read one image; the parameters are those of `napari_segment.io.read`."""
    liffile = library("liffile", TITLE)
    with liffile.LifFile(path) as file:
        images = list(file.images)
        if not images:
            raise FormatError(f"{path.name} holds no images. Copy or export it again.")
        number = chosen([str(image.path or image.name) for image in images], series, path)
        image = images[number]
        own = [str(dim) for dim in image.dims]
        _check(own, path)
        check_planes(path, image.shape, image.dtype, _held(path))
        steps = {axis: _step(image.coords.get(axis)) for axis in own}
        channels = _channel_names(image, own)
        pixels: Any = _Image(path, number, image.shape, image.dtype)
        data = lazy_array(pixels, path, TITLE) if lazy else image.asarray()
    scale = {axis: 1e6 * steps[axis] for axis in own if axis in "ZYX" and steps[axis]}
    return gather(
        path, data, "".join(own).replace(_SAMPLES, "C"), scale, wanted=axes,
        unit="micrometer" if scale else "pixel", channels=channels,
        interval=steps.get("T") or 1.0,
    )  # fmt: skip


def _check(own: list[str], path: Path) -> None:
    unknown = [axis for axis in own if axis not in "TCZYX" + _SAMPLES]
    if unknown or {"C", _SAMPLES} <= set(own):
        raise FormatError(
            f"{path.name} has an image with the axes {', '.join(own)}, of which not all are read: "
            "of tiles, spectra or lifetimes, export what is meant as OME-TIFF."
        )


def _held(path: Path) -> int:
    """Bytes of the file, and of those next to it that an XLEF names."""
    files = [path] if path.suffix.lower() == ".lif" else path.parent.glob("**/*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _step(coordinates: NDArray[Any] | None) -> float:
    """The distance of neighbours, in metres or seconds; 0 where there are none."""
    if coordinates is None or len(coordinates) < 2:
        return 0.0
    values = np.asarray(coordinates)
    if values.dtype.kind in "mM":
        values = (values - values[0]) / np.timedelta64(1, "s")
    if values.dtype.kind not in "iuf":
        return 0.0
    return abs(float(values[-1] - values[0])) / (len(values) - 1)


def _channel_names(image: LifImage, own: list[str]) -> tuple[str, ...]:
    if _SAMPLES in own:
        return RGB if image.sizes[_SAMPLES] == 3 else ()
    if "C" not in own:
        return ()
    nodes = image.xml_element.findall(".//ImageDescription/Channels/ChannelDescription")
    tables = [node.get("LUTName") or "" for node in nodes]
    given = image.coords.get("C")
    names = [] if given is None else [str(name) for name in np.asarray(given).tolist()]
    spoken = [name for name in names if not _NUMBERED.fullmatch(name)]
    chosen_names = names if spoken else tables
    return (
        tuple(chosen_names) if len(chosen_names) == image.sizes["C"] and all(chosen_names) else ()
    )


class _Image:
    """One image of a file, opened for each access."""

    def __init__(
        self, path: Path, number: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.path, self.number = path, number
        self.shape, self.dtype, self.ndim = tuple(shape), np.dtype(dtype), len(shape)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        liffile = library("liffile", TITLE)
        with liffile.LifFile(self.path) as file:
            return np.array(file.images[self.number].asarray(out="memmap")[index])


formats.add(Format(
    name="lif", title=TITLE, suffixes=(".lif", ".lof", ".xlef"), read=read, lazy=True,
))  # fmt: skip

"""Regions of interest of ImageJ and Fiji: ``.roi``, and sets of them as ``RoiSet.zip``.

Coordinates are in pixels from the corner of the first pixel, as ImageJ counts them.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError, MissingError
from napari_segment.image import Labels, Stack, smallest_integers
from napari_segment.io.contents import COLORS, KEY, REACH, Contents, extras, from_extras, gather
from napari_segment.io.formats._pixel_outlines import Ring, corner_rings, filled
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import check_expansion, report_warning

if TYPE_CHECKING:
    from roifile import ImagejRoi

_LABEL = "label"  # the property that holds the number of an object
_LARGEST = 2**17  # of a side, in pixels


def _roifile() -> Any:
    try:
        import roifile
    except ImportError:
        raise MissingError(
            "ImageJ's regions need a package: pip install 'napari-segment[rois]'."
        ) from None
    return roifile


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Read regions as labels; the parameters are those of `napari_segment.io.read`.

    Every region with an area is an object; of those that overlap the later one wins, with a
    warning. A region without a position lies in every plane. The size is that of the labels it was
    written from, else as far as the regions reach.
    """
    rois = _opened(path)
    areas = [roi for roi in rois if _has_area(roi)]
    if not areas:
        raise FormatError(f"{path.name} holds no regions with an area. Export areas, not points.")
    if len(areas) < len(rois):
        number = len(rois) - len(areas)
        report_warning(f"{path.name}: {number} points and lines have no area and were left out.")
    saved = _saved(rois)
    outlines = [_rings(roi) for roi in areas]
    shape, letters = _grid(areas, outlines, saved, path)
    values = [_value(roi, i) for i, roi in enumerate(areas, 1)]
    dtype = smallest_integers(max(values))
    check_expansion(path.name, math.prod(shape) * dtype.itemsize, path.stat().st_size)
    data = np.zeros(shape, dtype)
    shared = 0
    for roi, rings, value in zip(areas, outlines, values, strict=True):
        mask, (top, left) = filled(rings, (shape[-2], shape[-1]))
        where = (..., slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1]))
        part = data[_planes(roi, letters)][where]
        shared += int(((part > 0) & (part != value) & mask).sum())
        part[..., mask] = value
    if shared:
        report_warning(
            f"{path.name}: its regions overlap in {shared:,} pixels, which go to the later one."
        )
    scale = dict(zip([a for a in letters if a != "T"], saved.get("spacing", ()), strict=False))
    more = from_extras(saved) | _described(areas, values, saved)
    return gather(path, data, letters, scale, wanted=axes, **more)


def _opened(path: Path) -> list[ImagejRoi]:
    roifile = _roifile()
    if path.suffix.lower() != ".zip":
        return [roifile.ImagejRoi.fromfile(path)]
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.lower().endswith(".roi")]
        if not names:
            raise FormatError(
                f"{path.name} is a zip file without ImageJ's regions (*.roi). Unpack it, and give "
                "what is in it."
            )
        size = sum(archive.getinfo(name).file_size for name in names)
        check_expansion(path.name, size, path.stat().st_size)
        return [roifile.ImagejRoi.frombytes(archive.read(name)) for name in names]


def _has_area(roi: ImagejRoi) -> bool:
    kinds = ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")
    return roi.roitype.name in kinds and roi.subtype.name in (
        "UNDEFINED",
        "ELLIPSE",
        "ROTATED_RECT",
    )


def _rings(roi: ImagejRoi) -> list[Ring]:
    """The outlines of a region, corners x, y; an oval is a polygon of many corners."""
    if roi.roitype.name == "OVAL":
        return [_oval(roi)]
    rings = roi.coordinates(multi=True)
    return [np.asarray(ring, float) for ring in rings if len(ring) >= 3]


def _oval(roi: ImagejRoi) -> Ring:
    angles = np.linspace(0, 2 * np.pi, 361)[:-1]
    width, height = roi.right - roi.left, roi.bottom - roi.top
    x = roi.left + width * (1 + np.cos(angles)) / 2
    return np.stack([x, roi.top + height * (1 + np.sin(angles)) / 2], -1)


def _properties(roi: ImagejRoi) -> dict[str, str]:
    """The lines ``key: value`` of a region."""
    pairs = (line.partition(":") for line in (roi.props or "").splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _saved(rois: Sequence[ImagejRoi]) -> dict[str, Any]:
    text = next((p[KEY] for p in map(_properties, rois) if KEY in p), "")
    try:
        saved = json.loads(text) if text else {}
    except ValueError:
        return {}
    return saved if isinstance(saved, dict) else {}


def _value(roi: ImagejRoi, number: int) -> int:
    value = _properties(roi).get(_LABEL, "")
    return int(value) if value.isdigit() and int(value) else number


def _positions(roi: ImagejRoi) -> tuple[int, int]:
    """The time point and the plane, from 1; 0 for all."""
    return roi.t_position, roi.z_position or (0 if roi.t_position else roi.position)


def _grid(
    rois: Sequence[ImagejRoi],
    outlines: Sequence[Sequence[Ring]],
    saved: Mapping[str, Any],
    path: Path,
) -> tuple[tuple[int, ...], str]:
    """The shape and axes: as written by us, else as far as the regions reach."""
    corners = np.concatenate([ring for rings in outlines for ring in rings])
    width, height = np.maximum(np.ceil(corners.max(axis=0)), 1).astype(int)
    times, planes = (max(p) for p in zip(*map(_positions, rois), strict=True))
    letters = ("T" if times else "") + ("Z" if planes else "") + "YX"
    reach = {"T": times, "Z": planes, "Y": int(height), "X": int(width)}
    shape = tuple(reach[a] for a in letters)
    if saved.get("axes") and len(saved.get("shape", ())) == len(saved["axes"]):
        letters, shape = str(saved["axes"]), tuple(int(n) for n in saved["shape"])
    if max(shape) > _LARGEST:
        raise FormatError(
            f"{path.name} has regions that reach to {shape} ({letters}): its numbers are damaged. "
            "Export it again."
        )
    return shape, letters


def _planes(roi: ImagejRoi, letters: str) -> tuple[slice, ...]:
    positions = dict(zip("TZ", _positions(roi), strict=True))
    return tuple(
        slice(None) if not positions[a] else slice(positions[a] - 1, positions[a])
        for a in letters[:-2]
    )


def _described(
    rois: Sequence[ImagejRoi], values: Sequence[int], saved: Mapping[str, Any]
) -> dict[str, Any]:
    """Names and colours by label, where the file is of ImageJ."""
    colors = {
        value: tuple(channel / 255 for channel in roi.stroke_color[1:])
        for roi, value in zip(rois, values, strict=True)
        if roi.stroke_color[0]
    }
    if "axes" in saved:
        return {}
    names = {v: r.name for r, v in zip(rois, values, strict=True) if r.name and _is_named(r.name)}
    header = {REACH: True} | ({COLORS: colors} if colors else {})
    return {"header": header} | ({"names": names} if names else {})


def _is_named(name: str) -> bool:
    """Whether a person gave the name; ImageJ's own are such as 0012-0345 and 0001-0012-0345."""
    return not all(part.isdigit() for part in name.split("-"))


def write(stack: Stack, path: Path) -> None:
    """Write an outline of each label in each plane; every pixel comes back.

    Raises
    ------
    FormatError
        If it is an image, or several regions are to go into one ``.roi``.
    """
    roifile = _roifile()
    if not isinstance(stack, Labels):
        raise FormatError(f"{path.name} holds regions of labels, not images. Write .tif instead.")
    labels = stack.compute()
    regions = list(_regions(labels))
    saved = extras(labels, "unit", "interval") | {
        "shape": list(labels.shape), "spacing": [float(s) for s in labels.spacing]
    }  # fmt: skip
    if not regions:
        raise FormatError(f"There are no labels to write to {path.name}: all is background.")
    regions[0].props = f"{regions[0].props}{KEY}: {json.dumps(saved)}\n"
    if path.suffix.lower() == ".zip":
        names = [f"{i:06}.roi" if not r.name else f"{r.name}.roi" for i, r in enumerate(regions, 1)]
        roifile.roiwrite(path, regions, name=names)
    elif len(regions) > 1:
        raise FormatError(
            f"{path.name} holds one region, and the labels have {len(regions)}. Write RoiSet.zip."
        )
    else:
        regions[0].tofile(path)


def _regions(labels: Labels) -> Iterator[ImagejRoi]:
    """A region for each label in each plane."""
    from scipy.ndimage import find_objects

    data = np.asarray(labels.data)
    for index in np.ndindex(data.shape[:-2]):
        plane = data[index]
        values, inverse = np.unique(plane, return_inverse=True)
        boxes = find_objects(inverse.reshape(plane.shape) + 1)
        position = dict(zip(labels.axes[:-2], (i + 1 for i in index), strict=True))
        for value, box in zip(values.tolist(), boxes, strict=True):
            if value > 0 and box is not None:
                yield _region(labels, int(value), plane[box] == value, box, position)


def _region(
    labels: Labels,
    value: int,
    mask: NDArray[np.bool_],
    box: tuple[slice, slice],
    position: Mapping[str, int],
) -> ImagejRoi:
    roifile = _roifile()
    start = (box[1].start, box[0].start)
    rings = [ring + np.array(start) for ring in corner_rings(mask)]
    where = "-".join(f"{position[a]:04}" for a in "TZ" if a in position)
    name = "-".join(filter(None, (where, labels.names.get(value, ""), f"{value:05}")))
    name = name.replace("/", "_").replace("\\", "_")
    roi: ImagejRoi = roifile.ImagejRoi.frompoints(rings[0].astype(np.int32), name=name)
    roi.z_position, roi.t_position = position.get("Z", 0), position.get("T", 0)
    roi.roitype = roifile.ROI_TYPE.TRACED
    if len(rings) > 1:
        _compose(roi, rings, mask.shape, start)
    color = labels.header.get(COLORS, {}).get(value)
    if color is not None:
        roi.stroke_color = bytes([255, *(round(255 * channel) for channel in color)])
    roi.props = f"{_LABEL}: {value}\n"
    return roi


def _compose(
    roi: ImagejRoi,
    rings: Sequence[NDArray[np.int64]],
    size: tuple[int, ...],
    start: tuple[int, int],
) -> None:
    """Turn a region into one of several outlines: pieces and holes."""
    roifile = _roifile()
    move, line, close = 0.0, 1.0, 4.0
    path: list[float] = []
    for ring in rings:
        for number, (x, y) in enumerate(ring.tolist()):
            path += [line if number else move, x, y]
        path.append(close)
    roi.roitype = roifile.ROI_TYPE.RECT
    roi.n_coordinates, roi.integer_coordinates, roi.subpixel_coordinates = 0, None, None
    roi.left, roi.top = start
    roi.right, roi.bottom = start[0] + size[1], start[1] + size[0]
    roi.multi_coordinates = np.array(path, np.float32)
    roi.shape_roi_size = len(path)


formats.add(Format(
    name="imagej_rois", title="ImageJ regions of interest", suffixes=(".roi", ".zip"), read=read,
    write=write, writes_images=False, floats_as=".tif",
))  # fmt: skip

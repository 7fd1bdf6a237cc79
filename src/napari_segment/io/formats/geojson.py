"""GeoJSON outlines of the labels of one plane, as QuPath reads and writes them.

Coordinates are in pixels from the corner of the first pixel, so that its centre is (0.5, 0.5).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import Labels, Stack, smallest_integers
from napari_segment.io.contents import COLORS, KEY, REACH, Contents, extras, from_extras, gather
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import check_size, report_warning

_LARGEST = 2**17  # of a side, in pixels
_BYTES_OF_A_CORNER = 5  # as text, the least: [0,0]


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Read outlines as labels; the parameters are those of `napari_segment.io.read`.

    A pixel belongs to an outline that its centre lies in; of outlines that overlap the later one
    wins, with a warning. The size is that of the plane it was written from, else as far as outlines
    reach.
    """
    document = json.loads(path.read_text("utf-8"))
    features = _features(document)
    if not features:
        raise FormatError(f"{path.name} holds no polygons. Export annotations or detections.")
    saved = document.get(KEY, {}) if isinstance(document, dict) else {}
    rings = [_rings(feature, path) for feature in features]
    shape = _shape(saved, rings, path)
    values = [_value(f, i) for i, f in enumerate(features, 1)]
    data = np.zeros(shape, smallest_integers(max(values)))
    shared = 0
    for value, outline in zip(values, rings, strict=True):
        mask = _filled(outline, shape)
        shared += int((data[mask] > 0).sum())
        data[mask] = value
    if shared:
        report_warning(
            f"{path.name}: its outlines overlap in {shared:,} pixels, which go to the later one."
        )
    more = from_extras(saved) | _described(features, values, saved)
    scale = dict(zip("YX", saved.get("spacing", ()), strict=False))
    return gather(path, data, "YX", scale, wanted=axes, **more)


def _features(document: Any) -> list[Mapping[str, Any]]:
    """The features with an area, of a collection, a list or one alone."""
    listed = document.get("features", [document]) if isinstance(document, dict) else document
    kinds = ("Polygon", "MultiPolygon")
    return [f for f in listed if (f.get("geometry") or {}).get("type") in kinds]


def _rings(feature: Mapping[str, Any], path: Path) -> list[NDArray[np.float64]]:
    geometry = feature["geometry"]
    polygons = geometry["coordinates"]
    polygons = [polygons] if geometry["type"] == "Polygon" else polygons
    rings = [np.array(ring, float)[:, :2] for polygon in polygons for ring in polygon]
    if any(len(ring) < 3 or not np.isfinite(ring).all() for ring in rings):
        raise FormatError(
            f"{path.name}: an outline needs three corners (x, y) that are numbers. Export it again."
        )
    return rings


def _shape(
    saved: Mapping[str, Any], rings: Sequence[list[NDArray[np.float64]]], path: Path
) -> tuple[int, int]:
    corners = np.concatenate([ring for outline in rings for ring in outline])
    width, height = np.maximum(np.ceil(corners.max(axis=0)), 1).astype(int)
    stated = saved.get("shape", (int(height), int(width)))
    if max(stated) > _LARGEST:
        check_size(path.name, int(np.prod(stated)), path.stat().st_size * _BYTES_OF_A_CORNER)
    return int(stated[0]), int(stated[1])


def _filled(rings: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in an odd number of rings: holes are rings too."""
    from skimage.draw import polygon

    mask = np.zeros(shape, bool)
    for ring in rings:
        rows, columns = polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, shape)
        mask[rows, columns] ^= True
    return mask


def _value(feature: Mapping[str, Any], number: int) -> int:
    value = (feature.get("properties") or {}).get("label", number)
    return value if isinstance(value, int) and value > 0 else number


def _described(
    features: Sequence[Mapping[str, Any]], values: Sequence[int], saved: Mapping[str, Any]
) -> dict[str, Any]:
    """Names and colours by label, where the file is of another program."""
    names, colors = {}, {}
    for value, feature in zip(values, features, strict=True):
        properties = feature.get("properties") or {}
        kind = properties.get("classification") or {}
        name = properties.get("name") or kind.get("name")
        color = kind.get("color") or kind.get("colorRGB")
        if name:
            names[value] = str(name)
        if isinstance(color, list) and len(color) == 3:
            colors[value] = tuple(int(v) / 255 for v in color)
    described: dict[str, Any] = {"names": names} if "axes" not in saved and names else {}
    header = ({COLORS: colors} if colors else {}) | ({} if "shape" in saved else {REACH: True})
    return described | ({"header": header} if header else {})


def write(stack: Stack, path: Path) -> None:
    """Write the outline of each label of a plane as a feature; every pixel comes back.

    Raises
    ------
    FormatError
        If it is an image or no plane.
    """
    if not isinstance(stack, Labels) or stack.axes != "YX":
        raise FormatError(
            f"{path.name} holds outlines of labels of one plane, not {type(stack).__name__} with "
            f"the axes {stack.axes}. Write .tif or .ome.zarr instead."
        )
    labels = stack.compute()
    saved = extras(labels, "unit") | {
        "shape": list(labels.shape), "spacing": [float(s) for s in labels.spacing]
    }  # fmt: skip
    features = list(_outlined(labels))
    document = {"type": "FeatureCollection", "features": features, KEY: saved}
    path.write_text(json.dumps(document), "utf-8")


def _outlined(labels: Labels) -> Iterator[dict[str, Any]]:
    from scipy.ndimage import find_objects

    data = np.asarray(labels.data)
    colors = labels.header.get(COLORS, {})
    values, inverse = np.unique(data, return_inverse=True)
    boxes = find_objects(inverse.reshape(data.shape) + 1)
    for value, box in zip(values, boxes, strict=True):
        if value <= 0 or box is None:
            continue
        rings = _contours(data[box] == value, box[0].start, box[1].start)
        name = labels.names.get(int(value))
        kind: dict[str, Any] = {"name": name} if name else {}
        if int(value) in colors:
            kind["color"] = [round(255 * v) for v in colors[int(value)]]
        properties = {"objectType": "annotation", "label": int(value)}
        yield {
            "type": "Feature",
            "properties": properties | ({"classification": kind} if kind else {}),
            "geometry": {"type": "MultiPolygon", "coordinates": rings},
        }


def _contours(mask: NDArray[np.bool_], top: int, left: int) -> list[list[list[list[float]]]]:
    """Polygons, each with its holes, through the middles between pixels in and out."""
    from skimage.measure import find_contours

    outer: list[tuple[NDArray[np.float64], list[list[list[float]]]]] = []
    holes: list[NDArray[np.float64]] = []
    for contour in find_contours(np.pad(mask, 1).astype(float), 0.5):
        ring = (contour[:, ::-1] - 0.5 + (left, top))[::-1]
        x, y = ring[:-1].T
        area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        if area < 0:
            outer.append((ring, [ring.tolist()]))
        else:
            holes.append(ring)
    for hole in holes:
        _around(hole, outer).append(hole.tolist())
    return [rings for _, rings in outer]


def _around(
    hole: NDArray[np.float64], outer: Sequence[tuple[NDArray[np.float64], list[list[list[float]]]]]
) -> list[list[list[float]]]:
    """The smallest polygon that a hole lies in."""
    from matplotlib.path import Path as Outline

    inside = [o for o in outer if Outline(o[0]).contains_point(hole[0])] or list(outer)
    return min(inside, key=lambda o: float(np.prod(np.ptp(o[0], axis=0))))[1]


formats.add(Format(
    name="geojson", title="GeoJSON", suffixes=(".geojson",), read=read, write=write,
    writes_images=False, floats_as=".tif",
))  # fmt: skip

"""What a run gave as layers: labels with what is known of each object, its boxes, and the maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import Image, Labels
from napari_segment.widgets.layers.conversion import (
    LayerData,
    LayerLike,
    geometry,
    result_layer,
)
from napari_segment.widgets.layers.features import features_of, one_row_each

DOUBT = ("disagreement", "entropy")
EDGES = {"Y": ("bbox_y_start", "bbox_y_stop"), "X": ("bbox_x_start", "bbox_x_stop")}
DEPTH = ("bbox_z_start", "bbox_z_stop")
MOST = 5000  # boxes that are drawn; of more, the surest
BOX_TEXT = {"class": "{class}", "score": "{score:.2f}"}  # at a box's corner
BOX_COLOURS = ("#f2a33a", "#4c9be8", "#63c285", "#e2637f", "#b08bea", "#d5c648")


def result_layers(labels: Labels, source: LayerLike, axes: str, name: str) -> list[LayerData]:
    """Return all layers of a run, the labels last but for their boxes.

    Parameters
    ----------
    labels, source, axes, name
        As of `result_layer`.

    Returns
    -------
    list of tuple
        Data, attributes and layer type of each map, of the labels, and of the boxes if there are.
    """
    shown = result_layer(labels, source, axes, name)
    transform = {key: shown[1][key] for key in geometry(source)}
    maps = [m for key, image in labels.maps.items() for m in _map_layers(key, image, axes, name)]
    layers = [(data, transform | attributes, "image") for data, attributes in maps]
    table = one_row_each(labels.features)
    if table is not None:
        shown[1]["features"] = features_of(table)
    layers.append(shown)
    if EDGES["Y"][0] in labels.features:
        layers += _box_layers(labels, transform, axes, name)
    return layers


def doubt_of(labels: Labels) -> Image | None:
    """Return the map that says how unsure a network was, if there is one."""
    return next((labels.maps[name] for name in DOUBT if name in labels.maps), None)


def _map_layers(
    key: str, image: Image, axes: str, name: str
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield one image for each channel; a map of uncertainty is visible at once."""
    parts = {key: image}
    if "C" in image.axes:
        names = image.channels or tuple(map(str, range(image.size("C"))))
        parts = {f"{key} {n}": image.channel(i) for i, n in enumerate(names)}
    for title, part in parts.items():
        data = part.data
        if axes.find("C") > 0:  # as of the labels: napari aligns dimensions from the last one
            data = np.expand_dims(data, axes.index("C"))
        yield data, {
            "name": f"{name} {title}", "contrast_limits": (0, 1), "rgb": False,
            "colormap": "inferno" if key in DOUBT else "gray", "blending": "additive",
            "visible": key in DOUBT,
        }  # fmt: skip


def box_corners(labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the corners of the objects' boxes on every plane that they reach.

    Returns
    -------
    boxes : ndarray (N, 4, D)
        In voxels along the labels' axes.
    rows : ndarray of int (N,)
        The row of the features that each belongs to.
    """
    features, axes = labels.features, labels.axes
    count = len(features["label"])
    starts = np.zeros(count, int) if DEPTH[0] not in features else features[DEPTH[0]]
    stops = starts + 1 if DEPTH[1] not in features else features[DEPTH[1]]
    rows = np.repeat(np.arange(count), np.maximum(stops - starts, 0).astype(int))
    reach = [np.arange(a, b) for a, b in zip(starts, stops, strict=True)]
    planes = np.concatenate([np.zeros(0, int), *reach])
    if len(rows) > MOST:
        score = features.get("score", np.zeros(count))[rows]
        chosen = np.sort(np.argsort(-score, kind="stable")[:MOST])
        rows, planes = rows[chosen], planes[chosen]
    boxes = np.zeros((len(rows), 4, len(axes)))
    for axis, order in (("Y", (0, 0, 1, 1)), ("X", (0, 1, 1, 0))):
        ends = np.stack([features[name][rows] for name in EDGES[axis]], axis=1)
        boxes[:, :, axes.index(axis)] = ends[:, list(order)] - 0.5
    if "Z" in axes:
        boxes[:, :, axes.index("Z")] = planes[:, None]
    if "T" in axes and "time" in features:
        boxes[:, :, axes.index("T")] = features["time"][rows][:, None]
    return boxes, rows


def _box_layers(
    labels: Labels, transform: dict[str, Any], axes: str, name: str
) -> Iterator[LayerData]:
    """Yield boxes with class and score at their corners, in a colour for each class."""
    import pandas as pd

    boxes, rows = box_corners(labels)
    if not len(boxes):
        return
    if boxes.shape[2] < len(transform["scale"]):
        boxes = np.insert(boxes, axes.index("C"), 0, axis=2)
    columns = [name for name in ("label", *BOX_TEXT) if name in labels.features]
    attributes = transform | {
        "name": f"{name} boxes", "shape_type": "rectangle", "face_color": "transparent",
        "edge_color": BOX_COLOURS[0], "edge_width": 1,
        "features": pd.DataFrame({n: labels.features[n][rows] for n in columns}),
    }  # fmt: skip
    text = " ".join(BOX_TEXT[name] for name in columns if name in BOX_TEXT)
    if text:
        attributes["text"] = {
            "string": text, "size": 8, "color": "white", "anchor": "upper_left",
        }  # fmt: skip
    if "class" in columns:
        attributes |= {"edge_color": "class", "edge_color_cycle": list(BOX_COLOURS)}
    yield list(boxes), attributes, "shapes"

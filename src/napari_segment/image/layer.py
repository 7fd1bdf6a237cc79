"""Image and Labels from the layers of napari, which is not imported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.image.image import RGB, Image
from napari_segment.image.labels import Labels
from napari_segment.image.stack import SPATIAL, default_axes

_AXIS_NAMES = {
    "t": "T", "time": "T", "c": "C", "ch": "C", "channel": "C", "channels": "C",
    "z": "Z", "y": "Y", "x": "X",
}  # fmt: skip


def from_layer(layer: Any, axes: str = "") -> Image | Labels:
    """Take a napari layer's pixels and geometry (by duck typing; napari is not imported).

    Parameters
    ----------
    layer : napari Image or Labels layer
        Of a multiscale layer the full resolution is taken. Axis roles come from ``rgb`` and
        ``axis_labels``, else from `axes`, else 2-D is YX and 3-D is ZYX.
    axes : str
        Axis letters, which win over the layer's own.

    Returns
    -------
    Image or Labels
        Labels where the layer paints labels.
    """
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    rgb = bool(getattr(layer, "rgb", False))
    axes = axes or named_axes(layer) or default_axes(data.shape)
    scaled = [a for a in axes if a != "C"] if rgb else list(axes)
    spatial = [i for i, a in enumerate(scaled) if a in SPATIAL]
    affine, unit = _layer_world(layer, spatial)
    interval = float(layer.scale[scaled.index("T")]) if "T" in scaled else 1.0
    common: dict[str, Any] = {
        "data": data, "axes": axes, "affine": affine, "unit": unit,
        "interval": interval, "name": str(getattr(layer, "name", "")),
    }  # fmt: skip
    saved = (getattr(layer, "metadata", None) or {}).get("napari-segment", {})
    common["header"] = dict(saved.get("header", {}))
    if hasattr(layer, "selected_label"):
        names = {int(number): str(name) for number, name in saved.get("names", {}).items()}
        return Labels(**common, holds=saved.get("holds", "objects"), names=names)
    channels = (*RGB, "alpha")[: data.shape[-1]] if rgb else ()
    return Image(**common, channels=channels)


def named_axes(layer: Any) -> str:
    """Return the axes that a layer names in ``axis_labels``, with C of RGB; "" if it names none."""
    rgb = bool(getattr(layer, "rgb", False))
    names = [_AXIS_NAMES.get(str(a).lower(), "") for a in getattr(layer, "axis_labels", ())]
    if rgb and not all(names):
        names = ["Y", "X"] if len(names) == 2 else names
    if not names or not all(names) or len(set(names)) < len(names):
        return ""
    return "".join(names) + ("C" if rgb else "")


def _layer_world(layer: Any, spatial: list[int]) -> tuple[NDArray[np.float64], str]:
    """Compose scale, shear, rotate, translate and affine; restrict to the spatial axes."""
    n = len(layer.scale)
    shear = np.eye(n)
    shear[np.triu_indices(n, 1)] = np.asarray(layer.shear)[: n * (n - 1) // 2]
    matrix = np.eye(n + 1)
    matrix[:n, :n] = np.asarray(layer.rotate) @ shear @ np.diag(layer.scale)
    matrix[:n, n] = layer.translate
    outer = getattr(layer.affine, "affine_matrix", layer.affine)
    matrix = np.asarray(outer, float) @ matrix
    units = [layer.units[i] for i in spatial] if getattr(layer, "units", None) else []
    keep = [*spatial, n]
    part = matrix[np.ix_(keep, keep)]
    if not units:
        return part, "pixel"
    factors = [1.0 if u == units[-1] else float((1 * u).to(units[-1]).magnitude) for u in units]
    return np.diag([*factors, 1.0]) @ part, str(units[-1])

"""The segments of 3D Slicer in a NRRD header (``.seg.nrrd``): names, colours, layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import Labels
from napari_segment.io.contents import COLORS


class Segment(NamedTuple):
    """One segment: its value within its layer, and how it is named and shown."""

    value: int
    name: str
    color: tuple[float, ...]
    layer: int


def segments_of(header: Mapping[str, Any]) -> list[Segment]:
    """The segments that a header lists."""
    segments = []
    for number in range(len(header)):
        key = f"Segment{number}_"
        if f"{key}Name" not in header and f"{key}ID" not in header:
            break
        color = tuple(float(v) for v in str(header.get(f"{key}Color", "")).split())
        segments.append(Segment(
            int(header.get(f"{key}LabelValue", number + 1)),
            str(header.get(f"{key}Name", header.get(f"{key}ID"))),
            color if len(color) == 3 else (),
            int(header.get(f"{key}Layer", 0)),
        ))  # fmt: skip
    return segments


def one_layer(
    layers: NDArray[Any], segments: list[Segment], name: str
) -> tuple[NDArray[Any], list[Segment]]:
    """Merge the layers of a segmentation, (layer, Z, Y, X), into labels counted from 1.

    Raises
    ------
    FormatError
        If segments overlap, so that one number for each voxel does not say it.
    """
    merged = np.zeros(layers.shape[1:], np.uint16)
    for number, segment in enumerate(segments, 1):
        mask = layers[segment.layer] == segment.value
        shared = mask & (merged > 0)
        if shared.any():
            other = segments[int(merged[shared][0]) - 1]
            raise FormatError(
                f"{name}: the segments {other.name!r} and {segment.name!r} overlap in "
                f"{int(shared.sum()):,} voxels, and one label image holds one number for each "
                "voxel. Export them from 3D Slicer without overlap, or one by one."
            )
        merged[mask] = number
    return merged, [s._replace(value=i, layer=0) for i, s in enumerate(segments, 1)]


def described(segments: list[Segment]) -> dict[str, Any]:
    """Class names and colours as parameters of `Contents`."""
    if not segments:
        return {}
    colors = {s.value: list(s.color) for s in segments if s.color}
    metadata: dict[str, Any] = {"names": {s.value: s.name for s in segments}}
    return metadata | ({"header": {COLORS: colors}} if colors else {})


def fields_of(labels: Labels) -> dict[str, str]:
    """The header fields for the named labels."""
    fields: dict[str, str] = {}
    colors = labels.header.get(COLORS, {})
    for number, (value, name) in enumerate(sorted(labels.names.items())):
        key = f"Segment{number}_"
        fields[f"{key}ID"] = f"Segment_{value}"
        fields[f"{key}Name"] = name.encode("ascii", "replace").decode()
        fields[f"{key}LabelValue"] = str(value)
        fields[f"{key}Layer"] = "0"
        if value in colors:
            fields[f"{key}Color"] = " ".join(f"{v:g}" for v in colors[value])
    return fields

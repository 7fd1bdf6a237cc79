"""Meshes of the objects of a volume for other programs: PLY, STL and OBJ.

Coordinates are X, Y, Z of the world in the unit of the labels; of medical images right, anterior,
superior, which the files say as 3D Slicer does (``SPACE=RAS``).
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks.surfaces import Surface, surfaces
from napari_segment.errors import FormatError
from napari_segment.image import Labels, Stack
from napari_segment.io.contents import COLORS, Contents
from napari_segment.io.registry import Format, formats

_GOLDEN = 0.61803398875  # turns of the colour circle from one label to the next


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:  # noqa: ARG001
    """Refuse a mesh: it has no voxels."""
    raise FormatError(
        f"{path.name} is a mesh, which is written for other programs and not read: it has no "
        "voxels. Read the labels that it was made of."
    )


def write(stack: Stack, path: Path) -> None:
    """Write the surface of each label: an object of its own, with its name, number and colour.

    Raises
    ------
    FormatError
        If it is an image, planes, or several time points.
    """
    if not isinstance(stack, Labels) or "Z" not in stack.axes or "T" in stack.axes:
        raise FormatError(
            f"{path.name} holds surfaces of the objects of one volume, not "
            f"{type(stack).__name__} with the axes {stack.axes}. Write .ome.zarr instead, or take "
            "one time point."
        )
    {".ply": _write_ply, ".obj": _write_obj, ".stl": _write_stl}[path.suffix.lower()](stack, path)


def _space(labels: Labels) -> list[str]:
    """What is said of the coordinates."""
    space = [] if labels.affine is None else ["SPACE=RAS"]
    return [*space, f"unit {labels.unit}"]


def color_of(labels: Labels, label: int) -> tuple[float, float, float]:
    """The colour of a label, red, green and blue from 0 to 1: its own, or one of the circle."""
    own = labels.header.get(COLORS, {}).get(label)
    if own is not None:
        return float(own[0]), float(own[1]), float(own[2])
    return colorsys.hsv_to_rgb(label * _GOLDEN % 1, 0.6, 0.95)


def _write_ply(labels: Labels, path: Path) -> None:
    """Binary PLY: the colour and the label of each corner."""
    parts = list(surfaces(labels))
    color: list[tuple[str, str]] = [(name, "u1") for name in ("red", "green", "blue")]
    vertex = [*((axis, "<f4") for axis in "xyz"), *color, ("label", "<i4")]
    face = [("count", "u1"), ("corners", "<i4", (3,))]
    corners = np.zeros(sum(len(s.vertices) for s in parts), vertex)
    triangles = np.zeros(sum(len(s.faces) for s in parts), face)
    triangles["count"] = 3
    first = start = 0
    for surface in parts:
        some = corners[first : first + len(surface.vertices)]
        some["x"], some["y"], some["z"] = surface.vertices[:, ::-1].T
        rgb = (round(255 * value) for value in color_of(labels, surface.label))
        some["red"], some["green"], some["blue"] = rgb
        some["label"] = surface.label
        rows = triangles[start : start + len(surface.faces)]
        rows["corners"] = surface.faces + first
        first, start = first + len(some), start + len(rows)
    names = [f"object {s.label} {_plain(s)}" for s in parts]
    types = {"<f4": "float", "u1": "uchar", "<i4": "int"}
    lines = [
        "ply", "format binary_little_endian 1.0",
        *(f"comment {text}" for text in (*_space(labels), *names)),
        f"element vertex {len(corners)}", *(f"property {types[t]} {n}" for n, t in vertex),
        f"element face {len(triangles)}", "property list uchar int vertex_indices",
        "end_header\n",
    ]  # fmt: skip
    with path.open("wb") as file:
        file.write("\n".join(lines).encode("ascii", "replace"))
        file.write(corners.tobytes())
        file.write(triangles.tobytes())


def _plain(surface: Surface) -> str:
    """A name for an object in a file of text: its own, or its number."""
    name = re.sub(r"[\s\x00-\x1f]+", "_", surface.name.strip())
    return name or f"label_{surface.label}"


def _write_obj(labels: Labels, path: Path) -> None:
    """OBJ: an object (``o``) for each label, with the colour at each corner."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"# {text}\n" for text in _space(labels))
        first = 1
        for surface in surfaces(labels):
            file.write(f"o {_plain(surface)}\n")
            color = np.broadcast_to(color_of(labels, surface.label), surface.vertices.shape)
            _rows(file, "v", np.hstack([surface.vertices[:, ::-1], color]), "%.7g")
            _rows(file, "f", surface.faces + first, "%d")
            first += len(surface.vertices)


def _rows(file: TextIO, key: str, table: NDArray[Any], form: str) -> None:
    np.savetxt(file, table, fmt=f"{key} " + " ".join([form] * table.shape[1]))


def _write_stl(labels: Labels, path: Path) -> None:
    """STL as text: a solid for each label; binary STL has no names and no second solid."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for surface in surfaces(labels):
            title = f"{_plain(surface)} {'; '.join(_space(labels))}"
            file.write(f"solid {title}\n")
            file.writelines(_facets(surface))
            file.write(f"endsolid {title}\n")


def _facets(surface: Surface) -> Iterator[str]:
    corners = surface.vertices[:, ::-1][surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(lengths > 0, lengths, 1)
    for normal, triangle in zip(normals.tolist(), corners.tolist(), strict=True):
        vertices = "".join(f"   vertex {_numbers(corner)}\n" for corner in triangle)
        yield f" facet normal {_numbers(normal)}\n  outer loop\n{vertices}  endloop\n endfacet\n"


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.7g}" for value in values)


formats.add(Format(
    name="meshes", title="Mesh", suffixes=(".ply", ".obj", ".stl"), read=read, write=write,
    writes_images=False, reads=False, floats_as=".nii.gz",
))  # fmt: skip

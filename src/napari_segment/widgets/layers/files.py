"""napari's File menu: formats that it does not read itself, and samples with known truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer

from napari_segment import api, io
from napari_segment.errors import SegmentError
from napari_segment.image import from_layer
from napari_segment.samples import SAMPLES
from napari_segment.widgets.layers.conversion import LayerData, stack_layer


def get_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of a path, or None: napari's reader contribution."""
    paths = [path] if isinstance(path, str) else list(path)
    return read_layers if paths and all(map(_is_readable, paths)) else None


def _is_readable(path: str) -> bool:
    if Path(path).is_dir() or io.is_readable(path):
        return not Path(path).is_dir() or io.is_image(path)
    return Path(path).is_file() and io.formats.of_content(Path(path)) is not None


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Read files as image layers, with spacing, unit, affine and names of axes.

    Where a table of features or a recipe lies next to a file, it holds labels and becomes a layer
    of them.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return [stack_layer(api.as_labels(p) if _is_result(p) else api.read(p)) for p in paths]


def _is_result(path: str) -> bool:
    return io.features_path(path).is_file() or io.recipe_path(path).is_file()


def file_attributes(path: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return scale, translation, affine, units and axes of a file, for a layer of its pixels.

    Empty where the file cannot be read, has another shape, or states no voxel size.
    """
    try:
        stack = io.read(path, lazy=True)
        data, attributes, _ = stack_layer(stack)
    except (SegmentError, OSError):
        return {}
    names = ("scale", "translate", "affine", "units", "axis_labels")
    given = {name: attributes[name] for name in names if name in attributes}
    stated = "affine" in given or any(value != 1 for value in given["scale"])
    fits = data is stack.data and tuple(np.shape(data)) == shape  # not transposed for the view
    return given if fits and stated else {}


def write_layer(path: str, data: object, attributes: dict[str, Any], kind: str) -> list[str]:
    """Write one layer with its geometry, and with labels the recipe that made them."""
    stack = from_layer(Layer.create(data, _known(attributes), kind))
    return [str(api.write(stack, Path(path)))]


write_image: Callable[..., list[str]] = partial(write_layer, kind="image")
write_labels: Callable[..., list[str]] = partial(write_layer, kind="labels")


def sample(name: str) -> list[LayerData]:
    """Return a made image and, hidden above it, the labels that it was made of."""
    image, truth = SAMPLES[name]()
    labels, attributes, kind = stack_layer(truth)
    attributes |= {"name": f"{image.name} truth", "visible": False}
    return [stack_layer(image), (labels, attributes, kind)]


nuclei = partial(sample, "nuclei")
cells = partial(sample, "cells")
two_tissues = partial(sample, "two_tissues")
time_lapse = partial(sample, "time_lapse")
stained_tissue = partial(sample, "stained_tissue")


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that a file stores; the rest, such as colours, stays in the window."""
    names = (
        "name", "metadata", "scale", "translate", "rotate", "shear", "affine", "units",
        "axis_labels", "rgb", "multiscale",
    )  # fmt: skip
    return {key: attributes[key] for key in names if key in attributes}

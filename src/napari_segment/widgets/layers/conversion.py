"""Layers and the core's Image and Labels: geometry and provenance travel both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_segment.arrays import Array
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels, Turn, from_layer, named_axes
from napari_segment.io.contents import COLORS, DICOM
from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.features import features_of, named_features, one_row_each

if TYPE_CHECKING:
    from napari.layers import Labels as LabelsLayer
    from napari.layers import Layer
    from napari.viewer import Viewer
    from pint import Unit

KEY = "napari-segment"  # of layer.metadata
LayerLike: TypeAlias = "Layer | SimpleNamespace"
LayerData: TypeAlias = "tuple[Any, dict[str, Any], str]"

IN_TIME = {3: "TYX", 4: "TZYX"}  # the axes of labels through time that do not name theirs

# What a layer of so many dimensions can be, the likeliest first; "C" of RGB is not counted.
LIKELY_AXES = {
    2: ("YX",),
    3: ("ZYX", "TYX", "CYX"),
    4: ("TZYX", "CZYX", "ZCYX", "TCYX", "CTYX"),
    5: ("TCZYX", "TZCYX", "CTZYX"),
}


def image_of(layer: LayerLike, axes: str = "") -> Image:
    """Return a layer's pixels as an Image; a Labels layer's numbers are taken as intensities."""
    stack = from_layer(layer, _with_colour(layer, axes))
    if isinstance(stack, Image):
        return stack
    geometry = (stack.spacing, stack.unit, stack.affine, stack.interval, stack.name)
    return Image(stack.data, stack.axes, *geometry)


def labels_of(layer: LayerLike, axes: str = "") -> Labels:
    """Return a Labels layer's numbers as Labels.

    Four dimensions without names are taken as TZYX; a channel axis, which results of images such
    as TCYX keep one long, is left out.
    """
    named = axes or named_axes(layer)
    if "C" in named:
        layer, named = (
            _without(cast("LabelsLayer", layer), named.index("C")),
            named.replace("C", ""),
        )
    stack = from_layer(layer, named or known_axes(layer) or IN_TIME.get(layer.ndim, ""))
    if not isinstance(stack, Labels):
        raise InputError(f"The layer {layer.name!r} holds an image. Choose a Labels layer.")
    return stack


def known_axes(layer: LayerLike) -> str:
    """Return the axes that a layer names itself, C of RGB left out; "" if it leaves them open."""
    try:
        axes = from_layer(layer).axes
    except InputError:
        return ""
    return axes[: layer.ndim]


def possible_axes(layer: LayerLike) -> tuple[str, ...]:
    """Return the roles that a layer's dimensions may have, the likeliest first."""
    known = known_axes(layer)
    likely = LIKELY_AXES.get(layer.ndim, ())
    if getattr(layer, "rgb", False):  # its channels are no dimension of the layer
        likely = tuple(axes for axes in likely if "C" not in axes)
    return tuple(dict.fromkeys([known, *likely])) if known else likely


def shape_of(layer: LayerLike) -> tuple[int, ...]:
    """Return the shape of a layer's pixels at full resolution."""
    return tuple(np.shape(layer.data[0] if layer.multiscale else layer.data))


def result_layer(labels: Labels, source: LayerLike, axes: str, name: str) -> LayerData:
    """Make a layer of labels that lies exactly where its source lies.

    Parameters
    ----------
    labels : Labels
        With the source's axes, less C, and perhaps a range of its time points.
    source : napari layer
        What was segmented.
    axes : str
        The letters of the source's dimensions, C of RGB left out.
    name : str
        The layer's name; napari makes it unique.

    Returns
    -------
    tuple
        Data, attributes and layer type, for ``napari.layers.Layer.create``.
    """
    data = editable(labels.data)
    offset = np.zeros(len(axes))
    drop = 0
    if "C" in axes:
        # A leading channel is dropped. Elsewhere it stays, one long, at the channel segmented:
        # napari aligns dimensions from the last one.
        axis = axes.index("C")
        drop = int(axis == 0)
        if not drop:
            data = np.expand_dims(data, axis)
            offset[axis] = _channel_number(labels)
    if labels.recipe is not None and labels.recipe.times and "T" in axes:
        offset[axes.index("T")] = labels.recipe.times[0]
    attributes = geometry(source, drop, offset)
    made = provenance(labels, source.name, file_of(source))
    made["header"] = _images_of(source) | made["header"]
    attributes |= {"name": name, "metadata": {KEY: made}}
    if labels.names:
        attributes["features"] = named_features(labels)
    return data, attributes, "labels"


def editable(data: Array) -> Array:
    """Return labels in memory as int32, so that objects painted later get numbers of their own.

    Arrays in files and larger types stay as they are.
    """
    small = isinstance(data, np.ndarray) and not isinstance(data, np.memmap)
    return data.astype(np.int32) if small and data.dtype.itemsize < 4 else data


def plane_layer(
    labels: NDArray[Any], source: LayerLike, axes: str, where: Mapping[str, int]
) -> LayerData:
    """Make a layer of one plane of labels at its position in the source.

    Parameters
    ----------
    labels : array of unsigned int (Y, X)
        The plane.
    source : napari layer
        What it was cut from.
    axes : str
        The letters of the source's dimensions, C of RGB left out.
    where : mapping of str to int
        The plane's place along the other axes.
    """
    drop = int(axes.startswith("C"))
    shown = axes[drop:]
    data = labels if shown.index("Y") < shown.index("X") else labels.T
    shape = [labels.shape["YX".index(a)] if a in "YX" else 1 for a in shown]
    offset = [0 if a in "YX" else where.get(a, 0) for a in axes]
    return data.reshape(shape), geometry(source, drop, np.array(offset)), "labels"


def shown_index(viewer: Viewer, layer: LayerLike, axes: str) -> dict[str, int]:
    """Return the voxel of a layer, along every axis, at which the viewer's sliders stand."""
    point = np.asarray(viewer.dims.point[-layer.ndim :], float)
    units = viewer.layers.units
    if units is not None:
        point = in_units(point, units[-layer.ndim :], layer.units)
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    index = np.rint(layer.world_to_data(point)).astype(int)
    return {a: int(np.clip(i, 0, n - 1)) for a, i, n in zip(axes, index, shape, strict=False)}


def in_units(
    world: ArrayLike, given: Sequence[Unit], wanted: Sequence[Unit]
) -> NDArray[np.float64]:
    """Convert coordinates to other units."""
    factors = [
        1.0 if u == v else float((1 * u).to(v).magnitude)
        for u, v in zip(given, wanted, strict=True)
    ]
    return np.asarray(world) * factors


def go_to(viewer: Viewer, layer: LayerLike, axis: int, index: int) -> None:
    """Move the viewer's slider to a position along one axis of a layer."""
    index_vector = np.zeros(layer.ndim)
    index_vector[axis] = index
    world = float(layer.data_to_world(index_vector)[axis])
    dimension = viewer.dims.ndim - layer.ndim + axis
    units = viewer.layers.units
    if units is not None and units[dimension] != layer.units[axis]:
        world = float((world * layer.units[axis]).to(units[dimension]).magnitude)
    viewer.dims.set_point(dimension, world)


def snapshot(layer: LayerLike) -> SimpleNamespace:
    """Copy the attributes of a source that a result needs, as the source may change."""
    names = ("name", "ndim", "scale", "translate", "rotate", "shear", "units", "axis_labels")
    shown = {name: deepcopy(getattr(layer, name)) for name in names if name != "units"}
    affine = SimpleNamespace(affine_matrix=np.array(layer.affine.affine_matrix))
    source = SimpleNamespace(path=layer.source.path)
    metadata = {KEY: {"header": _images_of(layer)}}
    return SimpleNamespace(
        **shown, units=tuple(layer.units), affine=affine, source=source, metadata=metadata
    )


def geometry(layer: LayerLike, drop: int = 0, offset: Any = None) -> dict[str, Any]:
    """Return the seven attributes that place a layer in the world.

    Parameters
    ----------
    layer : napari layer
        Where they come from.
    drop : int
        How many leading dimensions to leave out.
    offset : array, optional
        Where the new layer begins, in voxels of the old one.
    """
    n = len(layer.scale)
    shear, rotate = _square_shear(layer.shear, n), np.asarray(layer.rotate)
    translate = np.asarray(layer.translate, float)
    if offset is not None:
        translate = translate + rotate @ shear @ (np.asarray(layer.scale) * offset)
    keep = slice(drop, None)
    return {
        "scale": np.asarray(layer.scale)[keep],
        "translate": translate[keep],
        "rotate": rotate[keep, keep],
        "shear": shear[keep, keep],
        "affine": np.asarray(layer.affine.affine_matrix)[keep, keep],
        "units": tuple(layer.units)[keep],
        "axis_labels": tuple(layer.axis_labels)[keep],
    }


def file_of(layer: LayerLike) -> str:
    """Return the file that a layer was read from; without one, its name with a suffix."""
    path = getattr(getattr(layer, "source", None), "path", None)
    return str(path or f"{getattr(layer, 'name', 'image')}.tif")


def provenance(labels: Labels, source: str, file: str = "") -> dict[str, Any]:
    """Return the provenance of labels and what they hold, in plain values."""
    recipe = labels.recipe.model_dump(mode="json") if labels.recipe else None
    names = {int(number): str(name) for number, name in labels.names.items()}
    saved = {"recipe": recipe, "holds": labels.holds, "names": names}
    return saved | {"source": source, "file": file, "header": stored_header(labels)}


def _images_of(layer: LayerLike) -> dict[str, Any]:
    """The DICOM images that a layer shows, to which labels made of it can refer."""
    saved = ((layer.metadata or {}).get(KEY) or {}).get("header") or {}
    return {DICOM: saved[DICOM]} if DICOM in saved else {}


def stored_header(stack: Image | Labels) -> dict[str, Any]:
    """What a layer keeps of the header: the DICOM images that it belongs to, and colours."""
    return {key: stack.header[key] for key in (COLORS, DICOM) if key in stack.header}


def label_colors(labels: Labels) -> Any:
    """The colours that a file gives to labels; grey for others."""
    from napari.utils.colormaps import DirectLabelColormap

    colors = {int(v): (*color, 1.0) for v, color in labels.header[COLORS].items()}
    return DirectLabelColormap(color_dict={None: (0.5, 0.5, 0.5, 1.0), 0: (0, 0, 0, 0)} | colors)


def recipe_of_layer(layer: LayerLike) -> Recipe | None:
    """Return the recipe that made a layer, if it was made here.

    Raises
    ------
    FormatError
        If what the layer keeps is no recipe.
    """
    saved = ((layer.metadata or {}).get(KEY) or {}).get("recipe")
    text = json.dumps(saved, default=str)
    return Recipe.from_text(text, source=f"What {layer.name!r} keeps") if saved else None


def stack_layer(stack: Image | Labels) -> LayerData:
    """Return an Image or Labels from elsewhere as a layer of its own.

    Volumes whose axes are permuted in the world (sagittal or coronal scans) are transposed, since
    napari can't slice across such a rotation.
    """
    stack = _along_world(stack)
    rgb = isinstance(stack, Image) and stack.is_rgb and stack.axes.endswith("C")
    axes = stack.axes[:-1] if rgb else stack.axes
    attributes = {"name": stack.name, "axis_labels": tuple(axes.lower()), **_world_of(stack, axes)}
    if isinstance(stack, Labels):
        attributes["metadata"] = {KEY: provenance(stack, stack.name)}
        if stack.header.get(COLORS):
            attributes["colormap"] = label_colors(stack)
        table = one_row_each(stack.features)
        if table is not None:
            attributes["features"] = features_of(table)
        elif stack.names:
            attributes["features"] = named_features(stack)
        return editable(stack.data), attributes, "labels"
    if header := stored_header(stack):
        attributes["metadata"] = {KEY: {"header": header}}
    return stack.data, attributes | {"rgb": rgb}, "image"


def _along_world(stack: Image | Labels) -> Image | Labels:
    """Transpose a volume so that each array axis runs most along the world axis of its letter."""
    from scipy.optimize import linear_sum_assignment

    n = len(stack.spatial_axes)
    if stack.affine is None:
        return stack
    steps = np.asarray(stack.affine)[:n, :n]
    cosines = np.abs(steps) / np.linalg.norm(steps, axis=0)
    _, order = linear_sum_assignment(-cosines)  # the array axis of each world axis
    if (order == np.arange(n)).all():
        return stack
    where = [stack.axes.index(a) for a in stack.spatial_axes]
    axes = list(range(len(stack.axes)))
    for position, axis in zip(where, order, strict=True):
        axes[position] = where[axis]
    affine = np.array(stack.affine)
    affine[:, :n] = affine[:, order]
    spacing = tuple(np.asarray(stack.spacing)[order].tolist())
    data = stack.data.transpose(axes)
    placed = stack.replace(data=data, spacing=spacing, affine=affine)
    if not isinstance(stack, Labels):
        return placed
    turn = Turn(tuple(order.tolist()), (False,) * n)
    shape = tuple(stack.size(a) for a in stack.spatial_axes)
    features = turn.boxes(dict(stack.features), shape, stack.spatial_axes)
    return placed.replace(maps={}, features=features)


def _without(layer: LabelsLayer, axis: int) -> SimpleNamespace:
    """Return an object with a layer's attributes without one of its axes, one long."""
    data = layer.data[0] if layer.multiscale else layer.data
    if data.shape[axis] != 1:
        raise InputError(f"The Labels layer {layer.name!r} has several channels: split it first.")
    given, n = geometry(layer), layer.ndim

    def rest(name: str) -> Any:
        return np.delete(given[name], axis, 0)

    def block(name: str) -> Any:
        return np.delete(np.delete(given[name], axis, 0), axis, 1)

    return SimpleNamespace(
        name=layer.name, metadata=layer.metadata, selected_label=layer.selected_label, ndim=n - 1,
        data=data[(slice(None),) * axis + (0,)], scale=rest("scale"), translate=rest("translate"),
        rotate=block("rotate"), shear=block("shear")[np.triu_indices(n - 1, 1)],
        affine=block("affine"), units=tuple(rest("units")), axis_labels=tuple(rest("axis_labels")),
    )  # fmt: skip


def _with_colour(layer: LayerLike, axes: str) -> str:
    return axes + "C" if axes and getattr(layer, "rgb", False) and "C" not in axes else axes


def _channel_number(labels: Labels) -> int:
    channel = labels.recipe.channel if labels.recipe else 0
    return channel if isinstance(channel, int) else 0


def _square_shear(shear: ArrayLike, n: int) -> NDArray[np.float64]:
    shear = np.asarray(shear, float)
    if shear.ndim == 2:
        return shear
    square = np.eye(n)
    square[np.triu_indices(n, 1)] = shear[: n * (n - 1) // 2]
    return square


def _world_of(stack: Image | Labels, axes: str) -> dict[str, Any]:
    """Return a stack's scale and units, or its affine where scaling does not say it all."""
    spacing = dict(zip(stack.spatial_axes, stack.spacing, strict=True))
    scale = [spacing.get(a, stack.interval if a == "T" else 1.0) for a in axes]
    units = [stack.unit if a in spacing else "second" if a == "T" else "pixel" for a in axes]
    if stack.affine is None:
        return {"scale": scale, "units": units}
    where = [i for i, a in enumerate(axes) if a in spacing]
    affine = np.diag([*scale, 1.0])
    index = [*where, len(axes)]
    affine[np.ix_(index, index)] = stack.affine
    steps = np.diag(affine)[:-1]
    if np.allclose(affine[:-1, :-1], np.diag(steps)) and np.all(steps > 0):
        return {"scale": steps, "translate": affine[:-1, -1], "units": units}
    return {"affine": affine, "units": units}

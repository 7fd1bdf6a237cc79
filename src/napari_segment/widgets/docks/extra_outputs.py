"""What a form gives besides labels: the image that its method sees, and points on edges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import RGB, Image
from napari_segment.recipe import Recipe
from napari_segment.widgets.jobs.job import Job, keep
from napari_segment.widgets.jobs.layer_copies import copies
from napari_segment.widgets.layers.conversion import KEY, LayerData, LayerLike, geometry, snapshot
from napari_segment.worker.stacks import load_stack, save_stack

if TYPE_CHECKING:
    import pandas as pd
    from napari.layers import Layer

    from napari_segment.widgets.forms.source import Source


FACE = "#f2a33a"  # of points
SIZE = 0.6  # of points, in voxels


def filtered_job(source: Source, recipe: Recipe) -> Job:
    """Return the filters of a recipe alone: layers with what its method sees."""
    image, axes, layer = source.image(), source.axes, snapshot(source.layer)
    spacing = dict(zip(image.spatial_axes, image.spacing, strict=True))

    def receive(result: dict[str, Any]) -> list[LayerData]:
        lazy = image.is_lazy
        seen = load_stack(keep(result["image"]) if lazy else result["image"], memory=not lazy)
        assert isinstance(seen, Image)
        return filtered_layers(seen, layer, axes, recipe, spacing)

    return Job("apply_filters", _prepare(image, source.layer, recipe), receive)


def points_job(source: Source, recipe: Recipe) -> Job:
    """Return the points on edges of a recipe: a layer of them."""
    image, axes, layer = source.image(), source.axes, snapshot(source.layer)

    def receive(result: dict[str, Any]) -> list[LayerData]:
        import pandas as pd

        with np.load(result["table"]) as columns:
            table = pd.DataFrame(dict(columns))
        return [points_layer(table, image, layer, axes, recipe)]

    return Job("edge_points", _prepare(image, source.layer, recipe), receive)


def _prepare(image: Image, layer: Layer, recipe: Recipe) -> Callable[[Path], dict[str, Any]]:
    write = copies.writer(layer)

    def prepare(folder: Path) -> dict[str, Any]:
        saved = save_stack(image, folder, "image", write)
        return {"image": saved, "recipe": recipe.model_dump(mode="json")}

    return prepare


def filtered_layers(
    image: Image, source: LayerLike, axes: str, recipe: Recipe, spacing: dict[str, float]
) -> list[LayerData]:
    """Make a layer of a filtered image where its source lies; colours are one layer each.

    Parameters
    ----------
    image : Image
        What the recipe's method sees of the source.
    source : napari layer
        What was filtered.
    axes : str
        The letters of the source's dimensions, C of RGB left out.
    recipe : Recipe
        Whose filters were run.
    spacing : dict of str to float
        Of the source, by axis.
    """
    name = f"{source.name} {' '.join(spec.name for spec in recipe.filters)}"
    common = _geometry(source, axes, recipe, keep_channel="C" in image.axes and "C" in axes)
    shown_axes = axes[len(axes) - len(common["scale"]) :]
    for letter, new in zip(image.spatial_axes, image.spacing, strict=True):
        common["scale"][shown_axes.index(letter)] *= new / spacing[letter]
    common |= {"rgb": False, "metadata": {KEY: _described(recipe, source)}}
    if "C" in image.axes and "C" not in axes:
        names = image.channels or tuple(map(str, range(image.size("C"))))
        low, high = (float(np.asarray(end(image.data))) for end in (np.min, np.max))
        if low < high:  # of all colours together, which keeps their balance
            common["contrast_limits"] = (low, high)
        return [
            (
                _on(image.channel(i), shown_axes),
                common | {"name": f"{name} {c}", "colormap": c if c in RGB else "gray"}
                | {"blending": "additive"},
                "image",
            )
            for i, c in enumerate(names)
        ]  # fmt: skip
    return [(_on(image, shown_axes), common | {"name": name}, "image")]


def points_layer(
    table: pd.DataFrame, image: Image, source: LayerLike, axes: str, recipe: Recipe
) -> LayerData:
    """Make a layer of points on edges, in the voxels of their source.

    Parameters
    ----------
    table : DataFrame
        What `napari_segment.edge_points` gave.
    image : Image
        The source's pixels and geometry.
    source, axes, recipe
        As of `filtered_layers`.
    """
    letters = image.canonical().spatial_axes
    back = np.linalg.inv(image.canonical().world())
    world = table[list(letters.lower())].to_numpy()
    index = dict(zip(letters, (world @ back[:-1, :-1].T + back[:-1, -1]).T, strict=True))
    index["T"] = table["time"].to_numpy() if "time" in table else np.zeros(len(table))
    index["C"] = np.full(len(table), _channel(recipe))
    common = geometry(source, int(axes.startswith("C")))
    shown_axes = axes.removeprefix("C")
    columns = [n for n in table if n not in ("time", "z", "y", "x")]
    return (
        np.stack([index[a] for a in shown_axes], axis=1),
        common
        | {
            "name": f"{source.name} edge points", "size": SIZE, "face_color": FACE,
            "border_width": 0, "features": table[columns],
            "metadata": {KEY: _described(recipe, source)},
        },
        "points",
    )  # fmt: skip


def _geometry(
    source: LayerLike, axes: str, recipe: Recipe, *, keep_channel: bool
) -> dict[str, Any]:
    """Return the geometry of the result: from the first time point, at the chosen channel."""
    offset = np.zeros(len(axes))
    if recipe.times and "T" in axes:
        offset[axes.index("T")] = recipe.times[0]
    drop = int(axes.startswith("C") and not keep_channel)
    if axes.find("C") > 0 and not keep_channel:
        offset[axes.index("C")] = _channel(recipe)
    return geometry(source, drop, offset)


def _on(image: Image, axes: str) -> NDArray[Any]:
    """Return the pixels with the axes of a layer, in their order; a missing axis is one long."""
    data = image.transpose("".join(a for a in axes if a in image.axes)).data
    gone = [i for i, a in enumerate(axes) if a not in image.axes]
    return np.expand_dims(data, gone)


def _channel(recipe: Recipe) -> int:
    return recipe.channel if isinstance(recipe.channel, int) else 0


def _described(recipe: Recipe, source: LayerLike) -> dict[str, Any]:
    return {"recipe": recipe.model_dump(mode="json"), "source": source.name}

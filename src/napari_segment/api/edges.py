"""Edges between voxels: the points of a recipe whose method is Canny's."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.api.coercion import as_image
from napari_segment.api.types import ImageLike
from napari_segment.api.verbs import complete, recipe_of
from napari_segment.arrays import Array
from napari_segment.engine.execute import apply, method_input_steps
from napari_segment.engine.split import positions, split
from napari_segment.errors import InputError
from napari_segment.image import Image, Stack
from napari_segment.recipe import ApplyTo, Recipe, SpecLike
from napari_segment.step import Step, run

if TYPE_CHECKING:
    import pandas as pd

CANNY = "canny"


def edge_points(  # noqa: PLR0913 (settings of the recipe and of the method)
    image: ImageLike,
    *,
    filters: Iterable[SpecLike] = (),
    cleanups: Iterable[SpecLike] = (),
    channel: int | str = "auto",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
    axes: str = "",
    sigma: float = 1.0,
    low: float = 0.1,
    high: float = 0.2,
) -> pd.DataFrame:
    """Locate the edges that "canny" marks to a fraction of a voxel.

    Parameters
    ----------
    image, filters, cleanups, channel, apply_to, times, axes
        As of `segment`. Cleanups leave out edges, as `remove_small` does, or number them, as
        `connected_components` does.
    sigma, low, high : float
        The settings of "canny".

    Returns
    -------
    DataFrame
        A row for each marked voxel: ``time`` (counted from 0; only where the image has T); ``z``,
        ``y`` and ``x`` in the image's world, so with its spacing and affine; ``normal_z``, …, the
        unit vector from dark to bright; ``magnitude``, the gradient of the smoothed image in
        intensity per unit; ``label``, the number of the edge where cleanups number them.
        ``table.attrs["units"]`` has the unit of each column.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.clip(np.arange(12) - 5.25, 0, 1), (9, 1))  # half way up at x = 5.75
    >>> float(edge_points(ramp, low=0.5, high=0.5)["x"].mean().round(2))
    5.75
    """
    recipe = recipe_of(
        (CANNY, {"sigma": sigma, "low": low, "high": high}),
        filters=filters, cleanups=cleanups, channel=channel, apply_to=apply_to, times=times,
    )  # fmt: skip
    return run(edge_point_steps(image, recipe, axes=axes))


def edge_point_steps(
    image: ImageLike, recipe: Recipe, *, axes: str = ""
) -> Generator[Step, None, pd.DataFrame]:
    """`edge_points` as long work: a generator of Steps that returns the table.

    Parameters
    ----------
    image : as for `segment`
        Where to look.
    recipe : Recipe
        With the method "canny".
    axes : str
        Axis letters of an array that comes without.
    """
    _check(recipe)
    recipe = complete(recipe)
    seen = yield from method_input_steps(recipe, as_image(image, axes))
    rest = recipe.model_copy(update={"filters": (), "times": (), "channel": "auto"})
    labels = yield from apply(rest, seen, {})
    lead = "T" * ("T" in seen.axes) + "Z" * (recipe.apply_to == "plane" and "Z" in seen.axes)
    where = positions(lead, seen)
    tables = []
    for number, (at, (_, parts)) in enumerate(
        zip(where, split(lead, {"image": seen, "labels": labels}), strict=True)
    ):
        yield Step(number, len(where), "Locating the edges between voxels")
        tables.append(_columns(seen, at, parts, recipe.method.settings["sigma"]))
    return _table(tables, seen, recipe, numbered=labels.holds == "objects")


def _columns(
    image: Image, at: dict[str, int], parts: Mapping[str, Array], sigma: float
) -> dict[str, NDArray[Any]]:
    """The points of one plane or volume, in the image's world."""
    from napari_segment.classical.edges.positions import edge_points as points_of

    axes = [a for a in image.spatial_axes if a not in at]
    spacing = [image.spacing[image.spatial_axes.index(a)] for a in axes]
    marked = parts["labels"] != 0
    edges = points_of(parts["image"], marked, spacing, sigma=sigma)
    index = np.empty((len(edges.voxels), len(image.spatial_axes)))
    normals = np.zeros_like(index)
    for number, axis in enumerate(image.spatial_axes):
        if axis in at:
            index[:, number] = at[axis]
        else:
            index[:, number] = edges.positions[:, axes.index(axis)] / spacing[axes.index(axis)]
            normals[:, number] = edges.normals[:, axes.index(axis)]
    world = image.world()
    placed = index @ world[:-1, :-1].T + world[:-1, -1]
    letters = image.spatial_axes.lower()
    columns = {"time": np.full(len(index), at["T"])} if "T" in at else {}
    columns |= {a: placed[:, i] for i, a in enumerate(letters)}
    columns |= {f"normal_{a}": n for a, n in zip(letters, _turned(normals, image).T, strict=True)}
    columns["magnitude"] = edges.magnitude
    columns["label"] = _at(parts["labels"], edges.voxels)
    return columns


def _turned(normals: NDArray[np.float64], image: Stack) -> NDArray[np.float64]:
    """Normals along the voxels' axes as normals in the world, which may be turned or sheared."""
    across = normals * image.spacing @ np.linalg.inv(image.world()[:-1, :-1])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return np.asarray(np.divide(across, length, out=across, where=length > 0))


def _at(labels: Array, voxels: NDArray[np.intp]) -> NDArray[Any]:
    where = tuple(voxels.T)
    values = labels[where] if isinstance(labels, np.ndarray) else labels.vindex[where].compute()
    return np.asarray(values)


def _table(
    tables: list[dict[str, NDArray[Any]]], image: Image, recipe: Recipe, *, numbered: bool
) -> pd.DataFrame:
    import pandas as pd

    names = [name for name in tables[0] if name != "label" or numbered]
    table = pd.DataFrame({name: np.concatenate([t[name] for t in tables]) for name in names})
    if recipe.times and "time" in table:
        table["time"] += recipe.times[0]
    table.attrs["units"] = dict.fromkeys(image.spatial_axes.lower(), image.unit)
    return table


def _check(recipe: Recipe) -> None:
    if recipe.method.name != CANNY:
        raise InputError(
            f"Edges between voxels are those that {CANNY!r} marks, but the recipe's method is "
            f"{recipe.method.name!r}."
        )
    if recipe.apply_to == "directions":
        raise InputError(
            "Edges are of planes or volumes: use apply_to='plane' or apply_to='volume'."
        )

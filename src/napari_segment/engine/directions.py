"""A volume cut into planes along each of its three axes, and what most of them agree on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from napari_segment.engine.split import with_prefix
from napari_segment.errors import InputError
from napari_segment.image import SPATIAL, Image, Labels, Stack
from napari_segment.recipe import Recipe
from napari_segment.registry import cleanups
from napari_segment.results.link import consensus
from napari_segment.step import Step

S = TypeVar("S", bound=Stack)
Apply = Callable[[Recipe, Image, Mapping[str, Stack]], Generator[Step, None, Labels]]


def segment_directions(
    recipe: Recipe, image: Image, data: Mapping[str, Stack], apply: Apply
) -> Generator[Step, None, Labels]:
    """Segment the planes across Z, across Y and across X, and join the three by their majority.

    Parameters
    ----------
    recipe : Recipe
        For planes, with a cleanup that links them to volumes.
    image, data
        As of `apply`; without a time axis.
    apply : callable
        Runs a recipe in one direction.
    """
    _check(recipe, image)
    per_plane = recipe.model_copy(update={"apply_to": "plane"})
    directions = []
    for axis in SPATIAL:
        turned = {name: _with_axis_as_z(stack, axis) for name, stack in data.items()}
        steps = apply(per_plane, _with_axis_as_z(image, axis), turned)
        labels = yield from with_prefix(steps, f"across {axis}")
        order = axis + SPATIAL.replace(axis, "")
        directions.append(Stack(labels.data, order).canonical().data)
    yield Step(0, 0, "Joining the three directions")
    joined: Labels = labels.replace(
        data=consensus(directions), axes=SPATIAL, **_geometry(image), features={}, maps={}
    )
    return joined


def _check(recipe: Recipe, image: Image) -> None:
    if "Z" not in image.axes or "T" in image.axes:
        raise InputError(
            f"apply_to='directions' needs a volume (ZYX), but the image has axes {image.axes!r}."
        )
    if not any(cleanups[spec.name].ndim == (3,) for spec in recipe.cleanups):
        raise InputError(
            "apply_to='directions' joins objects of planes that are linked to volumes: add the "
            "cleanup 'link_planes'."
        )


def _with_axis_as_z(stack: S, axis: str) -> S:
    """The stack with another axis instead of Z."""
    rest = "".join(a for a in stack.axes if a not in SPATIAL)
    turned = stack.transpose(rest + axis + SPATIAL.replace(axis, ""))
    return turned.replace(axes=rest + SPATIAL)


def _geometry(image: Image) -> dict[str, object]:
    ordered = image.canonical()
    return {"spacing": ordered.spacing, "affine": ordered.affine}

"""Examples of classes: a layer in which whole objects take a class number at a click."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from napari.layers import Labels as LabelsLayer
from numpy.typing import NDArray

from napari_segment.errors import InputError
from napari_segment.widgets.layers.conversion import KEY, geometry

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.utils.events import Event

EXAMPLES = "examples"  # in the metadata of a layer that was made for them

STILL = 3  # pixels of the screen that a click may move

Drag: TypeAlias = "Callable[[LabelsLayer, Event], Generator[None, None, None]]"


def examples_layer(objects: Layer) -> LabelsLayer:
    """Make an empty layer on the grid of objects, to hold a class number where one was given.

    Parameters
    ----------
    objects : napari Labels layer
        In one resolution.
    """
    if objects.multiscale:
        raise InputError(
            f"The layer {objects.name!r} has several resolutions: save and open it as one first."
        )
    attributes = {"name": f"{objects.name} {EXAMPLES}", "metadata": {KEY: {EXAMPLES: True}}}
    layer = LabelsLayer(np.zeros(objects.data.shape, np.int32), **attributes, **geometry(objects))
    layer.selected_label, layer.opacity = 1, 0.8
    return layer


def clicking(objects: Callable[[], Layer | None], changed: Callable[[], None]) -> Drag:
    """Return a callback of the mouse that gives the clicked object the selected class, or none.

    Parameters
    ----------
    objects : callable
        The layer of the objects, or None.
    changed : callable
        Called after a click that changed a class.
    """

    def drag(layer: LabelsLayer, event: Event) -> Generator[None, None, None]:
        start = event.pos
        yield
        while event.type == "mouse_move":
            if np.ptp([event.pos, start], axis=0).max() > STILL:
                return  # a drag moves the view
            yield
        source = objects()
        if source is None or layer.mode != "pan_zoom":
            return
        number = _number_at(source, event)
        if number:
            give_class(layer, source, number, layer.selected_label, event.position)
            changed()

    return drag


def give_class(
    layer: LabelsLayer, objects: Layer, number: int, class_number: int, position: Sequence[float]
) -> None:
    """Give an object a class in a layer of examples; take it back where it has that class.

    Of objects over time only the part at the time of the position changes. It can be undone.

    Parameters
    ----------
    layer, objects : napari Labels layer
        Examples and objects, of one shape.
    number, class_number : int
        Of the object and of the class.
    position : tuple of float
        In the world.
    """
    where = _voxels_of(objects, number, position)
    present = layer.data[where]
    layer.data_setitem(where, 0 if (present == class_number).all() else class_number)


def counts_of(layer: LabelsLayer, objects: Layer) -> dict[int, int]:
    """Count the objects that have each class."""
    given = np.asarray(layer.data)
    marked = np.asarray(objects.data)[given > 0]
    pairs = np.unique(np.stack([marked, given[given > 0]]), axis=1)
    return dict(sorted(Counter(pairs[1][pairs[0] > 0].tolist()).items()))


def _number_at(layer: Layer, event: Event) -> int:
    value: Any = layer.get_value(
        event.position,
        view_direction=event.view_direction,
        dims_displayed=event.dims_displayed,
        world=True,
    )
    return int(value or 0)


def _voxels_of(
    objects: Layer, number: int, position: Sequence[float]
) -> tuple[NDArray[np.intp], ...]:
    """Return the voxels of an object; over time, of the time of the position."""
    data = objects.data
    lead: tuple[int, ...] = ()
    if objects.ndim > 3 or str(objects.axis_labels[0]).upper().startswith("T"):
        index = np.rint(objects.world_to_data(position)).astype(int)
        lead = (int(np.clip(index[0], 0, data.shape[0] - 1)),)
    where = np.nonzero(np.asarray(data[lead]) == number)
    return (*(np.full(len(where[0]), i) for i in lead), *where)

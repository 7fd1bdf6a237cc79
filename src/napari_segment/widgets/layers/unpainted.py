"""The recipe of a layer, as far as the layer is still what the recipe gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.conversion import recipe_of_layer

if TYPE_CHECKING:
    from napari.layers import Layer


def unpainted_recipe(layer: Layer) -> Recipe | None:
    """Return the recipe that made a layer, unless it was painted on since."""
    painted = getattr(layer, "_undo_history", ())
    return None if painted else recipe_of_layer(layer)

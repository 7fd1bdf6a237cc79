"""A layer that was painted on is not what its recipe gives."""

import numpy as np
from napari.layers import Labels

from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.conversion import KEY
from napari_segment.widgets.layers.unpainted import unpainted_recipe


def test_a_painted_layer_has_no_recipe():
    recipe = Recipe(method={"name": "otsu"})
    metadata = {KEY: {"recipe": recipe.model_dump(mode="json")}}
    layer = Labels(np.zeros((5, 5), np.int32), metadata=metadata)
    assert unpainted_recipe(layer) == recipe
    layer.paint((2, 2), 1)
    assert unpainted_recipe(layer) is None
    layer.undo()
    assert unpainted_recipe(layer) == recipe

"""The buttons that save, load and take recipes."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QFileDialog
from shared.windows import add_stack, assert_done, open_dock, run

from napari_segment import api
from napari_segment.cli import main
from napari_segment.image import Image
from napari_segment.recipe import Recipe
from napari_segment.widgets.forms.recipes import RecipeButton
from napari_segment.widgets.layers.conversion import recipe_of_layer

pytestmark = pytest.mark.screen


def test_recipe_gives_the_same_through_every_interface(qtbot, viewer, stack, tmp_path):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.filters.add(("gaussian", {"sigma": 0.5}))
    dock.cleanups.add(("remove_small", {"min_size": 3}))
    dock.recipes.save(tmp_path / "recipe.yaml")
    assert_done(run(qtbot, dock))
    shown = np.asarray(viewer.layers[-1].data)
    recorded = viewer.layers[-1].metadata["napari-segment"]["recipe"]
    assert Recipe.model_validate(recorded) == Recipe.load(tmp_path / "recipe.yaml")
    image = Image(stack, spacing=(2, 0.5, 0.5), unit="micrometer")
    np.testing.assert_array_equal(api.replay(tmp_path / "recipe.yaml", image).data, shown)
    source, out = tmp_path / "stack.ome.tif", tmp_path / "labels.ome.tif"
    api.write(image, source)
    assert main(["replay", str(tmp_path / "recipe.yaml"), str(source), "-o", str(out)]) == 0
    np.testing.assert_array_equal(np.asarray(api.read(out).data), shown)


def test_recipe_fills_the_form(qtbot, viewer, stack, tmp_path):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    recipe = api.recipe_of("li", filters=["median"], cleanups=["fill_holes"], apply_to="plane")
    recipe.save(tmp_path / "recipe.yaml")
    dock.recipes.load(tmp_path / "recipe.yaml")
    assert dock.recipe() == recipe
    api.recipe_of("canny").save(tmp_path / "edges.yaml")
    dock.recipes.load(tmp_path / "edges.yaml")
    assert "another widget" in dock.running.message.text()


def test_a_recipe_that_is_none_is_reported_and_the_next_clears_it(qtbot, tmp_path, monkeypatch):
    messages, taken = [], []
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((20, 30), np.uint8), name="cells")
    button = RecipeButton(viewer, lambda: taken[-1], taken.append, messages.append, lambda: layer)
    qtbot.addWidget(button)
    layer.metadata["napari-segment"] = {"recipe": {"meth": 3}}
    take = next(a for a in button.menu().actions() if a.text().startswith("Take"))
    take.trigger()
    assert messages[-1].startswith("What 'cells' keeps is not a recipe")
    layer.metadata["napari-segment"] = {"recipe": {"method": {"name": "otsu"}}}
    take.trigger()
    assert messages[-1] == ""
    assert taken == [recipe_of_layer(layer)]
    monkeypatch.setattr(QFileDialog, "exec", lambda self: self.selectFile(f"{tmp_path}/mine") or 1)
    button.menu().actions()[0].trigger()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
    button.save(tmp_path / "nowhere" / "recipe.yaml")
    assert messages[-1].startswith("Cannot write the recipe")
    assert messages[-1].endswith("No such file or directory.")

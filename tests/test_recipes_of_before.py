"""Recipes that earlier versions wrote load, and every entry still takes their settings."""

from pathlib import Path

import pytest

from napari_segment.api import complete
from napari_segment.recipe import Recipe

FOLDER = Path(__file__).parent / "recipes_of_before"
APPLY_TO = {
    "canny_edges": "volume",
    "chan_vese": "auto",
    "kmeans_stack": "stack",
    "mixture_crf": "auto",
    "network_defaults": "volume",
    "network_maps": "plane",
    "otsu_directions": "directions",
    "sauvola_per_plane": "plane",
    "slic_morphology": "auto",
    "watershed_cleaned": "auto",
}


def test_all_of_them_are_tried():
    assert {path.stem for path in FOLDER.iterdir()} == set(APPLY_TO)


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_recipe_of_before_loads_and_completes(path):
    loaded = Recipe.load(path, allow_recipe_paths=True)  # one names a store
    recipe = complete(loaded)
    assert recipe.apply_to == APPLY_TO[path.stem]
    assert recipe.version == loaded.version  # of the program that wrote it
    for kind in ("filters", "cleanups"):
        names = [spec.name for spec in getattr(loaded, kind)]
        assert [spec.name for spec in getattr(recipe, kind)] == names
    assert complete(Recipe.from_text(recipe.to_yaml(), allow_recipe_paths=True)) == recipe


def test_settings_of_before_keep_their_values():
    recipe = complete(Recipe.load(FOLDER / "sauvola_per_plane.yaml"))
    assert recipe.method.settings["k"] == 0.3
    assert recipe.filters[0].settings["sigma"] == 1.5
    network = complete(Recipe.load(FOLDER / "network_maps.yaml")).method.settings
    assert network["checkpoint"] == "runs/nuclei"
    assert network["overlap"] == 0.25
    assert network["tile"] == [64, 64]

"""Recipes survive files, and bad files are explained."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from napari_segment import apply_filters, replay, segment
from napari_segment.errors import FormatError, SettingError
from napari_segment.recipe import Recipe, Spec

RECIPE = Recipe(
    filters=(Spec(name="gaussian", settings={"sigma": 1.5}),),
    method=Spec(name="otsu", settings={"bins": 64}),
    cleanups=(Spec(name="fill_holes"),),
    channel="dapi",
    times=(0, 3),
)


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_a_recipe_comes_back_from_its_file(tmp_path, name):
    assert Recipe.load(RECIPE.save(tmp_path / name)) == RECIPE


def test_a_recipe_is_replayed_from_plain_values():
    image = np.array([[0, 0, 9], [0, 9, 9]], np.uint8)
    plain = {"method": {"name": "manual", "settings": {"value": 5}}}
    assert replay(plain, image).data.tolist() == (image > 5).tolist()
    with pytest.raises(FormatError, match="the mapping is not a recipe"):
        replay({"methods": "otsu"}, image)


def test_yaml_is_in_the_order_in_which_it_runs():
    text = RECIPE.to_yaml()
    assert text.index("filters") < text.index("method") < text.index("cleanups")


@pytest.mark.parametrize(
    "given", ["otsu", ("otsu", {}), {"name": "otsu"}, Spec(name="otsu"), ["otsu", {}]]
)
def test_specs_are_read_from_what_people_write(given):
    assert Spec.of(given) == Spec(name="otsu")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"apply_to": "slice"}, "apply_to='slice' cannot be used: give 'auto' or 'plane'"),
        ({"times": (3,)}, "two whole numbers"),
        ({"channel": 0.5}, "number of a channel"),
    ],
)
def test_unusable_parts_are_refused(part, message):
    picture = np.eye(5)
    for call in (partial(segment, picture, "otsu"), partial(apply_filters, picture, "median")):
        with pytest.raises(SettingError, match=message):
            call(**part)


@pytest.mark.parametrize("given", [3, ("otsu",), {"nme": "otsu"}, ("otsu", 3)])
def test_other_things_are_no_specs(given):
    with pytest.raises(SettingError, match="Give a name"):
        Spec.of(given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("filters: []", "method"),
        ("method: {name: otsu}\nmehtod: 3", "mehtod"),
        ("[1, 2", "neither YAML nor JSON"),
        ("", "not a recipe"),
        ("method: {name: otsu}\napply_to: slice", "apply_to"),
    ],
)
def test_bad_recipes_are_explained(text, message):
    with pytest.raises(FormatError, match=message):
        Recipe.from_text(text)


def test_missing_files_are_explained(tmp_path):
    with pytest.raises(FormatError, match="There is no recipe"):
        Recipe.load(tmp_path / "none.yaml")

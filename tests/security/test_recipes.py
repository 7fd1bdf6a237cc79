"""A recipe from elsewhere costs little, and writes nowhere unless that is allowed."""

import time

import numpy as np
import pytest

import napari_segment as ns
from napari_segment import bounded
from napari_segment.bounded import load_yaml
from napari_segment.cli import main
from napari_segment.errors import FormatError, SegmentError, SettingError
from napari_segment.printable import LONGEST
from napari_segment.recipe import Recipe
from napari_segment.registry import REGISTRIES

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "laughs": LAUGHS + "method: {name: otsu, settings: {x: *i}}",
    "merge": "x: &x {name: otsu}\nmethod:\n  <<: *x",
    "deep": "method: " + "[" * 100_000,
    "deep pairs": "method: " + "{a: " * 100_000,
    "deep but whole": "method: " + "[" * 5000 + "]" * 5000,
    "levels": "method: " + "[" * 100 + "]" * 100,
    "many": "method: [" + "1," * 200_000 + "]",
    "long": "method: {name: '" + "x" * 100_000 + "'}",
    "large": "method: otsu #" + "x" * bounded.LARGEST,
    "digits": "method: {name: otsu, settings: {bins: " + "9" * 5000 + "}}",
    "sexagesimal": "method: {name: otsu, settings: {bins: " + "1:" * 3000 + "1}}",
    "twice": "method: {name: otsu}\nmethod: {name: li}",
    "twice within": "method: {name: otsu, settings: {bins: 8, bins: 9}}",
    "tag": "method: !!python/object/apply:os.system ['touch ran']",
    "python name": "method: {name: !!python/name:os.system }",
    "binary": "method: {name: !!binary aGk=}",
    "date": "method: {name: 2024-01-01}",
    "key": "? [a, b]\n: c",
    "control": 'method: {name: "\\x1b[31m\\u202e", settings: 1}',
    "two documents": "method: {name: otsu}\n---\nmethod: {name: li}",
    "nothing": "",
    "text": "x" * 100_000,
    "long key": "{" + "k" * 60_000 + ": 1, method: {name: otsu}}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_recipes_are_refused_at_once(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started = time.process_time()
    with pytest.raises(SegmentError) as refusal:
        Recipe.from_text(HOSTILE[name], source="recipe.yaml")
    assert time.process_time() - started < 5
    assert "recipe.yaml" in str(refusal.value)
    assert len(str(refusal.value)) <= LONGEST
    assert "\x1b" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("levels", "32 levels"), ("many", "50,000 values"), ("long", "65,536"),
        ("large", "1,048,576"), ("digits", "at most 100"), ("laughs", "anchor or alias"),
    ],
)  # fmt: skip
def test_the_bound_is_said(name, bound):
    with pytest.raises(FormatError, match=bound):
        load_yaml(HOSTILE[name], "recipe.yaml")


def test_without_libyaml_the_bounds_are_the_same(monkeypatch):
    import yaml

    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    for name in ("laughs", "deep but whole", "levels", "twice", "tag"):
        with pytest.raises(FormatError):
            Recipe.from_text(HOSTILE[name])


def test_plain_values_are_read_as_yaml_reads_them():
    text = "a: [1, 2.5, true, null, 'x', {b: -1.0e-3}]\nc: {'1': yes}\n1: 2"
    values = load_yaml(text, "text")
    assert values == {"a": [1, 2.5, True, None, "x", {"b": -1e-3}], "c": {"1": True}, 1: 2}
    assert load_yaml('{"a": [1, {"b": null}]}', "text") == {"a": [1, {"b": None}]}


def test_an_endless_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "r.yaml"
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(SegmentError, match=r"r\.yaml"):
        Recipe.load(path)


# ---- paths ----

STORING = """
method: {name: network, settings: {checkpoint: model, store: %s}}
cleanups: [{name: fill_holes}]
"""


def test_a_recipe_writes_nowhere(tmp_path, capsys):
    recipe, image = tmp_path / "r.yaml", tmp_path / "a.tif"
    recipe.write_text(STORING % (tmp_path / "stored"))
    ns.write(ns.Image(np.eye(8, dtype="u1"), "YX"), image)
    before = set(tmp_path.iterdir())
    with pytest.raises(SettingError, match=r"store='.*allow_recipe_paths=True"):
        ns.replay(recipe, image)
    with pytest.raises(SettingError, match="store"):
        ns.replay({"method": {"name": "network", "settings": {"store": "x"}}}, image)
    assert main(["replay", str(recipe), str(image), "-o", str(tmp_path / "o.tif")]) == 2
    assert "--allow-recipe-paths" in capsys.readouterr().err
    output = ["-o", str(tmp_path / "x.tif")]
    assert main(["filter", str(image), "--recipe", str(recipe), *output]) == 2
    assert set(tmp_path.iterdir()) == before


def test_paths_are_taken_where_they_are_allowed(tmp_path):
    text = STORING % (tmp_path / "stored")
    recipe = Recipe.from_text(text, allow_recipe_paths=True)
    assert recipe.writes == (f"store={str(tmp_path / 'stored')!r}",)
    assert recipe.method.settings["store"] == str(tmp_path / "stored")


@pytest.mark.parametrize("store", ["none", "''", "."])
def test_a_recipe_that_stores_nothing_is_replayed(store):
    assert Recipe.from_text(STORING % store).writes == ()


def test_a_copy_of_the_network_counts_as_written():
    settings = {"checkpoint": "m", "backend": "onnx", "store": "s"}
    recipe = Recipe(method={"name": "network", "settings": settings})
    assert recipe.writes == ("store='s'", "backend='onnx'")
    assert recipe.without_writes().method.settings == {"checkpoint": "m"}
    assert recipe.without_writes().writes == ()


def test_every_path_of_an_entry_is_known_to_be_read_or_written():
    """Whoever adds a setting that is written to extends `recipe._writes`."""
    read = {
        "card", "checkpoint", "ensemble", "package", "model", "classifier", "model_folder",
        "previous_stage", "bundle", "weights_folder",
    }  # fmt: skip
    for kind in ("filters", "methods", "cleanups"):
        for entry in REGISTRIES[kind].values():
            if not entry.source.startswith("napari_segment."):
                continue
            paths = {
                name for name, field in entry.settings.model_fields.items()
                if "Path" in str(field.annotation)
            }  # fmt: skip
            assert paths <= read | {"store"}, entry.name

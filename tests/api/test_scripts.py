"""A recipe as Python and as a command line: both give the recipe again."""

import shlex
import subprocess
import sys

import numpy as np
import pytest

import napari_segment
from napari_segment import Recipe, api
from napari_segment.api.scripts import as_command, as_python, history_as_python
from napari_segment.cli.parser import make_parser
from napari_segment.cli.segment import typed
from napari_segment.recipe import Edit, Spec
from napari_segment.registry import cleanups, filters, methods

REQUIRED = {
    "bundle": "a folder",
    "checkpoint": "a folder/run", "package": "model.zip", "model": "net.onnx",
    "model_folder": "a folder/nnUNetTrainer__nnUNetPlans__2d", "task": "total",
}  # fmt: skip


def recipe_of(method, settings=None, **parts):
    entry = methods[method]
    required = {n for n, f in entry.settings.model_fields.items() if f.is_required()}
    given = {name: REQUIRED[name] for name in required} | (settings or {})
    return api.recipe_of((method, given), **parts)


def from_python(text, monkeypatch):
    """Run the text with a `segment` that gives the recipe of its arguments."""
    taken = {}

    def segment(image, method, *, data=None, **arguments):
        parts = ("filters", "cleanups", "channel", "apply_to", "times")
        options = {name: arguments.pop(name) for name in parts if name in arguments}
        taken["recipe"] = api.recipe_of((method, arguments), **options)

    monkeypatch.setattr(napari_segment, "segment", segment, raising=False)
    exec(text, {})
    return taken["recipe"]


def from_command(text):
    program, command, *rest = shlex.split(text)
    assert (program, command) == ("napari-segment", "segment")
    options = make_parser(["segment", *rest]).parse_args(["segment", *rest])
    return typed(options, options.method)


CASES = [
    recipe_of("otsu"),
    recipe_of("manual", {"value": -1.5e-7, "objects": "dark"}),
    recipe_of("otsu", filters=["gaussian", ("median", {"size": 2.0})], channel=2),
    recipe_of("otsu", cleanups=[("remove_small", {"size": 3.5}), "fill_holes"], times=(2, 9)),
    recipe_of("canny", {"sigma": 2.5}),
    recipe_of("otsu", channel="DAPI, raw", apply_to="plane"),
    recipe_of("network", {"tile": [32, 64], "maps": ["entropy"], "ensemble": ["b", "c d"]}),
]


@pytest.mark.parametrize("recipe", CASES, ids=lambda recipe: recipe.method.name)
def test_both_give_the_recipe_again(recipe, monkeypatch):
    assert from_command(as_command(recipe)) == recipe
    assert from_python(as_python(recipe), monkeypatch) == recipe


@pytest.mark.parametrize("name", sorted(methods))
def test_every_method_with_its_defaults(name, monkeypatch):
    recipe = recipe_of(name)
    assert from_command(as_command(recipe)) == recipe
    assert from_python(as_python(recipe), monkeypatch) == recipe
    assert as_command(recipe).count("--") <= 2  # defaults are left out


def changed(entry):
    """Settings of an entry of which each number and choice differs from its default."""
    from typing import get_args

    fields = entry.settings.model_fields.items()
    required = {name: REQUIRED[name] for name, field in fields if field.is_required()}
    settings = dict(required)
    for name, value in entry.spec(required).settings.items():
        field = entry.settings.model_fields[name]
        choices = [c for c in get_args(field.annotation) if isinstance(c, str)]
        other = next((c for c in choices if c != value), None)
        if isinstance(value, bool):
            settings[name] = not value
        elif isinstance(value, int | float):
            settings[name] = value + 1
        elif other is not None and choices:
            settings[name] = other
    try:
        return entry.spec(settings).settings
    except napari_segment.errors.SegmentError:
        return required


@pytest.mark.parametrize("registry", [filters, cleanups], ids=["filters", "cleanups"])
def test_every_step_with_changed_settings(registry, monkeypatch):
    specs = [(entry.name, changed(entry)) for entry in registry.values()]
    recipe = recipe_of("otsu", **{registry.kind: specs})
    assert from_command(as_command(recipe)) == recipe
    assert from_python(as_python(recipe), monkeypatch) == recipe


def test_both_run_and_give_the_identical_result(tmp_path):
    import tifffile

    rng = np.random.default_rng(0)
    image = tmp_path / "an image.tif"
    tifffile.imwrite(image, rng.integers(0, 255, (30, 40)).astype(np.uint8))
    recipe = recipe_of("otsu", filters=[("gaussian", {"sigma": 2.0})], cleanups=["fill_holes"])
    by_python, by_command = tmp_path / "a.tif", tmp_path / "b.tif"
    exec(as_python(recipe, image, by_python), {})
    command = shlex.split(as_command(recipe, image, by_command))
    subprocess.run([sys.executable, "-m", "napari_segment.cli", *command[1:]], check=True)
    one, other = (api.as_labels(path) for path in (by_python, by_command))
    assert one.data.max() > 0
    np.testing.assert_array_equal(one.data, other.data)
    assert one.recipe == other.recipe


def test_only_further_data_that_is_needed_is_named():
    for entry in methods.values():
        recipe = recipe_of(entry.name)
        needs = [p for p in entry.parameters if p.name == "markers" and p.default is p.empty]
        assert ("--data markers=markers.tif" in as_command(recipe)) == bool(needs)
        assert ('data={"markers": "markers.tif"}' in as_python(recipe)) == bool(needs)


def test_recipes_of_others_are_checked():
    with pytest.raises(napari_segment.errors.SegmentError):
        as_python(Recipe(method={"name": "no such method"}))


def test_edits_are_lines_of_python_and_a_replay_on_the_command_line():
    recipe = Recipe(
        method=Spec(name="otsu"),
        channel=1,
        edits=(
            Edit(name="merge", settings={"numbers": [1, 2]}, at={"Z": 3}),
            Edit(name="grow", settings={"numbers": [4], "to_edge": True}),
        ),
    )
    assert as_python(recipe).splitlines() == [
        "from napari_segment import edit, segment",
        "",
        'labels = segment("image.tif", "otsu", channel=1)',
        'labels = edit(labels, "merge", numbers=[1, 2], at={"Z": 3})',
        'labels = edit(labels, "grow", numbers=[4], to_edge=True, image="image.tif", channel=1)',
    ]
    command = "napari-segment replay labels.recipe.yaml a.tif -o labels.tif"
    assert as_command(recipe, "a.tif", "labels.tif") == command
    history = history_as_python(
        [("a", recipe, "a.tif"), ("b", Recipe(method=Spec(name="li")), "b")]
    )
    assert 'results["a"] = edit(results["a"], "merge", numbers=[1, 2], at={"Z": 3})' in history

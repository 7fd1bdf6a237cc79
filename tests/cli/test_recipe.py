"""A recipe in other forms."""

import json
import shlex

import numpy as np
import pytest
import tifffile

from napari_segment.cli import main
from napari_segment.io import recipe_path
from napari_segment.recipe import Recipe


@pytest.fixture
def labels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.eye(9, dtype=np.uint8))
    out = tmp_path / "out.tif"
    steps = ["--filter", "gaussian:sigma=2"]
    assert main(["segment", "otsu", str(tmp_path / "a.tif"), "-o", str(out), *steps]) == 0
    return out


def shown(capsys, *arguments):
    capsys.readouterr()
    assert main(["recipe", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_labels_tell_their_recipe(labels, tmp_path, capsys):
    text = shown(capsys, labels, "--as", "python", "--image", tmp_path / "a.tif")
    scope = {}
    exec(text, scope)
    np.testing.assert_array_equal(scope["labels"].data, tifffile.imread(labels))
    again = tmp_path / "again.tif"
    files = ("--image", tmp_path / "a.tif", "--labels", again)
    command = shown(capsys, labels, "--as", "command", *files)
    assert main(shlex.split(command)[1:]) == 0
    np.testing.assert_array_equal(tifffile.imread(again), tifffile.imread(labels))


def test_yaml_and_json_are_recipes(labels, tmp_path, capsys):
    recipe = Recipe.load(recipe_path(labels))
    assert Recipe(**json.loads(shown(capsys, labels, "--as", "json"))) == recipe
    (tmp_path / "again.yaml").write_text(shown(capsys, labels, "--as", "yaml"))
    assert Recipe.load(tmp_path / "again.yaml") == recipe


def test_a_file_without_a_recipe_is_refused(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "a.tif", np.eye(9, dtype=np.uint8))
    assert main(["recipe", str(tmp_path / "a.tif")]) == 1
    assert "a.tif" in capsys.readouterr().err

"""Labels are corrected on the command line, by one edit or by a journal."""

import json

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.cli import main
from napari_segment.errors import LeftOutWarning
from napari_segment.io import read_labels, recipe_path
from napari_segment.recipe import Recipe


@pytest.fixture
def labels(tmp_path):
    array = np.zeros((3, 8, 12), np.uint8)
    array[:, 1:4, 1:4], array[:, 1:4, 6:10] = 1, 2
    path = tmp_path / "labels.tif"
    ns.write(ns.Labels(array, "ZYX", spacing=(2, 1, 1)), path)
    return path


def run(*arguments):
    return main([str(a) for a in arguments])


def test_an_edit_gives_what_python_gives(labels, tmp_path, capsys):
    out = tmp_path / "out.tif"
    assert run("edit", labels, "merge", "--numbers", "1,2", "-o", out) == 0
    expected = ns.edit(labels, "merge", numbers=(1, 2))
    assert np.array_equal(read_labels(out).data, expected.data)
    assert read_labels(out).spacing == (2, 1, 1)
    assert f"{labels} → {out} (objects)" in capsys.readouterr().out


def test_a_position_and_nested_settings(labels, tmp_path):
    out = tmp_path / "out.tif"
    line = ["--number", 2, "--line=-1,8 9,8"]
    assert run("edit", labels, "split", *line, "--at", "Z=1", "-o", out) == 0
    assert [3 in plane for plane in read_labels(out).data] == [False, True, False]


def test_edits_of_a_journal(labels, tmp_path):
    journal, out = tmp_path / "edits.jsonl", tmp_path / "out.tif"
    common = ["--journal", journal, "-o", out]
    assert run("edit", labels, "delete", "--numbers", 1, *common) == 0
    assert run("edit", labels, "relabel", "--number", 2, "--new", 7, *common) == 0
    once = read_labels(out).data
    assert set(np.unique(once)) == {0, 7}
    assert run("edit", labels, *common) == 0
    assert np.array_equal(read_labels(out).data, once)
    assert len(journal.read_text().splitlines()) == 3


def test_the_recipe_carries_the_edits(cells, tmp_path):
    first, out, again = (tmp_path / f"{name}.tif" for name in ("first", "out", "again"))
    run("segment", "otsu", cells, "-o", first, "--cleanup", "connected_components")
    assert run("edit", first, "delete", "--numbers", 1, "-o", out, "--json") == 0
    recipe = Recipe.load(recipe_path(out))
    assert [edit.name for edit in recipe.edits] == ["delete"]
    assert recipe.edited
    assert run("replay", recipe_path(out), cells, "-o", again) == 0
    assert np.array_equal(read_labels(again).data, read_labels(out).data)
    assert 1 not in read_labels(again).data


def test_edits_that_no_longer_fit_are_named(labels, tmp_path):
    journal, out = tmp_path / "edits.jsonl", tmp_path / "out.tif"
    run("edit", labels, "delete", "--numbers", 1, "--journal", journal, "-o", out)
    other = tmp_path / "other.tif"
    ns.write(ns.edit(labels, "relabel", number=1, new=5), other)
    with pytest.warns(LeftOutWarning, match=r"edit 1 \(delete\): There is no object 1"):
        run("edit", other, "--journal", journal, "-o", tmp_path / "b.tif")
    assert set(np.unique(read_labels(tmp_path / "b.tif").data)) == {0, 2, 5}


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        ([], "Say which edit", 2),
        (["mrege"], "Did you mean 'merge'", 2),
        (["merge", "--numbers", "1,9"], "no object 9", 1),
        (["merge", "--numbers", "1,2", "--at", "Z:1"], "Cannot read the position", 2),
        (["merge", "--numbers", "1,2", "--at", "T=0"], "no position along T", 1),
        (["split", "--number", "1", "--line", "3,3"], "two vertices", 1),
        (["split", "--number", "1", "--line", "3,a"], "line", 2),
        (["--journal", "nowhere.jsonl"], "There is no journal", 1),
    ],
)
def test_what_is_wrong_is_said(labels, tmp_path, capsys, arguments, message, status):
    assert run("edit", labels, *arguments, "-o", tmp_path / "out.tif") == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.tif").exists()


def test_the_input_is_not_overwritten(labels, capsys):
    assert run("edit", labels, "delete", "--numbers", 1, "-o", labels) == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_json(labels, tmp_path, capsys):
    run("edit", labels, "delete", "--numbers", 1, "-o", tmp_path / "o.tif", "--json")
    assert json.loads(capsys.readouterr().out)["holds"] == "objects"

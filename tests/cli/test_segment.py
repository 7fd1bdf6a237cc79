"""Segmenting files and replaying recipes from the command line."""

import json

import numpy as np
import pytest

from napari_segment import read, replay, segment
from napari_segment.cli import main
from napari_segment.io import read_labels


def test_segment_writes_labels_and_their_recipe(cells, tmp_path, capsys):
    out = tmp_path / "labels.tif"
    arguments = ["segment", "otsu", str(cells), "-o", str(out), "--filter", "gaussian:sigma=0.5"]
    assert main([*arguments, "--cleanup", "connected_components"]) == 0
    labels = read_labels(out)
    assert labels.spacing == pytest.approx((2, 0.5, 0.5))
    assert labels.unit == "micrometer"
    assert np.asarray(labels).max() == 2
    assert "cells.tif" in capsys.readouterr().out
    expected = segment(
        cells, "otsu", filters=[("gaussian", {"sigma": 0.5})], cleanups=["connected_components"]
    )
    assert np.array_equal(labels, expected)
    assert np.array_equal(replay(tmp_path / "labels.recipe.yaml", cells), expected)


def test_replay_equals_segment(cells, tmp_path):
    first, second = tmp_path / "a.tif", tmp_path / "b.tif"
    assert main(["segment", "otsu", str(cells), "-o", str(first)]) == 0
    recipe = str(tmp_path / "a.recipe.yaml")
    assert main(["replay", recipe, str(cells), "-o", str(second)]) == 0
    assert np.array_equal(read_labels(first), read_labels(second))


def test_settings_are_options_and_json_tells_all(cells, tmp_path, capsys):
    out = tmp_path / "mask.tif"
    arguments = ["segment", "manual", str(cells), "-o", str(out), "--json", "--apply-to", "plane"]
    assert main([*arguments, "--value", "190"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["recipe"]["method"]["settings"]["value"] == 190
    assert report["recipe"]["apply_to"] == "plane"
    assert np.array_equal(np.asarray(read_labels(out)) > 0, np.asarray(read(cells)) > 190)


@pytest.mark.parametrize(
    ("method", "name", "text", "value"),
    [
        ("levels", "thresholds", "-5,100", [-5, 100]),
        ("manual", "value", "-1e3", -1000),
        ("manual", "value", "-.5", -0.5),
    ],
)
def test_values_may_be_negative(cells, tmp_path, capsys, method, name, text, value):
    arguments = ["segment", method, str(cells), "-o", str(tmp_path / "a.tif"), "--json"]
    assert main([*arguments, f"--{name}", text]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["recipe"]["method"]["settings"][name] == value


def test_several_inputs_need_a_folder_and_failures_are_counted(cells, tmp_path, capsys):
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"no tiff")
    out = tmp_path / "out"
    assert main(["segment", "otsu", str(cells), str(broken), "-o", str(out)]) == 1
    assert (out / "cells.tif").exists()
    error = capsys.readouterr().err
    assert "broken.tif" in error
    assert "1 of 2 inputs failed" in error
    assert "Traceback" not in error


def test_what_needs_the_whole_is_given_it_however_large(cells, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("napari_segment.api.batch.reading.LARGE", 0.0)
    command = ["segment", "watershed", str(cells), "-o", str(tmp_path / "a.tif")]
    assert main(command) == 0
    assert main([*command, "--lazy"]) == 1
    assert "neither --lazy nor --scheduler" in capsys.readouterr().err


def test_pictures_are_drawn_next_to_the_labels(cells, tmp_path):
    out, drawn = tmp_path / "out.tif", tmp_path / "drawn"
    assert main(["segment", "otsu", str(cells), "-o", str(out), "--pictures", str(drawn)]) == 0
    picture = np.asarray(read(drawn / "out.png"))
    assert picture.shape == (20, 72, 3)  # image, mask, and the mask over the image
    mask = np.asarray(read_labels(out))[3]
    assert np.array_equal(picture[:, 24:48, 0], mask * 255)


def test_data_of_a_wrong_name_is_refused_before_any_image_is_read(tmp_path, capsys):
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(b"no image")
    command = ["segment", "watershed", str(tmp_path), "-o", str(tmp_path / "out")]
    assert main([*command, "--data", "seeds=marks.tif"]) == 2
    assert capsys.readouterr().err.count("takes no 'seeds'") == 1
    assert not (tmp_path / "out").exists()

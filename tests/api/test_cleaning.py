"""Cleanups alone: on arrays, files, images in another orientation, and recipes that go on."""

import json

import dask.array as da
import numpy as np
import pytest

import napari_segment as ns
from napari_segment import samples
from napari_segment.cli import main
from napari_segment.errors import InputError

STEPS = ["fill_holes", ("remove_small", {"min_size": 30}), "connected_components"]


@pytest.fixture
def cells():
    return samples.cells((12, 64, 64), seed=1)[0]


def test_it_gives_what_the_cleanups_of_a_recipe_give(cells):
    expected = ns.segment(cells, "otsu", cleanups=STEPS)
    actual = ns.clean(ns.segment(cells, "otsu"), STEPS)
    np.testing.assert_array_equal(actual.data, expected.data)
    assert (actual.holds, actual.spacing, actual.recipe) == (
        "objects", expected.spacing, expected.recipe,
    )  # fmt: skip
    np.testing.assert_array_equal(ns.replay(actual.recipe, cells).data, expected.data)


def test_it_goes_on_as_the_recipe_began(cells):
    planes = ns.segment(cells, "otsu", apply_to="plane")
    expected = ns.segment(cells, "otsu", cleanups=STEPS, apply_to="plane")
    np.testing.assert_array_equal(ns.clean(planes, STEPS).data, expected.data)
    volume = ns.clean(planes, STEPS, apply_to="volume")
    assert volume.recipe is None  # no recipe does a part by planes and a part by volumes
    assert (volume.data != expected.data).any()


def test_a_recipe_that_would_give_other_labels_is_not_continued(cells):
    coarse = ns.segment(cells, "otsu", filters=[("isotropic", {"side": 2.0})])
    assert ns.clean(coarse, ["fill_holes"]).recipe is None
    labels = ns.segment(cells, "otsu", cleanups=STEPS)
    by_image = ns.clean(labels, [("split_touching", {"landscape": "intensity"})], cells)
    assert by_image.recipe is None
    assert labels.recipe is not None


def test_the_image_is_turned_onto_the_labels(cells):
    labels = ns.segment(cells, "otsu")
    step = [("split_touching", {"landscape": "intensity"})]
    expected = ns.clean(labels, step, cells)
    affine = cells.world() @ np.diag([1, -1, 1, 1.0])
    affine[1, 3] = cells.world()[1, 3] + cells.spacing[1] * (cells.shape[1] - 1)
    flipped = cells.replace(data=cells.data[:, ::-1], affine=affine)
    placed = labels.replace(affine=cells.world())
    np.testing.assert_array_equal(ns.clean(placed, step, flipped).data, expected.data)


def test_features_follow(cells):
    labels = ns.segment(cells, "otsu", cleanups=STEPS)
    numbers = np.unique(labels.data)[1:]
    with_scores = labels.replace(features={"label": numbers, "score": numbers / 100})
    cleaned = ns.clean(with_scores, ["clear_border", "relabel"])
    for number, score in zip(*(cleaned.features[n] for n in ("label", "score")), strict=True):
        (before,) = np.unique(labels.data[cleaned.data == number])
        assert score == before / 100


def test_lazy_labels_give_lazy_labels(cells):
    labels = ns.segment(cells, "otsu")
    lazy = labels.replace(data=da.from_array(labels.data, chunks=(5, 40, 33)))
    cleaned = ns.clean(lazy, STEPS)
    assert cleaned.is_lazy
    np.testing.assert_array_equal(np.asarray(cleaned.data), ns.clean(labels, STEPS).data)


def test_an_array_over_time_keeps_its_axes():
    mask = np.zeros((2, 5, 9), bool)
    mask[0, 1, 1], mask[1, 2, 2:4], mask[1, 4, 8] = True, True, True
    cleaned = ns.clean(mask, ["connected_components"], axes="TYX")
    assert cleaned.axes == "TYX"
    assert [int(frame.max()) for frame in cleaned.data] == [1, 2]


def test_bad_input_is_refused_with_a_message(cells):
    labels = ns.segment(cells, "otsu")
    with pytest.raises(InputError, match="name a cleanup"):
        ns.clean(labels, [])
    with pytest.raises(InputError, match="needs image"):
        ns.clean(labels, ["dense_crf"])
    away = cells.world() + np.eye(4, k=3) * 1e6
    with pytest.raises(InputError, match="overlap"):
        ns.clean(labels.replace(affine=cells.world()), ["dense_crf"], cells.replace(affine=away))


def test_the_command_line_gives_the_same(cells, tmp_path, capsys):
    mask = ns.segment(cells, "otsu")
    (tmp_path / "in").mkdir()
    for name in "ab":
        ns.write(mask, tmp_path / "in" / f"{name}.tif")
    (tmp_path / "in" / "c.tif").write_bytes(b"II*\0 no image")
    given = ["clean", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--holds", "mask"]
    steps = ["fill_holes", "remove_small:min_size=30", "connected_components"]
    given += [part for step in steps for part in ("--cleanup", step)]
    assert main([*given, "--report", str(tmp_path / "report.json")]) == 1  # one bad file
    assert "c.tif" in capsys.readouterr().err
    expected = ns.clean(mask, STEPS).data
    for name in "ab":
        written = ns.read(tmp_path / "out" / f"{name}.tif")
        np.testing.assert_array_equal(np.asarray(written.data), expected)
    rows = json.loads((tmp_path / "report.json").read_text())
    assert [row["status"] for row in rows] == ["done", "done", "failed"]
    assert main(given[:-6]) == 2
    assert "--cleanup NAME" in capsys.readouterr().err

"""A trained pixel classifier as a method: in memory, on blocks, from the command line."""

import json

import dask.array as da
import numpy as np
from shared.strokes import strokes_of

import napari_segment as ns
from napari_segment.classical.classifier.features import KINDS
from napari_segment.cli import main
from napari_segment.step import run


def test_blocks_give_what_memory_gives(trained, cells):
    image, _ = cells
    maps = ("probabilities", "entropy")
    whole = ns.segment(image, "classifier", checkpoint=trained.folder, maps=maps)
    lazy = image.replace(data=da.from_array(image.data, chunks=(7, 40, 33)))
    blocks = ns.segment(lazy, "classifier", checkpoint=trained.folder, maps=maps)
    assert blocks.is_lazy
    np.testing.assert_array_equal(np.asarray(blocks.data), whole.data)
    for name in maps:
        np.testing.assert_array_equal(np.asarray(blocks.maps[name].data), whole.maps[name].data)
    np.testing.assert_allclose(whole.maps["probabilities"].data.sum(0), 1, atol=1e-5)


def test_blocks_give_what_memory_gives_with_every_feature(cells, tmp_path):
    image, labels = cells
    cases = [(image, strokes_of(labels))]
    given = {"trees": 5, "scales": (0.5, 1), "features": KINDS}
    model = run(ns.train_classifier(cases, out=tmp_path / "c", **given))
    whole = ns.segment(image, "classifier", checkpoint=model.folder)
    lazy = image.replace(data=da.from_array(image.data, chunks=(20, 40, 33)))
    blocks = ns.segment(lazy, "classifier", checkpoint=model.folder)
    np.testing.assert_array_equal(np.asarray(blocks.data), whole.data)


def test_slabs_give_what_the_whole_gives(trained, cells, monkeypatch):
    image, _ = cells
    whole = ns.segment(image, "classifier", checkpoint=trained.folder)
    monkeypatch.setattr(
        "napari_segment.classical.classifier.method._slabs", lambda predict, image: (1, 11)
    )
    slabs = ns.segment(image, "classifier", checkpoint=trained.folder)
    np.testing.assert_array_equal(slabs.data, whole.data)


def test_scales_are_physical(trained, cells):
    image, _ = cells
    factor = {"micrometer": 1000.0}[image.unit]
    nanometers = image.replace(
        spacing=tuple(s * factor for s in image.spacing), unit="nanometer", affine=None
    )
    expected = ns.segment(image, "classifier", checkpoint=trained.folder).data
    actual = ns.segment(nanometers, "classifier", checkpoint=trained.folder).data
    assert (actual == expected).mean() > 0.999  # the spacing is rounded differently


def test_the_command_line_gives_the_same(cells, tmp_path, capsys):
    image, labels = cells
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    ns.write(image, tmp_path / "images" / "a.ome.tif")
    ns.write(strokes_of(labels), tmp_path / "labels" / "a.ome.tif")
    pairs = [str(tmp_path / "images"), str(tmp_path / "labels")]
    given = ["train-classifier", "--images", pairs[0], "--labels", pairs[1]]
    assert main([*given, "-o", str(tmp_path / "a"), "--trees", "40", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["classes"] == [1, 2]
    python = run(ns.train_classifier(tuple(pairs), out=tmp_path / "b", trees=40))
    assert report["importances"] == python.importances
    target = tmp_path / "labels.tif"
    command = ["segment", "classifier", str(tmp_path / "images" / "a.ome.tif"), "-o", str(target)]
    assert main([*command, "--checkpoint", str(tmp_path / "a")]) == 0
    expected = ns.segment(image, "classifier", checkpoint=tmp_path / "b")
    np.testing.assert_array_equal(np.asarray(ns.read(target).data), expected.data)
    again = ns.replay(tmp_path / "labels.recipe.yaml", image)
    np.testing.assert_array_equal(again.data, expected.data)


def test_colour_planes_over_time(tmp_path):
    rng = np.random.default_rng(0)
    film = rng.random((2, 3, 30, 40))
    film[:, 1, :, 20:] += 2
    painted = np.zeros((2, 30, 40), np.uint8)
    painted[0, :, 1:18], painted[0, :, 22:38] = 1, 2
    image = ns.Image(film, "TCYX", channels=("a", "b", "c"))
    strokes = ns.Labels(painted, "TYX", holds="classes")
    model = run(ns.train_classifier([(image, strokes)], out=tmp_path / "film", trees=10))
    assert model.channels == ("a", "b", "c")
    actual = ns.segment(image, "classifier", checkpoint=model.folder)
    assert actual.shape == (2, 30, 40)
    right = np.where(np.arange(40) < 20, 1, 2)
    assert (actual.data[1] == right).mean() > 0.95

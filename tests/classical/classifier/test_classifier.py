"""A pixel classifier from strokes to labels: Python, command line, blocks, and bad input."""

import json

import dask.array as da
import numpy as np
import pytest

import napari_segment as ns
from napari_segment import samples
from napari_segment.classical.classifier.model import PixelClassifier
from napari_segment.cli import main
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.step import run


def strokes_of(labels, count=150, seed=0):
    """Scattered class numbers: 2 in objects, 1 in the background, 0 elsewhere."""
    rng = np.random.default_rng(seed)
    inside = np.asarray(labels.data) > 0
    painted = np.zeros(inside.shape, np.uint8)
    for number, where in ((2, inside), (1, ~inside)):
        index = np.argwhere(where)
        painted[tuple(index[rng.choice(len(index), count)].T)] = number
    return labels.replace(data=painted, holds="classes", names={1: "outside", 2: "cell"})


@pytest.fixture(scope="module")
def cells():
    return samples.cells((20, 64, 64), seed=1)


@pytest.fixture(scope="module")
def trained(cells, tmp_path_factory):
    image, labels = cells
    out = tmp_path_factory.mktemp("classifier") / "cells"
    return run(ns.train_classifier([(image, strokes_of(labels))], out=out, background=1, trees=40))


def test_it_finds_cells_of_another_image(trained):
    image, labels = samples.cells((20, 64, 64), seed=7)
    actual = ns.segment(image, "classifier", checkpoint=trained.folder)
    assert actual.holds == "classes"
    assert actual.values == (0, 2)
    assert actual.names == {2: "cell"}
    reference = labels.replace(data=(labels.data > 0) * np.uint8(2), holds="classes", names={})
    assert ns.compare(actual, reference).summary["mean_dice"] > 0.9


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


def test_the_same_seed_gives_the_same_trees(cells, tmp_path):
    image, labels = cells
    forests = [
        run(ns.train_classifier([(image, strokes_of(labels))], out=tmp_path / n, trees=5)).forest()
        for n in "ab"
    ]
    for name, array in forests[0].arrays().items():
        np.testing.assert_array_equal(array, forests[1].arrays()[name])


def test_several_images_and_few_samples_of_each_class(cells, tmp_path):
    image, labels = cells
    pairs = [(image, strokes_of(labels, seed=s)) for s in (0, 1)]
    model = run(ns.train_classifier(pairs, out=tmp_path / "c", trees=5, max_samples=100))
    assert model.samples == {1: 100, 2: 100}
    assert model.out_of_bag is None


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


def test_bad_input_is_refused_with_a_message(trained, cells, tmp_path):
    image, labels = cells
    one = labels.replace(data=(strokes_of(labels).data == 1).astype(np.uint8), holds="classes")
    with pytest.raises(InputError, match="Only class 1 is painted"):
        run(ns.train_classifier([(image, one)], out=tmp_path / "x"))
    none = labels.replace(data=np.zeros_like(labels.data), holds="classes")
    with pytest.raises(InputError, match="Nothing is painted"):
        run(ns.train_classifier([(image, none)], out=tmp_path / "x"))
    with pytest.raises(SettingError, match="holds a trained model already"):
        run(ns.train_classifier([(image, strokes_of(labels))], out=trained.folder))
    with pytest.raises(InputError, match=r"trained on 1 channel"):
        ns.segment(
            ns.Image(np.zeros((2, 9, 9, 9)), "CZYX"), "classifier", checkpoint=trained.folder
        )
    with pytest.raises(InputError, match="3-D"):
        ns.segment(np.zeros((30, 30)), "classifier", checkpoint=trained.folder)


def test_a_damaged_folder_is_refused(trained, tmp_path):
    with pytest.raises(FormatError, match=r"no model\.json"):
        PixelClassifier.load(tmp_path)
    card = json.loads((trained.folder / "model.json").read_text())
    for changes, match in (
        ({"kind": "network"}, "no pixel classifier"),
        ({"scales": []}, "scales"),
    ):
        (tmp_path / "model.json").write_text(json.dumps(card | changes))
        with pytest.raises(FormatError, match=match):
            PixelClassifier.load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(card | {"scales": [1.0]}))
    (tmp_path / "forest.safetensors").write_bytes(
        (trained.folder / "forest.safetensors").read_bytes()
    )
    with pytest.raises(FormatError, match="made of two"):
        PixelClassifier.load(tmp_path).forest()
    (tmp_path / "forest.safetensors").write_bytes(b"not tensors")
    with pytest.raises(FormatError, match="Cannot read the trees"):
        PixelClassifier.load(tmp_path).forest()

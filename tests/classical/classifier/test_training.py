"""Training of pixel classifiers: what they learn, from which strokes, and bad input."""

import numpy as np
import pytest
from shared.strokes import strokes_of

import napari_segment as ns
from napari_segment import samples
from napari_segment.errors import InputError, SettingError
from napari_segment.step import run


def test_it_finds_cells_of_another_image(trained):
    image, labels = samples.cells((20, 64, 64), seed=7)
    actual = ns.segment(image, "classifier", checkpoint=trained.folder)
    assert actual.holds == "classes"
    assert actual.values == (0, 2)
    assert actual.names == {2: "cell"}
    reference = labels.replace(data=(labels.data > 0) * np.uint8(2), holds="classes", names={})
    assert ns.compare(actual, reference).summary["mean_dice"] > 0.9


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

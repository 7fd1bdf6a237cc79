"""The classifier that learns while one paints gives what a training gives."""

import numpy as np
import pytest

import napari_segment as ns
from napari_segment import samples
from napari_segment.classical.classifier import live
from napari_segment.classical.classifier.live import LiveClassifier, Painted
from napari_segment.classical.classifier.training import LabelledImage
from napari_segment.errors import InputError, MemoryShortError
from napari_segment.step import run

ALL = (slice(None), slice(None))


def strokes_on(labels, planes, count=60, seed=0):
    rng = np.random.default_rng(seed)
    painted = np.zeros(labels.shape, np.int32)
    for z in planes:
        inside = labels[z] > 0
        for number, where in ((2, inside), (1, ~inside)):
            index = np.argwhere(where)
            painted[z][tuple(index[rng.choice(len(index), count)].T)] = number
    return painted


def seen(image, strokes, plane=0, box=ALL, version=0):
    case = LabelledImage("a", image.data[None], strokes, image.spacing, image.unit, ("",))
    return Painted(case, version, plane, box)


@pytest.mark.parametrize("planes", [(3,), (2, 5)])
def test_the_plane_is_that_of_a_training_with_as_many_trees(planes, tmp_path):
    image, labels = samples.cells((8, 48, 56), seed=1)
    strokes = strokes_on(np.asarray(labels.data), planes)
    *_, plane = LiveClassifier(background=1).classify(seen(image, strokes, plane=3))
    marks = labels.replace(data=strokes, holds="classes")
    cases = [(image, marks)]
    model = run(ns.train_classifier(cases, out=tmp_path / "c", trees=live.TREES, background=1))
    expected = ns.segment(image, "classifier", checkpoint=model.folder).data[3]
    np.testing.assert_array_equal(plane, expected)


def test_what_is_in_view_comes_first_at_a_coarse_step(monkeypatch):
    monkeypatch.setattr(live, "COARSE", 100)
    image, labels = samples.nuclei((64, 64), seed=1)
    strokes = strokes_on(np.asarray(labels.data)[None], [0])[0]
    box = (slice(0, 40), slice(20, 60))
    coarse, whole = LiveClassifier().classify(seen(image, strokes, box=box))
    assert not coarse[40:].any()
    assert not coarse[:, :20].any()
    assert set(np.unique(whole)) == {1, 2}
    np.testing.assert_array_equal(coarse[box][::4, ::4], whole[box][::4, ::4])  # 1,600 in 100
    np.testing.assert_array_equal(coarse[box][3::4, 3::4], coarse[box][::4, ::4])


def test_a_stroke_computes_no_features_again_and_another_image_does(monkeypatch):
    calls = []
    compute = live._plane_features
    monkeypatch.setattr(
        live, "_plane_features", lambda *given: calls.append(given[2]) or compute(*given)
    )
    image, labels = samples.nuclei((64, 64), seed=1)
    marks = [strokes_on(np.asarray(labels.data)[None], [0], seed=s)[0] for s in (0, 1)]
    classifier = LiveClassifier()
    first, second = (list(classifier.classify(seen(image, m)))[-1] for m in marks)
    assert calls == [0]
    assert (first != second).any()  # other strokes, other classes
    other, _ = samples.nuclei((64, 64), seed=5)
    third = list(classifier.classify(seen(other, marks[1], version=1)))[-1]
    assert calls == [0, 0]
    fresh = list(LiveClassifier().classify(seen(other, marks[1])))[-1]
    np.testing.assert_array_equal(third, fresh)


def test_another_spacing_gives_other_features():
    image, labels = samples.nuclei((64, 64), seed=1)
    strokes = strokes_on(np.asarray(labels.data)[None], [0])[0]
    classifier = LiveClassifier(scales=(1.0, 4.0))
    list(classifier.classify(seen(image, strokes)))
    coarse = image.replace(spacing=(3.0, 1.0), affine=None)
    again = list(classifier.classify(seen(coarse, strokes)))[-1]
    fresh = list(LiveClassifier(scales=(1.0, 4.0)).classify(seen(coarse, strokes)))[-1]
    np.testing.assert_array_equal(again, fresh)
    assert (
        again != list(LiveClassifier(scales=(1.0, 4.0)).classify(seen(image, strokes)))[-1]
    ).any()


def test_strokes_that_were_taken_back_are_forgotten():
    image, labels = samples.cells((6, 40, 40), seed=1)
    both = strokes_on(np.asarray(labels.data), (2, 3))
    one = both.copy()
    one[2] = 0
    classifier = LiveClassifier()
    list(classifier.classify(seen(image, both, plane=3)))
    again = list(classifier.classify(seen(image, one, plane=3)))[-1]
    fresh = list(LiveClassifier().classify(seen(image, one, plane=3)))[-1]
    np.testing.assert_array_equal(again, fresh)


def test_a_stale_answer_is_not_finished():
    image, labels = samples.nuclei((64, 64), seed=1)
    strokes = strokes_on(np.asarray(labels.data)[None], [0])[0]
    box = (slice(0, 8), slice(0, 8))
    answers = list(LiveClassifier().classify(seen(image, strokes, box=box), lambda: True))
    assert len(answers) == 1  # what is in view, and no more


def test_it_says_what_is_missing(monkeypatch):
    image, labels = samples.nuclei((64, 64), seed=1)
    nothing = np.zeros(labels.shape, np.int32)
    with pytest.raises(InputError, match="Nothing is painted"):
        list(LiveClassifier().classify(seen(image, nothing)))
    nothing[3, 3] = 4
    with pytest.raises(InputError, match="Only class 4"):
        list(LiveClassifier().classify(seen(image, nothing)))
    monkeypatch.setattr(live, "free_memory", lambda: 1000)
    with pytest.raises(MemoryShortError, match="fewer features"):
        list(LiveClassifier().classify(seen(image, nothing)))

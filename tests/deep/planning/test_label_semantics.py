"""Voxels without annotation: one semantics, however a data set marks them."""

from dataclasses import replace

import numpy as np
import pytest

from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.samples import Samples
from napari_segment.deep.planning.plan import make_plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import run

RNG = np.random.default_rng(0)
IMAGES = [RNG.normal(0, 1, (32, 32)).astype(np.float32) for _ in range(3)]
for image in IMAGES:
    image[:, 24:] = 1000  # where nothing is annotated


def labels_with(number, dtype, holds):
    labels = np.zeros((32, 32), dtype)
    labels[4:12, 4:12], labels[16:24, 16:24], labels[:, 24:] = 1, 2, number
    return Labels(labels, holds=holds)


def prepared(number, dtype=np.int16, holds="classes", **settings):
    pairs = Pairs.of([(image, labels_with(number, dtype, holds)) for image in IMAGES])
    pairs = replace(pairs, ignore_index=settings.pop("ignore_index", None))
    cases = Cases(pairs)
    run(cases.measure())
    given = TrainSettings(**settings)
    plan = make_plan(cases.items, pairs, given, 2**30, False)
    return cases, plan, Samples(cases, plan)(cases.items[0])


@pytest.mark.parametrize(
    ("number", "dtype", "ignored"),
    [(255, np.uint8, 255), (3, np.uint8, 3), (-1, np.int16, None), (-100, np.int32, None)],
)
@pytest.mark.parametrize("holds", ["classes", "objects"])
def test_one_label_semantics(number, dtype, ignored, holds):
    cases, plan, sample = prepared(number, dtype, holds, ignore_index=ignored)
    assert plan.holds == holds
    assert plan.values == ((0, 1, 2) if holds == "classes" else ())
    expected = labels_with(-1, np.int16, holds).data
    np.testing.assert_array_equal(sample.target[0], expected)
    assert cases.items[0].foreground.max() < 1000  # of annotated voxels alone


def test_nothing_annotated_is_an_error_that_names_the_numbers():
    labels = Labels(-labels_with(0, np.int16, "classes").data.clip(0, 1))
    pairs = Pairs.of([(IMAGES[0], labels)])
    cases = Cases(pairs)
    run(cases.measure())
    with pytest.raises(InputError, match=r"hold the numbers -1, 0.*ignore_index is None"):
        make_plan(cases.items, pairs, TrainSettings(), 2**30, False)

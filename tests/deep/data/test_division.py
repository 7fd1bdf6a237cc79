"""Division: what trains, what chooses, and what only judges."""

from dataclasses import replace

import numpy as np
import pytest

from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.division import divide
from napari_segment.errors import SettingError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import run


def cases(count, shape=(6, 7)):
    stacks = []
    for i in range(count):
        image = Image(np.arange(np.prod(shape)).reshape(shape), "YX", name=f"{i:03d}")
        stacks.append((image, Labels(np.eye(*shape, dtype=np.uint8), "YX", holds="mask")))
    made = Cases(Pairs.of(stacks))
    run(made.measure())
    return made


def names(items):
    return [int(i.name) for i in items]


def test_every_fifth_case_by_sorted_name_is_for_validation():
    division = divide(cases(11).items)
    assert names(division.validation) == [4, 9]
    assert len(division.training) == 9
    assert not division.test


def test_the_folds_cover_all_cases_once():
    items = cases(7).items
    actual = [n for fold in range(3) for n in names(divide(items, folds=3, fold=fold).validation)]
    assert sorted(actual) == list(range(7))


def test_one_case_is_cut_along_its_longest_axis():
    made = cases(1, (6, 20))
    division = divide(made.items)
    (inner,), (outer,) = division.training, division.validation
    assert (inner.shape, outer.shape) == ((6, 16), (6, 4))
    image, labels = made.read(outer)
    assert (image.shape, image[0, 0, 0], labels.shape) == ((1, 6, 4), 16, (6, 4))


def test_of_many_validation_cases_half_choose_nothing_and_the_training_loses_none():
    division = divide(cases(100).items)
    assert len(division.training) == 80
    assert names(division.validation) == list(range(4, 100, 10))
    assert names(division.test) == list(range(9, 100, 10))


def test_of_few_validation_cases_none_is_taken():
    division = divide(cases(95).items)
    assert (len(division.validation), len(division.test)) == (19, 0)
    assert "fewer than 20" in division.test_reason


def test_a_fraction_is_spread_over_the_sorted_names():
    division = divide(cases(10).items, test=0.3)
    assert names(division.test) == [1, 5, 8]
    assert names(division.validation) == [6]
    assert set(names(division.training)).isdisjoint([1, 5, 8, 6])


def test_none_is_held_out_where_none_is_wanted():
    assert not divide(cases(100).items, test=0).test


def test_cases_are_held_out_by_name():
    division = divide(cases(6).items, test_cases=("002", "005"))
    assert names(division.test) == [2, 5]
    assert names(division.validation) == [4]


def test_the_test_of_a_data_set_is_its_own():
    parts = ["train", "validation", "test"] * 3
    items = [replace(i, part=p) for i, p in zip(cases(9).items, parts, strict=True)]
    division = divide(items)
    assert names(division.test) == [2, 5, 8]
    assert names(division.validation) == [1, 4, 7]


def test_the_test_of_a_data_set_without_validation_is_not_trained_on():
    items = [replace(i, part="test" if i.name > "006" else "train") for i in cases(9).items]
    division = divide(items)
    assert names(division.test) == [7, 8]
    assert set(names([*division.training, *division.validation])) == set(range(7))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test": 0.99}, "leaves none to train on"),
        ({"test_cases": ("0005",)}, "Did you mean '005'"),
        ({"test_cases": tuple(f"{i:03d}" for i in range(6))}, "nothing is left to train on"),
    ],
)
def test_what_leaves_nothing_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        divide(cases(6).items, **settings)

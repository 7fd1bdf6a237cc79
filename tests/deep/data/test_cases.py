"""Cases: measured and read again."""

import numpy as np
import pytest

from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.division import divide
from napari_segment.errors import ChangedFileError, InputError
from napari_segment.image import Image, Labels
from napari_segment.io import write
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import run


def measured(stacks):
    cases = Cases(Pairs.of(stacks))
    run(cases.measure())
    return cases


def named(name, shape=(6, 7), axes="YX", **more):
    data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    image = Image(data, axes, name=name, **more)
    labels = axes.replace("C", "")
    marks = np.zeros([n for n, a in zip(shape, axes, strict=True) if a != "C"], np.uint8)
    marks[..., :2] = 1
    return image, Labels(marks, labels, holds="mask")


def test_time_points_are_items_of_one_case():
    cases = measured([named("film", (3, 6, 7), "TYX"), named("b", (2, 6, 7), "TYX")])
    assert [(i.name, i.time) for i in cases.items][:3] == [("film", t) for t in range(3)]
    assert cases.read(cases.items[1])[0].min() == 42
    division = divide(cases.items, folds=2)
    assert {i.name for i in division.training}.isdisjoint(i.name for i in division.validation)


def test_what_is_measured_by_hand():
    item = measured([named("a", (2, 6, 7), "CYX", channels=("dna", "er"))]).items[0]
    assert item.channels == ("dna", "er")
    assert item.shape == (6, 7)
    assert item.counts == {0: 30, 1: 12}
    assert item.quantiles[1, 1] == pytest.approx(62.5)


def test_pixels_beyond_the_budget_are_read_again():
    cases = Cases(Pairs.of([named("a"), named("b")]), budget=100)
    run(cases.measure())
    assert len(cases._cache) == 0
    assert cases.read(cases.items[1])[0].shape == (1, 6, 7)


@pytest.mark.parametrize(
    ("stacks", "message"),
    [
        ([named("a"), named("b", (3, 6, 7), "ZYX")], "2-D but 'b' is 3-D"),
        ([named("a"), named("b", (2, 6, 7), "CYX")], "1 channels but 'b' has 2"),
    ],
)
def test_cases_that_do_not_go_together(stacks, message):
    with pytest.raises(InputError, match=message):
        measured(stacks)


def test_nothing_to_train_on():
    with pytest.raises(InputError, match="no image with labels"):
        measured([])


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".ome.zarr", ".h5"])
def test_a_case_that_is_rewritten_during_a_training_is_refused(tmp_path, suffix):
    """Of files that do not stay in memory: patches would be of two data sets."""
    image, labels = named("a", (60, 70))
    source, marks = tmp_path / f"a{suffix}", tmp_path / "labels.tif"
    write(image, source), write(labels, marks)
    cases = Cases(Pairs.of([(source, marks)]), budget=100)
    run(cases.measure())
    (item,) = cases.items
    assert np.asarray(cases.read(item)[0]).max() == 60 * 70 - 1
    write(image.replace(data=image.data + 1), source)
    with pytest.raises(ChangedFileError, match="The files of case 'a' were rewritten"):
        cases.read(item)
    new = Cases(Pairs.of([(source, marks)]), budget=100)
    run(new.measure())
    assert np.asarray(new.read(new.items[0])[0]).max() == 60 * 70


def test_cases_with_channels_in_another_order_are_refused():
    stacks = [
        named("a", (2, 6, 7), "CYX", channels=("dna", "er")),
        named("b", (2, 6, 7), "CYX", channels=("er", "dna")),
    ]
    with pytest.raises(InputError, match="'b' has er, dna: the same in another order"):
        measured(stacks)
    measured([stacks[0], named("c", (2, 6, 7), "CYX", channels=("DAPI", "ER-tracker"))])

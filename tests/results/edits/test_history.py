"""Edits are undone and done again; boxes and checksum follow; numbers widen or are refused."""

import numpy as np
import pytest
import zarr

from napari_segment.errors import FormatError, InputError
from napari_segment.recipe import Edit
from napari_segment.results.edits.change import Change
from napari_segment.results.edits.checksum import checksum
from napari_segment.results.edits.history import History
from napari_segment.results.edits.index import BoxIndex


def random_labels(seed=0, shape=(9, 40, 40), count=30, dtype=np.uint16):
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, dtype)
    for number in range(1, count + 1):
        start = [int(rng.integers(0, n - 3)) for n in shape]
        labels[tuple(slice(s, s + int(rng.integers(2, 8))) for s in start)] = number
    return labels


def truth_boxes(labels):
    boxes = {}
    for number in np.unique(labels[labels > 0]).tolist():
        where = np.argwhere(labels == number)
        boxes[number] = tuple(map(slice, where.min(0).tolist(), (where.max(0) + 1).tolist()))
    return boxes


def random_edit(rng, history):
    numbers = history.index.numbers()
    first, second = (int(n) for n in rng.choice(numbers, 2, replace=False))
    start = int(rng.integers(0, np.prod(history.labels.shape) - 50))
    return [
        Edit(name="delete", settings={"numbers": [first]}),
        Edit(name="merge", settings={"numbers": [first, second]}),
        Edit(name="swap", settings={"numbers": [first, second]}),
        Edit(name="relabel", settings={"number": first}),
        Edit(name="grow", settings={"numbers": [first], "distance": 1.5}),
        Edit(name="paint", settings={"runs": f"{start}+30", "number": first}),
        Edit(name="paint", settings={"runs": f"{start}+45", "number": 0}),
    ][rng.integers(7)]


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_random_edits_and_undos_agree_with_brute_force(axes):
    rng = np.random.default_rng(3)
    labels = random_labels()
    history = History(labels.copy(), axes)
    history.index.numbers()
    states = [labels.copy()]
    for _ in range(60):
        if len(states) > 1 and rng.random() < 0.3:
            history.undo()
            states.pop()
            if rng.random() < 0.3:
                history.redo()
                states.append(np.array(history.labels))
        else:
            history.make(random_edit(rng, history))
            states.append(np.array(history.labels))
        assert np.array_equal(history.labels, states[-1])
        assert history.checksum == checksum(history.labels)
        expected = truth_boxes(history.labels)
        assert history.index.numbers() == sorted(expected)
        assert {n: history.index.box(n) for n in expected} == expected
    while history.undo():
        pass
    assert np.array_equal(history.labels, labels)


def test_what_was_undone_goes_when_another_edit_is_made():
    history = History(np.array([[1, 2, 3]]), "YX")
    history.make(Edit(name="delete", settings={"numbers": [1]}))
    history.undo()
    history.make(Edit(name="delete", settings={"numbers": [2]}))
    assert history.redo() is None
    assert history.labels.tolist() == [[1, 0, 3]]


def test_numbers_that_run_out_take_a_larger_type():
    labels = np.array([[255, 255, 0, 1, 1]], np.uint8)
    history = History(labels, "YX")
    history.make(Edit(name="relabel", settings={"number": 1}))
    assert history.labels.dtype == np.uint16
    assert history.labels.tolist() == [[255, 255, 0, 256, 256]]
    history.undo()
    assert history.labels.tolist() == labels.tolist()
    history.redo()
    assert history.labels.tolist() == [[255, 255, 0, 256, 256]]


def test_numbers_that_run_out_on_disk_are_refused():
    stored = zarr.array(np.array([[255, 0, 1]], np.uint8))
    history = History(stored, "YX")
    with pytest.raises(InputError, match=r"256 does not fit into labels of uint8.*up to 255"):
        history.make(Edit(name="relabel", settings={"number": 1}))
    assert stored[...].tolist() == [[255, 0, 1]]
    assert not history.done


def test_a_stroke_that_was_written_is_adopted():
    labels = np.array([[0, 2, 2, 0]], np.uint8)
    history = History(labels, "YX")
    history.index.numbers()
    before = labels.copy()
    labels[0, 1:] = 5
    change = Change.of((slice(0, 1), slice(0, 4)), before, labels)
    made = history.adopt(Edit(name="paint", settings={"runs": "1+3", "number": 5}), [change])
    assert (made.changed, made.gone) == ({2, 5}, {2})
    assert history.index.box(5) == (slice(0, 1), slice(1, 4))
    history.undo()
    assert labels.tolist() == before.tolist()
    assert history.index.numbers() == [2]


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"\(2, 2\), the labels \(1, 3\)"):
        History(np.zeros((1, 3), np.uint8), "YX", (), np.zeros((2, 2)))


def test_the_checksum_tells_positions_and_values_apart_but_no_types():
    labels = random_labels()
    total = checksum(labels)
    assert total == checksum(labels.astype(np.int64)) == checksum(zarr.array(labels))
    assert checksum(np.roll(labels, 1)) != total
    swapped = labels.copy()
    swapped[labels == 1], swapped[labels == 2] = 2, 1
    assert checksum(swapped) != total
    assert checksum(np.zeros((3, 3), np.uint8)) == 0
    assert checksum(-np.ones((1, 2), np.int8)) == checksum(-np.ones((1, 2), np.int64)) != 0


def test_changes_are_small_and_survive_json():
    before = np.zeros((64, 64, 64), np.uint16)
    after = before.copy()
    after[10:30, 10:30, 10:30] = 700
    change = Change.of((slice(0, 64),) * 3, before, after)
    assert change.start == (10, 10, 10)
    assert change.nbytes < 0.001 * before.nbytes
    again = Change.from_plain(change.to_plain())
    assert np.array_equal(again.write(before)[1], after[change.where])
    assert np.array_equal(before, after)
    assert not again.fits(before)
    again.write(before, undone=True)
    assert not before.any()
    assert Change.of((slice(0, 64),) * 3, after, after) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"sides": [9, 9]}, {"start": [-1, 0]}, {"dtypes": ["<f4", "<u2"]}, {"mask": "!"},
        {"before": ""}, {"sides": [1 << 30, 1 << 30]}, {"after": None}, {"sides": []},
    ],
)  # fmt: skip
def test_broken_changes_are_refused(wrong):
    change = Change.of((slice(0, 2), slice(0, 2)), np.zeros((2, 2), int), np.eye(2, dtype=int))
    with pytest.raises(FormatError, match="cannot be read"):
        Change.from_plain({**change.to_plain(), **wrong})


def test_boxes_of_large_and_negative_numbers():
    labels = np.array([[0, -3, 7], [1 << 40, 7, 7]])
    index = BoxIndex(labels, "YX")
    assert index.numbers() == [7, 1 << 40]
    assert index.box(7) == (slice(0, 2), slice(1, 3))
    assert index.box(1 << 40) == (slice(1, 2), slice(0, 1))
    assert index.box(3) is None
    assert index.largest() == 1 << 40


def test_a_time_point_is_gathered_when_it_is_asked_for():
    movie = np.zeros((4, 3, 3), np.uint8)
    movie[2, 1, 1] = 3
    index = BoxIndex(movie, "TYX")
    assert index.box(3, 2) == (slice(2, 3), slice(1, 2), slice(1, 2))
    assert list(index._tables) == [2]
    assert index.box(3) == (slice(2, 3), slice(1, 2), slice(1, 2))

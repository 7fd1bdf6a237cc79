import dask.array as da
import numpy as np
import pytest

from napari_segment.blocks import (
    at_border,
    contacts,
    counts,
    first_voxels,
    overlaps,
    replace_labels,
)
from napari_segment.errors import InputError

LABELS = np.random.default_rng(0).integers(0, 5, (9, 10, 8)).astype(np.uint16) * 3
OTHER = np.random.default_rng(1).integers(0, 3, (9, 10, 8)).astype(np.uint8)


@pytest.fixture(params=["memory", (4, 3, 5), (9, 1, 8)], ids=str)
def chunked(request):
    if request.param == "memory":
        return lambda array: array
    return lambda array: da.from_array(array, chunks=request.param)


def test_counts(chunked):
    ids, voxels = counts(chunked(LABELS))
    assert ids.tolist() == [3, 6, 9, 12]
    assert voxels.tolist() == [(i == LABELS).sum() for i in ids]


def test_counts_of_masks_and_of_large_labels(chunked):
    assert [c.tolist() for c in counts(chunked(LABELS > 3))] == [[1], [(LABELS > 3).sum()]]
    large = LABELS.astype(np.uint64) << 40
    ids, voxels = counts(chunked(large))
    assert (ids >> 40).tolist() == [3, 6, 9, 12]
    assert voxels.sum() == (LABELS > 0).sum()


@pytest.mark.parametrize("table", [counts, first_voxels])
def test_negative_and_huge_labels_are_refused(chunked, table):
    with pytest.raises(InputError, match="-3"):
        table(chunked(LABELS.astype(np.int16) - 3))
    with pytest.raises(InputError, match="up to 9223372036854775807"):
        table(chunked(LABELS.astype(np.uint64) + np.uint64(2**63)))


def test_first_voxels(chunked):
    ids, first = first_voxels(chunked(LABELS))
    assert first.tolist() == [np.flatnonzero(i == LABELS)[0] for i in ids]


def test_at_border(chunked):
    inner = np.pad(np.full((3, 4, 2), 3, np.uint16), 3)
    inner[0, 4, 4] = 6
    assert at_border(chunked(inner)).tolist() == [6]


def test_overlaps(chunked):
    pairs, voxels = overlaps(chunked(LABELS), OTHER)
    expected = {
        (a, b): ((a == LABELS) & (b == OTHER)).sum() for a in range(0, 13, 3) for b in range(3)
    }
    assert {tuple(p): v for p, v in zip(pairs.tolist(), voxels, strict=True)} == expected


@pytest.mark.parametrize("background", [False, True])
def test_contacts(chunked, background):
    pairs, faces = contacts(chunked(LABELS), background=background)
    expected = {}
    for axis in range(3):
        a, b = np.moveaxis(LABELS, axis, 0)[:-1], np.moveaxis(LABELS, axis, 0)[1:]
        for p, q in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True):
            if p != q and (background or (p and q)):
                expected.setdefault((min(p, q), max(p, q)), [0, 0, 0])[axis] += 1
    assert {tuple(p): f for p, f in zip(pairs.tolist(), faces.tolist(), strict=True)} == expected


@pytest.mark.parametrize("shift", [0, 30])
def test_replaced_labels(chunked, shift):
    ids = np.array([3, 9]) << shift
    given = chunked(LABELS.astype(np.int64) << shift)
    actual = np.asarray(replace_labels(given, ids, np.array([7, 5]), np.uint8))
    assert actual.dtype == np.uint8
    np.testing.assert_array_equal(actual, np.select([LABELS == 3, LABELS == 9], [7, 5], 0))


def test_replacing_nothing_gives_zeros(chunked):
    none = np.empty(0, np.int64)
    assert not np.asarray(replace_labels(chunked(LABELS), none, none, bool)).any()


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "u8", ">u8", ">i8"])
def test_labels_of_any_integer_type(chunked, dtype):
    labels = chunked(LABELS.astype(dtype))
    assert counts(labels)[0].tolist() == [3, 6, 9, 12]
    assert overlaps(labels, OTHER)[0][:, 0].max() == 12
    replaced = replace_labels(labels, np.array([3, 9]), np.array([1, 2]), dtype)
    assert replaced.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(replaced, (LABELS == 3) + (LABELS == 9) * 2)


def test_neighbouring_labels_beyond_what_floats_hold(chunked):
    labels = chunked(LABELS + (np.uint64(1) << np.uint64(60)))
    ids = counts(labels)[0]
    replaced = replace_labels(labels, ids, np.arange(len(ids)), np.uint8)
    np.testing.assert_array_equal(replaced, LABELS // 3)


def test_negative_labels_become_nothing(chunked):
    labels = chunked(LABELS.astype(np.int64) - 3_000_000 * (LABELS == 3))
    replaced = replace_labels(labels, np.array([6]), np.array([1]), np.uint8)
    np.testing.assert_array_equal(replaced, LABELS == 6)

from importlib import import_module

import dask
import dask.array as da
import numpy as np
import pytest
from scipy.ndimage import find_objects

from napari_segment.blocks import assemble, boxes, map_regions, regions
from napari_segment.blocks.boxes import _only
from napari_segment.errors import InputError

LABELS = np.random.default_rng(0).integers(0, 40, (9, 10, 8)).astype(np.uint16)
LABELS[LABELS > 12] = 0
LABELS[3:5, 3:5, 3:5] = 11


@pytest.fixture(params=[(4, 3, 5), (9, 1, 8)], ids=str)
def lazy(request):
    return da.from_array(LABELS, chunks=request.param)


@pytest.mark.parametrize("chunks", [None, (4, 3, 5), (9, 1, 8)])
def test_boxes_are_those_of_scipy(chunks):
    labels = LABELS if chunks is None else da.from_array(LABELS, chunks)
    ids, own_boxes = boxes(labels)
    expected = {i: box for i, box in enumerate(find_objects(LABELS), 1) if box}
    assert ids.tolist() == list(expected)
    for i, box in zip(ids, own_boxes, strict=True):
        assert tuple(slice(a, b) for a, b in box.tolist()) == expected[i]


def test_boxes_of_masks_and_of_nothing():
    mask = np.zeros((4, 5), bool)
    assert [len(part) for part in boxes(mask)] == [0, 0]
    mask[1:3, 4] = True
    assert [part.tolist() for part in boxes(mask)] == [[1], [[[1, 3], [4, 5]]]]


def test_each_region_gets_its_own_labels_whole(lazy):
    own_boxes = regions(*boxes(lazy), lazy.chunks)
    assert np.sort(np.concatenate([region.ids for region in own_boxes])).tolist() == list(
        range(1, 13)
    )

    def check(box, own, image):
        inside = tuple(map(slice, box.start, box.stop))
        np.testing.assert_array_equal(own, np.where(np.isin(LABELS, own), LABELS, 0)[inside])
        np.testing.assert_array_equal(image, LABELS[inside] + 1)
        return own

    def paint(block, parts):
        out = np.zeros_like(block)
        for here, there, own in parts:
            out[here] |= own[there]
        return out

    pieces = map_regions(check, own_boxes, lazy, lazy + 1)
    again = assemble(paint, own_boxes, pieces, lazy, dtype=lazy.dtype)
    assert again.chunks == lazy.chunks
    np.testing.assert_array_equal(again.compute(scheduler="sync"), LABELS)


def test_regions_that_no_memory_holds_are_refused(lazy, monkeypatch):
    monkeypatch.setattr(import_module("napari_segment.blocks.boxes"), "free_memory", lambda: 0)
    own_boxes = regions(*boxes(lazy), lazy.chunks)
    pieces = map_regions(lambda box, own, image: own, own_boxes, lazy, lazy)
    with pytest.raises(InputError, match="Use a stricter threshold"):
        dask.compute(pieces, scheduler="sync")


def test_labels_in_any_order_of_memory():
    for labels in (LABELS, np.asfortranarray(LABELS), LABELS[::-1, :, ::2]):
        expected = np.where(np.isin(labels, (3, 7)), labels, 0)
        np.testing.assert_array_equal(_only(labels, np.array([3, 7])), expected)


def test_labels_of_one_block_are_one_region():
    field = np.zeros((8, 8), np.uint8)
    field[0, 0], field[1, 2], field[0, 5] = 1, 2, 3
    field[3:5, 6] = 4  # across two blocks
    own_boxes = regions(*boxes(field), ((4, 4), (4, 4)))
    assert sorted(region.ids.tolist() for region in own_boxes) == [[1, 2], [3], [4]]
    (across,) = (region for region in own_boxes if region.ids.tolist() == [4])
    assert (across.location.start, across.location.stop) == ((3, 6), (5, 7))
    assert list(across.indices()) == [(0, 1), (1, 1)]

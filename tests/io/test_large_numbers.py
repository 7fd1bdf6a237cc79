"""Label numbers beyond 31 bits stay themselves, or are refused: files, cleanups, links, scores."""

import dask.array as da
import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import SegmentError
from napari_segment.image import Labels
from napari_segment.io import read_labels, write
from napari_segment.registry import cleanups

BIG = [2**31 + 7, 2**32 - 1, 2**33 + 1, 2**53 + 1]


def labels(big, dtype=None, axes="ZYX"):
    """Two objects, one of them with a hole, whose numbers differ by 1."""
    data = np.zeros((3, 12, 14), dtype or (np.uint32 if big < 2**32 else np.int64))
    data[:, 1:7, 1:6] = big
    data[:, 3, 3] = 0
    data[:, 8:11, 7:13] = big - 1
    return Labels(data, axes, spacing=(2, 0.5, 0.5)[-3 + axes.startswith("T") :], unit="micrometer")


@pytest.mark.parametrize("big", BIG)
@pytest.mark.parametrize(
    "suffix", [".tif", ".ome.tif", ".ome.zarr", ".nii.gz", ".nrrd", ".npy", ".npz"]
)
def test_files_keep_large_numbers_or_refuse_them(tmp_path, suffix, big):
    stack = labels(big)
    try:
        path = write(stack, tmp_path / f"labels{suffix}")
    except SegmentError:
        assert suffix == ".ome.tif"
        assert big >= 2**32
        return
    np.testing.assert_array_equal(read_labels(path).data, stack.data)


@pytest.mark.parametrize("big", BIG)
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("name", "settings", "left"),
    [
        ("remove_small", {"min_size": 60}, (0, 1)),
        ("remove_large", {"max_size": 60}, (1,)),
        ("fill_holes", {}, (0, 1)),
        ("dilate", {"radius": 1}, (0, 1)),
        ("smooth", {"radius": 1}, (0, 1)),
    ],
)
def test_cleanups_keep_large_numbers(name, settings, left, big, lazy):
    data = labels(big).data
    data[:, 8:11, 7:13] = big - 1
    if name.startswith("remove"):
        data[:, 8:10, 7:13] = 0  # 18 voxels, the other object has 87
    given = da.from_array(data, chunks=(2, 7, 7)) if lazy else data
    cleaned = np.asarray(cleanups[name](given, **settings))
    expected = {0: big, 1: big - 1}
    remaining = (0,) if name == "remove_small" else left
    assert set(np.unique(cleaned)) - {0} == {expected[i] for i in remaining}


@pytest.mark.parametrize("big", BIG)
def test_links_tracks_and_consensus_pair_large_numbers(big):
    stack = labels(big)
    linked = cleanups["link_planes"](stack.data)
    tracked = ns.track(labels(big, axes="TYX")).data
    joined = ns.consensus([stack] * 3).data
    for result in (linked, tracked, joined):
        assert np.unique(result).tolist() == [0, 1, 2]
        assert len(np.unique(np.stack([result, stack.data]).reshape(2, -1), axis=1).T) == 3


@pytest.mark.parametrize("big", BIG)
def test_scores_tell_large_numbers_apart(big):
    stack = labels(big)
    scores = ns.compare(stack, stack)
    assert (scores.objects.detected, scores.objects.matched[0]) == (2, 2)
    assert scores.per_object is not None
    assert big in set(scores.per_object.to_numpy().ravel())

"""Filled holes."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segment.registry import cleanups


def blobs(ndim, seed=0, share=0.35):
    shape = {2: (61, 83), 3: (21, 34, 29)}[ndim]
    smooth = ndi.gaussian_filter(np.random.default_rng(seed).random(shape), 1.5)
    return smooth > np.quantile(smooth, 1 - share)


def run(name, labels, *, chunks=None, holds="mask", spacing=(), **settings):
    entry = cleanups[name]
    given = labels if chunks is None else da.from_array(labels, chunks=chunks)
    data = {"labels": given, "holds": holds, "spacing": spacing}
    if name == "dense_crf":
        data["image"] = np.zeros(labels.shape)
    settings = entry.validate(settings)
    return entry.function(**{k: v for k, v in data.items() if k in entry.data}, **settings)


@pytest.mark.parametrize("ndim", [2, 3])
def test_fill_holes_of_masks_is_that_of_scipy(ndim):
    mask = blobs(ndim, share=0.6)
    np.testing.assert_array_equal(run("fill_holes", mask), ndi.binary_fill_holes(mask))


def brute_force_fill(labels):
    """Fill each label alone; where several claim a voxel, the innermost (filled least) wins."""
    filled = {c: ndi.binary_fill_holes(labels == c) & (labels == 0) for c in np.unique(labels) if c}
    out = labels.copy()
    claims = np.full(labels.shape, np.inf)
    for c, mask in filled.items():
        parts, _ = ndi.label(ndi.binary_fill_holes(labels == c), np.ones((3,) * labels.ndim))
        sizes = np.bincount(parts.ravel())[parts]
        wins = mask & (sizes < claims)
        out[wins], claims[wins] = c, sizes[wins]
    return out


def test_fill_holes_of_nested_labels():
    labels = np.zeros((15, 15), np.uint8)
    labels[1:14, 1:14] = 3
    labels[2:13, 2:13] = 0
    labels[4:11, 4:11] = 7
    labels[6:9, 6:9] = 0
    filled = run("fill_holes", labels, holds="objects")
    assert (filled[2:13, 2:13] != 0).all()
    assert filled[7, 7] == 7
    assert filled[3, 3] == 3


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("levels", [2, 4])
def test_fill_holes_of_labels_is_that_of_each_label(seed, levels):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, levels + 1, (14, 14)).astype(np.uint8)
    labels = np.kron(coarse, np.ones((3, 3), np.uint8))
    # A diagonal step between labels is no gate: widen them so that no two corners meet.
    np.testing.assert_array_equal(run("fill_holes", labels), brute_force_fill(labels))


def test_two_labels_that_enclose_together_fill_nothing():
    labels = np.zeros((5, 6), np.uint8)
    labels[1:4, 1:5] = 1
    labels[1:4, 3:5] = 2
    labels[2, 2:4] = 0
    np.testing.assert_array_equal(run("fill_holes", labels), labels)

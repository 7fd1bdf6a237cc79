import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.measure import label as reference

from napari_segment.blocks import connected_to, label, runs
from napari_segment.errors import InputError

CHUNKS = {2: [(7, 5), (1, 23), (40, 3)], 3: [(4, 5, 3), (1, 9, 11), (8, 2, 20)]}
SHAPE = {2: (23, 31), 3: (11, 13, 12)}


def speckle(ndim, levels=2, seed=0):
    random = np.random.default_rng(seed)
    return (random.integers(0, levels + 2, SHAPE[ndim]) % (levels + 1)).astype(np.uint8)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("connectivity", [1, 2, 3])
def test_components_equal_those_of_scikit_image(ndim, connectivity):
    image = speckle(ndim, levels=3)
    components, count = label(image, connectivity)
    expected = reference(image, connectivity=min(connectivity, ndim))
    assert count == expected.max()
    np.testing.assert_array_equal(components, expected)  # both number by first voxel


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("connectivity", [1, 2, 3])
@pytest.mark.parametrize("levels", [1, 3])
def test_any_chunking_gives_the_same_numbers(ndim, connectivity, levels):
    image = speckle(ndim, levels, seed=levels)
    expected, count = label(image, connectivity)
    for chunks in CHUNKS[ndim]:
        lazy, lazy_count = label(da.from_array(image, chunks=chunks), connectivity)
        assert lazy_count == count
        assert lazy.dtype == expected.dtype
        np.testing.assert_array_equal(lazy.compute(), expected)


def test_masks_are_taken_as_they_are():
    mask = ndi.gaussian_filter(np.random.default_rng(1).random((40, 50)), 2) > 0.5
    expected, _ = label(mask)
    np.testing.assert_array_equal(label(da.from_array(mask, chunks=(9, 50)))[0], expected)


def test_a_spiral_through_many_blocks_is_one_component():
    spiral = np.zeros((21, 21), bool)
    spiral[::4, :] = True
    spiral[2::4, 0] = spiral[1::4, 0] = spiral[3::4, 0] = True
    lazy, count = label(da.from_array(spiral, chunks=(2, 2)))
    assert count == 1
    np.testing.assert_array_equal(lazy.compute(), spiral)


@pytest.mark.parametrize("ndim", [2, 3])
def test_runs_are_the_components(ndim):
    image = speckle(ndim, levels=2)
    components, count = label(image, 2)
    actual = runs(image, 2)
    assert len(actual.starts) == count + 1
    painted = np.zeros(image.size, int)
    for c, (a, b) in enumerate(zip(actual.starts[:-1], actual.starts[1:], strict=True), 1):
        assert (np.diff(actual.at[a:b]) > 0).all()
        for at, length in zip(actual.at[a:b], actual.length[a:b], strict=True):
            painted[at : at + length] += c
    np.testing.assert_array_equal(painted.reshape(image.shape), components)
    none = runs(np.zeros_like(image))
    assert none.starts.tolist() == [0]
    assert not none.at.size


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 1, 1)])
def test_tiny_arrays(shape):
    ones = np.ones(shape, bool)
    assert label(ones)[1] == (1 if ones.size else 0)
    lazy, count = label(da.from_array(ones))
    assert count == (1 if ones.size else 0)
    np.testing.assert_array_equal(lazy.compute(), ones)


def test_memory_order_plays_no_part():
    image = speckle(3)
    expected, _ = label(image)
    np.testing.assert_array_equal(label(np.asfortranarray(image))[0], expected)


@pytest.mark.parametrize("seed", range(40))
def test_small_masks_of_every_shape(seed):
    random = np.random.default_rng(seed)
    mask = random.random(random.integers(1, 8, 2 + seed % 2)) < random.uniform(0.3, 0.8)
    for connectivity in (1, 2, 3):
        expected = reference(mask, connectivity=min(connectivity, mask.ndim))
        np.testing.assert_array_equal(label(mask, connectivity)[0], expected)


@pytest.mark.parametrize("chunks", [None, (2, 3), (1, 4)])
@pytest.mark.parametrize(("connectivity", "corner"), [(1, 0), (2, 1)])
def test_components_that_hold_a_seed(chunks, connectivity, corner):
    mask = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]], bool)
    seeds = np.zeros_like(mask)
    seeds[0, 1] = seeds[1, 1] = seeds[3, 0] = True  # the second one lies on no component
    expected = mask.copy()
    expected[0, 3] = False
    expected[2, 2:] = expected[4, 2:] = corner
    arrays = [a if chunks is None else da.from_array(a, chunks) for a in (seeds, mask)]
    actual = connected_to(*arrays, connectivity)
    assert isinstance(actual, np.ndarray) == (chunks is None)
    np.testing.assert_array_equal(np.asarray(actual), expected)


@pytest.mark.parametrize("shape", [(5,), (2, 1, 3, 3)])
def test_only_planes_and_volumes_have_components(shape):
    for find in (label, runs):
        with pytest.raises(InputError, match="planes or volumes"):
            find(np.ones(shape, bool))

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import measure, morphology, segmentation

from napari_segment.errors import InputError
from napari_segment.registry import cleanups


def blobs(ndim, seed=0, share=0.35):
    shape = {2: (61, 83), 3: (21, 34, 29)}[ndim]
    smooth = ndi.gaussian_filter(np.random.default_rng(seed).random(shape), 1.5)
    return smooth > np.quantile(smooth, 1 - share)


def as_held(mask, holds):
    """The mask as three stripes of classes, or as objects with gaps in their numbers."""
    if holds == "mask":
        return mask
    if holds == "objects":
        return (measure.label(mask, connectivity=1) * 3 % 251).astype(np.uint8)
    return (mask * (1 + np.arange(mask.shape[-1]) * 3 // mask.shape[-1])).astype(np.uint8)


def run(name, labels, *, chunks=None, holds="mask", spacing=(), **settings):
    entry = cleanups[name]
    given = labels if chunks is None else da.from_array(labels, chunks=chunks)
    data = {"labels": given, "holds": holds, "spacing": spacing}
    if name == "dense_crf":
        data["image"] = np.zeros(labels.shape)
    settings = entry.validate(settings)
    return entry.function(**{k: v for k, v in data.items() if k in entry.data}, **settings)


LOCAL = [
    ("connected_components", {"connectivity": 2}),
    ("connected_components", {"min_size": 60}),
    ("remove_small", {"min_size": 60}),
    ("remove_large", {"max_size": 100}),
    ("keep_largest", {"count": 2}),
    ("clear_border", {}),
    ("clear_border", {"border": "plane"}),
    ("relabel", {}),
    ("relabel", {"order": "size"}),
    ("merge", {"min_fraction": 0.05}),
    ("fill_holes", {}),
    ("fill_holes", {"max_size": 6}),
    ("dilate", {"radius": 2.5}),
    ("erode", {"radius": 2}),
    ("open", {"radius": 1.5}),
    ("close", {"radius": 2}),
    ("smooth", {"radius": 1.5}),
]


@pytest.mark.parametrize(("name", "settings"), LOCAL)
@pytest.mark.parametrize("holds", ["mask", "classes", "objects"])
@pytest.mark.parametrize("ndim", [2, 3])
def test_any_chunking_gives_the_same(name, settings, holds, ndim):
    labels = as_held(blobs(ndim), holds)
    expected = run(name, labels, holds=holds, **settings)
    for chunks in [(9, 40), (61, 7)] if ndim == 2 else [(5, 34, 11), (21, 9, 13)]:
        lazy = run(name, labels, holds=holds, chunks=chunks, **settings)
        assert isinstance(lazy, da.Array)
        assert lazy.dtype == expected.dtype
        np.testing.assert_array_equal(lazy.compute(), expected)


OURS = [
    name for name, entry in cleanups.items() if entry.source.startswith("napari_segment.results")
]


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("holds", ["mask", "classes", "objects"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (0, 4), (5, 6)])
@pytest.mark.parametrize("fill", [0, 1])
def test_tiny_empty_and_full(name, holds, shape, fill):
    labels = np.full(shape, fill, bool if holds == "mask" else np.uint8)
    labels.setflags(write=False)
    entry = cleanups[name]
    settings = {"landscape": "distance"} if name == "split_touching" else {}
    if name == "dense_crf" and holds == "objects":
        with pytest.raises(InputError, match="a mask or classes"):
            run(name, labels, holds=holds)
        return
    result = run(name, labels, holds=holds, **settings)
    assert result.shape == shape
    assert (result.dtype == bool) == (labels.dtype == bool and entry.gives != "objects")
    assert not result[labels == 0].any()


@pytest.mark.parametrize("ndim", [2, 3])
def test_remove_small_is_that_of_scikit_image(ndim):
    mask = blobs(ndim)
    expected = morphology.remove_small_objects(mask, max_size=59)
    np.testing.assert_array_equal(run("remove_small", mask, min_size=60), expected)


@pytest.mark.parametrize("ndim", [2, 3])
def test_small_components_become_no_objects(ndim):
    mask = blobs(ndim)
    left = morphology.remove_small_objects(mask, max_size=59)
    objects = run("connected_components", mask, min_size=60)
    np.testing.assert_array_equal(objects, run("connected_components", left))
    assert 0 < objects.max() < run("connected_components", mask).max()
    spacing = (0.5,) * ndim
    physical = run("connected_components", mask, spacing=spacing, min_size=60 / 2**ndim,
                   units="physical")  # fmt: skip
    np.testing.assert_array_equal(physical, objects)


def test_sizes_are_voxels_or_physical():
    mask = np.zeros((5, 5, 5), bool)
    mask[0, 0, :2] = mask[4, 4, :3] = True
    spacing = (2.0, 0.5, 0.5)  # 0.5 cubic units a voxel
    small = run("remove_small", mask, spacing=spacing, min_size=1.5, units="physical")
    assert small.sum() == 3
    assert run("remove_small", mask, spacing=spacing, min_size=1.5).sum() == 5
    assert run("remove_large", mask, spacing=spacing, max_size=1.4, units="physical").sum() == 2


@pytest.mark.parametrize(
    ("voxels", "side", "size"), [(3, 0.1, 0.3), (100, 0.29, 29.0), (7, 0.7, 4.9), (6, 0.35, 2.1)]
)
def test_an_exact_size_is_neither_too_small_nor_too_large(voxels, side, size):
    row, spacing = np.zeros((3, voxels + 2), bool), (side, 1.0)
    row[1, 1:-1] = True
    given = {"spacing": spacing, "units": "physical"}
    assert run("remove_small", row, min_size=size, **given).sum() == voxels
    assert run("remove_large", row, max_size=size, **given).sum() == voxels
    assert run("connected_components", row, min_size=size, **given).max() == 1
    assert run("fill_holes", ~row, max_size=size, **given).all()
    assert not run("remove_small", row, min_size=size * 1.001, **given).any()
    assert not run("remove_large", row, max_size=size * 0.999, **given).any()


def test_sizes_of_objects_count_all_their_parts():
    labels = np.array([[5, 0, 5, 0, 2]], np.uint8)
    assert run("remove_small", labels, holds="objects", min_size=2).tolist() == [[5, 0, 5, 0, 0]]
    assert run("remove_small", labels, holds="classes", min_size=2).tolist() == [[0] * 5]


def test_keep_largest_of_each_class_and_the_first_of_equals():
    labels = np.array([[1, 1, 0, 1, 1, 2, 0, 2, 2]], np.uint8)
    largest = run("keep_largest", labels, holds="classes")
    assert largest.tolist() == [[1, 1, 0, 0, 0, 0, 0, 2, 2]]


def test_clear_border_is_that_of_scikit_image():
    objects = as_held(blobs(2), "objects")
    expected = segmentation.clear_border(objects)
    np.testing.assert_array_equal(run("clear_border", objects, holds="objects"), expected)


def test_clear_border_of_planes_keeps_what_first_and_last_plane_cut():
    mask = np.zeros((3, 5, 5), bool)
    mask[:, 2, 2] = mask[1, 0, 0] = True
    assert run("clear_border", mask, border="plane").sum() == 3
    assert run("clear_border", mask).sum() == 0


def test_relabel_by_size_breaks_ties_by_position():
    labels = np.array([[9, 0, 4, 4, 0, 2, 2]], np.uint16)
    assert run("relabel", labels, holds="objects", order="size").tolist() == [[3, 0, 1, 1, 0, 2, 2]]
    assert run("relabel", labels, holds="objects").tolist() == [[1, 0, 2, 2, 0, 3, 3]]


def test_merge_looks_at_the_share_of_the_smaller_surface():
    labels = np.zeros((6, 9), np.uint8)
    labels[1:5, 1:7], labels[2:4, 7] = 1, 2
    # 2 has 6 faces, one of them (right) and two (above, below) to background: 2 of 6 to label 1.
    assert set(np.unique(run("merge", labels, holds="objects", min_fraction=0.33))) == {0, 1}
    assert set(np.unique(run("merge", labels, holds="objects", min_fraction=0.34))) == {0, 1, 2}

from itertools import product

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segment.errors import InputError
from napari_segment.results.cleanup.split import split_touching


def balls(centres, radius, shape, spacing):
    grid = np.meshgrid(
        *(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij"
    )
    inside = [
        sum((x - c) ** 2 for x, c in zip(grid, centre, strict=True)) <= radius**2
        for centre in centres
    ]
    return np.any(inside, axis=0)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)])
def test_two_touching_balls_are_split_in_the_middle(spacing):
    shape = (int(40 / spacing[0]), 40, 60)
    mask = balls([(20, 20, 20), (20, 20, 38)], 10, shape, spacing)
    parts = split_touching(mask, spacing=spacing)
    assert parts.max() == 2
    assert parts.dtype == np.uint8
    np.testing.assert_array_equal(parts > 0, mask)
    sizes = np.bincount(parts.ravel())[1:]
    assert abs(sizes[0] - sizes[1]) <= 0.06 * sizes.mean()
    planes = ndi.center_of_mass(parts > 0, parts, [1, 2])
    assert planes[0][2] < 29 < planes[1][2]


def test_balls_along_a_coarse_axis_need_the_spacing():
    mask = balls([(30, 20, 20), (48, 20, 20)], 10, (26, 40, 40), (3.0, 1.0, 1.0))
    assert split_touching(mask, spacing=(3.0, 1.0, 1.0)).max() == 2


def test_depth_decides_what_is_a_neck():
    disc = balls([(20, 20), (20, 34)], 10, (40, 60), (1, 1))  # the neck is 14 wide
    assert split_touching(disc, depth=0.1).max() == 2
    assert split_touching(disc, depth=0.5).max() == 1
    assert split_touching(disc, depth=1.0, depth_units="absolute").max() == 2
    assert split_touching(disc, depth=4, depth_units="absolute").max() == 1


def test_a_grid_of_discs_is_split_into_all_of_them():
    centres = [(y, x) for y in range(10, 200, 18) for x in range(10, 200, 18)]
    parts = split_touching(balls(centres, 10, (200, 200), (1, 1)))
    assert parts.max() == len(centres)
    actual = ndi.center_of_mass(parts > 0, parts, np.arange(1, len(centres) + 1))
    inner = [i for i, c in enumerate(centres) if min(c) > 20 and max(c) < 180]
    np.testing.assert_allclose(np.array(actual)[inner], np.array(centres)[inner], atol=0.6)


def test_intensity_splits_at_the_dark_line():
    image = np.ones((9, 20)) * np.minimum(abs(np.arange(20) - 8), 6)  # dark at x = 8
    parts = split_touching(np.ones((9, 20), bool), image, landscape="intensity")
    assert parts.max() == 2
    assert set(np.unique(parts[:, :8])) == {1}
    assert set(np.unique(parts[:, 9:])) == {2}


TYPES = ["?", "u1", "u2", ">u2", "i8", "f2", "f4", ">f4", "f8"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("lazy", [False, True], ids=["memory", "blocks"])
def test_intensity_of_any_type(dtype, lazy):
    image = np.full((5, 11), dtype == "?" or 200, dtype)
    image[:, 5] = 0 if dtype == "?" else 100
    image.flags.writeable = False
    mask = np.ones((5, 11), bool)
    if lazy:
        image, mask = (da.from_array(a, chunks=(5, 4)) for a in (image, mask))
    assert np.asarray(split_touching(mask, image, landscape="intensity")).max() == 2


def test_classes_and_objects_are_split_each_by_itself():
    labels = np.zeros((5, 9), np.uint8)
    labels[:, :3], labels[:, 3:6], labels[:, 7:] = 1, 2, 1
    assert split_touching(labels).max() == 3


def test_objects_are_numbered_by_first_voxel():
    mask = np.random.default_rng(0).random((30, 40)) > 0.5
    parts = split_touching(mask)
    values, first = np.unique(parts[parts > 0], return_index=True)
    assert (np.diff(first) > 0).all()
    assert (np.diff(values) == 1).all()


def test_an_image_is_needed_for_intensity():
    with pytest.raises(InputError, match="needs the image"):
        split_touching(np.ones((4, 4), bool), landscape="intensity")
    with pytest.raises(InputError, match="finite"):
        split_touching(np.ones((2, 2), bool), np.full((2, 2), np.nan), landscape="intensity")


SETTINGS = [
    {},
    {"landscape": "intensity", "depth": 0.05},
    {"depth": 1.0, "depth_units": "absolute", "smoothing": 2.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=["distance", "intensity", "absolute"])
@pytest.mark.parametrize("chunks", [(13, 31, 24), (30, 60, 13), (11, 60, 70)])
def test_blocks_give_what_memory_gives(settings, chunks):
    noise = ndi.gaussian_filter(np.random.default_rng(0).random((30, 60, 70)), 2)
    labels = np.digitize(noise, np.percentile(noise, (70, 95))).astype(np.uint8)
    expected = split_touching(labels, noise, (2, 1, 1), **settings)
    lazy = (da.from_array(a, chunks=chunks) for a in (labels, noise))
    result = split_touching(*lazy, (2, 1, 1), **settings)
    assert isinstance(result, da.Array)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.compute(scheduler="sync"), expected)


def test_blocks_without_objects_are_of_the_type_of_all():
    field = np.zeros((40, 80), bool)
    field[::2, :40:2] = True  # 400 objects, all in the left block
    result = split_touching(da.from_array(field, chunks=(40, 40)))
    assert result.dtype == np.uint16
    assert result.blocks[0, 1].compute(scheduler="sync").dtype == np.uint16


def test_a_component_is_split_alike_wherever_it_lies():
    alone = balls([(20, 20), (20, 34)], 10, (41, 60), (1, 1))
    field = np.zeros((100, 200), bool)
    field[30:71, 90:150] = alone
    field[10:25, 10:170] = True  # another one nearby
    expected = split_touching(np.pad(alone, 1))[1:-1, 1:-1]
    parts = split_touching(field)[30:71, 90:150]
    np.testing.assert_array_equal(np.where(alone, parts - parts[alone].min() + 1, 0), expected)


def test_the_distance_is_that_of_scipy():
    from napari_segment.results.cleanup.landscape_kernels import distances, insides
    from napari_segment.results.cleanup.split_components import _layout

    mask = ndi.gaussian_filter(np.random.default_rng(1).random((12, 20, 30)), 2) > 0.5
    box = np.array([[(0, n) for n in mask.shape]])
    layout, lines, size = _layout(box)
    start, plane, row = layout[0, :3]
    at = start + np.indices(mask.shape).T.dot((plane, row, 1)).T
    for axis, ends in product(range(3), (False, True)):
        around = [(1, 1)] * 3
        around[axis] = (0, 0) if ends else (1, 1)
        padded = np.pad(mask, around)
        inner = tuple(slice(a, a + n) for (a, _), n in zip(around, mask.shape, strict=True))
        expected = ndi.distance_transform_edt(padded, (2.5, 1, 0.7))[inner]
        sides = np.zeros((1, 3, 2), bool)
        sides[0, axis] = ends
        land = np.empty(size, np.float32)
        insides(at[mask], np.ones(mask.sum(), np.int32), land)
        distances(lines, sides, layout, np.array((2.5, 1, 0.7)), land, np.empty((4, 32)))
        np.testing.assert_allclose(np.sqrt(land[at]), expected, rtol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS, ids=["distance", "intensity", "absolute"])
@pytest.mark.parametrize("shape", [(20, 50, 60), (120, 150)])
def test_components_alone_are_split_as_many_at_once(settings, shape, monkeypatch):
    noise = ndi.gaussian_filter(np.random.default_rng(0).random(shape), 2)
    labels = np.digitize(noise, np.percentile(noise, (50, 90))).astype(np.uint8)
    expected = split_touching(labels, noise, **settings)
    monkeypatch.setattr("napari_segment.results.cleanup.split_components._LARGE", 300)
    np.testing.assert_array_equal(split_touching(labels, noise, **settings), expected)


def test_each_voxel_goes_where_the_steepest_way_up_leads():
    image = np.random.default_rng(3).permutation(40 * 50).reshape(40, 50).astype(np.uint16)
    parts = split_touching(
        np.ones(image.shape, bool), image, landscape="intensity", depth=0, smoothing=0
    )
    padded = np.pad(image.astype(int), 1, constant_values=-1)
    steps = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    stack = np.stack([np.roll(padded, (-y, -x), (0, 1))[1:-1, 1:-1] for y, x in steps])
    y, x = np.indices(image.shape) + np.array(steps)[stack.argmax(0)].transpose(2, 0, 1)
    np.testing.assert_array_equal(parts, parts[y, x])
    assert parts.max() == (stack.argmax(0) == 0).sum()


def test_memory_goes_with_the_voxels():
    import tracemalloc

    mask = np.ones((32, 128, 128), bool)
    mask[:, 64, ::2] = False
    split_touching(mask)
    tracemalloc.start()
    parts = split_touching(mask)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert parts.max() >= 1
    assert peak < 6 * mask.size  # a word of four bytes with margins, and a byte of fixed tables


def test_labels_in_any_order_of_memory():
    labels = np.random.default_rng(0).random((8, 20, 30)) > 0.4
    expected = split_touching(labels)
    np.testing.assert_array_equal(split_touching(np.asfortranarray(labels)), expected)


def test_more_pieces_than_a_byte_can_number():
    centres = [(5, 6 + 12 * i) for i in range(400)]
    chain = balls(centres, 7, (11, 4820), (1, 1))
    assert split_touching(chain).max() == 400

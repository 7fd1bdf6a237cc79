import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segment.api import segment
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.results.compare import compare
from napari_segment.results.link import consensus, link_along, link_planes, track


def spheres(shape=(40, 60, 60), spacing=20, radius=7, seed=0):
    random = np.random.default_rng(seed)
    grid = np.indices(shape)
    labels = np.zeros(shape, np.uint16)
    centres = np.stack(
        np.meshgrid(*(np.arange(9, n - 8, spacing) for n in shape), indexing="ij"), -1
    ).reshape(-1, 3) + random.integers(-1, 2, (1, 3))
    for i, centre in enumerate(centres, 1):
        inside = ((grid - centre.reshape(3, 1, 1, 1)) ** 2).sum(0) <= radius**2
        labels[inside] = i
    return labels


def planes_of(labels, axis, seed=0):
    """Each plane's objects with numbers of their own."""
    random = np.random.default_rng(seed)
    planes = []
    for plane in np.moveaxis(labels, axis, 0):
        numbers = random.permutation(1000)[: labels.max() + 1] + 1
        numbers[0] = 0
        planes.append(numbers[plane])
    return np.stack(planes, axis).astype(np.uint16)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_spheres_are_linked_whole(axis):
    truth = spheres()
    linked = link_along(planes_of(truth, axis), axis)
    assert compare(linked, truth).objects.matched[-1] == truth.max()
    assert linked.max() == truth.max()


def test_a_lazy_stack_without_planes_stays_lazy():
    linked = link_planes(da.zeros((0, 5, 6), np.uint16))
    assert isinstance(linked, da.Array)
    assert linked.shape == (0, 5, 6)
    assert linked.compute().dtype == np.uint8


def test_missing_planes_are_bridged_up_to_the_gap():
    truth = spheres()
    planes = planes_of(truth, 0)
    planes[[9, 10]] = 0
    count = len(np.unique(truth))
    assert link_planes(planes, max_gap=2).max() == count - 1
    assert link_planes(planes, max_gap=1).max() > count - 1


def test_planes_segmented_one_by_one_are_linked_in_a_recipe():
    truth = spheres()
    actual = segment(
        Image(truth > 0), "manual", value=0.5, apply_to="plane",
        cleanups=["connected_components", "link_planes"],
    )  # fmt: skip
    assert compare(actual, truth).objects.matched[-1] == truth.max()


def test_a_chain_does_not_branch():
    planes = np.zeros((3, 1, 8), np.uint8)
    planes[0, 0, :8] = 1
    planes[1, 0, :5], planes[1, 0, 5:] = 1, 2
    planes[2, 0, :8] = 1
    linked = link_planes(planes)
    assert linked[0, 0, 0] == linked[1, 0, 0] == linked[2, 0, 0]
    assert linked[1, 0, 7] != linked[1, 0, 0]


def test_optimal_pairs_are_taken():
    # Greedy by share would pair the long object with the first and leave the second alone.
    planes = np.zeros((2, 1, 12), np.uint8)
    planes[0, 0, 0:6], planes[0, 0, 6:12] = 1, 2
    planes[1, 0, 3:9], planes[1, 0, 9:12] = 1, 2
    linked = link_planes(planes)
    assert linked[1, 0, 4] == linked[0, 0, 0]
    assert linked[1, 0, 10] == linked[0, 0, 10]


def test_lazy_planes_give_the_same():
    planes = planes_of(spheres(), 0)
    lazy = link_planes(da.from_array(planes, chunks=(7, 60, 25)))
    np.testing.assert_array_equal(lazy.compute(), link_planes(planes))


def test_tracks_keep_their_number_in_2d_and_3d():
    start = spheres((20, 30, 60))[9]
    frames = np.stack([np.roll(planes_of(start[None], 0, t)[0], t, axis=1) for t in range(6)])
    frames[3] = 0  # one frame lost
    tracks = track(Labels(frames, "TYX", interval=2.0))
    assert tracks.axes == "TYX"
    for t in (0, 1, 2, 4, 5):
        back = np.roll(np.asarray(tracks.data[t]), -t, axis=1)
        np.testing.assert_array_equal(back, np.asarray(tracks.data[0]))
    volume = Labels(frames[:, None], "TZYX")
    np.testing.assert_array_equal(track(volume).data[:, 0], tracks.data)
    with pytest.raises(InputError, match="time axis"):
        track(Labels(start))


def test_consensus_puts_right_what_one_direction_got_wrong():
    truth = spheres()
    one, two, three = truth.copy(), planes_of(truth[None], 0)[0], truth[::1].copy()
    one[one == 3] = 2  # merged
    two[:20] = np.where(two[:20], two[:20] + 2000, 0)  # split in halves
    three[three == 5] = 0  # missed
    actual = consensus([one, two, three])
    assert compare(actual, truth).objects.matched[-1] == truth.max()


def test_consensus_of_three_linked_directions_of_noisy_planes():
    truth = spheres()
    directions = []
    for axis in range(3):
        planes = planes_of(truth, axis, seed=axis)
        random = np.random.default_rng(10 + axis)
        worn = random.random(planes.shape) < 0.05
        planes = np.where(worn, 0, planes)
        directions.append(link_along(planes, axis))
    actual = consensus(directions)
    assert compare(actual, truth).objects.f1_at(0.9) == 1.0
    lazy = consensus([da.from_array(d, chunks=(11, 60, 30)) for d in directions])
    np.testing.assert_array_equal(lazy.compute(), actual)


def test_what_only_one_says_is_dropped():
    a, b, c = np.zeros((3, 4, 4), np.uint8)
    a[1, 1] = b[2, 2] = c[2, 2] = 1
    np.testing.assert_array_equal(consensus([a, b, c]), b)
    assert ndi.label(consensus([a, a, a]))[1] == 1

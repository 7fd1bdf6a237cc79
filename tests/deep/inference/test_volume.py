"""Tiles blended into volumes, against the network applied to the whole."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from napari_segment.deep.inference import (
    Disagreement,
    Grid,
    argmax,
    entropy,
    predict,
    probabilities,
    thresholded,
)
from napari_segment.deep.inference.compute.accumulators_torch import TileSums
from napari_segment.deep.inference.compute.forward_torch import forward_in_parts
from napari_segment.deep.inference.decoding import Channels
from napari_segment.deep.inference.networks.composite_torch import (
    Ensemble,
    EnsembleStatistics,
    MirroredNetwork,
)
from napari_segment.deep.inference.tiling import (
    Reader,
    as_float,
    gaussian_profile,
    slab_axis,
    starts,
)
from napari_segment.errors import InputError, SettingError
from napari_segment.step import run


def three(block):
    """A network without neighbourhood: tiling cannot change its outputs."""
    return torch.cat([block, 0.3 - 0.5 * block, block**2 - 0.4], 1)


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(1, 30, 41, 50)).astype(np.float32)


def whole(network, image):
    return network(torch.from_numpy(image)[None])[0].numpy()


# ---- where tiles stand ----


def test_starts_cover_the_axis_and_end_with_it():
    assert starts(10, 4, 0.5) == (0, 2, 4, 6)
    assert starts(9, 4, 0.5) == (0, 2, 4, 5)
    assert starts(4, 4, 0.5) == (0,)
    assert starts(3, 4, 0.5) == (0,)
    assert starts(5, 2, 0.99) == (0, 1, 2, 3)


def test_starts_are_those_of_monai():
    from monai.data.utils import dense_patch_slices

    for size, tile, step in ((100, 32, 16), (97, 32, 24), (33, 32, 24)):
        wanted = [s[0].start for s in dense_patch_slices((size,), (tile,), (step,))]
        assert list(starts(size, tile, 1 - step / tile)) == wanted


def test_a_profile_is_symmetric_and_never_zero():
    weights = gaussian_profile(64)
    assert np.array_equal(weights, weights[::-1])
    assert weights.min() >= 1e-3
    assert gaussian_profile(1) == [1]


def test_totals_are_the_summed_weights():
    grid = Grid((13, 9), (6, 4), 0.5)
    total = np.zeros((13, 9))
    for row in grid.rows():
        for y, x in row.corners:
            total[y : y + 6, x : x + 4] += np.outer(*grid.profiles)
    assert np.allclose(np.outer(*grid.totals), total)


def test_a_grid_refuses_what_does_not_fit():
    with pytest.raises(SettingError, match="tile"):
        Grid((10, 10), (4,))
    with pytest.raises(SettingError, match="overlap"):
        Grid((10,), (4,), 1.0)


def test_slabs_lie_across_the_axis_with_most_tiles(image):
    assert slab_axis(image, (15, 10, 25)) == 1
    import dask.array as da

    assert slab_axis(da.from_array(image, chunks=(1, 5, -1, -1)), (15, 10, 25)) == 0


def test_tiles_are_mirrored_beyond_the_border():
    grid = Grid((4,), (8,))
    tile = Reader(np.arange(4.0)[None], grid, as_float)((0,))
    assert tile.tolist() == [[1, 0, 0, 1, 2, 3, 3, 2]]


def test_rows_of_chunked_arrays_are_read_once(image):
    class Counting:
        shape = image.shape
        read = 0

        def __getitem__(self, where):
            part = image[where]
            self.read += part.size
            return part

    source = Counting()
    got = run(predict(three, source, tile=(8, 16, 16), decode=probabilities("none")))
    assert np.allclose(got, whole(three, image), atol=1e-5)
    assert source.read == image.size


# ---- blending ----


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("shape", "tile"),
    [
        ((30, 41, 50), (16, 24, 24)),
        ((5, 41, 50), (16, 24, 24)),
        ((41, 50), (24, 16)),
        ((10, 41, 50), (24, 24)),
        ((1, 1, 1), (8, 8, 8)),
        ((70, 3), (8, 8)),
    ],
)
def test_tiling_does_not_change_a_network_without_neighbourhood(shape, tile, batch):
    image = np.random.default_rng(1).normal(size=(1, *shape)).astype(np.float32)
    want = whole(three, image)
    got = run(predict(three, image, tile=tile, batch=batch, decode=probabilities("none")))
    assert np.allclose(got, want, atol=1e-5)
    assert np.array_equal(run(predict(three, image, tile=tile, batch=batch)), want.argmax(0))


@pytest.mark.parametrize("kind", ["dask", "zarr", "uint16", "fortran", "readonly"])
def test_any_array(image, kind, tmp_path):
    image = (image * 100).clip(0).astype(np.uint16)
    want = run(predict(three, image.astype(np.float32), tile=(16, 16, 16)))
    if kind == "dask":
        import dask.array as da

        image = da.from_array(image, chunks=(1, 7, 13, 50))
    elif kind == "zarr":
        import zarr

        array = zarr.create_array(
            tmp_path / "a", shape=image.shape, chunks=(1, 8, 8, 8), dtype="u2"
        )
        array[...] = image
        image = array
    elif kind == "fortran":
        image = np.asfortranarray(image)
    else:
        image.setflags(write=False)
    assert np.array_equal(run(predict(three, image, tile=(16, 16, 16))), want)


def test_labels_are_those_of_monai(image):
    from monai.inferers import sliding_window_inference

    torch.manual_seed(0)
    network = torch.nn.Conv3d(1, 3, 5, padding=2).eval()
    grid = Grid(image.shape[1:], (16, 16, 16), 0.5)
    weights = torch.from_numpy(np.einsum("i,j,k->ijk", *grid.profiles))
    with torch.no_grad():
        want = sliding_window_inference(
            torch.from_numpy(image)[None], (16, 16, 16), 1, network, 0.5, roi_weight_map=weights
        )[0]
    got = run(predict(network, image, tile=(16, 16, 16), decode=probabilities("none")))
    assert np.allclose(got, want.numpy(), atol=1e-4)


def test_one_channel_is_a_mask(image):
    got = run(predict(lambda b: b - 0.5, image, tile=(16, 16, 16)))
    assert np.array_equal(got, image[0] > 0.5)


def test_results_may_be_written_into_an_array(image):
    out = np.zeros(image.shape[1:], np.uint8)
    assert run(predict(three, image, tile=(16, 16, 16), out=out)) is out
    assert out.any()


@pytest.mark.parametrize("shape", [(3,), (1, 0, 5), (1, 2, 3, 4, 5)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="cannot be predicted"):
        run(predict(three, np.zeros(shape), tile=(4, 4)))


def test_closing_cancels_within_one_batch(image):
    calls = []

    def network(block):
        calls.append(1)
        return block

    steps = predict(network, image, tile=(8, 8, 8))
    next(steps)
    steps.close()
    assert len(calls) <= 2


# ---- decoding ----


def test_probabilities_and_entropy(image):
    want = torch.from_numpy(whole(three, image)).softmax(0).numpy()
    got = run(predict(three, image, tile=(16, 24, 24), decode=probabilities("softmax")))
    assert np.allclose(got, want, atol=1e-5)
    doubt = run(predict(three, image, tile=(16, 24, 24), decode=entropy("softmax")))
    assert np.allclose(doubt, -(want * np.log(want)).sum(0) / np.log(3), atol=1e-5)


def test_thresholds_decide_class_by_class():
    flat = np.zeros((1, 4, 4), np.float32)
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).reshape(1, 3, 1, 1)

    def network(block):
        return logits.expand(len(block), 3, *block.shape[2:])

    def label(*thresholds):
        return run(predict(network, flat, tile=(4, 4), decode=thresholded(thresholds)))[0, 0]

    assert label(0.6, 0.6) == 0
    assert label(0.25, 0.6) == 1
    assert label(0.25, 0.1) == 2  # 0.2 is twice its threshold
    with pytest.raises(SettingError, match="3 thresholds"):
        label(0.1, 0.1, 0.1)


def test_multi_label_channels_are_classes_of_their_own():
    flat = np.zeros((1, 4, 4), np.float32)

    def network(block):
        return torch.tensor([-1.0, 2.0]).reshape(1, 2, 1, 1).expand(len(block), 2, 4, 4)

    got = run(predict(network, flat, tile=(4, 4), decode=thresholded((0.5,), "sigmoid")))
    assert (got == 2).all()


# ---- networks of networks ----


def test_flips_make_a_network_indifferent_to_mirroring(image):
    torch.manual_seed(1)
    network = MirroredNetwork(torch.nn.Conv3d(1, 2, 3, padding=1), (-3, -2, -1)).eval()
    block = torch.from_numpy(image)[None]
    with torch.no_grad():
        there = network(block.flip(-1)).flip(-1)
        assert torch.allclose(network(block), there, atol=1e-5)


def test_members_that_agree_do_not_disagree(image):
    same = torch.nn.Conv3d(1, 2, 1)
    other = torch.nn.Conv3d(1, 2, 1)
    torch.nn.init.constant_(other.weight, 5.0)

    def disagreement(*networks):
        members = EnsembleStatistics(networks, "softmax").eval()
        decode = Channels(Disagreement("softmax"), slice(2, None))
        return run(predict(members, image, tile=(16, 24, 24), decode=decode))

    assert disagreement(same, same).max() < 1e-5
    assert disagreement(same, other).max() > 0.1


def test_an_ensemble_is_the_mean(image):
    networks = [torch.nn.Conv3d(1, 2, 1) for _ in range(3)]
    block = torch.from_numpy(image)[None]
    with torch.no_grad():
        want = sum(n(block) for n in networks) / 3
        assert torch.allclose(Ensemble(networks)(block), want, atol=1e-6)


def test_parts_of_a_tile_make_the_tile(image):
    block = torch.from_numpy(image)[None]
    assert torch.allclose(forward_in_parts(three, block, (16, 12, 30)), three(block), atol=1e-5)


def test_argmax_holds_more_than_256_classes():
    values = torch.zeros(300, 2, 2)
    values[299] = 1
    from napari_segment.deep.inference import Slab

    assert (argmax(Slab(values, (slice(0, 2), slice(0, 2)), ())) == 299).all()


@pytest.mark.parametrize("classes", [2, 5, 300])
def test_argmax_takes_the_first_of_equal_outputs(classes):
    from napari_segment.deep.inference import Slab

    values = torch.randint(0, 3, (classes, 6, 7, 8), generator=torch.Generator().manual_seed(0))
    index = argmax(Slab(values.float(), (slice(0, 6), slice(0, 7), slice(0, 8)), ()))
    assert np.array_equal(index, values.numpy().argmax(0))


# ---- partial_slabs of slabs, constant tiles, several devices ----


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("shape", [(40, 41, 50), (12, 41, 50), (70, 18, 20), (33, 47)])
def test_pieces_of_slabs_make_the_slab(shape, overlap):
    image = np.random.default_rng(1).normal(size=(1, *shape)).astype(np.float32)
    tile = (16, 24, 20)[-len(shape) :]
    plain = partial(predict, three, image, tile=tile, overlap=overlap)
    decode = probabilities("none")
    in_pieces = run(plain(decode=decode))
    out = np.zeros((3, *shape), np.float32)
    assert np.array_equal(run(plain(decode=decode, out=out)), in_pieces)


def test_rows_in_pieces_finish_every_voxel_once():
    for axis in (0, 1, 2):
        grid = Grid((50, 31, 44), (16, 40, 20), 0.3, axis=axis)
        finished = np.zeros(grid.shape, int)
        corners = []
        for row in grid.rows(partial_slabs=True):
            pad, size = grid.padding[axis], grid.shape[axis]
            where = [slice(None)] * 3
            where[axis] = slice(max(row.start - pad, 0), min(max(row.stop - pad, 0), size))
            where[grid.cross] = row.across
            finished[tuple(where)] += 1
            corners += row.corners
        assert (finished == 1).all()
        assert len(set(corners)) == len(corners) == len(grid)


def test_cells_cover_a_box_and_tell_what_is_new():
    sums = TileSums(Grid((20, 12, 9), (8, 8, 9), 0.5), partial_slabs=True)
    count = np.zeros((20, 12, 9), int)
    fresh = np.zeros(count.shape, bool)
    for cell, is_new in sums.cells((4, 0, 0), (12, 8, 9), (8, 0, 3)):
        count[cell] += 1
        fresh[cell] = is_new
    assert count.sum() == 8 * 8 * 9
    assert (count[4:12, :8] == 1).all()
    assert fresh[8:12, :8, 3:].all()
    assert fresh.sum() == 4 * 8 * 6


def test_finished_blocks_serve_the_next_ones():
    sums = TileSums(Grid((16, 8), (8, 8), 0.5), partial_slabs=False)
    device = torch.device("cpu")
    first = (slice(0, 4), slice(0, 8))
    held = sums.view(first, 3, device)
    held[:] = 7
    assert sums.view((slice(1, 3), slice(2, 4)), 3, device).shape == (3, 2, 2)
    assert (sums.view((slice(1, 3), slice(2, 4)), 3, device) == 7).all()
    sums.release(first)
    assert sums.view((slice(8, 12), slice(0, 8)), 3, device).data_ptr() == held.data_ptr()
    assert sums.view((slice(12, 16), slice(0, 8)), 3, device).data_ptr() != held.data_ptr()


class Counting(torch.nn.Module):
    """Notes how many tiles go through it."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv3d(2, 2, 3, padding=1)
        self.tiles = 0

    def forward(self, block):
        self.tiles += len(block)
        return self.layer(block)


def sparse(shape=(2, 64, 60, 56)):
    """Nothing but one bright part."""
    image = np.zeros(shape, np.uint16)
    image[1] = 7
    image[:, 20:30, 30:40, 5:20] = np.random.default_rng(0).integers(0, 99, (2, 10, 10, 15))
    return image


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("lazy", [False, True])
def test_constant_tiles_are_computed_once(batch, lazy):
    import dask.array as da

    image = sparse()
    given = da.from_array(image, chunks=(2, 13, 60, 20)) if lazy else image
    network = Counting().eval()
    settings = {"tile": (16, 16, 16), "batch": batch, "decode": probabilities("none")}
    prepare = partial(np.add, 1.5, dtype=np.float32)
    got = run(predict(network, given, prepare=prepare, **settings))
    assert 0 < network.tiles < len(Grid(image.shape[1:], (16, 16, 16))) / 2
    want = run(predict(network.layer, prepare(image) + noise(), **settings))
    np.testing.assert_allclose(got, want, atol=1e-4)


def noise():
    """So little that only no tile is constant."""
    return np.random.default_rng(0).normal(size=(2, 64, 60, 56)).astype(np.float32) * 1e-6


def test_several_devices_share_the_tiles(image):
    torch.manual_seed(0)
    network = torch.nn.Conv3d(1, 3, 3, padding=1).eval()
    one = run(predict(network, image, tile=(16, 16, 16)))
    for device, batch in (("cpu,cpu", 1), ("cpu, cpu, cpu", 2)):
        assert np.array_equal(
            run(predict(network, image, tile=(16, 16, 16), device=device, batch=batch)), one
        )


def test_each_of_several_devices_has_its_own_fallbacks(image):
    class Short(torch.nn.Conv3d):
        def forward(self, block):
            if len(block) > 1:
                raise torch.OutOfMemoryError("no room")
            return super().forward(block)

    network = Short(1, 3, 3, padding=1).eval()
    want = run(predict(network, image, tile=(16, 16, 16)))
    steps = predict(network, image, tile=(16, 16, 16), device="cpu,cpu", batch=2)
    messages: list[str] = []
    assert np.array_equal(run(noted(steps, messages)), want)
    assert sum("1 tile(s) at once" in m for m in messages) == 2


def noted(steps, messages):
    """Forward Steps and keep what they say."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        messages.append(step.message)
        yield step

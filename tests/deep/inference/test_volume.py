"""Tiles blended into volumes, against the network applied to the whole."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from napari_segment.deep.inference import (
    Grid,
    predict,
    probabilities,
)
from napari_segment.errors import InputError
from napari_segment.step import run


def three(block):
    """A network without neighbourhood: tiling cannot change its outputs."""
    return torch.cat([block, 0.3 - 0.5 * block, block**2 - 0.4], 1)


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(1, 30, 41, 50)).astype(np.float32)


def whole(network, image):
    return network(torch.from_numpy(image)[None])[0].numpy()


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

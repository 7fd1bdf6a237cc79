"""Out of memory at every stage, injected: the result stays right and the run says what it did."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch

from napari_segment.deep.inference import MemoryFallback, MemoryShortError, predict, probabilities
from napari_segment.deep.inference.compute import blending_torch as _blend
from napari_segment.deep.inference.compute import device_workers_torch as _workers
from napari_segment.deep.inference.compute import forward_torch as _forward
from napari_segment.deep.inference.compute.device_workers_torch import DeviceWorker
from napari_segment.deep.inference.compute.stream_torch import stream
from napari_segment.deep.inference.tiling import Grid, Reader, as_float
from napari_segment.deep.inference.volume import DecodedArray
from napari_segment.deep.inference.writers.in_memory import InMemoryWriter
from napari_segment.step import run


class Limited(torch.nn.Module):
    """A network without neighbourhood that may take so many voxels at once on each device."""

    def __init__(self, **limits):
        super().__init__()
        self.limits = limits
        self.where = "cpu"
        self.calls = []

    def to(self, device):
        if self.limits.get(f"{device}_weights") == 0:
            raise torch.OutOfMemoryError("no room for the weights")
        self.where = device
        return self

    def forward(self, block):
        if block.numel() > self.limits.get(self.where, 10**9):
            raise torch.OutOfMemoryError(f"tried to allocate on {self.where}")
        self.calls.append((self.where, tuple(block.shape)))
        return torch.cat([block, 0.2 - block], 1)


IMAGE = np.random.default_rng(0).normal(size=(1, 48, 40, 56)).astype(np.float32)
WANT = np.concatenate([IMAGE, np.float32(0.2) - IMAGE])
TILE = (16, 20, 24)


def predicted(network, batch=1, device="cpu", blend=""):
    """Run on a pretended device: tensors stay on the CPU, the fallback does not know."""
    grid = Grid(IMAGE.shape[1:], TILE)
    fallback = MemoryFallback(batch, TILE, device, blend, min_side=4)
    result = DecodedArray(grid.shape, probabilities("none"), None)
    steps = list(
        stream([DeviceWorker(network, fallback)], Reader(IMAGE, grid, as_float), result.write)
    )
    assert np.allclose(result.array, WANT, atol=1e-5)
    assert steps[-1].done == steps[-1].total == len(grid)
    return [s.message for s in steps if s.message], fallback


@pytest.fixture
def pretended(monkeypatch):
    """A device "gpu" whose tensors are the CPU's."""
    real = torch.device
    for module in (_forward, _blend, _workers):
        monkeypatch.setattr(module, "device_of", lambda name: real("cpu"))
    return "gpu"


def test_fewer_tiles_at_once():
    messages, fallback = predicted(Limited(cpu=2 * 16 * 20 * 24), batch=8)
    assert fallback.batch == 2
    assert len(messages) == 2
    assert "2 tile(s) at once" in messages[-1]


def test_parts_of_tiles():
    messages, fallback = predicted(Limited(cpu=16 * 10 * 12), batch=2)
    assert fallback.part == (16, 10, 12)
    assert "parts of 16 × 10 × 12 voxels" in messages[-1]


def test_the_run_goes_on_from_the_tile_where_it_was():
    network = Limited(cpu=16 * 20 * 24)
    predicted(network, batch=4)
    assert len(network.calls) == len(Grid(IMAGE.shape[1:], TILE))


def test_all_fallbacks_end_on_the_cpu(pretended):
    network = Limited(gpu=1)
    messages, fallback = predicted(network, batch=2, device=pretended)
    assert fallback.device == fallback.blend == "cpu"
    assert fallback.part == TILE
    assert {where for where, _ in network.calls} == {"cpu"}
    text = " ".join(messages)
    order = [text.index(w) for w in ("1 tile(s)", "parts of", "blended in", "on the CPU")]
    assert order == sorted(order)


def test_weights_that_do_not_fit(pretended):
    messages, _ = predicted(Limited(gpu_weights=0), device=pretended)
    assert messages == ["The network does not fit on the device: going on on the CPU."]


@pytest.mark.parametrize("call", [0, 1, 5, 40])
@pytest.mark.parametrize("stage", ["_accumulate", "_emit"])
def test_blending_out_of_memory_at_any_moment(pretended, monkeypatch, stage, call):
    count = [0]
    real = getattr(_blend.Blend, stage)

    def failing(self, *arguments):
        count[0] += 1
        if count[0] == call + 1 and self.fallback.blend == "gpu":
            raise torch.OutOfMemoryError("no room for the slab")
        return real(self, *arguments)

    monkeypatch.setattr(_blend.Blend, stage, failing)
    messages, fallback = predicted(Limited(), device=pretended, batch=2)
    if count[0] > call:
        assert messages == [
            "Out of memory on gpu: going on with tiles blended in the computer's memory."
        ]
        assert fallback.device == "gpu"


def failing(call, times):
    """A call that finds no memory so many times, from its third on."""
    count = [0]

    def tried(*arguments):
        count[0] += 1
        if 3 <= count[0] < 3 + times:
            raise MemoryError("Unable to allocate")
        return call(*arguments)

    return tried


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_reading_out_of_memory(batch, lazy):
    grid = Grid(IMAGE.shape[1:], TILE)
    image = da.from_array(IMAGE, chunks=(1, 10, -1, -1)) if lazy else IMAGE
    result = DecodedArray(grid.shape, probabilities("none"), None)
    reader = Reader(image, grid, failing(as_float, 1))
    steps = list(
        stream([DeviceWorker(Limited(), MemoryFallback(batch, TILE, "cpu"))], reader, result.write)
    )
    assert np.allclose(result.array, WANT, atol=1e-5)
    messages = [s.message for s in steps if s.message]
    assert messages == ["Out of memory: going on without reading ahead."]
    reader = Reader(image, grid, failing(as_float, 1000))
    with pytest.raises(MemoryShortError, match="read tile by tile"):
        list(
            stream(
                [DeviceWorker(Limited(), MemoryFallback(batch, TILE, "cpu"))], reader, result.write
            )
        )


def test_labels_or_their_storing_out_of_memory_on_the_cpu():
    """What cannot be decoded or stored is tried again with free memory given back."""
    grid = Grid(IMAGE.shape[1:], TILE)

    def stored(times):
        result = DecodedArray(grid.shape, probabilities("none"), None)
        put = failing(result.write, times)
        worker = DeviceWorker(Limited(), MemoryFallback(1, TILE, "cpu"))
        steps = list(stream([worker], Reader(IMAGE, grid, as_float), put, partial_slabs=True))
        return result.array, [s.message for s in steps if s.message]

    array, messages = stored(1)
    assert np.allclose(array, WANT, atol=1e-5)
    assert messages == ["Out of memory on cpu: trying again after free memory was released."]
    with pytest.raises(MemoryShortError, match="smaller tile"):
        stored(2)


def test_a_result_that_does_not_fit_says_where_it_would(monkeypatch):
    def full(*_):
        raise MemoryError

    writer = InMemoryWriter((8, 8), (slice(0, 8), slice(0, 8)))
    monkeypatch.setattr("napari_segment.deep.inference.writers.in_memory.np.zeros", full)
    with pytest.raises(MemoryShortError, match=r"64 B.*'store'"):
        writer.write((slice(0, 2), slice(0, 8)), np.ones((2, 8), np.uint8))


def test_after_the_last_fallback_there_is_an_error():
    with pytest.raises(MemoryShortError, match="smaller network"):
        predicted(Limited(cpu=1))


def test_other_errors_are_not_taken_for_memory():
    def broken(block):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        predicted(broken)


def test_run_of_the_steps_gives_the_array():

    assert run(predict(lambda b: b, IMAGE, tile=TILE)).shape == IMAGE.shape[1:]

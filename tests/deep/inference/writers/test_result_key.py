"""Stored results are of their own input: none is taken for another's."""

from __future__ import annotations

import json
import os
import shutil

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_segment import Image, apply_filters, segment
from napari_segment.deep.checkpoint import MODEL, WEIGHTS, Checkpoint
from napari_segment.deep.inference.prediction import Options, predict_with
from napari_segment.deep.inference.writers import result_key as module
from napari_segment.deep.inference.writers.result_key import hash_pixels
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import FormatError
from napari_segment.recipe import Spec
from napari_segment.step import run

SMALL = Spec(name="unet", settings={"features": (4, 8), "residual_units": 0})


def made(folder, seed=0, **changes):
    """A checkpoint of a 2-D network with random weights."""
    import torch

    from napari_segment.deep.nn import models

    fields = {
        "model": SMALL, "ndim": 2, "channels": ("c",), "channels_out": 3,
        "activation": "softmax", "holds": "classes", "values": (0, 1, 2),
        "normalisation": (Normalisation(scheme="none"),), "patch": (16, 16), **changes,
    }  # fmt: skip
    torch.manual_seed(seed)
    checkpoint = Checkpoint(folder=folder, **fields)
    channels = len(checkpoint.channels)
    network = models.build(checkpoint.model, channels, checkpoint.channels_out, 2)
    return checkpoint.save(network.state_dict())


def pixels(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape or (40, 48)).astype(np.float32)


def inputs(store):
    return sorted(p for p in store.iterdir() if p.is_dir())


def labels(image, folder, store=None, **settings):
    more = {} if store is None else {"store": store}
    actual = segment(image, "network", checkpoint=folder, device="cpu", **settings, **more)
    return np.asarray(actual.data)


def test_two_images_and_a_manifest(tmp_path):
    made(tmp_path / "net")
    images = [pixels(1), pixels(2)]
    alone = [labels(image, tmp_path / "net") for image in images]
    assert not np.array_equal(*alone)
    for image, want in [*zip(images, alone, strict=True)] * 2:
        assert np.array_equal(labels(image, tmp_path / "net", tmp_path / "S"), want)
    one, two = (json.loads((p / "manifest.json").read_text()) for p in inputs(tmp_path / "S"))
    assert one["image"]["shape"] == [1, 40, 48]
    assert one["image"]["sha256"] != two["image"]["sha256"]
    assert one["checkpoints"] == [str((tmp_path / "net").resolve())]
    assert one["versions"]["napari-segment"]


def test_time_points(tmp_path):
    made(tmp_path / "net")
    film = Image(pixels(3, 3, 40, 48), "TYX")
    want = labels(film, tmp_path / "net")
    assert np.array_equal(labels(film, tmp_path / "net", tmp_path / "S"), want)
    assert len({want[t].tobytes() for t in range(3)}) == len(inputs(tmp_path / "S")) == 3
    part = segment(film, "network", checkpoint=tmp_path / "net", device="cpu", times=(1, 3),
                   store=tmp_path / "S")  # fmt: skip
    assert np.array_equal(np.asarray(part.data), want[1:])
    assert len(inputs(tmp_path / "S")) == 3  # the same pixels, the same results


def test_another_filter_and_another_channel(tmp_path):
    made(tmp_path / "net")
    image = Image(pixels(4, 2, 40, 48), "CYX")
    for which in ([0], [1]):
        for sigma in (0.5, 2.0):
            filters = [("channels", {"indices": which}), ("gaussian", {"sigma": sigma})]
            seen = apply_filters(image, filters)
            want = labels(np.asarray(seen.data).squeeze(), tmp_path / "net")
            got = labels(image, tmp_path / "net", tmp_path / "S", filters=filters)
            assert np.array_equal(got.squeeze(), want)
    assert len(inputs(tmp_path / "S")) == 4


def test_another_spacing(tmp_path):
    checkpoint = made(tmp_path / "net", spacing=(1.0, 1.0))
    image = pixels(5)[None]
    for spacing in ((1.0, 1.0), (1.5, 1.5), (1.0, 1.5)):
        want = run(predict_with([checkpoint], image, spacing, Options(device="cpu")))
        options = Options(device="cpu", store=tmp_path / "S")
        got = run(predict_with([checkpoint], image, spacing, options))
        assert np.array_equal(np.asarray(got), want)
    assert len(inputs(tmp_path / "S")) == 3


@pytest.mark.parametrize("member", ["one", "two"])
def test_other_weights_of_the_same_date_in_the_same_folder(tmp_path, member):
    """Of any member of an ensemble, with a store and without."""
    made(tmp_path / "one", 1), made(tmp_path / "two", 2), made(tmp_path / "new", 3)
    image, more = pixels(6), {"ensemble": [tmp_path / "two"]}
    before = labels(image, tmp_path / "one", tmp_path / "S", **more)
    date = (tmp_path / member / WEIGHTS).stat().st_mtime_ns
    shutil.copy(tmp_path / "new" / WEIGHTS, tmp_path / member / WEIGHTS)
    os.utime(tmp_path / member / WEIGHTS, ns=(date, date))
    after = labels(image, tmp_path / "one", tmp_path / "S", **more)
    assert not np.array_equal(after, before)
    shutil.copytree(tmp_path / "one", tmp_path / "fresh")
    shutil.copytree(tmp_path / "two", tmp_path / "fresh2")
    want = labels(image, tmp_path / "fresh", ensemble=[tmp_path / "fresh2"])
    assert np.array_equal(after, want)
    assert np.array_equal(labels(image, tmp_path / "one", **more), want)


def test_another_model_file_versions_and_settings_start_anew(tmp_path, monkeypatch):
    checkpoint, image = made(tmp_path / "net"), pixels(7)
    labels(image, tmp_path / "net", tmp_path / "S")
    labels(image, tmp_path / "net", tmp_path / "S", overlap=0.5)
    labels(image, tmp_path / "net", tmp_path / "S", test_time_augmentation=True)
    assert len(inputs(tmp_path / "S")) == 3
    checkpoint.model_copy(update={"values": (0, 7, 9)}).save()
    got = labels(image, tmp_path / "net", tmp_path / "S")
    assert set(np.unique(got)) <= {0, 7, 9}
    monkeypatch.setattr(module, "versions", lambda: {"napari-segment": "99"})
    labels(image, tmp_path / "net", tmp_path / "S")
    assert len(inputs(tmp_path / "S")) == 5
    assert MODEL in json.loads((inputs(tmp_path / "S")[0] / "manifest.json").read_text())[
        "networks"][0]  # fmt: skip


def stopped(steps):
    for step in steps:
        if step.done > step.total * 0.6:
            steps.close()


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_a_lazy_input_goes_on_and_another_starts_anew(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 4000)  # several blocks
    checkpoint = made(tmp_path / "net")

    def given(seed):
        array = pixels(seed, 1, 100, 80)
        if kind == "numpy":
            return array
        if kind == "dask":
            return da.from_array(array, chunks=(1, 30, 40))
        folder = tmp_path / f"{seed}.zarr"
        if not folder.exists():
            file = zarr.create_array(folder, shape=array.shape, chunks=(1, 30, 40), dtype="f4")
            file[:] = array
        return zarr.open_array(folder, mode="r")

    options = Options(device="cpu", store=tmp_path / "S")
    for seed in (8, 9):
        stopped(predict_with([checkpoint], given(seed), (), options))
    assert len(inputs(tmp_path / "S")) == 2
    for seed in (8, 9):
        want = run(predict_with([checkpoint], given(seed), (), Options(device="cpu")))
        steps = predict_with([checkpoint], given(seed), (), options)
        assert next(steps).message.startswith("Reading the image")
        message = next(step.message for step in steps if "tiles" in step.message)
        assert message.startswith("going on with the last")
        assert np.array_equal(np.asarray(run(steps)), want)
    assert len(inputs(tmp_path / "S")) == 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_hash_is_of_the_pixels_alone(axis, monkeypatch):
    array = pixels(10, 2, 17, 19, 23)
    want = run(hash_pixels(array, axis))
    monkeypatch.setattr(module, "_BLOCK", 5000)
    for chunks in ((1, 5, 6, 7), (2, 17, 4, 23)):
        assert run(hash_pixels(da.from_array(array, chunks=chunks), axis)) == want
    assert run(hash_pixels(np.asfortranarray(array), axis)) == want
    array[1, 16, 18, 22] += 1
    assert run(hash_pixels(array, axis)) != want


def test_what_a_kill_leaves_is_no_obstacle(tmp_path):
    """Between the marking of a folder, the manifest, the array and its first note."""
    made(tmp_path / "net")
    image, store = pixels(11), tmp_path / "S"
    store.mkdir()
    (store / ".napari-segment.json.1.partial").touch()
    want = labels(image, tmp_path / "net", store)
    (folder,) = inputs(store)
    (folder / "labels" / "napari-segment.json").unlink()
    assert np.array_equal(labels(image, tmp_path / "net", store), want)
    (folder / "labels" / "zarr.json").unlink()
    assert np.array_equal(labels(image, tmp_path / "net", store), want)
    (store / "mine.txt").touch()
    assert np.array_equal(labels(image, tmp_path / "net", store), want)
    with pytest.raises(FormatError, match="Give a new or an"):
        labels(image, tmp_path / "net", tmp_path / "net")


def test_onnx_is_written_anew_for_other_weights_of_an_older_date(tmp_path, monkeypatch):
    from napari_segment.deep.inference.networks import onnx_runtime as onnx

    written = []
    monkeypatch.setattr(onnx, "export", lambda network, shape, path: written.append(path))
    monkeypatch.setattr(onnx, "OnnxNetwork", lambda path, device: path)
    checkpoint = made(tmp_path / "net", 1)
    first = onnx.exported(checkpoint, (16, 16), "cpu")
    first.parent.mkdir()
    first.touch()
    assert onnx.exported(checkpoint, (16, 16), "cpu") == first
    assert written == [first]
    shutil.copy(made(tmp_path / "new", 2).folder / WEIGHTS, tmp_path / "net" / WEIGHTS)
    os.utime(tmp_path / "net" / WEIGHTS, (0, 0))
    assert onnx.exported(checkpoint, (16, 16), "cpu") != first
    assert len(written) == 2

"""Copies of layers' pixels: written once, noticed when they change, freed with the layer."""

import gc

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer

from napari_segment import io
from napari_segment.errors import ChangedFileError
from napari_segment.image import Image
from napari_segment.widgets.jobs import layer_copies as module
from napari_segment.widgets.jobs.layer_copies import Copies
from napari_segment.widgets.layers.conversion import image_of
from napari_segment.worker.stacks import load_stack, save_stack


def saved(copies, layer, folder):
    folder.mkdir(exist_ok=True)
    plain = save_stack(image_of(layer, "YX"), folder, "image", copies.writer(layer))
    return load_stack(plain)


def test_pixels_are_written_once_until_they_change(tmp_path, monkeypatch):
    written = []
    original = module.save_array

    def counted(array, path):
        written.append(path)
        return original(array, path)

    monkeypatch.setattr(module, "save_array", counted)
    copies, layer = Copies(), ImageLayer(np.arange(12.0).reshape(3, 4))
    first = saved(copies, layer, tmp_path / "a")
    layer.scale = (2, 3)
    second = saved(copies, layer, tmp_path / "b")
    assert second.spacing == (2, 3)
    np.testing.assert_array_equal(first.data, second.data)
    assert len(written) == 1
    layer.data[1, 1] = -1  # in place, and nobody is told
    assert saved(copies, layer, tmp_path / "c").data[1, 1] == -1
    assert len(written) == 2
    assert not written[0].exists()
    assert first.data[1, 1] == 5  # what a job got stays as it was
    layer.data = np.zeros((3, 4))
    assert not saved(copies, layer, tmp_path / "d").data.any()


def test_painting_is_noticed(tmp_path):
    copies, layer = Copies(), LabelsLayer(np.zeros((9, 9), np.uint8))
    saved(copies, layer, tmp_path)
    layer.paint((4, 4), 2)
    assert saved(copies, layer, tmp_path / "b").data[4, 4] == 2


def test_what_is_written_to_what_was_loaded_stays_out_of_the_copy(tmp_path):
    copies, layer = Copies(), ImageLayer(np.zeros((3, 4)))
    saved(copies, layer, tmp_path).data[:] = 7
    assert not saved(copies, layer, tmp_path / "b").data.any()


def test_lazy_pixels_are_known_by_their_object(tmp_path):
    computed = []

    def block(x):
        computed.append(1)
        return x + 1

    lazy = da.zeros((4, 6), chunks=(4, 3)).map_blocks(block, meta=np.zeros((0, 0)))
    copies, layer = Copies(), ImageLayer(lazy, contrast_limits=(0, 1))
    computed.clear()
    first = saved(copies, layer, tmp_path)
    assert first.data.chunks == ((4,), (3, 3))
    once = len(computed)
    saved(copies, layer, tmp_path / "b")
    assert len(computed) == once
    layer.data = da.ones((4, 6))
    assert np.asarray(saved(copies, layer, tmp_path / "c").data).all()


def test_copies_go_with_their_layers(tmp_path):
    copies, layer = Copies(), ImageLayer(np.zeros((3, 4)))
    saved(copies, layer, tmp_path)
    (stored,) = copies._retained.values()
    copies.forget(layer)
    assert not stored.path.exists()
    assert (tmp_path / "image.npy").exists()  # the job's own name for it
    saved(copies, layer, tmp_path / "b")
    (stored,) = copies._retained.values()
    del layer
    gc.collect()
    assert not stored.path.exists()


def test_the_copy_of_a_layer_that_is_deleted_while_it_is_written_goes_too(tmp_path):
    copies, layer = Copies(), ImageLayer(np.zeros((3, 4)))
    write = copies.writer(layer)
    pixels = np.asarray(layer.data)
    del layer
    gc.collect()
    write(pixels, tmp_path / "image.npy")
    assert (tmp_path / "image.npy").exists()
    assert not copies._retained
    assert not [p for p in copies._folder.iterdir() if not p.name.startswith(".")]


def test_what_is_painted_into_an_array_on_disk_is_noticed(tmp_path):
    import zarr

    file = zarr.create_array(tmp_path / "a.zarr", shape=(9, 9), chunks=(4, 4), dtype="u1")
    copies, layer = Copies(), LabelsLayer(file)
    saved(copies, layer, tmp_path)
    file[4, 4] = 2
    assert np.asarray(saved(copies, layer, tmp_path / "b").data)[4, 4] == 2


def test_a_lazy_array_that_is_changed_inplace_is_noticed(tmp_path):
    lazy = da.zeros((4, 6), chunks=(4, 3))
    copies, layer = Copies(), ImageLayer(lazy, contrast_limits=(0, 1))
    saved(copies, layer, tmp_path)
    layer.data[1, 2] = 7
    assert np.asarray(saved(copies, layer, tmp_path / "b").data)[1, 2] == 7


def test_two_lazy_parts_of_one_layer_are_two_copies(tmp_path):
    lazy = da.from_array(np.arange(24).reshape(2, 3, 4), chunks=(1, 3, 4))
    copies, layer = Copies(), ImageLayer(lazy, contrast_limits=(0, 1))
    write = copies.writer(layer)
    for channel in (0, 1):
        write(lazy[channel], tmp_path / f"{channel}.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "1.npy"), np.asarray(lazy[1]))


def test_pixels_of_files_written_behind_a_layer_are_noticed(tmp_path):
    """A chunk written into a Zarr array, whose Dask array stays the same object."""
    import zarr

    path = io.write(Image(np.ones((4, 6), np.uint8)), tmp_path / "a.ome.zarr")
    copies = Copies()
    layer = ImageLayer(io.read(path, lazy=True).data, contrast_limits=(0, 9))
    assert saved(copies, layer, tmp_path / "a").data.sum() == 24
    zarr.open(path, mode="r+")["0"][2] = 5
    assert saved(copies, layer, tmp_path / "b").data.sum() == 18 + 6 * 5


def test_a_copy_of_a_file_that_was_rewritten_is_not_used(tmp_path):
    path = io.write(Image(np.ones((4, 6), np.uint8)), tmp_path / "a.tif")
    copies = Copies()
    layer = ImageLayer(io.read(path, lazy=True).data, contrast_limits=(0, 9))
    saved(copies, layer, tmp_path / "a")
    io.write(Image(np.full((4, 6), 2, np.uint8)), path)
    with pytest.raises(ChangedFileError, match="Open it again"):
        saved(copies, layer, tmp_path / "b")

import json
import pickle

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels
from napari_segment.io.formats._zarr_arrays import OnDisk


def older(path, data, axes, *, scale=(), translation=(), **attributes):
    """An image of version 0.4, as most files are."""
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("s0", data=data, chunks=(2,) * data.ndim)
    units = {"space": "micrometer", "time": "second"}
    listed = [{"name": n, "type": t} | ({"unit": units[t]} if t in units else {}) for n, t in axes]
    moves = [{"type": "scale", "scale": list(scale or (1,) * data.ndim)}]
    if translation:
        moves.append({"type": "translation", "translation": list(translation)})
    dataset = {"path": "s0", "coordinateTransformations": moves}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": listed, "datasets": [dataset]}]
    group.attrs.update(attributes)
    return path


ZYX = [("z", "space"), ("y", "space"), ("x", "space")]


def test_version_04(tmp_path, rng):
    data = rng.integers(0, 99, (2, 3, 4, 5, 6)).astype(np.uint16)
    path = older(
        tmp_path / "a.zarr", data, [("t", "time"), ("c", "channel"), *ZYX],
        scale=(2.5, 1, 3, 0.5, 0.4), omero={"channels": [{"label": n} for n in "abc"]},
    )  # fmt: skip
    for lazy in (False, True):
        actual = io.read(path, lazy=lazy)
        assert (actual.axes, actual.unit, actual.interval) == ("TCZYX", "micrometer", 2.5)
        assert (actual.spacing, actual.channels) == ((3, 0.5, 0.4), ("a", "b", "c"))
        np.testing.assert_array_equal(np.asarray(actual.data), data)


def test_translation_is_the_affine(tmp_path, rng):
    path = older(
        tmp_path / "a.zarr", rng.random((3, 4, 5)), ZYX, scale=(3, 2, 1), translation=(7, 8, 9)
    )
    np.testing.assert_allclose(io.read(path).world() @ [1, 1, 1, 1], [10, 10, 10, 1])


def test_versions_without_axes(tmp_path, rng):
    data = rng.random((1, 2, 3, 4, 5))
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=data)
    group.attrs["multiscales"] = [{"version": "0.1", "datasets": [{"path": "0"}]}]
    assert io.read(tmp_path / "a.zarr").axes == "TCZYX"


def test_collection_of_images(tmp_path, rng):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    older(tmp_path / "a.zarr/0", rng.random((3, 4, 5)), ZYX)
    assert io.read(tmp_path / "a.zarr").shape == (3, 4, 5)
    older(tmp_path / "a.zarr/1", rng.random((6, 4, 5)), ZYX)
    with pytest.raises(FormatError, match=r"it holds 0, 1\. Say which by series"):
        io.read(tmp_path / "a.zarr")
    assert io.read(tmp_path / "a.zarr", series=1).shape == (6, 4, 5)
    assert io.read(tmp_path / "a.zarr/1").shape == (6, 4, 5)


def test_plates_and_empty_groups(tmp_path):
    zarr.open_group(tmp_path / "a.zarr", mode="w").attrs["ome"] = {"plate": {}}
    with pytest.raises(FormatError, match="plate"):
        io.read(tmp_path / "a.zarr")
    zarr.open_group(tmp_path / "b.zarr", mode="w")
    with pytest.raises(FormatError, match="it holds nothing"):
        io.read(tmp_path / "b.zarr")


def test_bare_arrays(tmp_path, rng):
    data = rng.random((3, 4, 5))
    zarr.create_array(tmp_path / "a.zarr", data=data, dimension_names=["t", "y", "x"])
    assert io.read(tmp_path / "a.zarr").axes == "TYX"
    zarr.create_array(tmp_path / "b.zarr", data=data)
    assert io.read(tmp_path / "b.zarr", lazy=True).axes == "ZYX"


# ---- writing ----


def test_written_metadata_are_version_05(tmp_path, volume):
    path = io.write(volume.replace(name="cells"), tmp_path / "a.ome.zarr")
    metadata = json.loads((path / "zarr.json").read_text())["attributes"]["ome"]
    assert metadata["version"] == "0.5"
    scale = metadata["multiscales"][0]
    assert scale["name"] == "cells"
    assert scale["axes"] == [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    assert scale["datasets"] == [
        {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [2.0, 0.5, 0.4]}]}
    ]
    array = json.loads((path / "0" / "zarr.json").read_text())
    assert array["dimension_names"] == ["z", "y", "x"]
    assert array["zarr_format"] == 3


def test_pyramid_of_an_image_is_of_means(tmp_path, rng):
    """Planes four times as far apart as pixels: they are not joined before the third level."""
    data = rng.integers(0, 1000, (6, 1030, 513)).astype(np.uint16)
    path = io.write(Image(data, "ZYX", (4, 1, 1), "micrometer"), tmp_path / "a.zarr")
    group = zarr.open_group(path, mode="r")
    assert [group[str(i)].shape for i in range(4)] == [
        (6, 1030, 513), (6, 515, 256), (6, 257, 128), (3, 128, 64),
    ]  # fmt: skip
    half = data[:, :, :512].reshape(6, 515, 2, 256, 2).mean((2, 4))
    np.testing.assert_array_equal(group["1"][...], np.rint(half))
    moves = group.attrs["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"]
    assert moves[0]["scale"] == [4, 2, 2]
    assert moves[1]["translation"] == [0, 0.5, 0.5]
    moves = group.attrs["ome"]["multiscales"][0]["datasets"][3]["coordinateTransformations"]
    assert moves[0]["scale"] == [8, 8, 8]
    assert moves[1]["translation"] == [2, 3.5, 3.5]


def test_shift_is_the_formats_own(tmp_path, rng):
    affine = np.diag([2.0, 1, 1, 1])
    affine[:3, 3] = 5, 6, 7
    image = Image(rng.random((2, 600, 20)), "ZYX", affine=affine, unit="micrometer")
    metadata = zarr.open_group(io.write(image, tmp_path / "a.zarr")).attrs["ome"]["multiscales"][0]
    shifts = [d["coordinateTransformations"][1]["translation"] for d in metadata["datasets"]]
    assert shifts == [[5, 6, 7], [5, 6.5, 7.5], [5.0 + 1, 6 + 1.5, 7 + 1.5]][: len(shifts)]


def test_pyramid_of_labels_invents_nothing(tmp_path, rng):
    data = rng.choice([0, 7, 900], (700, 300)).astype(np.uint16)
    labels = Labels(data, "YX", holds="classes", names={7: "cell", 900: "edge"})
    group = zarr.open_group(io.write(labels, tmp_path / "a.zarr"), mode="r")
    np.testing.assert_array_equal(group["1"][...], data[::2, ::2])
    properties = group.attrs["ome"]["image-label"]["properties"]
    assert properties == [
        {"label-value": 7, "class": "cell"},
        {"label-value": 900, "class": "edge"},
    ]


def test_colours_are_channels(tmp_path, rng):
    image = Image(rng.integers(0, 255, (40, 50, 3)).astype(np.uint8), "YXC", channels=RGB)
    path = io.write(image, tmp_path / "a.zarr")
    assert zarr.open_group(path, mode="r")["0"].shape == (3, 40, 50)
    assert io.read(path).is_rgb


def test_blocks_are_streamed(tmp_path):
    """No task of the graph holds more than a few blocks."""
    seen = []

    def make(block_info=None):
        seen.append(block_info[None]["chunk-location"])
        return np.ones(block_info[None]["chunk-shape"], np.uint8)

    data = da.map_blocks(
        make, chunks=((32,) * 3, (256,) * 2, (300,)), dtype="u1", meta=np.empty((0, 0, 0), "u1")
    )
    path = io.write(Image(data, "ZYX"), tmp_path / "a.zarr")
    assert len(seen) == len(set(seen)) == 6
    assert zarr.open_group(path, mode="r")["0"][...].all()


def test_a_folder_that_is_no_zarr_is_left_alone(tmp_path, volume):
    letters = tmp_path / "a.zarr" / "letters.txt"
    letters.parent.mkdir()
    letters.write_text("dear")
    with pytest.raises(FormatError, match="is no Zarr folder"):
        io.write(volume, letters.parent)
    assert letters.read_text() == "dear"


def test_an_older_result_is_replaced(tmp_path, volume, classes):
    path = io.write(volume, tmp_path / "a.zarr")
    io.write(classes, path)
    assert io.read_labels(path).names == classes.names


def test_lazy_arrays_travel(tmp_path, volume):
    actual = io.read(io.write(volume, tmp_path / "a.zarr"), lazy=True)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(actual.data)).compute(), volume.data)


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path, volume):
    """Zarr would read zeros, and write into a folder that it makes."""
    io.write(volume, tmp_path / "a.zarr")
    actual = io.read(tmp_path / "a.zarr", lazy=True)
    target = OnDisk(zarr.open_group(tmp_path / "a.zarr")["0"])
    (tmp_path / "a.zarr").rename(tmp_path / "elsewhere.zarr")
    with pytest.raises(FormatError, match="must see the same files"):
        actual.data.compute(scheduler="sync")
    ones = da.ones(actual.shape, chunks=actual.data.chunks, dtype=actual.dtype)
    with pytest.raises(FormatError, match="must see the same folders"):
        da.store(ones, target, lock=False, scheduler="sync")
    assert not (tmp_path / "a.zarr").exists()


@pytest.fixture
def server(tmp_path):
    """The files of a folder over HTTP."""
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *given):
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.mark.parametrize("lazy", [False, True])
def test_over_http(server, tmp_path, volume, lazy, assert_same):
    pytest.importorskip("aiohttp")
    io.write(volume, tmp_path / "a.ome.zarr")
    assert_same(io.read(f"{server}/a.ome.zarr", lazy=lazy), volume)
    with pytest.raises(FormatError, match=r"b\.zarr is no Zarr array or group"):
        io.read(f"{server}/b.zarr")


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("suffix", [".zarr.zip", ".ozx"])
def test_in_a_zip_file(tmp_path, volume, lazy, suffix, assert_same):
    import shutil

    folder = io.write(volume, tmp_path / "a.ome.zarr")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    path = (tmp_path / "packed.zip").rename(tmp_path / f"a{suffix}")
    assert packed
    assert_same(io.read(path, lazy=lazy), volume)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FormatError, match=rf"a\{suffix} cannot be read as OME-Zarr"):
        io.read(path)

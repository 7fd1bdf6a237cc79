import os
import shutil
import zipfile
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import yaml

from napari_segment import api
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.exchange.bioimageio import open_package, outputs_of
from napari_segment.exchange.bioimageio.package import Operation, Side
from napari_segment.exchange.bioimageio.processing import fitted
from napari_segment.image import Image
from napari_segment.step import run

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="session")
def realdata():
    folder = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set NAPARI_SEGMENT_DATA")
    return folder


def package(
    folder, *, axes="bcyx", channels=1, given=None, gives=None, before=(), after=(), **changes
):
    """A model that doubles its input and adds 1."""
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{a}_side" for a in axes]
    names[axes.index("c")] = channels
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["x", "two"], ["double"]),
            helper.make_node("Add", ["double", "one"], ["y"]),
        ],
        "affine",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, names)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, names)],
        [numpy_helper.from_array(np.float32(v), n) for n, v in (("two", 2), ("one", 1))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, folder / "weights.onnx")
    letters = {
        "b": {"type": "batch"},
        "c": {"type": "channel", "channel_names": [f"c{i}" for i in range(channels)]},
    }
    open_size = {"min": 16, "step": 8}
    sides = [letters.get(a, {"type": "space", "id": a, "size": open_size}) for a in axes]
    same = [
        letters.get(
            a, {"type": "space", "id": a, "halo": 4, "size": {"tensor_id": "x", "axis_id": a}}
        )
        for a in axes
    ]
    description = {
        "name": "Affine", "type": "model", "format_version": "0.5.4",
        "inputs": [{"id": "x", "axes": given or sides, "preprocessing": list(before)}],
        "outputs": [{"id": "y", "axes": gives or same, "postprocessing": list(after)}],
        "weights": {"onnx": {"source": "weights.onnx"}},
    }  # fmt: skip
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(description | changes))
    return folder


# ---- running ----


@pytest.mark.parametrize("axes", ["bcyx", "byxc", "bcxy"])
@pytest.mark.parametrize("shape", [(1, 40, 50), (1, 7, 9), (1, 5, 40, 50)])
def test_any_axes_and_sizes(tmp_path, rng, axes, shape):
    image = rng.random(shape).astype(np.float32)
    actual = run(outputs_of(open_package(package(tmp_path, axes=axes)), image, tile=(16, 24)))
    np.testing.assert_allclose(actual, 2 * image + 1, rtol=1e-5)


def test_volumes_and_channels(tmp_path, rng):
    image = rng.random((3, 9, 20, 30)).astype(np.float32)
    model = open_package(package(tmp_path, axes="bczyx", channels=3))
    for given in (image, da.from_array(image, chunks=(2, 4, 9, 11))):
        actual = run(outputs_of(model, given))
        np.testing.assert_allclose(actual, 2 * image + 1, rtol=1e-5)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_before_and_after(tmp_path, rng):
    """Standardised, doubled, one added, and through a sigmoid."""
    folder = package(
        tmp_path, before=[{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}],
        after=[{"id": "sigmoid"}, {"id": "scale_linear", "kwargs": {"gain": 10}}],
    )  # fmt: skip
    image = rng.integers(0, 999, (1, 40, 50)).astype(np.uint16)
    standard = (image - image.mean()) / (image.std() + 1e-6)
    expected = 10 / (1 + np.exp(-2 * standard - 1))
    actual = run(outputs_of(open_package(folder), image))
    np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_the_method(tmp_path, rng):
    data = rng.random((40, 50)).astype(np.float32)
    labels = api.segment(
        Image(data, "YX"), "bioimageio", package=package(tmp_path / "a"), threshold=0.9
    )
    assert labels.holds == "mask"
    np.testing.assert_array_equal(labels.data, 2 * data + 1 > 0.9)
    colour = rng.random((3, 40, 50)).astype(np.float32)
    folder = package(tmp_path / "b", channels=3)
    labels = api.segment(Image(colour, "CYX"), "bioimageio", package=folder)
    assert (labels.holds, labels.names) == ("classes", {1: "c1", 2: "c2"})
    np.testing.assert_array_equal(labels.data, colour.argmax(0))
    chosen = api.segment(Image(colour - 0.5, "CYX"), "bioimageio", package=folder, output_channel=2)
    np.testing.assert_array_equal(chosen.data, colour[2] * 2 > 0.5)
    with pytest.raises(SettingError, match="no output channel 3: the model has 3"):
        api.segment(Image(colour, "CYX"), "bioimageio", package=folder, output_channel=3)


def test_zip_files(tmp_path, rng):
    folder = package(tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    image = rng.random((1, 20, 20)).astype(np.float32)
    np.testing.assert_allclose(
        run(outputs_of(open_package(tmp_path / "a.zip"), image)), 2 * image + 1, rtol=1e-5
    )
    (tmp_path / "b.zip").write_bytes(b"no zip")
    with pytest.raises(FormatError, match="cannot be unpacked"):
        open_package(tmp_path / "b.zip")


# ---- descriptions ----


@pytest.mark.parametrize(
    ("side", "wanted", "size"),
    [
        (Side("y", 512), 100, 512), (Side("y", 0, 16, 8), 100, 104),
        (Side("y", 0, 16, 8), 104, 104),
        (Side("y", 0, 16, 8), 3, 16), (Side("y", 0, 16, 0), 99, 16), (Side("y"), 77, 77),
    ],
)  # fmt: skip
def test_allowed_sizes(side, wanted, size):
    assert side.near(wanted) == size


def test_halo_needs_overlap(tmp_path):
    model = open_package(package(tmp_path))
    assert model.tile((1, 40, 1000)) == (40, 512)
    assert model.overlap((16, 32), 0.25) == 0.5
    assert model.overlap((512, 512), 0.25) == 0.25


def test_version_04(tmp_path):
    tensor = {"name": "x", "axes": "bcyx", "shape": {"min": [1, 1, 16, 16], "step": [0, 0, 8, 8]}}
    shape = {"reference_tensor": "x", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    output = {"name": "y", "axes": "bcyx", "halo": [0, 0, 4, 4], "shape": shape}
    model = open_package(
        package(tmp_path, format_version="0.4.9", inputs=[tensor], outputs=[output])
    )
    assert model.input_axes[2] == Side("y", 0, 16, 8)
    assert model.output_axes[3] == Side("x", halo=4)
    shape["scale"] = [1, 1, 0.5, 0.5]
    with pytest.raises(FormatError, match="changes the size of its image"):
        open_package(package(tmp_path, inputs=[tensor], outputs=[output]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "dataset"}, "does not describe a model"),
        ({"inputs": [{}, {}]}, "takes 2 inputs"),
        ({"inputs": [{}]}, "does not describe a model as"),
        ({"weights": {"torchscript": {}}}, "weights as torchscript; only ONNX is read"),
        ({"weights": {"onnx": {"source": "https://x.y/w.onnx"}}}, "download the whole package"),
        ({"weights": {"onnx": {"source": "../w.onnx"}}}, "download the whole package"),
        ({"weights": {"onnx": {"source": "lost.onnx"}}}, "the package is incomplete"),
        ({"weights": {"onnx": {"source": "weights.onnx", "sha256": "0"}}}, "not those described"),
    ],
)
def test_what_cannot_be_used(tmp_path, changes, message):
    with pytest.raises(FormatError, match=message):
        open_package(package(tmp_path, **changes))


def test_no_package(tmp_path):
    with pytest.raises(FormatError, match=r"holds none of bioimageio\.yaml"):
        open_package(tmp_path)
    (tmp_path / "rdf.yaml").write_text("a: [")
    with pytest.raises(FormatError, match="neither YAML nor JSON"):
        open_package(tmp_path)


def test_images_that_do_not_fit(tmp_path, rng):
    model = open_package(package(tmp_path, channels=3))
    with pytest.raises(InputError, match=r"takes 3 channel\(s\), but the image has 1"):
        run(outputs_of(model, rng.random((1, 20, 20))))
    model = open_package(package(tmp_path / "3", axes="bczyx"))
    with pytest.raises(InputError, match="takes volumes"):
        run(outputs_of(model, rng.random((1, 20, 20))))


# ---- operations, against their definitions ----


def _between(channel, low, high):
    return (channel - low) / (high - low + 1e-6)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("ensure_dtype", {"dtype": "float32"}, lambda x: x),
        ("scale_linear", {"gain": [2, 3], "offset": [1, 0], "axis": "channel"},
         lambda x: x * np.reshape([2, 3], (2, 1, 1)) + np.reshape([1, 0], (2, 1, 1))),
        ("zero_mean_unit_variance", {"axes": ["x", "y"]},
         lambda x: (x - x.mean((1, 2), keepdims=True)) / (x.std((1, 2), keepdims=True) + 1e-6)),
        ("zero_mean_unit_variance", {"axes": ["channel", "x", "y"], "eps": 0.1},
         lambda x: (x - x.mean()) / (x.std() + 0.1)),
        ("zero_mean_unit_variance", {"mode": "fixed", "mean": [1, 2], "std": [3, 4], "axes": "yx"},
         lambda x: (x - np.reshape([1, 2], (2, 1, 1))) / np.reshape([3, 4], (2, 1, 1))),
        ("fixed_zero_mean_unit_variance", {"mean": 1, "std": 4}, lambda x: (x - 1) / 4),
        ("scale_range", {"axes": ["x", "y"], "min_percentile": 5, "max_percentile": 95},
         lambda x: np.stack([_between(c, *np.percentile(c, [5, 95])) for c in x])),
        ("scale_range", {}, lambda x: (x - x.min()) / (np.ptp(x) + 1e-6)),
        ("clip", {"min": 2, "max": 5}, lambda x: x.clip(2, 5)),
        ("clip", {"min_percentile": 10, "max": 5}, lambda x: x.clip(np.percentile(x, 10), 5)),
        ("clip", {"min_percentile": 10, "max_percentile": 90, "axes": ["y", "x"]},
         lambda x: np.stack([c.clip(*np.percentile(c, [10, 90])) for c in x])),
        ("binarize", {"threshold": 4}, lambda x: x > 4),
        ("sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
        ("softmax", {"axis": "channel"}, lambda x: np.exp(x) / np.exp(x).sum(0)),
    ],
)  # fmt: skip
def test_operations(name, settings, expected, lazy, rng):
    image = rng.gamma(2, 2, (2, 30, 40))
    given = da.from_array(image, chunks=(1, 13, 17)) if lazy else image
    change = fitted([Operation(name, settings)], given)
    np.testing.assert_allclose(change(image), expected(image), rtol=1e-4, atol=1e-5)


def test_statistics_come_after_what_is_before(rng):
    image = rng.gamma(2, 2, (1, 30, 40))
    change = fitted(
        [Operation("clip", {"max": 3}), Operation("zero_mean_unit_variance", {})], image
    )
    clipped = image.clip(max=3)
    np.testing.assert_allclose(change(image), (clipped - clipped.mean()) / clipped.std(), atol=1e-4)


def test_operations_that_are_refused(rng):
    with pytest.raises(FormatError, match="asks for 'magic', which is not known"):
        fitted([Operation("magic")], rng.random((1, 3, 3)))
    with pytest.raises(FormatError, match="needs its whole output"):
        fitted([Operation("scale_range")])
    with pytest.raises(FormatError, match="has 3 numbers for 2 channels"):
        fitted([Operation("scale_linear", {"gain": [1, 2, 3]})], rng.random((2, 3, 3)))


# ---- the real package ----


@pytest.mark.realdata
@pytest.mark.parametrize("file", ["bioimageio.yaml", "v0_4_9.bioimageio.yaml"])
def test_the_package_reproduces_its_test_output(realdata, file):
    folder = realdata / "bioimageio" / "unet2d_nuclei_broad"
    image, expected = (np.load(folder / f"test_{n}.npy")[0] for n in ("input", "output"))
    model = open_package(folder / file)
    assert model.tile(image.shape[1:]) == (512, 512)
    actual = run(outputs_of(model, image))
    assert np.abs(actual - expected).max() < 1e-4


@pytest.mark.realdata
def test_overlapping_tiles_stay_near(realdata):
    folder = realdata / "bioimageio" / "unet2d_nuclei_broad"
    image, expected = (np.load(folder / f"test_{n}.npy")[0] for n in ("input", "output"))
    wide = np.pad(image, ((0, 0), (96, 96), (96, 96)), mode="reflect")
    actual = run(outputs_of(open_package(folder), wide, overlap=0.5))[:, 96:-96, 96:-96]
    assert np.abs(actual - expected).mean() < 0.01


# ---- nothing of an earlier package ----


@pytest.mark.parametrize("zipped", [False, True])
def test_another_model_in_the_same_file_of_the_same_date_is_loaded(tmp_path, zipped):
    """Twice and 1 more of 3 is 7; after the change 1 more is 5 more: 11."""
    folder = package(tmp_path / "m")
    given = shutil.make_archive(str(tmp_path / "m"), "zip", folder) if zipped else folder
    image = np.full((1, 24, 24), 3, np.float32)
    np.testing.assert_allclose(run(outputs_of(open_package(given), image)), 7, rtol=1e-5)
    file = Path(given) if zipped else folder / "weights.onnx"
    date = file.stat().st_mtime_ns
    model = onnx.load(folder / "weights.onnx")
    (one,) = (value for value in model.graph.initializer if value.name == "one")
    one.CopyFrom(onnx.numpy_helper.from_array(np.float32(5), "one"))
    onnx.save(model, folder / "weights.onnx")
    if zipped:
        shutil.make_archive(str(tmp_path / "m"), "zip", folder)
    os.utime(file, ns=(date, date))
    np.testing.assert_allclose(run(outputs_of(open_package(given), image)), 11, rtol=1e-5)


def archive(path, name, content=b"x", mode=0):
    """A zip file with one entry of any name and mode."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.parametrize(
    "given",
    [("../rdf.yaml",), ("/rdf.yaml",), ("a\\..\\..\\b",), ("link", b"/etc/hostname", 0o120777)],
)
def test_links_and_paths_outside_of_the_package_are_refused(tmp_path, given):
    with pytest.raises(FormatError, match="Nothing of it was unpacked"):
        open_package(archive(tmp_path / "model.zip", *given))
    assert [p.name for p in tmp_path.iterdir()] == ["model.zip"]


def test_a_zip_bomb_is_refused(tmp_path):
    with pytest.raises(FormatError, match="would unpack to 200,000,000 bytes"):
        open_package(archive(tmp_path / "model.zip", "rdf.yaml", bytes(2 * 10**8)))


def test_external_data_outside_of_the_package_is_refused(tmp_path):
    folder = package(tmp_path / "a")
    (tmp_path / "secret.bin").write_bytes(np.float32([5]).tobytes())
    model = onnx.load(folder / "weights.onnx")
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../secret.bin")
    (folder / "weights.onnx").write_bytes(model.SerializeToString())
    description = yaml.safe_load((folder / "bioimageio.yaml").read_text())
    description["weights"]["onnx"].pop("sha256", None)
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(description))
    with pytest.raises(FormatError, match="outside of its folder"):
        run(outputs_of(open_package(folder), np.zeros((1, 32, 32), np.float32)))


LAUGHS = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 25))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "aliases .* more than 50,000"),
        ("a: &a [1, *a]", "more than 50,000"),
        ("a: !!python/object/apply:os.system ['touch ran']", "holds a 'os.system'"),
        ("name: " + "x" * 70_000, "at most 65,536"),
        ("[" * 40 + "]" * 40, "32 levels"),
        ("name: a\nname: b", "twice"),
    ],
)
def test_descriptions_are_read_with_bounds(tmp_path, text, message):
    (tmp_path / "rdf.yaml").write_text(text)
    with pytest.raises(FormatError, match=rf"rdf\.yaml.*{message}"):
        open_package(tmp_path)


def test_dates_of_descriptions_need_no_quotes(tmp_path, rng):
    folder = package(tmp_path / "m")
    file = folder / "bioimageio.yaml"
    file.write_text(file.read_text() + "timestamp: 2023-01-05T10:24:37.000Z\ndates: [2023-01-05]\n")
    assert open_package(folder).name

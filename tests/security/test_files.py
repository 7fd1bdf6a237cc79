"""What files of others may not do when they are opened, and ours when others open them."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest

import napari_segment as ns
from napari_segment import io
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.exchange.bioimageio import package
from napari_segment.io import read_labels, reports
from napari_segment.io.formats import _zarr_arrays
from napari_segment.io.replacing import write_atomically


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2+3", "@SUM(A1)"])
def test_class_names_are_no_formulas_in_tables(tmp_path, name):
    labels = ns.Labels(np.ones((5, 5), "u1"), "YX", holds="classes", names={1: name})
    path = ns.write(ns.measure(labels), tmp_path / "t.csv")
    assert f"'{name}" in path.read_text().replace('"', "")
    assert f",{name}" not in path.read_text()


def test_texts_of_features_return_as_they_were(tmp_path):
    texts = np.array(["=1+1", "'quoted", "plain", "-"])
    columns = {"label": np.arange(1, 5), "@kind": texts, "x": np.array([-1.5, 2, 3, 4])}
    labels = ns.Labels(np.arange(1, 5, dtype="u1").reshape(2, 2), "YX", features=columns)
    ns.write(labels, tmp_path / "a.tif")
    features = read_labels(tmp_path / "a.tif").features
    assert list(features["@kind"]) == list(texts)
    assert list(features["x"]) == [-1.5, 2, 3, 4]
    raw = pd.read_csv(tmp_path / "a.features.csv")
    assert list(raw.columns) == ["label", "'@kind", "x"]


def test_planted_links_are_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".m.json.{os.getpid()}.partial").symlink_to(victim)
    write_atomically(tmp_path / "m.json", b"new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "m.json").read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["size", "count"])
def test_zip_bombs_are_refused(tmp_path, kind, monkeypatch):
    path, temporary = tmp_path / "bomb.zip", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "size":
            archive.writestr("weights.onnx", bytes(2**26 + 1))
        else:
            for number in range(10_001):
                archive.writestr(str(number), b"")
    with pytest.raises(FormatError, match=r"would unpack to .* at most 67,108,864 bytes"):
        package.open_package(path)
    assert not list(temporary.iterdir())


def _png(path):
    import imagecodecs

    path.write_bytes(imagecodecs.png_encode(np.zeros((40, 500), np.uint8)))


def _jpeg(path):
    import imagecodecs

    path.write_bytes(imagecodecs.jpeg_encode(np.zeros((40, 500, 3), np.uint8)))


def _palette(path):
    from PIL import Image

    picture = Image.fromarray(np.zeros((40, 500), np.uint8), "P")
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.save(path)


def _tiff(path):
    import tifffile

    tifffile.imwrite(path, np.zeros((40, 500), np.uint8), compression="zlib")


def _ours(path):
    ns.write(ns.Labels(np.zeros((40, 500), np.uint8), "YX"), path)


def _zarr(path):
    ns.write(ns.Image(np.zeros((40, 500), np.uint8)), path)


MAKERS = {
    "a.png": _png, "b.png": _palette, "a.jpg": _jpeg, "a.tif": _tiff, "a.nii.gz": _ours,
    "a.nrrd": _ours, "a.npz": _ours, "a.mha": _ours, "a.h5": _ours, "a.ome.zarr": _zarr,
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_what_unpacks_to_very_much_is_refused_unless_allowed(tmp_path, name, monkeypatch, capsys):
    """The bounds are lowered: a few kilobytes stand for 1 GiB."""
    path = tmp_path / name
    MAKERS[name](path)
    expected = np.asarray(ns.read(path).data)
    for module in (reports, _zarr_arrays):
        monkeypatch.setattr(module, "ALWAYS", 5000)
    monkeypatch.setattr(reports, "EXPANSION", 1)
    with pytest.raises(FormatError, match=r"would unpack to [26]0,(000|128);.*--allow-expansion"):
        ns.read(path)
    with io.allow_expansion():
        np.testing.assert_array_equal(np.asarray(ns.read(path).data), expected)
    if name in ("a.tif", "a.nii.gz", "a.h5", "a.ome.zarr"):
        assert np.asarray(ns.read(path, lazy=True).data).shape == expected.shape
    run = ["filter", str(path), "--filter", "invert", "-o", str(tmp_path / "out.tif")]
    if name == "a.png":
        assert main(run) == 1
        assert "allow it: --allow-expansion" in capsys.readouterr().err
        assert main([*run, "--allow-expansion"]) == 0
        monkeypatch.setenv(reports.VARIABLE, "1")
        assert main(run) == 0


def test_a_picture_of_two_megabytes_takes_no_two_gigabytes(tmp_path):
    """Its header and a stream of deflate as a bomb has them; nothing of it is unpacked."""
    import struct
    import tracemalloc
    import zlib

    def chunk(kind, content):
        code = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", code)

    head = struct.pack(">IIBBBBB", 45_000, 45_000, 8, 0, 0, 0, 0)
    stream = bytes(2_000_000)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(png)
    tracemalloc.start()
    with pytest.raises(FormatError, match=r"unpack to 2,025,000,000.*1,073,741,824 bytes \(1 GiB"):
        ns.read(tmp_path / "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()

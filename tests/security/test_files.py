"""What files of others may not do when they are opened, and ours when others open them."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest

import napari_segment as ns
from napari_segment.errors import FormatError
from napari_segment.exchange.bioimageio import package
from napari_segment.io import read_labels
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

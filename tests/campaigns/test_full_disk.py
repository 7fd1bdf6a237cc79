"""A disk that is full or read-only: a sentence says so, and what was there stays whole."""

import errno
import os
import sys
import tempfile
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

import napari_segment as ns
from napari_segment import cli
from napari_segment.errors import FormatError
from napari_segment.io.replacing import write_atomically
from napari_segment.recipe import Recipe, Spec

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limits of files")
SUFFIXES = (".tif", ".ome.tif", ".ome.zarr", ".nii.gz", ".nrrd", ".npz", ".npy")
LIMITS = (0, 400, 1000, 10_000)


@contextmanager
def full_after(size):
    """Let no file grow beyond a number of bytes, as on a disk that is nearly full."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # it would be cut off
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = bytecode


@contextmanager
def read_only(monkeypatch):
    """Refuse new files and folders."""

    def refuses(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", refuses)
        patch.setattr(os, "open", refuses)
        yield


def labels(seed):
    data = np.random.default_rng(seed).integers(0, 60_000, (4, 100, 100), dtype=np.uint16)
    return ns.Labels(data, "ZYX", features={"label": np.arange(3), "size": np.full(3, seed)})


def whole(path, expected):
    assert np.array_equal(ns.read(path).data, expected.data)
    table = pd.read_csv(path.parent / "a.features.csv")
    assert table["size"].tolist() == expected.features["size"].tolist()
    assert not [p for p in path.parent.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", LIMITS)
def test_full_disk_keeps_the_earlier_result(tmp_path, suffix, size):
    path = tmp_path / f"a{suffix}"
    ns.write(labels(1), path)
    with full_after(size), pytest.raises(FormatError) as error:
        ns.write(labels(2), path)
    assert str(tmp_path) in str(error.value)
    assert "can be written" in str(error.value)
    whole(path, labels(1))
    ns.write(labels(2), path)
    whole(path, labels(2))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_read_only_folder_keeps_the_earlier_result(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    ns.write(labels(1), path)
    with read_only(monkeypatch), pytest.raises(FormatError, match=r"[Rr]ead-only"):
        ns.write(labels(2), path)
    whole(path, labels(1))


def test_small_files_are_old_or_new(tmp_path):
    path = tmp_path / "state"
    write_atomically(path, b"1" * 5000)
    with full_after(100), pytest.raises(FormatError, match="before is whole"):
        write_atomically(path, b"2" * 5000)
    assert path.read_bytes() == b"1" * 5000
    assert list(tmp_path.iterdir()) == [path]


def test_tables_and_recipes_are_old_or_new(tmp_path):
    tables = [pd.DataFrame({"x": np.arange(9000) * number}) for number in (1, 2)]
    specs = [Spec(name="otsu", settings={"text": str(number) * 2000}) for number in (1, 2)]
    recipes = [Recipe(method=spec) for spec in specs]
    for name, (old, new) in {"a.csv": tables, "a.yaml": recipes}.items():
        ns.write(old, tmp_path / name)
        before = (tmp_path / name).read_bytes()
        with full_after(1000), pytest.raises(FormatError, match="before is whole"):
            ns.write(new, tmp_path / name)
        assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("command", ["segment", "filter", "measure"])
def test_commands_say_so_in_one_line(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    ns.write(labels(1), tmp_path / "a.tif")
    given = {
        "segment": ["segment", "otsu", "a.tif", "-o", "out.tif"],
        "filter": ["filter", "a.tif", "-o", "out.tif", "--filter", "gaussian"],
        "measure": ["measure", "a.tif", "-o", "out.csv"],
    }[command]
    assert cli.main(given) == cli.OK  # compiled code is stored by now
    for path in tmp_path.glob("out.*"):
        path.unlink()
    capsys.readouterr()
    with full_after(100):
        assert cli.main(given) == cli.FAILED
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "can be written" in said[0]
    assert "debug" not in said[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.features.csv", "a.tif"]
    assert cli.main(given) == cli.OK

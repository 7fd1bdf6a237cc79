"""Hashes of content."""

import hashlib

import dask.array as da
import numpy as np

from napari_segment.io import hashing
from napari_segment.io.hashing import array_hash, content_hash, file_hash


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_hash(tmp_path / "a") == content_hash(tmp_path / "a") == expected


def test_of_a_large_file_the_ends_are_hashed(tmp_path, monkeypatch):
    monkeypatch.setattr(hashing, "_WHOLE", 10)
    monkeypatch.setattr(hashing, "_END", 4)
    (tmp_path / "a").write_bytes(b"abcdefghijkl")
    expected = hashlib.sha256(b"12" + b"abcd" + b"ijkl").hexdigest()
    assert content_hash(tmp_path / "a") == f"sha256-of-ends:{expected}"


def test_of_a_folder_names_and_sizes_are_hashed(tmp_path):
    (tmp_path / "a.zarr" / "0").mkdir(parents=True)
    (tmp_path / "a.zarr" / "0" / "c").write_bytes(b"12")
    first = content_hash(tmp_path / "a.zarr")
    assert first.startswith("sha256-of-names:")
    (tmp_path / "a.zarr" / "0" / "c").write_bytes(b"123")
    assert content_hash(tmp_path / "a.zarr") != first


def test_arrays_differ_by_type_shape_and_values():
    array = np.arange(6, dtype=np.uint8)
    others = [array + 1, array.reshape(2, 3), array.astype(np.int8), array[:0]]
    assert len({array_hash(a) for a in [array, *others]}) == 5
    assert array_hash(np.arange(12, dtype=np.uint8)[::2]) == array_hash(
        np.array([0, 2, 4, 6, 8, 10], np.uint8)
    )
    assert array_hash(da.zeros(3)) == ""

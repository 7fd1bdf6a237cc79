"""Whatever a library raises becomes an error that names the file and a next step."""

import pickle

import numpy as np
import pytest

from napari_segment import io
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.image import Image
from napari_segment.io.boundary import lazy_array, reading


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".npz", ".png", ".tif", ".npy", ".dcm"])
@pytest.mark.parametrize("content", [b"", b"no such thing", bytes(400)])
@pytest.mark.parametrize("lazy", [False, True])
def test_files_of_something_else(tmp_path, suffix, content, lazy):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="broken"):
        io.read(path, lazy=lazy)


@pytest.mark.parametrize(
    "error", [zipped := RuntimeError("x"), AssertionError(), OSError(5, "I/O")]
)
def test_any_exception_is_turned(tmp_path, error):
    message = r"a\.tif cannot be read as TIFF.*copy or export"
    with pytest.raises(FormatError, match=message) as got, reading(tmp_path / "a.tif", "TIFF"):
        raise error
    assert got.value.__cause__ is error


def test_too_little_memory_and_interrupts(tmp_path):
    message = "more memory than is free"
    with pytest.raises(FormatError, match=message), reading(tmp_path / "a.tif", "TIFF"):
        raise MemoryError
    with pytest.raises(KeyboardInterrupt), reading(tmp_path / "a.tif", "TIFF"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".nii", ".nii.gz"])
def test_lazy_blocks_of_a_file_that_is_gone(tmp_path, suffix):
    data = np.random.default_rng(0).integers(0, 255, (6, 40, 30)).astype(np.uint8)
    path = io.write(Image(data), tmp_path / f"a{suffix}")
    image = io.read(path, lazy=True)
    path.unlink()
    with pytest.raises(FormatError, match="is not there"):
        image.compute()


class _Failing:
    shape, dtype, ndim = (4, 4), np.dtype(float), 2

    def __getitem__(self, index):
        raise ValueError("bad block")


def test_lazy_arrays_of_any_source_pass_the_boundary(tmp_path):
    array = pickle.loads(pickle.dumps(lazy_array(_Failing(), tmp_path / "a.x", "X")))
    with pytest.raises(
        FormatError, match=r"a\.x cannot be read as X: .*\(bad block\)\. It is damaged"
    ):
        array.compute()


@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz", ".npz", ".png"])
@pytest.mark.parametrize("command", ["segment otsu", "filter --filter gaussian"])
def test_commands_go_on_after_a_damaged_file(tmp_path, capsys, suffix, command):
    plane = np.random.default_rng(0).integers(0, 255, (40, 30)).astype(np.uint8)
    paths = [io.write(Image(plane), tmp_path / f"{name}{suffix}") for name in "abc"]
    whole = paths[1].read_bytes()
    paths[1].write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    assert main([*command.split(), *map(str, paths), "-o", str(out)]) == 1
    assert {io.stem(p) for p in io.images_in(out)} == {"a", "c"}
    assert f"b{suffix}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tif", b"\x89PNG\r\n\x1a\n" + bytes(40), "that of a PNG file. Rename it"),
        ("a.png", b"\xff\xd8\xff\xe0" + bytes(40), "that of a JPEG file"),
        ("a.nrrd", b"II*\0" + bytes(40), "that of a TIFF file"),
        ("a.dcm", b"NRRD0004\n", "no DICOM file"),
        ("a.nii", b"", "empty"),
    ],
)
def test_the_content_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=said):
        io.read(tmp_path / name)


@pytest.mark.parametrize(
    "internal",
    ["'NoneType' object has no attribute 'x'", "cannot reshape array", "<TiffPage 0> failed"],
)
def test_internal_text_is_not_shown(tmp_path, internal):
    with pytest.raises(FormatError) as got, reading(tmp_path / "a.tif", "TIFF"):
        raise ValueError(internal)
    assert internal not in str(got.value)
    assert "copy or export" in str(got.value)

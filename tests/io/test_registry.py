"""The registry of formats: suffixes, plug-ins, napari's manifest, and the listing of folders."""

from importlib.resources import files

import numpy as np
import pytest
import yaml

from napari_segment import io
from napari_segment.api.batch.paths import inputs_of
from napari_segment.errors import FormatError, PluginError
from napari_segment.image import Image
from napari_segment.io.contents import gather


@pytest.fixture
def raw():
    """A format of a plug-in with a compound suffix: bytes of 2 x 3 pixels."""

    def read(path, *, axes="", lazy=False, series=""):
        return gather(path, np.frombuffer(path.read_bytes(), np.uint8).reshape(2, 3), "YX")

    def write(stack, path):
        path.write_bytes(stack.data.tobytes())

    form = io.Format(name="raw", title="raw", suffixes=(".six.raw",), read=read, write=write)
    yield io.formats.add(form)
    del io.formats._formats["raw"]


def test_format_of_a_plugin_is_read_written_named_and_listed(raw, tmp_path):
    path = tmp_path / "a.six.raw"
    io.write(Image(np.arange(6, dtype=np.uint8).reshape(2, 3)), path)
    assert io.read(path).data.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (io.stem(path), io.suffix(path)) == ("a", ".six.raw")
    assert io.images_in(tmp_path) == list(inputs_of([str(tmp_path)])) == [path]
    path.write_bytes(b"12345")
    with pytest.raises(FormatError, match=r"a\.six\.raw cannot be read as raw: its content"):
        io.read(path)


def test_suffix_of_another_format_is_refused(raw):
    with pytest.raises(PluginError, match=r"'\.tif'.*belongs to 'tiff'"):
        io.formats.add(io.Format(name="mine", title="", suffixes=(".tif",), read=raw.read))


def test_manifest_offers_what_is_read_and_written():
    text = (files("napari_segment") / "napari.yaml").read_text("utf-8")
    manifest = yaml.safe_load(text)["contributions"]
    (reader,) = manifest["readers"]
    assert reader["filename_patterns"] == io.formats.reader_patterns()
    assert reader["accepts_directories"] is True
    assert [w["filename_extensions"] for w in manifest["writers"]] == [
        io.formats.writer_extensions(content) for content in ("images", "labels")
    ]
    assert {"*.tif", "*.dcm", "*.zarr", "*.nii.gz"} <= set(reader["filename_patterns"])
    assert not {".png", ".dcm", ".jpg"} & set(io.formats.writer_extensions("images"))
    assert ".dcm" in io.formats.writer_extensions("labels")


@pytest.mark.parametrize(
    ("name", "labels", "floats"),
    [("a.png", ".png", ".tif"), ("a.jpg", ".png", ".tif"), ("a.dcm", ".nii.gz", ".nii.gz"),
     ("a.nii.gz", ".nii.gz", ".nii.gz"), ("a.xyz", ".xyz", ".xyz")],
)  # fmt: skip
def test_suffix_that_keeps_values(name, labels, floats):
    assert io.exact_suffix(name, "labels") == labels
    assert io.exact_suffix(name, "floats") == floats

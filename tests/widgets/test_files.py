"""napari's File menu: reading, writing, samples."""

import numpy as np
import pytest
from napari.layers import Layer

from napari_segment import api
from napari_segment.image import Image
from napari_segment.samples import SAMPLES
from napari_segment.widgets import files


def test_reader_takes_only_what_it_knows(tmp_path):
    assert files.get_reader(str(tmp_path / "a.nii.gz")) is files.read_layers
    assert files.get_reader([str(tmp_path / "a.nii"), str(tmp_path / "b.docx")]) is None
    assert files.get_reader([]) is None


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".ome.tif"])
def test_layers_go_to_files_and_back(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    numbers = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    image = Image(numbers, "ZYX", (2, 0.5, 0.5), "millimeter", name="a")
    data, attributes, _ = files.stack_layer(image)
    assert files.write_image(str(path), data, attributes) == [str(path)]
    ((data, attributes, kind),) = files.read_layers(str(path))
    layer = Layer.create(data, attributes, kind)
    np.testing.assert_array_equal(np.asarray(layer.data), numbers)
    extent = np.abs(np.subtract(layer.data_to_world([1, 1, 1]), layer.data_to_world([0, 0, 0])))
    np.testing.assert_allclose(extent, [2, 0.5, 0.5], rtol=1e-6)
    assert str(layer.units[-1]) == "millimeter"


def test_labels_are_written_as_labels(tmp_path):
    path = tmp_path / "a.nii.gz"
    numbers = np.array([[0, 1], [2, 2]], np.uint8)
    written = files.write_labels(str(path), numbers, {"name": "a", "axis_labels": ("y", "x")})
    assert written == [str(path)]
    np.testing.assert_array_equal(np.asarray(api.read(path).data).squeeze(), numbers)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_open_as_layers(name):
    image, truth = (Layer.create(*data) for data in getattr(files, name)())
    assert image.visible
    assert not truth.visible
    np.testing.assert_allclose(image.scale, truth.scale)
    assert truth.data.shape == image.data.shape[: truth.ndim]
    assert truth.units == image.units

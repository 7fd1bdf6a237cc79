"""napari's File menu: reading, writing, samples."""

import numpy as np
import pytest
from napari.layers import Layer

from napari_segment import api, io
from napari_segment.image import Image, Labels
from napari_segment.samples import SAMPLES
from napari_segment.widgets.layers import files


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


def test_features_of_labels_come_back(tmp_path):
    path = tmp_path / "a.ome.tif"
    objects = np.array([[0, 3], [7, 7]], np.uint8)
    columns = {"label": np.array([3, 7]), "class": np.array(["", "cat"]), "score": [0.5, 0.25]}
    api.write(Labels(objects, features=columns), path)
    features = api.as_labels(path).features
    assert features["label"].tolist() == [3, 7]
    assert features["class"].tolist() == ["", "cat"]
    assert features["score"].tolist() == [0.5, 0.25]
    ((data, attributes, kind),) = files.read_layers(str(path))
    assert kind == "labels"
    layer = Layer.create(data, attributes, kind)
    assert layer.features["class"][7] == "cat"
    api.write(Labels(objects), path)
    assert api.as_labels(path).features == {}


def test_a_table_of_something_else_is_not_taken(tmp_path):
    path = tmp_path / "a.tif"
    api.write(Labels(np.array([[0, 1]], np.uint8)), path)
    (tmp_path / "a.features.csv").write_text("height,width\n1,2\n", "utf-8")
    assert api.as_labels(path).features == {}


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


@pytest.mark.parametrize("name", ["CT.1.3.12.2.1107", "1.2.840.10008.5", "IM000001", "plain"])
def test_dicom_without_suffix_is_read(tmp_path, name):
    from napari.plugins import _npe2
    from npe2 import PluginManager

    PluginManager.instance().discover()
    path = tmp_path / name
    path.write_bytes(bytes(128) + b"DICM")
    assert files.get_reader(str(path)) is files.read_layers
    offered = "napari-segment" in _npe2.get_readers(str(path))
    assert offered == (name != "plain")  # napari looks at names before it asks a reader
    path.write_text("something else")
    assert files.get_reader(str(path)) is None


def test_readers_are_not_offered_for_everything(tmp_path):
    from napari.plugins import _npe2
    from npe2 import PluginManager

    PluginManager.instance().discover()
    assert "napari-segment" not in _npe2.get_readers(str(tmp_path / "cells.2024.csv"))
    assert "napari-segment" in _npe2.get_readers(str(tmp_path))


def test_a_file_with_a_recipe_holds_labels(tmp_path):
    labels = api.segment(SAMPLES["nuclei"]()[0], "otsu")
    path = api.write(labels, tmp_path / "mask.ome.tif")
    ((_, _, kind),) = files.read_layers(str(path))
    assert kind == "labels"


def test_names_and_colours_go_through_layers(tmp_path):
    labels = Labels(
        np.eye(5, dtype=np.uint8) * 2, "YX", holds="classes", names={2: "liver"},
        header={"colors": {2: (1.0, 0.5, 0.25)}},
    )  # fmt: skip
    layer = Layer.create(*files.stack_layer(labels))
    np.testing.assert_allclose(layer.get_color(2)[:3], (1, 0.5, 0.25), atol=0.01)
    path = tmp_path / "a.seg.nrrd"
    files.write_labels(str(path), *layer.as_layer_data_tuple()[:2])
    actual = io.read_labels(path)
    assert (actual.names, actual.holds) == ({2: "liver"}, "classes")
    assert list(actual.header["colors"][2]) == [1, 0.5, 0.25]

"""Markers lie where the eye sees them, whatever the layers' dimensions and units."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_segment.errors import InputError
from napari_segment.widgets.layers.markers import markers_of

UNITS = {"T": "second", "C": "pixel"}
SHAPE = {"T": 2, "C": 3, "Z": 4, "Y": 20, "X": 30}
VOXEL = {"T": 1, "C": 2, "Z": 3, "Y": 4, "X": 8}


@pytest.fixture
def viewer():
    return ViewerModel()


def geometry(axes, **units):
    scale = [{"T": 10.0, "Z": 2.0, "Y": 0.5, "X": 0.5}.get(a, 1.0) for a in axes]
    units = [units.get(a, UNITS.get(a, "um")) for a in axes]
    return {"scale": scale, "units": units, "axis_labels": tuple(axes.lower())}


def add_image(viewer, axes, **more):
    data = np.zeros([SHAPE[a] for a in axes], np.uint8)
    translate = np.arange(len(axes)) + 100.0
    return viewer.add_image(data, translate=translate, rgb=False, **geometry(axes), **more)


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "CZYX", "TZYX", "TCZYX", "CTZYX"])
@pytest.mark.parametrize("units", [{}, {"Y": "nm", "X": "nm"}])
def test_a_point_marks_the_voxel_that_it_is_seen_on(viewer, axes, units):
    image = add_image(viewer, axes)
    world = np.array(image.data_to_world([VOXEL[a] + 0.3 for a in axes]))
    world *= [1000.0 if a in units else 1.0 for a in axes]
    n = len(axes)
    points = viewer.add_points(ndim=n, units=[units.get(a, UNITS.get(a, "um")) for a in axes])
    points.add(world)
    marks = markers_of(viewer, points, image, axes)
    assert marks.axes == axes.replace("C", "")
    assert np.argwhere(marks.data).tolist() == [[VOXEL[a] for a in axes if a != "C"]]


def test_points_without_the_channel_mark_all(viewer):
    image = add_image(viewer, "CZYX")
    points = viewer.add_points([image.data_to_world([0, 3, 4, 8])[1:]], units=("um",) * 3)
    marks = markers_of(viewer, points, image, "CZYX")
    assert np.argwhere(marks.data).tolist() == [[3, 4, 8]]


@pytest.mark.parametrize("axes", ["CZYX", "TCYX"])
def test_labels_painted_at_a_channel_mark_all(viewer, axes):
    image = add_image(viewer, axes)
    labels = viewer.add_labels(np.zeros(image.data.shape, np.uint8), **geometry(axes))
    labels.data[tuple(VOXEL[a] for a in axes)] = 7
    marks = markers_of(viewer, labels, image, axes)
    assert np.argwhere(marks.data == 7).tolist() == [[VOXEL[a] for a in axes if a != "C"]]


@pytest.mark.parametrize("axes", ["YX", "TYX"])
def test_colours_are_marked_too(viewer, axes):
    shape = [SHAPE[a] for a in axes]
    image = viewer.add_image(np.zeros((*shape, 3), np.uint8), rgb=True)
    voxel = tuple(VOXEL[a] for a in axes)
    labels = viewer.add_labels(np.zeros(shape, np.uint8))
    labels.data[voxel] = 7
    for layer in (viewer.add_points([voxel]), labels):
        marks = markers_of(viewer, layer, image, axes)
        assert marks.axes == axes
        assert np.argwhere(marks.data).tolist() == [list(voxel)]


def test_points_that_mark_nothing_are_reported(viewer):
    image = add_image(viewer, "ZYX")
    with pytest.raises(InputError, match="have no Z: the layer has 2 dimensions"):
        markers_of(viewer, viewer.add_points([[3, 4]]), image, "ZYX")
    with pytest.raises(InputError, match="No point"):
        markers_of(viewer, viewer.add_points(ndim=3), image, "ZYX")
    with pytest.raises(InputError, match="No point"):
        markers_of(viewer, viewer.add_points([[900, 900, 900]]), image, "ZYX")

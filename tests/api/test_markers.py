"""Points of a napari layer as markers, on images from anywhere."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer
from napari.layers import Points

from napari_segment.api import segment
from napari_segment.api.markers import on_image
from napari_segment.errors import InputError
from napari_segment.image import Image

IMAGE = Image(
    np.zeros((2, 3, 4, 20, 30), np.uint8), "TCZYX", spacing=(2.0, 0.5, 0.5), unit="micrometer",
    interval=10.0, name="cells",
)  # fmt: skip
SCALE, UNITS = (10.0, 2.0, 0.5, 0.5), ("second", "um", "um", "um")


def at(points, **options):
    marks = on_image("markers", Points(np.array(points), **options), IMAGE)
    assert (marks.axes, marks.shape, marks.spacing) == ("TZYX", (2, 4, 20, 30), (2.0, 0.5, 0.5))
    return {int(marks.data[tuple(index)]): index.tolist() for index in np.argwhere(marks.data)}


def test_points_mark_the_nearest_voxels_in_their_order():
    points = [[1, 3, 4.2, 8], [0, 0, 0, 29.4], [0, 0, 99, 0]]
    assert at(points, scale=SCALE, units=UNITS) == {1: [1, 3, 4, 8], 2: [0, 0, 0, 29]}


def test_points_may_have_another_scale_unit_and_the_channel():
    world = [[10, 0, 6000, 2000, 4000]]
    units = ("second", "pixel", "nm", "nm", "nm")
    assert at(world, units=units) == {1: [1, 3, 4, 8]}


def test_points_that_fit_no_image_are_refused():
    with pytest.raises(InputError, match="have 2 coordinates, but the image has the axes TZYX"):
        at([[1, 2]])
    with pytest.raises(InputError, match="No point of 'far' lies in the image 'cells'"):
        at([[0, 0, 500, 0]], name="far")
    with pytest.raises(InputError, match="No point"):
        at(np.empty((0, 4)))


def test_layers_are_segmented_from_points_as_from_labels():
    valley = np.abs(np.arange(20) - 9.0) * np.ones((8, 1))
    image = ImageLayer(valley, scale=(0.5, 0.5), translate=(3, 5), units=("um", "um"))
    positions = [[4, 2], [4, 17]]
    points = Points([image.data_to_world(position) for position in positions], units=("um", "um"))
    marks = np.zeros(valley.shape, int)
    marks[4, 2], marks[4, 17] = 1, 2
    labels = LabelsLayer(marks, scale=image.scale, translate=image.translate, units=image.units)
    actual = [segment(image, "watershed", markers=m).data for m in (points, labels, marks)]
    assert np.unique(actual[0]).tolist() == [1, 2]
    np.testing.assert_array_equal(actual[0], actual[1])
    np.testing.assert_array_equal(actual[0], actual[2])

"""Whatever holds pixels is taken as an Image or as Labels."""

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer

from napari_segment import Image, Labels, write
from napari_segment.api.coercion import as_image, as_labels
from napari_segment.errors import InputError

DATA = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)


def sources(folder):
    store = zarr.create_array(folder / "a.zarr", data=DATA, chunks=(1, 3, 4))
    return [
        DATA, DATA.tolist(), da.from_array(DATA, chunks=2), store, Image(DATA),
        write(Image(DATA), folder / "a.tif"), str(folder / "a.tif"), ImageLayer(DATA, rgb=False),
    ]  # fmt: skip


def test_everything_with_pixels_is_an_image(tmp_path):
    for given in sources(tmp_path):
        image = as_image(given)
        assert isinstance(image, Image), given
        assert image.axes == "ZYX", given
        np.testing.assert_array_equal(np.asarray(image.data), DATA)


def test_what_is_lazy_stays_lazy(tmp_path):
    lazy = [as_image(given).is_lazy for given in sources(tmp_path)]
    assert lazy == [False, False, True, True, False, False, False, False]


def test_letters_that_are_given_win():
    assert as_image(Image(DATA, "ZYX"), "TYX").axes == "TYX"
    assert as_image(DATA, "CYX").axes == "CYX"
    assert as_labels(Labels(DATA, "ZYX"), "TYX").axes == "TYX"


def test_geometry_goes_from_labels_to_images_and_back():
    labels = Labels(DATA, "ZYX", spacing=(2, 1, 1), unit="micrometer", holds="classes")
    image = as_image(labels)
    assert (type(image), image.spacing, image.unit) == (Image, (2, 1, 1), "micrometer")
    again = as_labels(image, holds="classes")
    assert (again.holds, again.spacing, again.unit) == ("classes", (2, 1, 1), "micrometer")


def test_what_labels_hold():
    assert as_labels(DATA).holds == "objects"
    assert as_labels(DATA, holds="classes").holds == "classes"
    assert as_labels(DATA > 3, holds="classes").holds == "mask"  # there is nothing else to be
    assert as_labels(Labels(DATA, holds="classes"), holds="objects").holds == "classes"
    layer = LabelsLayer(DATA.astype(int), metadata={"napari-segment": {"holds": "classes"}})
    assert as_labels(layer).holds == "classes"


@pytest.mark.parametrize("number", [255, "none"])
def test_black_and_white_files_are_masks_unless_255_is_no_label(tmp_path, number):
    path = write(Image(np.array([[0, 255], [255, 0]], np.uint8)), tmp_path / "a.png")
    labels = as_labels(path, holds="classes", ignore_index=number)
    assert (labels.holds, labels.data.max()) == (("classes", 255) if number == 255 else ("mask", 1))


@pytest.mark.parametrize("wrong", [np.array(["a", "b"]), np.zeros((2, 2), complex), {"a": 1}])
def test_what_holds_no_numbers_is_refused(wrong):
    with pytest.raises(InputError, match="as an image"):
        as_image(wrong)

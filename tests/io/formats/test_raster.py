import numpy as np
import pytest
from PIL import Image as Picture

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels


@pytest.fixture
def colour(rng):
    return rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)


def test_colour_is_named(tmp_path, colour):
    Picture.fromarray(colour).save(tmp_path / "a.png")
    actual = io.read(tmp_path / "a.png")
    assert (actual.axes, actual.channels) == ("YXC", RGB)
    np.testing.assert_array_equal(actual.data, colour)


def test_transparency_and_grey(tmp_path, colour):
    Picture.fromarray(np.dstack([colour, colour[..., 0]]), "RGBA").save(tmp_path / "a.png")
    assert io.read(tmp_path / "a.png").channels == (*RGB, "alpha")
    Picture.fromarray(colour[..., 0]).save(tmp_path / "b.png")
    assert (io.read(tmp_path / "b.png").axes) == "YX"


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits(tmp_path, rng, channels):
    data = rng.integers(0, 65535, (20, 30, channels)).astype(np.uint16)
    image = Image(data, "YXC", channels=RGB) if channels == 3 else Image(data[..., 0], "YX")
    actual = io.read(io.write(image, tmp_path / "a.png"))
    assert actual.dtype == np.uint16
    np.testing.assert_array_equal(actual.data, image.data)


def test_jpeg_is_near(tmp_path):
    y, x = np.mgrid[:40, :60]
    image = Image(np.dstack([3 * x, 4 * y, x + y]).astype(np.uint8), "YXC", channels=RGB)
    actual = io.read(io.write(image, tmp_path / "a.jpg"))
    assert actual.is_rgb
    assert np.abs(actual.data.astype(int) - image.data).mean() < 4
    with Picture.open(tmp_path / "a.jpg") as other:
        assert np.abs(np.array(other).astype(int) - actual.data).max() <= 2


def test_orientation_tag_is_ignored(tmp_path, colour):
    tag = Picture.Exif()
    tag[0x0112] = 6  # turned by 90 degrees
    Picture.fromarray(colour).save(tmp_path / "a.jpg", exif=tag)
    assert io.read(tmp_path / "a.jpg").shape == (20, 30, 3)


def test_palette_gives_colours_or_indices(tmp_path, rng):
    indices = rng.integers(0, 5, (20, 30)).astype(np.uint8)
    picture = Picture.fromarray(indices, "P")
    palette = rng.integers(0, 255, (256, 3)).astype(np.uint8)
    picture.putpalette(palette.ravel().tolist())
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(io.read(tmp_path / "a.png").data, palette[indices])
    np.testing.assert_array_equal(io.read_labels(tmp_path / "a.png").data, indices)


def test_labels_in_equal_channels(tmp_path, colour):
    grey = np.repeat(colour[..., :1], 3, axis=2)
    Picture.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(io.read_labels(tmp_path / "a.png").data, grey[..., 0])
    Picture.fromarray(colour).save(tmp_path / "b.png")
    with pytest.raises(FormatError, match="which colour is which label is not known"):
        io.read_labels(tmp_path / "b.png")


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG"])
def test_labels_in_a_jpeg_are_refused(tmp_path, name):
    """Rather than take for objects what the compression makes of edges."""
    mask = np.zeros((20, 30), np.uint8)
    mask[5:12, 7:20] = 255
    Picture.fromarray(mask).save(tmp_path / name)
    with pytest.raises(FormatError, match=f"{name} is a JPEG, which changes values"):
        io.read_labels(tmp_path / name)


def test_one_bit_labels_are_a_mask(tmp_path, rng):
    mask = rng.random((20, 30)) > 0.5
    Picture.fromarray(mask).save(tmp_path / "a.png")
    actual = io.read_labels(tmp_path / "a.png")
    assert actual.holds == "mask"
    np.testing.assert_array_equal(actual.data, mask)


def test_masks_as_images_are_visible(tmp_path):
    image = Image(np.eye(5, dtype=bool), "YX")
    assert io.read(io.write(image, tmp_path / "a.png")).data.max() == 255


def test_labels_take_the_smallest_type(tmp_path):
    labels = Labels(np.arange(100).reshape(10, 10), "YX")
    assert io.read_labels(io.write(labels, tmp_path / "a.png")).dtype == np.uint8
    labels = Labels(np.arange(1000).reshape(10, 100), "YX")
    assert io.read_labels(io.write(labels, tmp_path / "a.png")).dtype == np.uint16


def test_single_plane_of_a_stack(tmp_path, volume):
    one = volume.replace(data=volume.data[:1])
    np.testing.assert_array_equal(io.read(io.write(one, tmp_path / "a.png")).data, one.data[0])

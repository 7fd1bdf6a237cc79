"""Pictures of planes with their labels."""

import numpy as np

from napari_segment import samples
from napari_segment.image import Image, Labels
from napari_segment.results.picture import coloured, grey, overlay, picture


def test_three_panels_of_the_middle_plane():
    image, labels = samples.cells((5, 20, 24))
    shown = picture(image, labels)
    assert shown.shape == (20, 72, 3)
    np.testing.assert_array_equal(shown[:, :24], grey(image.data[2]))
    np.testing.assert_array_equal(shown[:, 24:48], coloured(labels.data[2]))


def test_colours_and_time_and_channels():
    image, labels = samples.stained_tissue((20, 24))
    np.testing.assert_array_equal(picture(image, labels)[:, :24], image.data)
    data = np.zeros((3, 2, 6, 7))
    data[0, 0, 2, 2] = 1  # the first time point's first channel
    stack = Image(data, "TCYX")
    shown = picture(stack, Labels(np.zeros((3, 6, 7), np.uint8), "TYX"))
    assert np.argwhere(shown[..., 0]).tolist() == [[2, 2], [2, 16]]


def test_masks_are_white_and_numbers_have_colours():
    mask = np.array([[0, 1], [1, 0]])
    assert coloured(mask)[0].tolist() == [[0, 0, 0], [255, 255, 255]]
    colours = coloured(np.array([[0, 1, 2, 3, -1]]))[0]
    assert len(np.unique(colours, axis=0)) == 4
    assert not colours[4].any()


def test_only_labelled_pixels_of_an_overlay_differ():
    base = grey(np.arange(36.0).reshape(6, 6))
    labels = np.zeros((6, 6), np.uint8)
    labels[1:5, 1:5] = 1
    shown = overlay(base, labels)
    np.testing.assert_array_equal((shown != base).any(-1), labels > 0)
    assert shown[1, 1].tolist() == coloured(np.array([[2]]))[0, 0].tolist()  # the outline is plain


def test_nothing_to_show():
    flat = Image(np.full((3, 4), np.nan), "YX")
    assert not picture(flat, Labels(np.zeros((3, 4), np.uint8), "YX")).any()

"""Pictures of methods on a reduced plane."""

import time

import numpy as np
import pytest

from napari_segment import api
from napari_segment.image import Image
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import methods
from napari_segment.results.picture import grey, overlay
from napari_segment.widgets.jobs.thumbnails import (
    LONGEST,
    Wish,
    can_be_drawn,
    drawable,
    reduced_plane,
    thumbnails,
)

RECIPE = Recipe(method=Spec(name="otsu"))


def test_the_plane_in_view_is_taken_by_means_of_blocks():
    data = np.zeros((3, 2 * LONGEST, LONGEST), np.uint8)
    data[1, 0, 0] = 200
    wish = Wish(Image(data, "ZYX"), {"Z": 1}, RECIPE, ("otsu",))
    plane = reduced_plane(wish)
    assert plane.shape == (LONGEST, LONGEST // 2)
    assert float(plane.data[0, 0]) == 50.0
    assert float(plane.data.sum()) == 50.0


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (7, 5)])
def test_thin_planes_stay_planes(shape):
    plane = reduced_plane(Wish(Image(np.ones(shape), "YX"), {}, RECIPE, ()))
    assert max(plane.shape) <= LONGEST
    assert min(plane.shape) >= 1


def test_a_picture_is_the_plane_with_the_result_of_the_method_over_it():
    plane = np.random.default_rng(0).integers(0, 200, (40, 30)).astype(np.uint8)
    wish = Wish(Image(plane, "YX"), {}, RECIPE, ("otsu", "li"))
    pictures, remaining = thumbnails(wish)
    while remaining:
        more, remaining = thumbnails(Wish(wish.image, {}, RECIPE, remaining))
        pictures |= more
    assert list(pictures) == ["otsu", "li"]
    for name in pictures:
        expected = overlay(grey(plane.astype(np.float32)), api.segment(plane, name).data)
        np.testing.assert_array_equal(pictures[name], expected)


def test_a_newer_wish_ends_the_drawing_after_the_picture_at_hand():
    wish = Wish(Image(np.eye(20), "YX"), {}, RECIPE, ("otsu", "li", "mean"))
    pictures, remaining = thumbnails(wish, stale=lambda: True)
    assert (list(pictures), remaining) == (["otsu"], ("li", "mean"))


def test_a_plane_of_one_value_gives_pictures_of_the_plane():
    wish = Wish(Image(np.ones((20, 20)), "YX"), {}, RECIPE, ("minimum",))
    pictures, _ = thumbnails(wish)
    assert pictures["minimum"].shape == (20, 20, 3)


def test_methods_that_need_more_than_the_image_are_left_out():
    assert not can_be_drawn(methods["classifier"])
    assert not can_be_drawn(methods["network"])
    names = drawable(e for e in methods.values() if "threshold" in e.group)
    assert {"otsu", "li", "sauvola"} <= set(names)


def test_all_thresholds_of_a_plane_take_a_second_once_they_are_compiled():
    rng = np.random.default_rng(0)
    image = Image(rng.normal(size=(512, 512)).astype(np.float32), "YX")
    names = drawable(e for e in methods.values() if "threshold" in e.group)

    def draw():
        remaining = names
        while remaining:
            _, remaining = thumbnails(Wish(image, {}, RECIPE, remaining))

    draw()
    begun = time.process_time()
    draw()
    assert time.process_time() - begun < 1.5

"""Previews of single planes agree with what the run gives there."""

import threading
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from napari_segment import api
from napari_segment.image import Image
from napari_segment.registry import load_plugins, methods
from napari_segment.widgets.forms.curves import picture_of
from napari_segment.widgets.jobs.preview import GLOBAL, Look, Newest, Request, StaleError

GLOBAL_METHODS = [name for name, entry in methods.items() if entry.group == GLOBAL]


@pytest.fixture(scope="module")
def volume():
    rng = np.random.default_rng(3)
    bright = rng.random((5, 24, 30)) < 0.3
    numbers = rng.normal(300, 60, bright.shape) + 500 * bright + 80 * np.arange(5)[:, None, None]
    return Image(np.clip(numbers, 0, 4095).astype(np.uint16))


@pytest.mark.parametrize("name", GLOBAL_METHODS)
def test_plane_is_that_of_the_whole_volume(volume, name):
    recipe = api.recipe_of(name)
    run = api.segment(volume, name)
    view = Look()(Request(volume, {"Z": 3}, recipe))
    np.testing.assert_array_equal(view.labels, run.data[3])
    assert view.histogram.counts.sum() == volume.data.size
    assert view.note == ""


@pytest.fixture
def midway():
    """A plug-in's threshold."""
    load_plugins()
    saved = methods.snapshot()

    @methods.add("midway", title="Midway", gives="mask", group=GLOBAL)
    def midway(image):
        """Halfway between the smallest and the largest value."""
        return image > (int(image.min()) + int(image.max())) / 2

    yield
    methods.restore(saved)


@pytest.mark.usefixtures("midway")
def test_global_thresholds_of_plug_ins_are_run_on_the_plane(volume):
    view = Look()(Request(volume, {"Z": 3}, api.recipe_of("midway")))
    plane = volume.data[3].astype(int)
    np.testing.assert_array_equal(view.labels > 0, plane > (plane.min() + plane.max()) / 2)
    assert "plane alone" in view.note


def test_per_plane_takes_the_plane(volume):
    view = Look()(Request(volume, {"Z": 3}, api.recipe_of("otsu", apply_to="plane")))
    np.testing.assert_array_equal(
        view.labels, api.segment(volume, "otsu", apply_to="plane").data[3]
    )
    assert view.histogram.counts.sum() == volume.data[3].size


def test_all_times_together():
    film = Image(np.random.default_rng(0).integers(0, 99, (4, 9, 9)).astype(np.uint8), "TYX")
    recipe = api.recipe_of("otsu", apply_to="stack", times=(1, 4))
    view = Look()(Request(film, {"T": 2}, recipe))
    np.testing.assert_array_equal(view.labels, api.replay(recipe, film).data[1])
    assert view.histogram.counts.sum() == 3 * 81


def test_filters_and_lazy_images_say_that_the_plane_is_alone(volume):
    recipe = api.recipe_of("otsu", filters=["median"])
    assert "plane alone" in Look()(Request(volume, {"Z": 1}, recipe)).note
    lazy = volume.replace(data=da.from_array(volume.data))
    assert "plane alone" in Look()(Request(lazy, {"Z": 1}, api.recipe_of("otsu"))).note
    assert "plane alone" in Look()(Request(volume, {"Z": 1}, api.recipe_of("canny"))).note


def test_cleanups_of_volumes_say_that_the_plane_is_alone(volume):
    def look(**settings):
        return Look()(Request(volume, {"Z": 1}, api.recipe_of("otsu", **settings)))

    assert "plane alone" in look(cleanups=["fill_holes"]).note
    by_hand = api.recipe_of(("manual", {"value": 500}), filters=["gaussian"])
    assert "plane alone" in Look()(Request(volume, {"Z": 1}, by_hand)).note
    flat = by_hand.model_copy(update={"apply_to": "plane"})
    assert Look()(Request(volume, {"Z": 1}, flat)).note == ""
    assert look(cleanups=["fill_holes"], apply_to="plane").note == ""
    steps = ["fill_holes", "connected_components", "link_planes", "remove_small"]
    linked = look(cleanups=steps, apply_to="plane")
    assert "plane alone" in linked.note
    np.testing.assert_array_equal(
        linked.labels, look(cleanups=steps[:2], apply_to="plane").labels
    )  # what comes after the link is of volumes


def test_histogram_alone_draws_nothing(volume):
    view = Look()(Request(volume, {"Z": 1}, api.recipe_of("otsu"), draw=False))
    assert view.labels is None
    assert len(view.values) == 1


def test_hand_set_limits_are_drawn(volume):
    view = Look()(Request(volume, {"Z": 1}, api.recipe_of(("range", {"low": 300, "high": 700}))))
    assert view.values == (300, 700)


@pytest.mark.parametrize(
    ("name", "settings", "moved"),
    [
        ("manual", {"value": 300.0}, {"value": 500.0}),
        ("range", {"low": 300.0, "high": 700.0}, {"low": 500.0, "high": 900.0}),
        ("levels", {"thresholds": [300.0]}, {"thresholds": [500.0]}),
        ("levels", {"thresholds": [300.0, 700.0]}, {"thresholds": [500.0, 900.0]}),
    ],
)
def test_moved_lines_stay_in_the_settings_that_they_had(volume, name, settings, moved):
    view = Look()(Request(volume, {"Z": 1}, api.recipe_of((name, settings))))
    spec = view.moved([value + 200 for value in view.values])
    assert spec.settings == api.recipe_of((name, moved)).method.settings


def test_clusters_of_one_channel_show_their_borders(volume):
    view = Look()(Request(volume, {"Z": 1}, api.recipe_of(("kmeans", {"clusters": 3}))))
    low, high = view.values
    np.testing.assert_array_equal(
        view.labels, (volume.data[1] > low).astype(int) + (volume.data[1] > high)
    )


def test_borders_are_those_of_the_finite_values(volume):
    holed = volume.data.astype(np.float32)
    holed[1, :4] = np.nan
    view = Look()(Request(Image(holed), {"Z": 1}, api.recipe_of(("kmeans", {"clusters": 3}))))
    low, high = view.values
    plane = holed[1, 4:]
    np.testing.assert_array_equal(view.labels[4:], (plane > low).astype(int) + (plane > high))


@pytest.mark.parametrize("method", ["otsu", "canny", "kmeans"])
def test_of_no_pixels_nothing_is_drawn(method):
    view = Look()(Request(Image(np.zeros((0, 5), np.uint8)), {}, api.recipe_of(method)))
    assert view.labels.shape == (0, 5)


@pytest.mark.parametrize("method", ["otsu", "multi_otsu", "kmeans"])
def test_a_filter_may_change_the_grid(method):
    plane = np.repeat(np.array([[0, 0, 90, 90, 200, 200]], np.uint8), 4, axis=0)
    image = Image(plane, spacing=(2, 1))
    recipe = api.recipe_of(method, filters=["isotropic"])
    view = Look()(Request(image, {}, recipe))
    np.testing.assert_array_equal(view.labels, api.replay(recipe, image).data)


def test_stale_previews_end(volume):
    with pytest.raises(StaleError):
        Look()(Request(volume, {"Z": 1}, api.recipe_of("otsu"), stale=lambda: True))


def test_only_the_newest_waiting_call_is_made(qtbot):
    newest, go, made = Newest(), threading.Event(), []
    newest.ready.connect(made.append)

    def first():
        go.wait(10)
        return "first"

    newest.ask(first)
    qtbot.waitUntil(lambda: newest._waiting is None)
    for name in ("second", "third", "fourth"):
        newest.ask(lambda name=name: name)
    assert not newest.stale()  # it may end soon
    qtbot.waitUntil(newest.stale, timeout=5000)
    go.set()
    qtbot.waitUntil(lambda: made == ["first", "fourth"], timeout=5000)


def test_failed_previews_are_reported_and_the_next_is_made(qtbot):
    newest = Newest()
    with qtbot.waitSignal(newest.failed) as blocker:
        newest.ask(lambda: 1 / 0)
    assert blocker.args == ["The preview failed: division by zero (ZeroDivisionError)."]
    with qtbot.waitSignal(newest.ready):
        newest.ask(lambda: 1)


def test_pictures(qapp):
    grey = picture_of(np.linspace(0, 1, 12).reshape(3, 4))
    assert (grey.width(), grey.height()) == (4, 3)
    assert grey.pixelColor(3, 2).red() == 255
    labels = picture_of(np.array([[0, 1], [2, 50]], np.uint8), labels=True)
    assert labels.pixelColor(0, 0).getRgb()[:3] == (0, 0, 0)
    assert labels.pixelColor(1, 0).getRgb()[:3] != labels.pixelColor(0, 1).getRgb()[:3]
    colour = picture_of(np.full((2, 2, 3), (10, 20, 30), np.uint8))
    assert colour.pixelColor(1, 1).getRgb()[:3] == (10, 20, 30)


def test_the_histogram_is_of_the_image_that_is_asked_for():
    """Of another image of the same shape, of a part of it, and with another spacing."""
    look, random = Look(), np.random.default_rng(1)
    recipe = api.recipe_of("otsu", filters=[("gaussian", {"sigma": 2.0})])
    film = Image(random.integers(0, 99, (2, 9, 9)).astype(np.uint8), "TYX")
    other = Image(random.integers(100, 200, (2, 9, 9)).astype(np.uint8), "TYX")
    for image in (film, other, film.replace(data=film.data[::-1]), film.replace(spacing=(3, 3))):
        request = Request(image, {"T": 0}, recipe)
        want, got = Look()(request).histogram, look(request).histogram
        np.testing.assert_array_equal(got.centers, want.centers)
        np.testing.assert_array_equal(got.counts, want.counts)


def test_overwritten_pixels_are_counted_again():
    """One that no sample holds is counted once nothing changes any more (`recount`)."""
    look, recipe = Look(), api.recipe_of("otsu")
    image = Image(np.random.default_rng(1).integers(0, 99, (9, 90, 95)).astype(np.uint8))
    request = Request(image, {"Z": 1}, recipe)
    assert not look(request).remembered
    assert look(request).remembered
    image.data[3:] = 200
    view = look(request)
    assert not view.remembered
    np.testing.assert_array_equal(view.histogram.counts, Look()(request).histogram.counts)
    image.data[5, 1, 1] = 255
    assert look(request).remembered
    view = look(replace(request, recount=True))
    np.testing.assert_array_equal(view.histogram.counts, Look()(request).histogram.counts)
    assert view.histogram.counts[-1] == 1

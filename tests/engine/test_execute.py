"""Recipes over axes: what each entry is given, and how results are put back."""

import dask.array as da
import numpy as np
import pytest

from napari_segment import Image, Labels, Recipe, replay, segment
from napari_segment.api import recipe_of, segment_steps
from napari_segment.errors import InputError, SettingError, UnknownNameError
from napari_segment.registry import cleanups, filters, load_plugins, methods
from napari_segment.step import Step

SEEN = []


@pytest.fixture(autouse=True)
def _entries():
    """Entries that write down what they are given."""
    load_plugins()
    saved = [(r, r.snapshot()) for r in (filters, methods, cleanups)]
    SEEN.clear()

    @methods.add("spy", title="Spy", gives="mask")
    def spy(image, spacing, *, limit: float = 0.5):
        """Note the shape."""
        SEEN.append((image.shape, spacing))
        return image > limit

    @methods.add("spy_2d", title="Planes only", gives="objects", ndim=(2,))
    def spy_2d(image):
        """Number the voxels above 0."""
        SEEN.append(image.shape)
        out = np.zeros(image.shape, np.uint8)
        out[image > 0] = np.arange(1, (image > 0).sum() + 1)
        return out

    @methods.add("spy_many", title="Channels", gives="classes", channels="many")
    def spy_many(image, markers=None):
        """Take the largest channel."""
        SEEN.append((image.shape, None if markers is None else markers.shape))
        return image.argmax(0).astype(np.uint8)

    @methods.add("spy_points", title="Pointwise", gives="mask", pointwise=True)
    def spy_points(image):
        """Compare with the mean."""
        SEEN.append(image.shape)
        return image > image.mean()

    @methods.add("spy_long", title="Long", gives="mask")
    def spy_long(image):
        """Take two steps."""
        yield Step(1, 2, "first")
        yield Step(2, 2, "second")
        return image > 0

    @methods.add("spy_whole", title="Whole", gives="mask", whole="it floods the whole image.")
    def spy_whole(image):
        """Need everything."""
        return image > 0

    @filters.add("spy_negative", title="Negative")
    def spy_negative(image):
        """Flip the sign."""
        SEEN.append(image.shape)
        return -image

    @cleanups.add("spy_clean", title="Clean", gives="objects")
    def spy_clean(labels, image, spacing, holds):
        """Note everything."""
        SEEN.append((labels.dtype, image.shape, spacing, holds))
        return labels.astype(np.uint8)

    yield
    for registry, entries in saved:
        registry.restore(entries)


def ramp(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_a_3d_method_takes_the_volume_with_its_spacing():
    image = Image(ramp(2, 3, 4, 5), "TZYX", spacing=(3, 2, 1))
    labels = segment(image, "spy")
    assert [s for s, _ in SEEN] == [(3, 4, 5)] * 2
    assert SEEN[0][1] == (3.0, 2.0, 1.0)
    assert (labels.axes, labels.shape, labels.spacing) == ("TZYX", (2, 3, 4, 5), (3, 2, 1))
    assert np.array_equal(labels, image.data > 0.5)


def test_per_plane_gives_planes_and_their_spacing():
    segment(Image(ramp(2, 3, 4, 5), "TZYX", spacing=(3, 2, 1)), "spy", apply_to="plane")
    assert SEEN == [((4, 5), (2.0, 1.0))] * 6


def test_a_2d_method_on_a_stack_says_what_it_does():
    steps = segment_steps(Image(ramp(2, 3, 4, 5), "TZYX"), recipe_of("spy_2d"))
    assert next(steps).message == "Planes only: 6 planes of 4×5, each by itself"
    with pytest.raises(InputError, match="works on planes, not on volumes"):
        segment(ramp(3, 4, 5), "spy_2d", apply_to="volume")


def test_objects_are_numbered_through_the_planes_of_a_volume():
    data = np.zeros((2, 2, 1, 3))
    data[0, 0, 0, :2] = 1
    data[0, 1, 0, 0] = 1
    data[1, 1, 0, 0] = 1
    labels = segment(Image(data, "TZYX"), "spy_2d")
    assert np.asarray(labels)[:, :, 0].tolist() == [[[1, 2, 0], [3, 0, 0]], [[0, 0, 0], [1, 0, 0]]]


@pytest.mark.parametrize("axes", ["CYX", "YXC", "YCX"])
def test_many_channels_come_first_wherever_they_were(axes):
    image = Image(ramp(2, 3, 4), "CYX").transpose(axes)
    labels = segment(image, "spy_many")
    assert SEEN == [((2, 3, 4), None)]
    assert labels.axes == "YX"
    assert np.array_equal(labels, np.ones((3, 4)))


def test_many_channels_per_plane_with_markers():
    image = Image(ramp(2, 3, 4, 5), "CZYX")
    segment(image, "spy_many", apply_to="plane", markers=np.ones((3, 4, 5), int))
    assert SEEN == [((2, 4, 5), (4, 5))] * 3
    with pytest.raises(InputError, match=r"shape of the markers is \(2, 4, 5\), that of the image"):
        segment(image, "spy_many", markers=np.ones((2, 4, 5), int))
    with pytest.raises(InputError, match="markers do not lie on the image, which has"):
        segment(image, "spy_many", markers=np.ones((4, 5), int))


def test_methods_of_all_channels_refuse_one():
    image = Image(ramp(2, 3, 4), "CYX", channels=("a", "b"))
    with pytest.raises(InputError, match=r"takes all channels.*filter 'channels'"):
        segment(image, "spy_many", channel="b")
    segment(image, "spy_many", filters=[("channels", {"indices": (1,)})])
    assert SEEN == [((1, 3, 4), None)]


def test_one_channel_methods_never_guess_the_channel():
    image = Image(ramp(2, 3, 4), "CYX", channels=("a", "b"))
    with pytest.raises(InputError, match=r"2 channels.*channel=0"):
        segment(image, "spy")
    assert np.array_equal(segment(image, "spy", channel="b", limit=15), image.data[1] > 15)
    assert np.array_equal(segment(image, "spy", channel=1, limit=15), image.data[1] > 15)


def test_rgb_is_taken_as_luminance():
    image = Image(
        np.full((3, 4, 3), (255, 0, 0), np.uint8), "YXC", channels=("red", "green", "blue")
    )
    assert np.asarray(segment(image, "spy", limit=53)).all()
    assert not np.asarray(segment(image, "spy", limit=54)).any()


def test_per_stack_takes_all_times_together_where_neighbours_play_no_part():
    image = Image(ramp(2, 3, 4), "TYX")
    assert np.array_equal(
        segment(image, "spy_points", apply_to="stack"), image.data > image.data.mean()
    )
    assert SEEN == [(2, 3, 4)]
    with pytest.raises(InputError, match="looks at neighbours"):
        segment(image, "spy", apply_to="stack")


def test_a_time_range_is_cut_out():
    image = Image(ramp(5, 3, 4), "TYX")
    labels = segment(image, "spy", times=(1, 3), limit=15)
    assert np.array_equal(labels, image.data[1:3] > 15)
    with pytest.raises(InputError, match="5 time points"):
        segment(image, "spy", times=(3, 9))
    with pytest.raises(InputError, match="'YX' have no T"):
        segment(ramp(3, 4), "spy", times=(0, 1))


def test_filters_see_only_the_channels_that_are_wanted_and_change_nothing():
    data = ramp(2, 3, 4)
    before = data.copy()
    labels = segment(Image(data, "CYX"), "spy", filters=["spy_negative"], channel=0, limit=-6)
    assert SEEN[:-1] == [(3, 4)]
    assert np.array_equal(labels, -data[0] > -6)
    segment(Image(data, "CYX"), "spy_many", filters=["spy_negative"])
    assert SEEN[2:] == [(3, 4), (3, 4), ((2, 3, 4), None)]
    assert np.array_equal(data, before)


def test_many_channels_have_their_axis_even_if_there_is_one():
    labels = segment(Image(ramp(2, 3, 4), "TYX"), "spy_many")
    assert SEEN == [((1, 3, 4), None)] * 2
    assert labels.axes == "TYX"


def test_many_channels_come_first_when_times_are_taken_together():
    seen = []

    @methods.add("spy_all", title="All", gives="mask", channels="many", pointwise=True)
    def spy_all(image):
        """Note the shape."""
        seen.append(image.shape)
        return image[0] > 0

    labels = segment(Image(ramp(2, 3, 4, 5), "TCYX"), "spy_all", apply_to="stack")
    assert seen == [(3, 2, 4, 5)]
    assert (labels.axes, labels.shape) == ("TYX", (2, 4, 5))


def test_cleanups_get_a_mask_as_bool_and_say_what_comes_out():
    image = Image(ramp(3, 4, 5), "ZYX", spacing=(3, 2, 1))
    labels = segment(image, "spy", cleanups="spy_clean")
    assert SEEN[-1] == (np.dtype(bool), (3, 4, 5), (3.0, 2.0, 1.0), "mask")
    assert labels.holds == "objects"


def test_long_methods_forward_their_steps():
    steps = segment_steps(Image(ramp(2, 3, 4), "TYX"), recipe_of("spy_long"))
    messages = [step.message for step in steps]
    assert "T 0: first" in messages
    assert "T 1: second" in messages
    assert np.asarray(segment(ramp(3, 4), "spy_long")).sum() == 11


def test_recipes_record_every_setting_and_replay_identically(tmp_path):
    image = Image(ramp(3, 4))
    labels = segment(image, "spy", limit=3, filters="spy_negative", cleanups=["spy_clean"])
    assert isinstance(labels, Labels)
    assert labels.recipe.method.settings == {"limit": 3.0}
    assert labels.recipe.version
    path = labels.recipe.save(tmp_path / "a.yaml")
    for recipe in (path, labels.recipe, Recipe.load(path)):
        assert np.array_equal(replay(recipe, image), labels)


def test_dask_arrays_stay_lazy_and_give_the_same():
    da = pytest.importorskip("dask.array")
    data = ramp(2, 3, 8, 9)
    lazy = segment(Image(da.from_array(data, chunks=(1, 2, 5, 4)), "TZYX"), "spy", limit=20)
    assert lazy.is_lazy
    assert np.array_equal(lazy, segment(Image(data, "TZYX"), "spy", limit=20))
    with pytest.raises(InputError, match="it floods the whole image"):
        segment(da.from_array(data[0, 0]), "spy_whole")


def test_wrong_arguments_are_refused():
    with pytest.raises(UnknownNameError, match="no method named"):
        segment(ramp(3, 4), "spyy")
    with pytest.raises(SettingError, match="Did you mean 'limit'"):
        segment(ramp(3, 4), "spy", limits=3)
    with pytest.raises(InputError, match="real numbers"):
        segment(object(), "spy")


def ball_image(**fields):
    z, y, x = np.indices((10, 40, 42))
    inside = (3 * z - 15) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 < 150
    return Image(np.where(inside, 200, 10).astype(np.uint8), spacing=(3, 1, 1), **fields)


@pytest.mark.parametrize("apply_to", ["auto", "plane"])
def test_what_follows_a_resampling_works_on_its_grid_and_the_labels_on_the_image_s_own(apply_to):
    affine = np.array([[3.0, 0, 0, 7], [0, 1, 0, 8], [0, 0, 1, 9], [0, 0, 0, 1]])
    image = ball_image(affine=affine, unit="micrometer")
    result = segment(image, "spy", filters=["isotropic"], limit=105.0, apply_to=apply_to)
    assert SEEN[0] == (
        ((28, 40, 42), (1.0, 1.0, 1.0)) if apply_to == "auto" else ((40, 42), (1, 1))
    )
    assert result.spacing == image.spacing
    np.testing.assert_array_equal(result.affine, affine)
    np.testing.assert_array_equal(result.data, image.data > 105)


def test_resampling_in_a_recipe_of_the_command_line_and_on_blocks(tmp_path):
    import dask.array as da

    image = ball_image()
    steps = {"filters": [("isotropic", {"side": 0.7}), "gaussian"], "cleanups": ["split_touching"]}
    expected = segment(image, "otsu", **steps)
    lazy = image.replace(data=da.from_array(image.data, chunks=(3, 11, 17)))
    result = segment(lazy, "otsu", **steps)
    assert result.is_lazy
    np.testing.assert_array_equal(result.compute().data, expected.data)
    recipe = Recipe.load(expected.recipe.save(tmp_path / "cubic.yaml"))
    np.testing.assert_array_equal(replay(recipe, image).data, expected.data)


def test_markers_come_onto_the_resampled_grid():
    image = ball_image()
    markers = np.zeros(image.shape, np.uint8)
    markers[5, 20, 20], markers[0, 0, 0] = 1, 2
    segment(image, "spy_many", filters=[("isotropic", {"side": 1.5})], markers=markers)
    assert SEEN[-1] == ((1, 19, 27, 28), (19, 27, 28))


def test_markers_without_a_spacing_lie_on_the_image_s_grid():
    image = Image(np.ones((3, 8, 9)), "ZYX", (2.0, 0.5, 0.5), unit="micrometer")
    marks = np.zeros(image.shape, np.uint8)
    marks[1, 5, 2], marks[2, 7, 8] = 1, 2

    @methods.add("spy_markers", title="Markers", gives="objects")
    def spy_markers(image, markers=None):
        """Give the markers back."""
        return markers

    for given in (marks, Labels(marks), Labels(marks, spacing=image.spacing)):
        np.testing.assert_array_equal(segment(image, "spy_markers", markers=given).data, marks)


def test_boxes_and_maps_come_back_with_the_labels():
    from napari_segment.engine.grids import resample_labels_to

    fine = Labels(
        np.ones((8, 8), np.uint8),
        spacing=(0.5, 0.5),
        features={"label": np.array([1]), "bbox_y_stop": np.array([8])},
        maps={"probabilities": Image(np.ones((8, 8), np.float32), spacing=(0.5, 0.5))},
    )
    back = resample_labels_to(fine, Image(np.zeros((4, 4))))
    assert back.features["bbox_y_stop"].tolist() == [4]
    assert back.maps["probabilities"].shape == back.shape == (4, 4)


@pytest.mark.parametrize(("shape", "axes"), [((0, 4, 5), "TYX"), ((2, 0, 4, 5), "TZYX")])
@pytest.mark.parametrize("lazy", [False, True])
def test_stacks_without_time_points_or_planes_are_refused(shape, axes, lazy):
    data = da.zeros(shape) if lazy else np.zeros(shape)
    with pytest.raises(InputError, match=f"no position along {axes[shape.index(0)]}"):
        segment(Image(data, axes), "otsu", apply_to="plane")

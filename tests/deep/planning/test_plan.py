"""The rules from what was measured to what is decided."""

import numpy as np
import pytest

from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.label_semantics import looks_like_objects
from napari_segment.deep.planning.plan import make_plan
from napari_segment.deep.training import ENTRY
from napari_segment.errors import InputError, SettingError
from napari_segment.io.datasets.pairs import Pairs


def item(name="a", shape=(35, 51, 35), counts=None, **more):
    fields = {
        "case": 0, "time": -1, "part": "", "spacing": (1.0,) * len(shape), "unit": "millimeter",
        "channels": ("channel 0",), "quantiles": np.array([[0.0, 50.0, 99.0]]),
        "foreground": np.array([[10.0, 20.0, 30.0]]), "counts": counts or {0: 9, 1: 1, 2: 1},
        "dtype": "uint8",
    }  # fmt: skip
    return Item(name=name, shape=shape, **{**fields, **more})


def plan_of(items, pairs=None, memory=2**34, accelerated=False, **settings):
    checked = ENTRY.settings.model_validate(ENTRY.validate(settings))
    pairs = Pairs(()) if pairs is None else pairs
    return make_plan(items, pairs, checked, memory, accelerated)


def test_small_volumes_are_taken_whole():
    plan = plan_of([item()])
    assert plan.patch == (40, 56, 40)
    assert plan.reasons["patch"] == "the median image, whole"
    assert (plan.holds, plan.values, plan.channels_out) == ("classes", (0, 1, 2), 3)


def test_large_volumes_have_their_longest_sides_cut():
    plan = plan_of([item(shape=(100, 400, 400))])
    assert plan.patch == (64, 64, 64)
    assert "at most" in plan.reasons["patch"]
    assert plan_of([item(shape=(16, 400, 400))]).patch == (16, 128, 128)
    larger = plan_of([item(shape=(100, 400, 400))], accelerated=True)
    assert np.prod(larger.patch) > 2 * np.prod(plan.patch)


def test_reasons_write_large_numbers_out():
    dim, bright, flat = (item(quantiles=np.array([[0.0, 1.0, high]])) for high in (2.0, 65e3, 0.0))
    reasons = plan_of([dim, bright], patch=(64, 64, 64)).reasons
    assert reasons["batch"] == "at most 262,144 voxels a step, at least 2 patches"
    assert "a factor of 32,500)" in reasons["normalisation"]
    assert "one value alone" in plan_of([dim, flat]).reasons["normalisation"]
    large = plan_of([item(shape=(100, 400, 400))])
    assert large.reasons["patch"] == "the median image, at most 262,144 voxels of it"


def test_spacing_is_the_median_and_shapes_follow_it():
    items = [item(spacing=(s, 1.0, 1.0), shape=(30, 60, 60)) for s in (1.0, 2.0, 2.0)]
    plan = plan_of(items)
    assert plan.spacing == (2.0, 1.0, 1.0)
    assert plan.reasons["spacing"] == "the median of the cases"


def test_pixels_without_a_size_stay_as_they_are():
    assert plan_of([item(unit="pixel")]).spacing == ()


@pytest.mark.parametrize(("unit", "mirrored"), [("millimeter", False), ("micrometer", True)])
def test_anatomy_is_not_mirrored(unit, mirrored):
    assert plan_of([item(unit=unit)]).mirrored is mirrored


def test_hounsfield_units_are_scaled_alike():
    ct = item(dtype="int16", quantiles=np.array([[-1000.0, 40.0, 900.0]]))
    plan = plan_of([ct])
    assert plan.normalisation[0].scheme == "fixed"
    assert plan.normalisation[0].shift == pytest.approx(20)
    assert plan_of([item()]).normalisation[0].scheme == "zscore"
    assert plan_of([ct], normalisation="percentile").normalisation[0].scheme == "percentile"


@pytest.mark.parametrize(
    ("numbers", "objects"),
    [
        ([{1, 2}] * 5, False),
        ([{1}], False),
        ([set(range(1, 60))], True),
        ([{1, 2, 3}, set(range(1, 15))], True),
        ([{3, 80, 255}, {3}, {80}], False),
        ([{1, 2}, {1}], False),
    ],
)
def test_label_numbers_that_count_are_distinguished_from_classes(numbers, objects):
    assert looks_like_objects(numbers) is objects


def test_the_task_as_given_goes_before_the_rule():
    many = [item(counts=dict.fromkeys(range(60), 1))]
    assert plan_of(many).holds == "objects"
    assert plan_of(many, task="classes").holds == "classes"
    assert plan_of([item()], task="objects").channels_out == 2


def test_what_the_data_say_goes_before_the_rule():
    assert plan_of([item()], Pairs((), holds="objects")).holds == "objects"


def test_a_class_that_only_has_a_name_gets_its_channel():
    plan = plan_of([item()], Pairs((), names={1: "a", 2: "b", 5: "rare"}))
    assert plan.values == (0, 1, 2, 5)
    assert plan.names == {1: "a", 2: "b", 5: "rare"}


def test_names_come_from_the_label_files():
    named = [item("a", names={1: "edge"}), item("b", names={1: "edge", 2: "core"}), item("c")]
    plan = plan_of(named)
    assert plan.names == {1: "edge", 2: "core"}
    assert plan.reasons["classes"] == "1 edge, 2 core, as the data say"


def test_names_by_hand_go_before_those_of_the_files():
    plan = plan_of([item(names={1: "a"}), item(names={1: "b", 2: "c"})], classes=("1=d", "7=e"))
    assert plan.names == {1: "d", 2: "c", 7: "e"}
    assert plan.values == (0, 1, 2, 7)
    assert plan.reasons["classes"].endswith("as given")


def test_one_number_with_two_names():
    with pytest.raises(InputError, match=r"label 1 is called 'edge' in the case 'a', but 'core'"):
        plan_of([item("a", names={1: "edge"}), item("b", names={1: "core"})])


def test_labels_with_names_are_classes_however_many():
    many = [item(counts=dict.fromkeys(range(60), 1), names={1: "one"})]
    assert plan_of(many).holds == "classes"


def test_a_mask_may_have_a_name():
    plan = plan_of([item(counts={0: 9, 1: 1})], classes=("1=nucleus",))
    assert (plan.holds, plan.values, plan.names) == ("mask", (0, 1), {1: "nucleus"})


@pytest.mark.parametrize("text", ["nucleus", "1", "1=", "x=nucleus", "-1=nucleus"])
def test_classes_are_a_number_and_a_name(text):
    with pytest.raises(SettingError, match="NUMBER=NAME"):
        plan_of([item()], classes=(text,))


def test_objects_have_no_classes():
    with pytest.raises(SettingError, match="object of its own"):
        plan_of([item()], task="objects", classes=("1=nucleus",))


def test_few_planes_are_taken_one_by_one():
    plan = plan_of([item(shape=(5, 300, 300))])
    assert (plan.ndim, plan.stacked) == (2, True)
    assert plan.patch == (256, 256)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch": (8, 8)}, "2 sides: give 3"),
        ({"spacing": (1.0,)}, "Give 3 spacings"),
        ({"slices": 3}, "2-D networks over stacks"),
    ],
)
def test_settings_that_do_not_fit(settings, message):
    with pytest.raises(SettingError, match=message):
        plan_of([item()], **settings)


def test_a_volume_network_for_pictures():
    with pytest.raises(SettingError, match="images are 2-D"):
        plan_of([item(shape=(9, 9))], ndim="3")


def test_nothing_is_marked():
    with pytest.raises(InputError, match="labels are empty"):
        plan_of([item(counts={0: 5})])

"""Long calls say how much time is left; calls that do not fit say what they need."""

import threading
import time

import numpy as np
import pytest

from napari_segment import api
from napari_segment.engine import estimate
from napari_segment.engine.split import call_parts
from napari_segment.errors import InputError, MemoryShortError
from napari_segment.image import Labels, Stack
from napari_segment.registry import cleanups, filters, methods
from napari_segment.step import Step, run

TRAINED = ("classifier", "network")  # groups of methods that need a model
SETTINGS = {
    "hysteresis": {"low": 60, "high": 90}, "range": {"low": 60, "high": 90},
    "manual": {"value": 60}, "levels": {"thresholds": [60, 90]},
}  # fmt: skip


def steps_of(work):
    """All Steps of long work, and its result."""
    steps = []
    try:
        while True:
            steps.append(next(work))
    except StopIteration as stop:
        return steps, stop.value


@pytest.fixture
def impatient(monkeypatch):
    """Estimates for small images, and Steps for each of them."""
    monkeypatch.setattr(estimate, "LARGE", 100)
    monkeypatch.setattr(estimate, "SAMPLE", 300)
    monkeypatch.setattr(estimate, "PATIENCE", 0.0)
    monkeypatch.setattr(estimate, "INTERVAL", 0.01)


def spots(shape=(40, 44)):
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    far = sum(((g % 20) - 10.0) ** 2 for g in grid)
    noise = np.random.default_rng(0).integers(0, 30, shape)
    return np.where(far < 40, 150, 40).astype(np.uint8) + noise.astype(np.uint8), far


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", [m for m, e in methods.items() if e.group not in TRAINED])
def test_every_method_says_how_much_time_is_left(name, monkeypatch):
    """And gives the result that it gives without."""
    pixels, far = spots()
    markers = Labels(np.where(far < 9, 1, 0) + np.where(far > 180, 2, 0), "YX")
    data = {"markers": markers} if "markers" in methods[name].data else {}
    recipe = api.recipe_of((name, SETTINGS.get(name, {})))
    steps, labels = steps_of(api.segment_steps(pixels, recipe, data=data))
    said = [s.message for s in steps if s.total]
    assert any(text.endswith(" left") or text == "Moving the contour" for text in said), said
    monkeypatch.setattr(estimate, "LARGE", 2**40)
    np.testing.assert_array_equal(
        labels.data, run(api.segment_steps(pixels, recipe, data=data)).data
    )


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", list(cleanups))
def test_every_cleanup_says_how_much_time_is_left(name):
    pixels, _ = spots((6, 20, 22))
    if name == "classify_objects":
        pytest.skip("needs a map of classes, which networks give")
    steps, _ = steps_of(api.segment_steps(pixels, api.recipe_of("otsu", cleanups=[name])))
    title = cleanups[name].title
    assert any(s.message.startswith(f"{title}: about") for s in steps)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", [f for f in filters if f != "channels"])
def test_every_filter_says_how_much_time_is_left(name):
    pixels, _ = spots()
    recipe = api.recipe_of(("manual", {"value": 60}), filters=[name])
    steps, _ = steps_of(api.segment_steps(pixels, recipe))
    assert any(s.message.startswith(f"{filters[name].title}: about") for s in steps)


def slow(arrays, per_voxel=2e-5):
    time.sleep(arrays["image"].size * per_voxel)
    return arrays["image"] + 1


@pytest.mark.usefixtures("impatient")
def test_the_time_left_is_that_which_the_call_takes():
    image = np.zeros((200, 250), np.uint8)  # a second
    steps, result = steps_of(estimate.supervised("Slow", slow, {"image": image}, 2))
    assert (result == 1).all()
    assert len(steps) > 20
    assert steps[0].message == "Slow: about 1 s left"
    middle = steps[len(steps) // 2]
    assert 30 < middle.done < 70
    assert [s.done for s in steps] == sorted(s.done for s in steps)


def test_what_is_quick_or_small_is_called_at_once(monkeypatch):
    monkeypatch.setattr(estimate, "LARGE", 100)
    threads = []

    def call(arrays):
        threads.append(threading.current_thread())
        return arrays["image"]

    for shape in ((5, 5), (40, 40)):
        image = np.zeros(shape)
        steps, result = steps_of(estimate.supervised("Quick", call, {"image": image}, 2))
        assert (steps, result) == ([], image) or np.array_equal(result, image)
    assert set(threads) == {threading.main_thread()}


@pytest.mark.usefixtures("impatient")
def test_errors_of_the_call_are_those_of_the_whole_and_warnings_come_once():
    import warnings

    def call(arrays):
        warnings.warn("said", stacklevel=2)
        raise InputError(f"{arrays['image'].size} pixels are bad")

    image = np.zeros((40, 40))
    with (
        pytest.raises(InputError, match="1600 pixels are bad"),
        pytest.warns(UserWarning, match="said") as said,
    ):
        run(estimate.supervised("Bad", call, {"image": image}, 2))
    assert len(said) == 1


@pytest.mark.usefixtures("impatient")
def test_closing_waits_for_the_call():
    """A thread that goes on would take the memory and the cores of the next job."""
    before = threading.active_count()
    steps = estimate.supervised("Slow", slow, {"image": np.zeros((100, 200))}, 2)
    next(steps), next(steps)
    assert threading.active_count() == before + 1
    steps.close()
    assert threading.active_count() == before


def hungry(arrays):
    image = arrays["image"]
    table = np.ones(2**20, np.uint8)  # whatever the size
    copies = [image.astype(np.float64) for _ in range(10)]
    return sum(copies) + table[0]


def test_what_does_not_fit_is_refused_before_it_begins(monkeypatch):
    """The need is estimated from parts of two sizes: what does not grow with them is known."""
    monkeypatch.setattr(estimate, "LARGE", 100)
    image = np.zeros((1000, 2000), np.uint8)
    monkeypatch.setattr(estimate, "free_memory", lambda: 15_000_000)
    with pytest.raises(
        MemoryShortError, match=r"Hungry needs about 0\.1[6-9] GB.*2,000,000 voxels"
    ):
        run(estimate.supervised("Hungry", hungry, {"image": image}, 2))
    monkeypatch.setattr(estimate, "free_memory", lambda: 200_000_000)
    assert (run(estimate.supervised("Hungry", hungry, {"image": image}, 2)) == 1).all()


def test_too_little_memory_in_the_call_is_a_sentence(monkeypatch):
    monkeypatch.setattr(estimate, "LARGE", 100)

    def plain(arrays):
        return np.empty((2**20, 2**20, 2**10)) if arrays["image"].size == 1600 else arrays["image"]

    def long(arrays):
        yield Step(0)
        return plain(arrays)

    stack = {"image": Stack(np.zeros((40, 40)), "YX")}
    said = r"Greedy needs more memory than the .* GB that are free for 1,600 voxels \(it asked"
    for call in (plain, long):
        with pytest.raises(MemoryShortError, match=said):
            run(call_parts("", stack, call, "Greedy"))

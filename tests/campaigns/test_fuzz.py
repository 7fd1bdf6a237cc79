"""Random recipes and command lines: a result or a sentence, no traceback, no hang."""

import json
import random
import signal
import sys
from contextlib import contextmanager

import numpy as np
import pytest

import napari_segment as ns
from napari_segment import api, cli
from napari_segment.errors import SegmentError
from napari_segment.recipe import Recipe
from napari_segment.registry import cleanups, filters, methods
from napari_segment.step import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no alarms")
VALUES = (
    0, 1, 2, -1, 3, 7, 10**6, -(10**9), 0.5, -0.5, 1e-9, 1e9, float("nan"), float("inf"), True,
    False, None, "", "auto", "none", "all", "X", "é" * 50, "../x", [], [1], [1, 2, 3], [0.1, "a"],
    {}, {"a": 1},
)  # fmt: skip
# Names of entries that read files or train networks are met by the tests of those.
LEFT_OUT = {"network", "classifier", "bioimageio", "monai_bundle", "onnx"}
SECONDS = 60


@contextmanager
def alarm(text):
    """End what takes too many seconds of the processor, whatever else it does."""

    def ends(*_):
        raise TimeoutError(text)

    before = signal.signal(signal.SIGPROF, ends)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def spec(registry, rng):
    """An entry with some settings, most of which are near their defaults."""
    name = rng.choice([*sorted(set(registry) - LEFT_OUT), *["", "otsu "] * (rng.random() < 0.1)])
    fields = registry[name].settings.model_fields if name in registry else {}
    chosen = rng.sample(list(fields), min(len(fields), rng.randrange(3)))
    settings = {key: value_of(fields[key].default, rng) for key in chosen}
    if rng.random() < 0.05:
        settings[rng.choice(["x", "sigma", "__class__", ""])] = 1
    return {"name": name, "settings": settings}


def value_of(default, rng):
    """A value near the default, or any."""
    if rng.random() < 0.15:
        return rng.choice(VALUES)
    if isinstance(default, bool):
        return not default
    if isinstance(default, int | float):
        return type(default)(default * rng.choice([0.5, 1, 2, 3]))
    return list(default) if isinstance(default, tuple) else default


def recipe_of(rng):
    """Plain values such as a file of a recipe may hold."""
    plain = {
        "filters": [spec(filters, rng) for _ in range(rng.randrange(2))],
        "method": spec(methods, rng),
        "cleanups": [spec(cleanups, rng) for _ in range(rng.randrange(2))],
        "channel": rng.choice(["auto", 0]),
        "apply_to": rng.choice(["auto", "plane", "volume", "stack"]),
    }
    if rng.random() < 0.15:
        plain[rng.choice([*plain, "times", "x"])] = rng.choice(VALUES)
    return plain


def image_of(rng):
    """A small image of random axes and type; constant now and then."""
    axes = rng.choice(["YX", "ZYX", "TYX", "CYX", "YXC", "TCZYX"])
    shape = tuple(
        {"T": 2, "C": rng.choice([1, 3]), "Z": rng.choice([1, 5])}.get(a, 18) for a in axes
    )
    pixels = np.random.default_rng(rng.randrange(99)).normal(80, 30, shape)
    pixels = np.zeros(shape) if rng.random() < 0.1 else pixels.clip(0, 255)
    kind = rng.choice(["uint8", "uint16", "float32", "bool", "int64"])
    return ns.Image(pixels.astype(kind), axes)


def recipes(count, seed):
    """Run random recipes; how many gave labels and how many a sentence."""
    rng, seen = random.Random(seed), {"labels": 0, "sentence": 0}
    for trial in range(count):
        plain, image = recipe_of(rng), image_of(rng)
        text = f"trial {trial}: {json.dumps(plain, default=str)} on {image.axes} {image.dtype}"
        try:
            with alarm(text):
                labels = run(api.segment_steps(image, Recipe.from_plain(plain))).compute()
            assert labels.data.dtype.kind in "uib", text
            seen["labels"] += 1
        except SegmentError as error:
            seen["sentence"] += bool(str(error).strip())
        except TimeoutError:
            raise
        except Exception as error:
            raise AssertionError(f"{text}: {type(error).__name__}: {error}") from error
    return seen


ARGUMENTS = (
    "segment", "replay", "filter", "measure", "compare", "edges", "track", "consensus", "rank",
    "list", "runs", "summary", "export", "otsu", "li", "canny", "a.tif", "b.tif", "gone.tif",
    "text.txt", "folder", "-o", "out.tif", "out", "out.csv", "", "--", "-", "--json", "--axes",
    "ZYX", "QQ", "--spacing", "1,1", "nan,1", "--channel", "-1", "--filter", "gaussian:sigma=2",
    "gaussian:sigma", ":", "--cleanup", "fill_holes", "--times", "0:1", "9:1", "--recipe",
    "--report", "report.json", "--skip-existing", "--recursive", "--lazy", "--holds", "objects",
    "*.tif", "[", "--help", "--version", "--unit", "\x1b[31m", "é", "methods", "=", "--x=1",
)  # fmt: skip


def command_of(rng):
    """A command line: random words, or a good one in which some words changed."""
    if rng.random() < 0.4:
        return [rng.choice(ARGUMENTS) for _ in range(rng.randrange(7))]
    good = rng.choice(
        [
            ["segment", "otsu", "a.tif", "-o", "out.tif"],
            ["filter", "a.tif", "-o", "out.tif", "--filter", "gaussian"],
            ["measure", "b.tif", "-o", "out.csv"],
            ["compare", "b.tif", "b.tif", "--json"],
            ["track", "b.tif", "-o", "out.tif"],
            ["edges", "a.tif", "-o", "out.csv"],
        ]
    )
    for _ in range(rng.randrange(3)):
        good[rng.randrange(len(good))] = rng.choice(ARGUMENTS)
    return [*good, *(rng.choice(ARGUMENTS) for _ in range(rng.randrange(3)))]


def commands(count, seed, capsys):
    """Run random command lines; how many ended with each status."""
    rng, seen = random.Random(seed), {}
    for trial in range(count):
        command = command_of(rng)
        text = f"trial {trial}: {command}"
        try:
            with alarm(text):
                status = cli.main(command)
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        assert status in (cli.OK, cli.FAILED, cli.USAGE), text
        assert "Traceback" not in said.err, text
        assert "run again with --debug" not in said.err, f"{text}: {said.err}"
        assert status == cli.OK or said.err.strip(), text
        seen[status] = seen.get(status, 0) + 1
    return seen


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ns.write(ns.Image(rng.integers(0, 255, (20, 22), dtype=np.uint8)), tmp_path / "a.tif")
    ns.write(ns.Labels(np.eye(20, dtype=np.uint8), "YX"), tmp_path / "b.tif")
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "folder").mkdir()


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_random_recipes():
    seen = recipes(12, seed=0)
    assert sum(seen.values()) == 12
    assert min(seen.values()) > 1


@pytest.mark.filterwarnings("ignore")
def test_random_command_lines(folder, capsys):
    seen = commands(40, 0, capsys)
    assert sum(seen.values()) == 40
    assert seen[cli.USAGE] > 5


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_a_thousand_recipes():
    seen = recipes(1000, seed=1)
    assert min(seen.values()) > 20


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_a_thousand_command_lines(folder, capsys):
    seen = commands(1000, 1, capsys)
    assert set(seen) == {cli.OK, cli.FAILED, cli.USAGE}

"""Under a limit of memory every entry ends, or says within seconds that it does not fit.

The campaign has the size of a job: an image of 1 GB in a process that may hold 3 GB. The short
one has the same proportions.
"""

import json
import subprocess
import sys

import pytest

from napari_segment.registry import cleanups, filters, methods

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
TRAINED = ("classifier", "network")  # groups of methods that need a model
SECONDS = 10  # within which it is said that an entry does not fit

CALL = """
import json, resource, sys, time
import numpy as np
kind, name, headroom, *shape = sys.argv[1:]
shape = tuple(map(int, shape))
from napari_segment import api, registry
from napari_segment.engine import estimate
from napari_segment.errors import SegmentError
from napari_segment.image import Image
from napari_segment.step import run
registry.load_plugins()
SETTINGS = {"hysteresis": {"low": 300, "high": 500}, "range": {"low": 300, "high": 500},
            "manual": {"value": 400}, "levels": {"thresholds": [300, 500]},
            "dense_crf": {"iterations": 1}}
chosen = SETTINGS.get(name, {})
entry = getattr(registry, kind)[name]
if kind == "methods":
    recipe = api.recipe_of((name, chosen))
else:
    one = [(name, chosen)]
    recipe = api.recipe_of(("manual", {"value": 400}), **{kind: one})
def spots(shape):
    image = np.full(shape, 200, np.uint16)
    cut = np.ogrid[tuple(slice(n) for n in shape[1:])]
    disc = sum(((g % 40) - 20.0) ** 2 for g in cut) < 150
    noise = np.random.default_rng(0).integers(0, 100, shape[1:]).astype(np.uint16)
    for z in range(shape[0]):
        image[z] += noise + np.uint16(600) * (disc & (z % 40 > 10))
    return image
data = {}
import numba
small = spots((24, 128, 128))
if "markers" in entry.data and kind == "methods":
    marks = lambda image: (image > 700).astype(np.uint8) + 2 * (image < 220).astype(np.uint8)
    data = {"markers": marks(small)}
run(api.segment_steps(small, recipe, data=data))  # compiled and imported before the limit
image = spots(shape)
if data:
    data = {"markers": marks(image)}
held = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (held + int(headroom),) * 2)
begun = time.perf_counter()
try:
    labels = run(api.segment_steps(image, recipe, data=data))
    answer = {"ended": "done", "max": int(labels.data.max())}
except SegmentError as error:
    answer = {"ended": "said", "message": str(error)}
except BaseException as error:
    answer = {"ended": "raised", "message": f"{type(error).__name__}: {error}"}
answer["seconds"] = time.perf_counter() - begun
print(json.dumps(answer))
"""


def answer_of(kind, name, headroom, shape, timeout):
    """What one entry does in a process of its own with so many bytes above its image."""
    command = [sys.executable, "-c", CALL, kind, name, str(headroom), *map(str, shape)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return {"ended": "hung", "message": f"no answer in {timeout} s"}
    if done.returncode:
        return {"ended": "died", "message": f"{done.returncode}: {done.stderr[-500:]}"}
    return json.loads(done.stdout.splitlines()[-1])


def entries():
    known = {"methods": methods, "filters": filters, "cleanups": cleanups}
    for kind, registry in known.items():
        for entry in registry.values():
            if entry.group not in TRAINED and entry.name not in ("channels", "classify_objects"):
                yield kind, entry.name


def check(answer):
    assert answer["ended"] in ("done", "said"), answer
    if answer["ended"] == "said":
        assert "GB" in answer["message"], answer
        assert "free" in answer["message"], answer
        assert answer["seconds"] < SECONDS, answer


SHORT = [("methods", "otsu"), ("methods", "random_walker"), ("filters", "nonlocal_means"),
         ("cleanups", "connected_components")]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), SHORT)
def test_a_few_entries_with_a_small_image(kind, name):
    check(answer_of(kind, name, 60_000_000, (32, 512, 512), 60))


@pytest.mark.nightly
@pytest.mark.parametrize(("kind", "name"), list(entries()))
def test_an_image_of_one_gigabyte_in_three(kind, name):
    check(answer_of(kind, name, 2 * 10**9, (1900, 512, 512), 1800))

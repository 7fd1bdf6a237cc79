"""Threads of this process, and the variables that let those of libraries wait in peace."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_segment import configure_runtime, runtime
from napari_segment.runtime import variables

COUNTS = {
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS", "OPENCV_FOR_THREADS_NUM",
}  # fmt: skip


def environment(**added):
    """The environment of a new process, without what this one has set."""
    given = {k: v for k, v in os.environ.items() if k not in variables({}, 1, 2)}
    return {k: v for k, v in given.items() if not k.startswith("NAPARI_SEGMENT_")} | added


def printed(code, *prefix, **added):
    command = [*prefix, sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment(**added), capture_output=True, text=True, check=True
    ).stdout.split()


def test_what_is_set_already_wins():
    assert variables({}, 4, 4)["GOMP_SPINCOUNT"] == "10000"
    assert variables({}, 4, 4).keys().isdisjoint(COUNTS)
    assert "GOMP_SPINCOUNT" not in variables({"GOMP_SPINCOUNT": "5"}, 4, 4)
    waiting = variables({"OMP_WAIT_POLICY": "ACTIVE"}, 4, 4)
    assert not {"GOMP_SPINCOUNT", "KMP_BLOCKTIME"} & waiting.keys()


def test_numbers_of_threads_are_set_where_fewer_cores_may_be_used():
    few = variables({}, 2, 8)
    assert {few[name] for name in COUNTS} == {"2"}
    own = variables({"OMP_NUM_THREADS": "1"}, 2, 8)
    assert COUNTS & own.keys() == COUNTS - {
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
    }  # fmt: skip


def test_it_can_be_switched_off():
    assert variables({"NAPARI_SEGMENT_RUNTIME": "0"}, 2, 8) == {}
    assert variables({"NAPARI_SEGMENT_RUNTIME": "1"}, 2, 8)


@pytest.mark.parametrize(
    ("cores", "quota", "given", "threads"),
    [(8, 1.5, "", 2), (8, 0.2, "", 1), (2, 4.0, "", 2), (8, float("inf"), "", 8),
     (8, 1.5, "5", 5), (8, 1.5, "0", 2), (8, 1.5, "x", 2)],
)  # fmt: skip
def test_threads_follow_affinity_and_quota(monkeypatch, cores, quota, given, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(runtime, "cpu_quota", lambda: quota)
    monkeypatch.setenv("NAPARI_SEGMENT_THREADS", given)
    assert runtime.threads() == threads


def test_importing_changes_nothing():
    code = "import os; old = dict(os.environ); import napari_segment; napari_segment.read; "
    assert printed(code + "print(dict(os.environ) == old)") == ["True"]


def test_the_library_is_configured_on_demand():
    code = "import napari_segment, os; napari_segment.configure_runtime(); "
    code += "print(os.environ.get('GOMP_SPINCOUNT'))"
    assert printed(code) == ["10000"]
    assert printed(code, GOMP_SPINCOUNT="7") == ["7"]
    assert printed(code, NAPARI_SEGMENT_RUNTIME="0") == ["None"]


def test_a_call_that_comes_too_late_warns(monkeypatch):
    for name in variables({}, 1, 2):
        monkeypatch.delenv(name, raising=False)
    import numpy  # noqa: F401

    before = dict(os.environ)
    with pytest.warns(UserWarning, match="numpy.* imported before configure_runtime"):
        added = configure_runtime()
    for name in added:  # leaves no traces for other tests
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert dict(os.environ) == before


@pytest.mark.parametrize("module", ["cli", "worker"])
def test_commands_and_the_worker_set_it_before_anything_loads(module):
    code = f"""
import os, runpy, sys
class Watch:
    def find_spec(self, name, *_):
        if name in ("numpy", "torch", "cv2", "numba"):
            print(name, os.environ.get("GOMP_SPINCOUNT"), file=sys.stderr)
            os._exit(0)
sys.meta_path.insert(0, Watch())
sys.argv = ["napari-segment", "summary", "--help"] if {module!r} == "cli" else ["worker"]
runpy.run_module("napari_segment.{module}", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stderr.split()[1:] in (["10000"], []), done.stderr
    if module == "worker":
        assert done.stderr.split()[0] == "numpy"

"""What is compiled in advance is loaded from disk by the processes that come after."""

import os
import subprocess
import sys

import numpy as np
import pytest

from napari_segment.engine import compilation
from napari_segment.registry import cleanups, filters, methods

CALL = """
from napari_segment import api, samples
from numba.core import event

compiled = []

class Listener(event.Listener):
    def on_start(self, given):
        compiled.append(given.data["dispatcher"].py_func.__name__)

    def on_end(self, given):
        pass

event.register("numba:compile", Listener())
image = samples.nuclei((400, 500))[0]
api.replay(api.recipe_of("otsu", filters=["gaussian"], cleanups=["split_touching"]), image)
print(compiled)
"""


@pytest.mark.slow
def test_another_process_compiles_nothing_that_was_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    few = [e for e in compilation._calls() if e[0].name in ("otsu", "gaussian", "split_touching")]
    assert len(few) == 3 * 3 * 2
    code = (
        "from napari_segment.engine import compilation as c\n"
        "few = [e for e in c._calls() if e[0].name in ('otsu', 'gaussian', 'split_touching')]\n"
        "c._calls = lambda: few\n"
        "print(c.is_compiled(), c.compile_kernels(), c.is_compiled())\n"
    )
    assert printed(code) == f"False {len(few)} True"
    assert printed(CALL) == "[]"


def printed(code):
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_classical_entry_of_every_dimension_is_called():
    called = {(entry.name, len(shape), dtype) for entry, dtype, shape in compilation._calls()}
    known = [e for e in methods.values() if e.group not in compilation.TRAINED]
    known += [e for e in (*filters.values(), *cleanups.values()) if e.name != "classify_objects"]
    ours = [e for e in known if e.source.startswith("napari_segment.")]
    assert called == {
        (e.name, ndim, dtype)
        for e in ours for ndim in e.ndim for dtype in (np.uint8, np.uint16, np.float32)
    }  # fmt: skip
    first = next(compilation._calls())[0].name
    assert first == "otsu"


@pytest.mark.parametrize("name", ["otsu", "watershed", "dense_crf", "isotropic", "channels"])
def test_each_call_works(name):
    """Errors of entries are passed over when all are called, so that they must not be usual."""
    for entry, dtype, shape in compilation._calls():
        if entry.name == name and dtype == np.uint16:
            compilation._run(entry, dtype, shape)


def test_other_sources_are_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compilation, "_calls", lambda: iter(()))
    assert not compilation.is_compiled()
    compilation.compile_kernels()
    assert compilation.is_compiled()
    key = compilation._key()
    monkeypatch.setattr(compilation, "_key", lambda: key | {"numba": "0.1"})
    assert not compilation.is_compiled()

"""A quiet environment for windows: no settings of the user, no software GL traps."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

if not os.environ.get("DISPLAY") and os.name != "nt":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))


@pytest.fixture(autouse=True, scope="session")
def _keep_gl_objects():
    """Mesa's software GL crashes when vispy deletes a program and then draws again."""
    from vispy.gloo.glir import GlirProgram

    GlirProgram.delete = lambda self: None


@pytest.fixture
def viewer(qapp):
    """A napari of its own for a test, in a window."""
    import napari

    viewer = napari.Viewer(show=True)
    yield viewer
    viewer.close()
    qapp.processEvents()


@pytest.fixture
def stack():
    rng = np.random.default_rng(1)
    return rng.integers(0, 4000, (4, 40, 50)).astype(np.uint16)


@pytest.fixture(scope="module")
def bright_stack():
    """Four planes that grow brighter, noisy, with a bright and a middling half."""
    rng = np.random.default_rng(4)
    data = rng.normal(600, 150, (4, 40, 50)) + 200 * np.arange(4)[:, None, None]
    data[:, :20] += 900
    data[:, :, 25:] += 1500
    return np.clip(data, 0, 4095).astype(np.uint16)


PLUGIN = '''
import os, time
import numpy as np
from napari_segment.registry import Result, methods
from napari_segment.step import Step

@methods.add("patient", title="Patient", gives="mask", ndim=(2, 3))
def patient(image, *, steps: int = 100, pause: float = 0.05, end: str = ""):
    """Take its time."""
    for i in range(steps):
        preview = {"slice": np.full((2, 2), i)} if i == 1 else None
        yield Step(i, steps, f"step {i}", {"i": i}, preview)
        time.sleep(pause)
    if end == "abort":
        os.abort()
    if end == "raise":
        raise RuntimeError("a bad day")
    print("libraries print what they like")
    return image > 0

@methods.add("unsure", title="Unsure", gives="objects", ndim=(3,), group="network")
def unsure(image):
    """Find one object in plane 1, unsure of plane 2."""
    labels = np.zeros(image.shape, np.uint8)
    labels[1, 2:4, 3:6] = 1
    doubt = np.zeros(image.shape, np.float32)
    doubt[2] = 0.9
    box = {"z": (1, 2), "y": (2, 4), "x": (3, 6)}
    ends = ("start", "stop")
    features = {f"bbox_{a}_{e}": np.array([box[a][e == "stop"]]) for a in "zyx" for e in ends}
    features |= {"label": np.array([1]), "class": np.array(["cell"]), "score": np.array([0.75])}
    return Result(labels, "objects", features=features, maps={"entropy": doubt})
'''


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A third-party method, seen by the process through its entry point."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "patient_plugin.py").write_text(PLUGIN)
    info = folder / "patient_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: patient-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[napari_segment]\npatient = patient_plugin\n")
    return folder


@pytest.fixture
def patient(plugin, monkeypatch):
    """The third-party method, in this process and in those that it starts."""
    from napari_segment.registry import methods

    before = methods.snapshot() if len(methods) else {}
    monkeypatch.setenv("PYTHONPATH", str(plugin), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(plugin))
    sys.modules.pop("patient_plugin", None)
    importlib.import_module("patient_plugin")
    yield "patient"
    methods.restore(before)


@pytest.fixture
def fresh_processes(qapp):
    """Worker processes that begin and end with the test."""
    from napari_segment.widgets.jobs.job import Process

    def end():
        for process in qapp.findChildren(Process):
            process.close()
            process.setObjectName("")  # so that another is made when one is asked for
            process.deleteLater()

    end()
    yield
    end()

"""The loop of the worker process."""

from __future__ import annotations

import io
import json

from napari_segment.engine import compilation
from napari_segment.worker import process
from napari_segment.worker.process import Worker


def test_the_compiler_is_imported_while_no_job_comes(monkeypatch):
    imported = []
    worker = Worker(io.StringIO())

    def imports(name):
        imported.append(name)
        worker.jobs.put(None)  # the messages end

    monkeypatch.setattr(process, "IDLE", 0.01)
    monkeypatch.setattr(process, "import_module", imports)
    worker.serve()
    assert imported == ["numba"]


def test_a_job_that_waits_comes_first(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "import_module", lambda name: 1 / 0)
    stream = io.StringIO()
    worker = Worker(stream)
    worker.jobs.put({"job": 7, "do": "devices", "folder": str(tmp_path)})
    worker.jobs.put(None)
    worker.serve()
    answers = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert answers[-1]["job"] == 7
    assert "cpu" in [name for name, _ in answers[-1]["result"]["devices"]]


def test_what_was_never_compiled_is_compiled_while_no_job_comes(monkeypatch):
    """Once, by a process of its own, and not where it is switched off or was done before."""
    started = []

    class Started:
        def __init__(self, command, **_):
            started.append(command[-3:])

        def terminate(self):
            pass

    monkeypatch.setattr(process.subprocess, "Popen", Started)
    monkeypatch.setattr(process, "_compiling", [])
    known = {"done": True}
    monkeypatch.setattr(compilation, "is_compiled", lambda: known["done"])
    process.compile_in_background()
    monkeypatch.setenv("NAPARI_SEGMENT_COMPILE", "1")
    process.compile_in_background()
    assert started == []
    known["done"] = False
    process.compile_in_background()
    process.compile_in_background()
    assert started == [["napari_segment.cli", "compile", "--background"]]

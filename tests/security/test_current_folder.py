"""No file of the current folder is imported, whatever it is named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_segment.cli import demo

HOSTILE = ("numpy", "torch", "argparse", "lazy_loader", "yaml", "tifffile", "skimage", "napari")


@pytest.fixture
def folder(tmp_path):
    """A folder whose modules leave a file when they run."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})")
    yield folder
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


def run(folder, *arguments, given=None):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    return subprocess.run(
        arguments, cwd=folder, input=given, capture_output=True, text=True, timeout=120,
        env=environment, check=False,
    )  # fmt: skip


def test_the_folder_runs_its_modules_in_other_programs(folder, tmp_path):
    run(folder, sys.executable, "-c", "import numpy")
    assert (tmp_path / "ran").read_text() == "numpy"
    (tmp_path / "ran").unlink()


@pytest.mark.parametrize("module", [("-m", "napari_segment.cli"), ("-mnapari_segment.cli",)])
def test_python_m(folder, module):
    done = run(folder, sys.executable, *module, "list", "filters", "--json")
    assert "gaussian" in {row["name"] for row in json.loads(done.stdout)}


def test_the_command(folder):
    command = Path(sys.executable).with_name("napari-segment")
    if not command.exists():
        pytest.skip("not installed as a command")
    assert "gaussian" in run(folder, command, "list", "filters").stdout


def test_the_worker(folder):
    lines = [
        "no message",
        '{"job": "x"}',
        "[" * 100_000,
        json.dumps({"job": 1, "do": "devices", "folder": str(folder)}),
    ]
    # As the window starts it, and without -P.
    for safe in (["-P"], []):
        done = run(
            folder, sys.executable, *safe, "-m", "napari_segment.worker", given="\n".join(lines)
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert sum("malformed" in answer for answer in answers) == 3
        assert all(len(line) < 5000 for line in done.stdout.splitlines())


def test_the_viewer_of_the_demonstration_is_started_with_a_safe_path(folder, monkeypatch):
    started = []
    monkeypatch.setattr(demo.subprocess, "call", lambda command: started.append(command) or 0)
    monkeypatch.setattr(demo, "show", lambda *_: "")
    monkeypatch.setattr("napari_segment.demo.run_demo", lambda folder: None)
    options = type("Options", (), {"output": str(folder), "view": True})
    assert demo.demo(options) == 0
    (command,) = started
    assert command[:3] == [sys.executable, "-P", "-m"]
    # What this command imports first, in the hostile folder.
    module = command[3].rpartition(".")[0]
    run(folder, *command[:2], "-c", f"import {module}")


def test_other_programs_keep_their_search_path(tmp_path):
    (tmp_path / "mine.py").write_text("import sys, napari_segment; print(sys.path[0])")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("import napari_segment")
    (tmp_path / "mine" / "__main__.py").write_text("import sys; print(sys.path[0])")
    done = run(tmp_path, sys.executable, "-m", "mine")
    assert Path(done.stdout.strip()) == tmp_path

"""Compiled code goes into a folder of the user where the usual ones are read-only, only there."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import napari_segment
from napari_segment import _kernel_cache as _compiled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the cache folder is always there")

CODE = """
import numpy as np, napari_segment as ns
print(ns.__file__)
print(np.asarray(ns.apply_filters(np.eye(9), [("gaussian", {"sigma": 1})])).sum() > 8)
"""


@pytest.fixture
def closed(tmp_path):
    """An installation without a writable folder next to its source, and what makes a home none."""
    package = tmp_path / "site" / "napari_segment"
    copytree(Path(napari_segment.__file__).parent, package, ignore=ignore_patterns("__pycache__"))
    for folder in (package, *(f for f in package.rglob("*") if f.is_dir())):
        (folder / "__pycache__").write_bytes(b"")  # keeps the administrator out, too
    gone = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    known = {k: v for k, v in os.environ.items() if k not in gone}
    (tmp_path / "temporary").mkdir()
    return {
        **known, "PYTHONPATH": str(package.parent), "HOME": os.devnull,
        "TMPDIR": str(tmp_path / "temporary"),
    }  # fmt: skip


def run(code, env):
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("before", ["", "import numba"])
def test_kernels_run_where_neither_package_nor_home_can_be_written(closed, before):
    file, right = run(before + CODE, closed)
    assert file.startswith(closed["PYTHONPATH"])
    assert right == "True"
    (folder,) = Path(closed["TMPDIR"]).glob("napari-segment-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.rglob("*.nbi"))


def test_a_cache_that_is_given_or_can_be_written_is_left_alone(closed, tmp_path):
    code = "import os, napari_segment; print(os.environ.get('NUMBA_CACHE_DIR'))"
    assert run(code, {**closed, "NUMBA_CACHE_DIR": "/a"}) == ["/a"]
    assert run(code, {**closed, "XDG_CACHE_HOME": str(tmp_path)}) == ["None"]
    assert not list(Path(closed["TMPDIR"]).iterdir())


@pytest.mark.parametrize("kind", ["open to all", "a link", "a file"])
def test_a_folder_that_somebody_else_may_have_filled_is_not_taken(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    taken = tmp_path / f"napari-segment-{os.geteuid()}"
    if kind == "open to all":
        taken.mkdir()
        taken.chmod(0o777)
    elif kind == "a link":
        (tmp_path / "elsewhere").mkdir(0o700)
        taken.symlink_to(tmp_path / "elsewhere")
    else:
        taken.write_bytes(b"")
    folder = _compiled._temporary()
    assert folder != taken
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_users_folder_is_the_same_every_time(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert _compiled._temporary() == _compiled._temporary()


def test_no_kernel_calls_one_of_another_file():
    """Numba compiles anew when a kernel's own file changes, not when one that it calls does."""
    sources = sorted(Path(napari_segment.__file__).parent.rglob("*_kernels.py"))
    assert len(sources) > 15
    imported = re.compile(r"^\s*(?:from|import) napari_segment\S*_kernels\b.*$", re.MULTILINE)
    calls = {p.name: imported.findall(p.read_text("utf-8")) for p in sources}
    assert not {name: lines for name, lines in calls.items() if lines}
    assert imported.findall("from napari_segment.blocks.label_kernels import first")

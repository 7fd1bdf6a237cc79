"""Whatever stops a replacement, the earlier result or the new one is there whole."""

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import FormatError
from napari_segment.io import read_labels, replacing
from napari_segment.recipe import Recipe, Spec

OLD, NEW = np.full((8, 8), 3, np.uint8), np.full((8, 8), 5, np.uint8)
STEPS = 14
# Processes that write labels of 5 over those of 3, each killed at a later call that renames.
KILLED = """
import os, shutil, signal, sys
import numpy as np
import napari_segment as ns
import napari_segment.api, pandas, zarr, tifffile
from napari_segment.recipe import Recipe, Spec
count = 0
def counted(call, last):
    def run(*given, **more):
        global count
        caller = sys._getframe(1).f_code.co_filename
        ours = caller.endswith("replacing.py") or ".commit" in str(given[0])
        if ours and count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        count += ours
        return call(*given, **more)
    return run
for last, path in enumerate(sys.argv[1:]):
    pid = os.fork()
    if pid == 0:
        usual = os.rename, os.replace, shutil.rmtree
        os.rename, os.replace, shutil.rmtree = (counted(call, last) for call in usual)
        columns = {"label": np.array([5]), "size": np.array([64])}
        recipe = Recipe(method=Spec(name="niblack"))
        ns.write(ns.Labels(np.full((8, 8), 5, "u1"), "YX", recipe=recipe, features=columns), path)
        os._exit(0)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def result(value, method, size):
    columns = {"label": np.array([value]), "size": np.array([size])}
    recipe = Recipe(method=Spec(name=method))
    return ns.Labels(np.full((8, 8), value, np.uint8), "YX", recipe=recipe, features=columns)


def state(path):
    labels = read_labels(path)
    assert len(np.unique(labels.data)) == 1
    recipe = Recipe.load(path.parent / "a.recipe.yaml")
    return int(labels.data[0, 0]), recipe.method.name, int(labels.features["size"][0])


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("name", ["a.ome.zarr", "a.tif"])
def test_kill_at_every_step_leaves_old_or_new(tmp_path, name):
    paths = [tmp_path / str(step) / name for step in range(STEPS)]
    for path in paths:
        ns.write(result(3, "otsu", 60), path)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, *paths], capture_output=True, text=True, check=True
    )
    replacing.recover_once.cache_clear()
    states = [state(path) for path in paths]
    for path in paths:
        assert not list(path.parent.glob(".writing-*"))
        assert len(list(path.parent.iterdir())) == 3
    assert set(states) == {(3, "otsu", 60), (5, "niblack", 64)}
    ends = [int(line) for line in run.stdout.split()]
    killed = ends.index(0)  # the first that was not stopped: every step was tried
    assert ends == [signal.SIGKILL] * killed + [0] * (STEPS - killed)
    assert killed > 5
    assert states == sorted(states)  # once the new one was there whole, it stayed


@pytest.mark.parametrize("name", ["a.ome.zarr", "a.tif"])
@pytest.mark.parametrize("call", ["rename", "rmtree"])
def test_error_at_every_step_leaves_old_or_new(tmp_path, name, call, monkeypatch):
    module = os if call == "rename" else replacing.shutil
    usual, seen = getattr(module, call), set()
    for last in range(20):
        path = tmp_path / str(last) / name
        ns.write(result(3, "otsu", 60), path)
        count = iter(range(100))

        def once(*given, _count=count, _last=last, **more):
            if next(_count) == _last:
                raise OSError(28, "No space left on device")
            return usual(*given, **more)

        monkeypatch.setattr(module, call, once)
        with contextlib.suppress(OSError):
            ns.write(result(5, "niblack", 64), path)
        monkeypatch.setattr(module, call, usual)
        seen.add(state(path))
        if next(count) <= last:
            break
    assert (5, "niblack", 64) in seen
    assert seen <= {(3, "otsu", 60), (5, "niblack", 64)}
    assert call == "rmtree" or len(seen) == 2


def test_outdated_companions_go(tmp_path):
    path = tmp_path / "a.tif"
    ns.write(result(3, "otsu", 60), path)
    ns.write(ns.Labels(NEW, "YX"), path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_nothing_comes_when_a_companion_fails(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    ns.write(result(3, "otsu", 60), path)

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Recipe, "save", fails)
    with pytest.raises(OSError, match="No space"):
        ns.write(result(5, "niblack", 64), path)
    assert state(path) == (3, "otsu", 60)


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_replaced_files_have_their_mode(tmp_path, mode):
    for name in ("a.tif", "a.ome.zarr"):
        path = tmp_path / name
        ns.write(ns.Labels(OLD, "YX"), path)
        path.chmod(mode | (0o100 if path.is_dir() else 0))
        before = path.stat().st_mode
        ns.write(ns.Labels(NEW, "YX"), path)
        assert path.stat().st_mode == before
    note = tmp_path / "note.json"
    replacing.write_atomically(note, b"1")
    note.chmod(mode)
    replacing.write_atomically(note, b"2")
    assert (note.stat().st_mode & 0o777, note.read_bytes()) == (mode, b"2")


def test_folder_that_is_no_result_stays(tmp_path):
    path = tmp_path / "a.zarr"
    (path / "thesis").mkdir(parents=True)
    with pytest.raises(FormatError, match="not overwritten"):
        ns.write(ns.Labels(NEW, "YX"), path)
    assert (path / "thesis").is_dir()
    assert list(tmp_path.iterdir()) == [path]

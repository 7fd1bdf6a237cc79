"""Whatever stops a replacement, the earlier result or the new one is there whole."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import FormatError
from napari_segment.io import owner, read_labels, replacing, temporary
from napari_segment.io.owner import Owner
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


def of_ended_process():
    run = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    import psutil

    started = psutil.Process(run.pid).create_time()
    ended = Owner("ann", Owner.current().host, run.pid, started, "2026-01-01 10:00:00")
    assert ended.is_running
    run.communicate(b"\n")
    assert not ended.is_running
    return ended


def test_owners():
    me = Owner.current()
    assert me.is_running
    reused = Owner(me.user, me.host, me.pid, me.started - 60, me.since)
    assert not reused.is_running  # another process with the same number
    elsewhere = Owner(me.user, "another", 999_999_999, 0, me.since)
    assert elsewhere.is_running  # nobody here can know


def test_temporary_folders_of_ended_processes_are_removed(tmp_path):
    names = {"dead": of_ended_process(), "mine": Owner.current(), "unknown": None}
    names["far"] = Owner("ann", "another", 1, 0, "")
    for name, who in names.items():
        folder = tmp_path / f"{temporary.PREFIX}{name}"
        folder.mkdir()
        (folder / "pixels.npy").touch()
        if who:
            (folder / temporary.NOTE).write_text(who.to_json())
    (tmp_path / "other").mkdir()
    temporary.remove_leftovers(tmp_path)
    rest = sorted(p.name.removeprefix(temporary.PREFIX) for p in tmp_path.iterdir())
    assert rest == ["far", "mine", "other", "unknown"]


def test_unfinished_folders_of_others_stay(tmp_path):
    for name, who in {"dead": of_ended_process(), "mine": Owner.current()}.items():
        folder = tmp_path / f".writing-{name}"
        folder.mkdir()
        (folder / replacing.OWNER).write_text(who.to_json())
    (tmp_path / ".writing-unknown").mkdir()
    replacing.recover(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".writing-mine", ".writing-unknown"]


def test_broken_notes_name_no_owner(tmp_path):
    for text in ("", "[]", "{}", '{"pid": "x"}', "\udce4"):
        (tmp_path / "o").write_bytes(text.encode("utf-8", "surrogateescape"))
        assert owner.Owner.read(tmp_path / "o") is None


@pytest.mark.parametrize(
    "plan",
    [
        {"names": ["../taken.tif"], "removed": []},
        {"names": [], "removed": ["../taken.tif"]},
        {"names": [], "removed": ["/taken.tif"]},
        {"names": [".."], "removed": []},
        {"names": 5, "removed": []},
        ["names"],
    ],
)
def test_list_of_a_stranger_reaches_nothing_outside(tmp_path, plan):
    parent, taken = tmp_path / "data", tmp_path / "taken.tif"
    folder = parent / ".writing-x"
    (folder / replacing.NEW).mkdir(parents=True)
    (folder / replacing.EARLIER).mkdir()
    (folder / replacing.OWNER).write_text(of_ended_process().to_json())
    (folder / replacing.COMMIT).write_text(json.dumps(plan))
    (folder / "taken.tif").write_text("theirs")  # what new/../taken.tif would be
    taken.write_text("mine")
    replacing.recover(parent)
    assert taken.read_text() == "mine"

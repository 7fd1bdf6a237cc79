"""Temporary folders of processes that ended are removed, those of others stay."""

import json
import subprocess
import sys

import pytest

from napari_segment.io import replacing, temporary
from napari_segment.io.owner import Owner


def of_ended_process():
    run = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    import psutil

    started = psutil.Process(run.pid).create_time()
    ended = Owner("ann", Owner.current().host, run.pid, started, "2026-01-01 10:00:00")
    assert ended.is_running
    run.communicate(b"\n")
    assert not ended.is_running
    return ended


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

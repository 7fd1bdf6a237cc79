"""Temporary folders of processes that ended are removed; mapped files have their disk space."""

import errno
import json
import os
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest

from napari_segment.errors import FormatError
from napari_segment.io import replacing, temporary
from napari_segment.io.owner import Owner
from napari_segment.io.temporary import mapped_file
from napari_segment.worker.stacks import save_array


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


@pytest.mark.parametrize("name", ["a.npy", "a.bin"])
@pytest.mark.skipif(sys.platform != "linux", reason="counts blocks of the file system")
def test_mapped_files_have_no_holes(tmp_path, name):
    array = mapped_file(tmp_path / name, (64, 1024), np.uint32)
    assert (array.shape, array.dtype, array.any()) == ((64, 1024), np.uint32, False)
    assert (tmp_path / name).stat().st_blocks * 512 >= array.nbytes
    array[5] = 7
    array.flush()
    read = np.load if name == "a.npy" else lambda path: np.fromfile(path, np.uint32)
    assert (read(tmp_path / name).reshape(64, 1024)[5] == 7).all()


@pytest.mark.skipif(sys.platform != "linux", reason="posix_fallocate")
@pytest.mark.parametrize("lazy", [False, True])
def test_a_full_disk_is_said_before_anything_is_written(tmp_path, lazy, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(np, "save", full)
    array = np.ones((8, 1000), np.uint8)
    with pytest.raises(FormatError, match=r"8,000 bytes.*No space left.*TMPDIR"):
        save_array(da.from_array(array) if lazy else array, tmp_path / "a.npy")
    assert not list(tmp_path.iterdir())


CALL = """
import resource, sys
from pathlib import Path
import dask.array as da
from napari_segment.errors import FormatError
from napari_segment.worker.stacks import save_array
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
try:
    save_array(da.ones((300, 10_000), chunks=(100, 10_000), dtype="u1"), Path(sys.argv[1], "a.npy"))
except FormatError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files")
def test_a_limit_of_files_is_an_error_and_no_signal(tmp_path):
    """Without its space the mapped file would end the process at the first row beyond it."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "need 3,000,000 bytes" in done.stdout
    assert not list(tmp_path.iterdir())

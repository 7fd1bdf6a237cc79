"""Files that are replaced stay private, links are not written through, tables hold no formulas."""

import os
import stat

import numpy as np
import pytest

from napari_segment import api, io
from napari_segment.deep.checkpoint import write_atomically
from napari_segment.image import Labels

_posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


@pytest.fixture
def labels():
    return Labels(np.ones((5, 5), np.uint8), "YX", holds="classes", names={1: "=1+1"})


@_posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
@pytest.mark.parametrize("name", ["a.tif", "a.nii.gz", "a.npz", "a.png"])
def test_modes_stay(tmp_path, labels, name, mode):
    path = io.write(labels, tmp_path / name)
    path.chmod(mode)
    io.write(labels, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@_posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_modes_of_checkpoints_and_tables_stay(tmp_path, labels, mode):
    for path, save in (
        (tmp_path / "m.json", lambda p: write_atomically(p, b"x")),
        (tmp_path / "t.csv", lambda p: api.write(api.measure(labels), p)),
    ):
        save(path)
        path.chmod(mode)
        save(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode


@_posix
@pytest.mark.parametrize("planted", [".m.json.{pid}.partial", ".m.json.partial", "m.json.tmp"])
def test_links_are_not_written_through(tmp_path, planted):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / planted.format(pid=os.getpid())).symlink_to(victim)
    write_atomically(tmp_path / "m.json", b"new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "m.json").read_bytes() == b"new"

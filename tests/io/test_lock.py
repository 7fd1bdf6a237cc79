"""A folder of results is written by one process at a time, and only while it is there."""

import shutil

import pytest

from napari_segment.errors import FormatError, SettingError
from napari_segment.io import lock
from napari_segment.io.lock import LOCK, check_held, locked
from napari_segment.io.owner import Owner
from napari_segment.io.replacing import placing, write_atomically


def test_second_owner_is_refused_by_name(tmp_path):
    folder = tmp_path / "run"
    with locked(folder, "another training"):
        me = Owner.read(folder / LOCK)
        assert (me.pid, me.host) == (Owner.current().pid, Owner.current().host)
        with pytest.raises(SettingError, match="another training") as error:
            locked(folder, "another training").__enter__()
        for part in (str(me.pid), me.host, me.since, str(folder / LOCK)):
            assert part in str(error.value)
        write_atomically(folder / "a", b"1")
    assert [p.name for p in folder.iterdir()] == ["a"]


def test_lock_of_another_machine_holds(tmp_path):
    far = Owner("ann", "another", 1, 0.0, "2026-01-01 10:00:00")
    (tmp_path / LOCK).write_text(far.to_json())
    with pytest.raises(SettingError, match="ann on another"), locked(tmp_path, "a training"):
        pass
    assert Owner.read(tmp_path / LOCK) == far


def test_stale_lock_is_taken_with_a_warning(tmp_path):
    me = Owner.current()
    ended = Owner("ann", me.host, me.pid, me.started - 60, "2026-01-01 10:00:00")
    (tmp_path / LOCK).write_text(ended.to_json())
    (tmp_path / ".weights.abcd.partial").touch()
    with pytest.warns(UserWarning, match="of ann on .* taken over"), locked(tmp_path, "a training"):
        assert Owner.read(tmp_path / LOCK).pid == me.pid
    assert not list(tmp_path.iterdir())


def test_lock_without_owner_is_new_or_taken(tmp_path, monkeypatch):
    (tmp_path / LOCK).touch()
    with pytest.raises(SettingError, match="just starting"), locked(tmp_path, "a training"):
        pass
    monkeypatch.setattr(lock, "_WRITING", -1.0)
    with pytest.warns(UserWarning, match="unknown process"), locked(tmp_path, "a training"):
        pass


def test_empty_folder_goes_again(tmp_path):
    with locked(tmp_path / "made", "a training"):
        pass
    assert not (tmp_path / "made").exists()
    with locked(tmp_path, "a training"):
        pass
    assert tmp_path.exists()


def test_removed_folder_is_not_made_again(tmp_path):
    folder = tmp_path / "run"
    with locked(folder, "a training"):
        assert check_held(folder / "a")
        assert not check_held(tmp_path / "b")
        shutil.rmtree(folder)
        with pytest.raises(FormatError, match="was removed"):
            write_atomically(folder / "previews" / "a", b"")
        with pytest.raises(FormatError, match="was removed"), placing(folder / "b"):
            pass
        folder.mkdir()  # by somebody else
        with pytest.raises(FormatError, match="taken over"):
            write_atomically(folder / "a", b"")
    assert not list(folder.iterdir())

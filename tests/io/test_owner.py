"""The owner of a lock or of an unfinished folder."""

from napari_segment.io import owner
from napari_segment.io.owner import Owner


def test_owners():
    me = Owner.current()
    assert me.is_running
    reused = Owner(me.user, me.host, me.pid, me.started - 60, me.since)
    assert not reused.is_running  # another process with the same number
    elsewhere = Owner(me.user, "another", 999_999_999, 0, me.since)
    assert elsewhere.is_running  # nobody here can know


def test_broken_notes_name_no_owner(tmp_path):
    for text in ("", "[]", "{}", '{"pid": "x"}', "\udce4"):
        (tmp_path / "o").write_bytes(text.encode("utf-8", "surrogateescape"))
        assert owner.Owner.read(tmp_path / "o") is None

"""Sessions write each edit to a journal, and go on where they were."""

import json

import numpy as np
import pytest
import zarr

import napari_segment as ns
from napari_segment.api import EditSession
from napari_segment.errors import FormatError, InputError, LeftOutWarning, SettingError
from napari_segment.io.journal import JournalFile, read_lines
from napari_segment.recipe import Edit
from napari_segment.results.edits.change import Change
from napari_segment.results.edits.history import History
from napari_segment.testing import edit_sample

EDITS = [
    ("merge", {"numbers": [1, 3]}),
    ("split", {"number": 4, "points": [[3, 18], [3, 26]]}),
    ("paint", {"runs": "0+40", "number": 6}),
    ("delete", {"numbers": [2]}),
]


def begun(journal, labels=None):
    labels = edit_sample()[0] if labels is None else labels
    return EditSession(History(labels, "YX"), journal)


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "edits.jsonl"


@pytest.fixture
def states(journal):
    """A session with edits, undone and redone; the labels after each step."""
    with begun(journal) as session:
        states = [session.history.labels.copy()]

        def note(_):
            states.append(session.history.labels.copy())

        for name, settings in EDITS:
            note(session.edit(name, **settings))
        note(session.undo())
        note(session.undo())
        note(session.redo())
    return states


@pytest.mark.parametrize("step", range(8))
def test_a_session_goes_on_from_any_moment(journal, states, step):
    with begun(journal, states[step].copy()) as session:
        assert np.array_equal(session.history.labels, states[-1])
        assert [edit.name for edit in session.edits] == ["merge", "split", "paint"]
        assert session.resumed == 3
        session.redo()
        assert np.array_equal(session.history.labels, states[4])
        while session.undo():
            pass
        assert np.array_equal(session.history.labels, states[0])


def test_a_new_edit_after_a_resumed_undo(journal, states):
    with begun(journal) as session:
        session.edit("delete", numbers=[6])
        assert session.redo() is None
        expected = session.history.labels.copy()
    with begun(journal) as session:
        assert np.array_equal(session.history.labels, expected)


def test_a_half_written_last_line_is_dropped(journal, states):
    whole = journal.read_bytes()
    for cut in (1, 7, 60):
        journal.write_bytes(whole[:-cut])
        with begun(journal) as session:
            assert np.array_equal(session.history.labels, states[-2])
        assert journal.read_bytes() == whole[: whole[:-1].rfind(b"\n") + 1]
    journal.write_bytes(whole[:20])  # of the header
    with begun(journal) as session:
        assert np.array_equal(session.history.labels, states[0])


def test_a_broken_line_in_the_middle_is_named(journal, states):
    lines = journal.read_bytes().splitlines(keepends=True)
    for broken in (b"{]\n", b"[1]\n", b'{"step": "edit"}\n', b'{"step": "fly", "checksum": ""}\n'):
        journal.write_bytes(b"".join([*lines[:2], broken, *lines[3:]]))
        with pytest.raises(FormatError, match="Line 3"):
            begun(journal)
    journal.write_text(json.dumps({"journal": "mine"}) + "\n")
    with pytest.raises(FormatError, match="no journal of edits"):
        begun(journal)


def test_other_labels_are_refused_and_untouched(journal, states):
    other = states[0].copy()
    other[0, 0] = 9
    before = other.copy()
    with pytest.raises(InputError, match="neither those"):
        begun(journal, other)
    assert np.array_equal(other, before)
    with pytest.raises(InputError, match="of labels with the axes YX"):
        begun(journal, other[1:])


def test_one_process_at_a_time(journal, states):
    with begun(journal), pytest.raises(SettingError, match="in use by another window"):
        begun(journal)
    begun(journal).close()


def test_replay_gives_the_identical_array(journal, states):
    for dtype in (np.uint8, np.int32, np.uint64):
        labels = ns.replay_edits(states[0].astype(dtype), journal)
        assert np.array_equal(labels.data, states[-1])


def test_replay_on_changed_labels_says_what_no_longer_fits(journal, states):
    moved = np.roll(states[0], 1, 0)
    with pytest.warns(UserWarning, match="3 of them met other labels"):
        labels = ns.replay_edits(moved, journal)
    assert labels.data[3, 3] == labels.data[11, 3] == 1
    gone = states[0].copy()
    gone[gone == 3] = 0
    with pytest.warns(LeftOutWarning, match=r"1 no longer fit .*edit 1 \(merge\): .*no object 3"):
        labels = ns.replay_edits(gone, journal)
    assert labels.data[3, 18] != labels.data[3, 26]


def test_edits_made_anew_equal_what_was_recorded(journal, states):
    history = History(states[0].copy(), "YX")
    with begun(journal) as session:
        edits = session.edits
    for edit in edits:
        history.make(Edit.model_validate_json(edit.model_dump_json()))
    assert np.array_equal(history.labels, states[-1])


def test_a_stroke_is_adopted_and_replayed(journal):
    with begun(journal) as session:
        labels = session.history.labels
        before = labels.copy()
        labels[12:14, 20:25] = 8
        change = Change.of((slice(0, 14), slice(0, 30)), before, labels)
        runs = "380+5 410+5"
        session.adopt(Edit(name="paint", settings={"runs": runs, "number": 8}), [change])
        expected = labels.copy()
    assert np.array_equal(ns.replay_edits(before, journal).data, expected)
    assert np.array_equal(ns.edit(before, "paint", runs=runs, number=8).data, expected)


def test_numbers_that_widen_are_taken_up_again(journal):
    labels = np.array([[255, 0, 1, 1]], np.uint8)
    with begun(journal, labels.copy()) as session:
        session.edit("relabel", number=1)
    with begun(journal, labels.copy()) as session:
        assert session.history.labels.tolist() == [[255, 0, 256, 256]]
        session.undo()
        assert session.history.labels.tolist() == labels.tolist()


@pytest.mark.parametrize("written", [0.0, 0.3, 1.0])
def test_an_array_on_disk_that_was_half_written_is_made_whole(journal, tmp_path, written):
    labels, _ = edit_sample(3)
    path = tmp_path / "labels.zarr"
    stored = zarr.create_array(path, shape=labels.shape, chunks=(1, 7, 7), dtype="u1")
    stored[...] = labels
    with EditSession(History(stored, "ZYX"), journal) as session:
        session.edit("delete", numbers=[3])
        expected_before = stored[...]
        session.edit("grow", numbers=[1, 4], distance=2)
        expected = stored[...]
        (made,) = session.history.done[-1:]
    rows = round(written * 5)  # a kill between the chunks of the last edit
    torn = expected_before.copy()
    torn[:rows] = expected[:rows]
    stored[...] = torn
    assert made.changes
    with EditSession(History(zarr.open_array(path), "ZYX"), journal) as session:
        assert np.array_equal(zarr.open_array(path)[...], expected)
        session.undo()
        assert np.array_equal(zarr.open_array(path)[...], expected_before)


def test_accepted_objects_are_those_that_did_not_change_since(journal):
    with begun(journal) as session:
        session.edit("accept", numbers=[1, 4])
        assert session.accepted == {1, 4}
        session.edit("paint", runs="31+1", number=0)
        assert session.accepted == {4}
        session.undo()
        assert session.accepted == {1, 4}
        session.undo()
        assert session.accepted == set()
    with begun(journal) as session:
        session.redo()
        assert session.accepted == {1, 4}


def test_a_full_disk_changes_nothing(journal, monkeypatch):
    with begun(journal) as session:
        before = session.history.labels.copy()

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(FormatError, match="it is not made: No space left"):
            session.edit("delete", numbers=[1])
        assert np.array_equal(session.history.labels, before)
        monkeypatch.undo()
        session.edit("delete", numbers=[3])
    with begun(journal) as session:
        assert [edit.settings for edit in session.edits] == [{"numbers": [3]}]


def test_a_journal_is_read_while_it_is_open(journal):
    file = JournalFile(journal)
    file.append({"a": 1})
    assert read_lines(journal)[0] == [{"a": 1}]
    file.append({"b": 2})
    file.close()
    file.close()
    assert len(read_lines(journal)[0]) == 2


def test_a_session_without_edits_leaves_no_file(journal):
    begun(journal).close()
    assert not journal.exists()
    with begun(journal) as session:
        session.edit("delete", numbers=[1])
    begun(journal, edit_sample()[0]).close()
    assert journal.exists()


def test_without_a_journal_edits_are_undone_too():
    session = begun(None)
    session.edit("delete", numbers=[1])
    assert session.undo().edit.name == "delete"
    assert session.undo() is None
    assert session.redo().edit.name == "delete"


def test_sessions_of_files_carry_recipe_and_features(tmp_path):
    image = np.full((16, 24), 10, np.uint8)
    image[2:7, 2:7] = image[2:7, 12:20] = 200
    labels = ns.segment(image, "otsu", cleanups=["connected_components"])
    labels = labels.replace(features={"label": np.array([1, 2]), "score": np.array([0.5, 0.9])})
    ns.write(labels, tmp_path / "labels.tif")
    with ns.edit_session(tmp_path / "labels.tif", tmp_path / "edits.jsonl") as session:
        session.edit("delete", numbers=[1])
        session.edit("grow", numbers=[2], distance=1)
        result = ns.session_labels(session, tmp_path / "labels.tif")
    assert result.features["label"].tolist() == [2]
    assert result.features["edited"].tolist() == [True]
    assert [edit.name for edit in result.recipe.edits] == ["delete", "grow"]
    assert np.array_equal(ns.replay(result.recipe, image).data, result.data)


def test_journals_of_strangers_unpack_no_more_than_the_labels(journal, states):
    import base64
    import zlib

    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    bomb = {"start": [0, 0], "sides": [1 << 18, 1 << 18], "dtypes": ["|u1", "|u1"]}
    packed = base64.b64encode(zlib.compress(bytes(1 << 20))).decode()
    bomb |= {"mask": packed, "before": packed, "after": packed}
    for change, message in ((bomb, "larger than the labels"), ({**bomb, "sides": [1, 8]}, "bytes")):
        lines[1]["changes"] = [change]
        journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
        with pytest.raises(FormatError, match=message):
            begun(journal)
    journal.write_text("[" * 100_000 + "\n" + "{}\n")
    with pytest.raises(FormatError, match="Line 1"):
        begun(journal)
    journal.write_text('{"shape": 3}\n')
    with pytest.raises(FormatError, match="no journal of edits"):
        begun(journal)
    lines[0]["checksum"] = "many"
    journal.write_text(json.dumps(lines[0]) + "\n")
    with pytest.raises(FormatError, match="no journal of edits"):
        begun(journal)

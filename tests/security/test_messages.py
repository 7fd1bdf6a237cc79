"""Messages are short and move no cursor, whatever a file is named or holds."""

import io
import json
import pickle
import re
import sys

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.cli import main
from napari_segment.cli.terminal import PrintableStream
from napari_segment.errors import FormatError, UnknownNameError
from napari_segment.printable import LONGEST, as_message, one_line, printable

ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\r\x08\u202e"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_every_control_character_becomes_visible():
    text = "".join(map(chr, range(0x300))) + "".join(map(chr, range(0x2000, 0x2070)))
    shown = printable(text)
    assert not CONTROL.search(shown)
    assert printable(shown) == shown
    assert printable("µm → 3×4\n\tå") == "µm → 3×4\n\tå"
    assert json.loads(f'"{printable(ESCAPES)}"') == ESCAPES
    printable("\udcff").encode("utf-8")  # a byte of a file name


@pytest.mark.parametrize("length", [10, LONGEST, LONGEST + 1, 10**7])
def test_messages_are_bounded_and_keep_their_end(length):
    text = as_message("a" * length + "Do this.")
    assert len(text) <= LONGEST
    assert text.endswith("Do this.")
    assert as_message(text) == text


def test_errors_are_bounded():
    error = FormatError(ESCAPES + "x" * 10**6)
    assert len(str(error)) <= LONGEST
    assert not CONTROL.search(str(error))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert len(str(UnknownNameError("method", "x" * 10**4 + ESCAPES, ["otsu"]))) <= LONGEST


def test_streams_give_their_other_methods_on():
    stream = PrintableStream(io.StringIO())
    assert stream.write("\x1b") == 1
    stream.flush()
    assert stream.getvalue() == "\\u001b"


@pytest.fixture
def hostile(tmp_path):
    """An image whose name holds escapes and lines of its own."""
    path = tmp_path / "a\x1b[31m\nall is well.tif"
    ns.write(ns.Image(np.eye(16, dtype="u1"), "YX"), path)
    return path


def test_file_names_are_printed_plainly(hostile, tmp_path, capsys):
    assert main(["segment", "otsu", str(hostile), "-o", str(tmp_path / "out.tif")]) == 0
    shown = capsys.readouterr()
    assert "a\\u001b[31m" in shown.out
    assert not CONTROL.search(shown.out + shown.err)


def test_an_error_is_one_line(tmp_path, capsys):
    path = tmp_path / "x\x1b[2J\n5 of 5 inputs done.tif"
    path.write_bytes(b"no image")
    assert main(["segment", "otsu", str(path), "-o", str(tmp_path / "out.tif")]) == 1
    error = capsys.readouterr().err
    assert not CONTROL.search(error)
    assert len(error.splitlines()) == 1
    assert one_line("a\n b") == "a b"


def test_what_is_typed_wrong_is_printed_plainly(capsys):
    with pytest.raises(SystemExit):
        main([ESCAPES + "y" * 10**5])
    error = capsys.readouterr().err
    assert not CONTROL.search(error)
    assert len(error) < 2 * LONGEST


def test_the_streams_are_as_before_after_a_command(capsys):
    before = sys.stdout, sys.stderr
    main(["list", "losses"])
    assert (sys.stdout, sys.stderr) == before

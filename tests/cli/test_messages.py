"""Errors and warnings are sentences that name options as they are typed."""

import numpy as np
import pytest

from napari_segment.cli import main


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["segment", "otsuu", "{cells}", "-o", "{out}"], 2, "Did you mean 'otsu'"),
        (["segment", "otsu", "{cells}", "-o", "{out}", "--bins", "1"], 2, "bins"),
        (["segment", "otsu", "{cells}", "-o", "{out}", "--cleanup", "fill"], 2, "fill_holes"),
        (["segment", "otsu", "{cells}", "-o", "{out}", "--filter", "gaussian:2"], 2, "KEY=VALUE"),
        (["segment", "otsu", "none.tif", "-o", "{out}"], 1, "none.tif"),
        (["segment", "otsu", "{cells}", "-o", "{out}", "--channel", "3"], 1, "no channels"),
        (["replay", "none.yaml", "{cells}", "-o", "{out}"], 1, "none.yaml"),
        (["compare", "none.tif", "{cells}"], 1, "none.tif"),
        (["replay", "{cells}", "{cells}", "-o", "{out}"], 1, "no recipe"),
        (["train", "-o", "{out}"], 2, "--images DIR"),
        (["segment", "otsu", "{cells}", "-o", "{out}", "--spacing", "-1,1,1"], 1, "one positive"),
        (["segment", "otsu", "{cells}", "-o", "{file}"], 2, "is a file without a suffix"),
        (["segment", "otsu", "{cells}", "-o", "{out}.xyz"], 2, "'.xyz', which is no known"),
    ],
)
def test_errors_are_one_or_two_sentences(cells, tmp_path, capsys, arguments, status, message):
    names = {"cells": cells, "out": tmp_path / "out.tif", "file": tmp_path / "file"}
    names["file"].write_text("a file")
    assert main([a.format(**names) for a in arguments]) == status
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "out.tif").exists()


def test_errors_name_options_as_they_are_typed(tmp_path, capsys):
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, np.zeros((2, 8, 8), np.uint8))
    command = ["segment", "otsu", "-o", str(tmp_path / "out"), "--axes", "cyx"]
    for inputs in (["a.npy"], ["a.npy", "b.npy"]):
        assert main([*command, *(str(tmp_path / name) for name in inputs)]) == 1
        error = capsys.readouterr().err
        assert error.count("Say which, such as --channel 0.") == len(inputs)


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(OSError, match=r"none\.tif"):
        main(["segment", "otsu", "none.tif", "-o", str(tmp_path / "a.tif"), "--debug"])


def test_a_user_is_warned_by_a_sentence():
    import warnings

    from napari_segment.cli.messages import formatted_warnings

    before = warnings.formatwarning
    with formatted_warnings():
        text = warnings.formatwarning("Look at channel=0.", UserWarning, "here.py", 3)
        assert text == "napari-segment: Look at --channel 0.\n"
        text = warnings.formatwarning("old", DeprecationWarning, "here.py", 3, "")
        assert text.startswith("here.py:3: DeprecationWarning: old")
    assert warnings.formatwarning is before

"""A network's layers and costs from the command line, and from Python."""

import json

import pytest

import napari_segment as ns
from napari_segment.cli import main

TEXTBOOK = "textbook_unet:features=4,levels=3"


def test_table_and_costs_are_printed(capsys):
    assert main(["summary", TEXTBOOK, "--channels", "2", "--size", "32", "--batch", "3"]) == 0
    printed = capsys.readouterr().out
    assert "Input 2 × 32 × 32, batch of 3." in printed
    assert "| Conv2d | 4 × 32 × 32 |" in printed
    assert "parameters. Memory" in printed


def test_json_equals_python(capsys):
    given = ["--channels", "1", "--classes", "3", "--ndim", "3", "--size", "16,16,32", "--json"]
    assert main(["summary", TEXTBOOK, *given]) == 0
    actual = json.loads(capsys.readouterr().out)
    model = ("textbook_unet", {"features": 4, "levels": 3})
    expected = ns.summary(model, channels_out=3, ndim=3, size=(16, 16, 32))
    assert actual["parameters"] == expected.parameters
    assert actual["memory_training"] == expected.memory_training
    assert actual["size"] == [1, 1, 16, 16, 32]
    assert [layer["name"] for layer in actual["layers"]] == [x.name for x in expected.layers]


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("b.svg", b"<?xml"), ("c.md", b"# textbook")]
)
def test_drawings_and_tables_are_written(tmp_path, capsys, name, begins):
    out = tmp_path / "new" / name
    assert main(["summary", TEXTBOOK, "--size", "32", "-o", str(out)]) == 0
    assert out.read_bytes().startswith(begins)
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["textbok_unet"], "'textbook_unet'"),
        (["smp_unet", "--ndim", "3"], "made for 2-D"),
        ([TEXTBOOK, "--size", "8,8,8"], "give 2 sides"),
        ([TEXTBOOK, "--size", "x"], "write 64,64,64"),
        ([TEXTBOOK, "-o", "net.gif"], ".png"),
    ],
)
def test_wrong_usage_is_said(capsys, given, message):
    assert main(["summary", *given]) == 2
    assert message in capsys.readouterr().err

"""What there is, as names and as schemas."""

import json

from napari_segment.cli import main


def test_list_names_everything_and_gives_schemas(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("otsu", "gaussian", "fill_holes", "unet", "dice_ce", "cpu"))
    assert main(["list", "methods", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["canny"]["settings"]["properties"]["sigma"]["type"] == "number"


def test_list_tells_what_cannot_run_by_blocks(capsys):
    assert main(["list", "methods"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["slic"].endswith("In memory only.")
    assert "In memory only" not in lines["canny"]
    assert main(["list", "methods", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "whole image" in rows["slic"]["whole"]
    assert (rows["slic"]["blocks"], rows["canny"]["blocks"]) == (False, True)

"""Edges, tracks, consensus and scores of folders, with reports and processes."""

import json

import numpy as np
import pandas as pd
import pytest

from napari_segment import Image, Labels, read, write
from napari_segment.cli import main
from napari_segment.recipe import Recipe


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def square(left):
    data = np.zeros((24, 24), np.float32)
    data[6:18, left : left + 8] = 100
    return data


def test_edges_of_nested_folders(folder):
    for number in range(3):
        write(Image(square(4 + number)), folder / f"in/a{number}/image.tif")
    (folder / "in/bad.tif").write_bytes(b"II*\0 broken")
    command = ["edges", "in", "-o", "out", "--recursive", "--report", "report.json"]
    assert main(command) == 1
    for number in range(3):
        table = pd.read_csv(folder / f"out/a{number}/image.csv")
        columns = table[next(c for c in table if c.startswith(("x", "X")))]
        assert columns.min() == pytest.approx(4 + number - 0.5, abs=0.3)
        assert Recipe.load(folder / f"out/a{number}/image.csv.recipe.yaml").method.name == "canny"
    (folder / "out/a1/image.csv.recipe.yaml").unlink()  # as after a kill
    assert main([*command, "--skip-existing"]) == 1
    rows = json.loads((folder / "report.json").read_text())
    assert sorted(row["status"] for row in rows) == ["done", "failed", "skipped", "skipped"]
    assert main(["edges", "in", "-o", "out.csv", "--recursive"]) == 2


def moving(offset):
    """One object that moves by a pixel, with another number in each frame."""
    data = np.zeros((2, 12, 12), np.uint8)
    data[0, 2:6, offset : offset + 4] = 1
    data[1, 2:6, offset + 1 : offset + 5] = 2
    return Labels(data, "TYX", holds="objects")


def test_tracks_of_a_folder(folder):
    for number in range(3):
        write(moving(number), folder / f"in/{number}.tif")
    (folder / "in/bad.tif").write_bytes(b"II*\0 broken")
    assert main(["track", "in", "-o", "out", "--workers", "2"]) == 1
    for number in range(3):
        tracked = read(folder / f"out/{number}.tif")
        assert set(np.unique(tracked.data)) == {0, 1}
        assert np.array_equal(tracked.data != 0, moving(number).data != 0)
    assert main(["track", "in/0.tif", "-o", "one.tif"]) == 0


def test_consensus_of_folders_of_equal_names(folder, capsys):
    base = np.zeros((16, 16), np.uint8)
    base[4:10, 4:10] = 1
    for who, shift in (("a", 0), ("b", 0), ("c", 1)):
        for number in range(2):
            data = np.roll(base, shift, axis=1)
            write(Labels(data, "YX", holds="objects"), folder / who / f"{number}.tif")
    assert main(["consensus", "a", "b", "c", "-o", "out", "--json"]) == 0
    assert [row["count"] for row in json.loads(capsys.readouterr().out)] == [1, 1]
    for number in range(2):
        assert np.array_equal(read(folder / f"out/{number}.tif").data, base)
    (folder / "c/1.tif").unlink()
    assert main(["consensus", "a", "b", "c", "-o", "out"]) == 1
    assert "no file named like 1.tif" in capsys.readouterr().err
    assert main(["consensus", "a/0.tif", "b", "-o", "new.tif"]) == 1


def test_scores_in_processes_with_a_report(folder, capsys):
    objects = np.zeros((16, 16), np.uint8)
    objects[2:6, 2:6] = 1
    for number in range(4):
        labels = Labels(objects * (number != 3), "YX", holds="objects")
        write(labels, folder / f"a/{number}.tif")
        write(Labels(objects, "YX", holds="objects"), folder / f"b/{number}.tif")
    (folder / "a/2.tif").write_bytes(b"II*\0 broken")
    texts = []
    for workers in ("0", "2"):
        command = ["compare", "a", "b", "--workers", workers, "--report", "r.json", "--json"]
        assert main(command) == 1
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert list(json.loads(texts[0])["cases"]) == ["0", "1", "3"]
    rows = json.loads((folder / "r.json").read_text())
    assert [row["status"] for row in rows] == ["done", "done", "failed", "done"]
    assert rows[0]["summary"]["f1"] == 1

"""What commands write: never over what they read, and only what the name of the file says."""

import os
import subprocess
import sys

import numpy as np
import pytest

from napari_segment import Image, Labels, write
from napari_segment.cli import main


@pytest.fixture
def folder(tmp_path):
    """Two images and their labels, of one size."""
    image, labels = np.zeros((12, 12), np.uint8), np.zeros((12, 12), np.uint8)
    image[2:7, 3:9], labels[2:7, 3:9] = 200, 1
    for name in ("a", "b"):
        write(Image(image), tmp_path / "images" / f"{name}.png")
        write(Labels(labels), tmp_path / "labels" / f"{name}.tif")
    (tmp_path / "link").symlink_to(tmp_path / "images")
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [
        "segment otsu images -o images",
        "segment otsu images/a.png images/b.png -o images/../images",
        "segment otsu images -o link",
        "segment otsu images/a.png -o link/a.png",
        "segment otsu images/a.png -o images",
        "segment otsu images -o new --pictures images",
        "segment otsu images -o new --pictures new",
        "segment watershed images/a.png --data markers=labels/a.tif -o labels/a.tif",
        "segment watershed images --data markers=labels -o new --pictures new",
        "filter --filter median labels -o labels",
        "track labels/a.tif -o labels/a.tif",
        "consensus labels/a.tif labels/b.tif -o labels/b.tif",
    ],
)
def test_inputs_are_not_overwritten(folder, monkeypatch, capsys, command):
    monkeypatch.chdir(folder)
    before = contents(folder)
    assert main(command.split()) == 2
    assert "which would be overwritten" in capsys.readouterr().err
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["labels/a.tif", "t.xlsx", "t", "t.csv.gz"])
def test_tables_need_a_name_of_tables(folder, monkeypatch, capsys, name):
    monkeypatch.chdir(folder)
    before = contents(folder)
    for command in (
        ["edges", "missing.tif", "-o"],
        ["measure", "missing.tif", "-o"],
        ["compare", "labels", "labels", "--table"],
    ):
        assert main([*command, name]) == 2
        assert f"a table to {name!r}: end it with .csv" in capsys.readouterr().err
    assert contents(folder) == before


@pytest.mark.parametrize(
    "command",
    [
        "demo -o file",
        "samples nuclei -o file",
        "summary textbook_unet:features=2,levels=2 --size 32 -o file/x.md",
        "segment otsu images/a.png -o new --pictures file",
    ],
)
def test_folders_that_are_files_are_refused(folder, monkeypatch, capsys, command):
    monkeypatch.chdir(folder)
    (folder / "file").write_text("a file")
    assert main(command.split()) == 1
    error = capsys.readouterr().err
    assert "file" in error
    assert not any(word in error for word in ("Errno", "Error:", "--debug"))


def test_a_replay_does_not_overwrite_its_input(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["segment", "otsu", "images", "-o", "new"]) == 0
    before = contents(folder)
    assert main(["replay", "new/a.recipe.yaml", "images", "-o", "images"]) == 2
    assert "which would be overwritten" in capsys.readouterr().err
    assert contents(folder) == before


def test_a_store_with_an_input_is_not_overwritten(tmp_path, capsys):
    stack = Image(np.arange(64, dtype=np.uint8).reshape(1, 8, 8), "ZYX")
    for number in "01":
        write(stack, tmp_path / "many.zarr" / f"{number}.zarr")
    before = contents(tmp_path)
    store = tmp_path / "many.zarr"
    assert main(["segment", "otsu", str(store / "0.zarr"), "-o", str(store)]) == 2
    assert "holds an input, which would be overwritten" in capsys.readouterr().err
    assert contents(tmp_path) == before


@pytest.mark.parametrize("command", ["track", "consensus"])
def test_results_of_objects_need_a_known_format(folder, monkeypatch, capsys, command):
    monkeypatch.chdir(folder)
    assert main([command, "missing.tif", "-o", "new.xyz"]) == 2
    assert "'.xyz', which is no known format" in capsys.readouterr().err


def test_several_objects_may_go_into_a_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["consensus", "labels/a.tif", "labels/b.tif", "-o", "new"]) == 0
    assert (folder / "new" / "a.tif").exists()


def test_empty_paths_are_refused(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder / "images")
    before = contents(folder)
    for command in (["segment", "otsu", "a.png"], ["train"], ["track", "a.png"], ["demo"]):
        with pytest.raises(SystemExit) as stop:
            main([*command, "-o", ""])
        assert stop.value.code == 2
        assert "-o/--output: has no name" in capsys.readouterr().err
    assert main(["segment", "otsu", "", "-o", "../new"]) == 2
    assert "An input has no name" in capsys.readouterr().err
    assert contents(folder) == before


def test_letters_that_the_output_lacks_end_no_work(folder):
    done = subprocess.run(
        [sys.executable, "-m", "napari_segment.cli", "segment", "otsu", "images", "-o", "µ"],
        cwd=folder, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"? ?") == 2
    assert len(list((folder / "µ").glob("*.png"))) == 2

"""One damaged file of several: it is named, the rest is done, the exit status is 1."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import napari_segment as ns
from napari_segment import cli
from napari_segment.errors import FormatError, LeftOutWarning
from napari_segment.io import read_labels
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import run

SUFFIXES = (".tif", ".nrrd", ".nii.gz", ".png", ".npz", ".npy")
COMMANDS = {
    "segment": ("segment", "otsu", "images", "-o", "out"),
    "lazily": ("segment", "otsu", "images", "-o", "out", "--lazy"),
    "filter": ("filter", "images", "-o", "out", "--filter", "gaussian"),
    "measure": ("measure", "labels", "-o", "table.csv"),
    "compare": ("compare", "labels", "references", "--json"),
}


def damage(path):
    """Change the middle of a file, or of the largest file in a folder, and cut its end."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    largest = max(files, key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(255 - byte for byte in content[middle : middle + 40])
    largest.write_bytes(content[: -len(content) // 4])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(3):
        pixels = rng.integers(0, 255, (64, 48), dtype=np.uint8)
        pixels[4:20, 4:20] = 255
        ns.write(ns.Image(pixels), tmp_path / "images" / f"{number}.tif")
        labels = ns.Labels((pixels > 250).astype(np.uint8), "YX", holds="mask")
        for name in ("labels", "references"):
            ns.write(labels, tmp_path / name / f"{number}.tif")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_goes_on(folders, capsys, command):
    for name in ("images", "labels"):
        damage(folders / name / "1.tif")
    assert cli.main(COMMANDS[command]) == cli.FAILED
    said = capsys.readouterr()
    assert sum("1.tif" in line for line in said.err.splitlines()) == 1
    assert "Traceback" not in said.err
    if command == "compare":
        assert set(json.loads(said.out)["cases"]) == {"0", "2"}
    elif command == "measure":
        assert set(pd.read_csv("table.csv")["file"]) == {"labels/0.tif", "labels/2.tif"}
    else:
        assert sorted(p.name for p in (folders / "out").glob("*.tif")) == ["0.tif", "2.tif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("lazy", [False, True])
def test_damage_is_named_in_every_format(tmp_path, suffix, lazy):
    pixels = np.random.default_rng(0).integers(0, 255, (3, 90, 80), dtype=np.uint8)
    pixels = pixels[0] if suffix == ".png" else pixels
    path = ns.write(ns.Image(pixels), tmp_path / f"harmed{suffix}")
    damage(path)
    with pytest.raises(FormatError, match="harmed") as error:
        np.asarray(ns.read(path, lazy=lazy).data)
    assert "\n" not in str(error.value)


def test_damaged_features_name_their_file(tmp_path):
    path = tmp_path / "a.tif"
    labels = ns.Labels(np.eye(4, dtype=np.uint8), "YX", features={"label": np.array([1])})
    ns.write(labels, path)
    (tmp_path / "a.features.csv").write_bytes(b'label,"x\n1,\x00\xff"\n"')
    with pytest.raises(FormatError, match=r"a\.features\.csv"):
        read_labels(path)


def test_trainings_leave_out_what_cannot_be_read(folders):
    from napari_segment.deep.data.cases import Cases

    damage(folders / "images" / "0.tif")
    damage(folders / "labels" / "2.tif")
    cases = Cases(Pairs.of((folders / "images", folders / "labels")))
    with pytest.warns(LeftOutWarning) as shown:
        run(cases.measure())
    assert [item.name for item in cases.items] == ["1"]
    assert cases.note == "2 of 3 cases cannot be read, left out: 0, 2"
    assert ["0.tif" in str(w.message) or "2.tif" in str(w.message) for w in shown] == [True] * 2
    damage(folders / "labels" / "1.tif")
    cases = Cases(Pairs.of((folders / "images", folders / "labels")))
    with pytest.warns(LeftOutWarning), pytest.raises(FormatError, match="None of the 3 cases"):
        run(cases.measure())


def test_classifiers_leave_out_what_cannot_be_read(folders):
    for number in range(3):
        strokes = np.zeros((64, 48), np.uint8)
        strokes[6:9, 6:9], strokes[40:44, 30:34] = 1, 2
        path = folders / "strokes" / f"{number}.tif"
        ns.write(ns.Labels(strokes, "YX", holds="classes"), path)
    expected = _trained(folders, "whole", (0, 2))
    damage(folders / "images" / "1.tif")
    with pytest.warns(LeftOutWarning, match=r"1\.tif"):
        actual = _trained(folders, "without", (0, 1, 2))
    assert actual.samples == expected.samples
    assert actual.importances == pytest.approx(expected.importances, abs=0.2)


def _trained(folder, out, numbers):
    pairs = [(folder / "images" / f"{n}.tif", folder / "strokes" / f"{n}.tif") for n in numbers]
    return run(ns.train_classifier(pairs, out=folder / out, trees=3, scales=(1.0,)))


# A command in which something was left out.
LEAVING = """
import sys, warnings
from napari_segment import cli
from napari_segment.cli import filter
from napari_segment.errors import LeftOutWarning
def leaves(options):
    for name in sys.argv[1:]:
        warnings.warn(f"The case '{name}' is left out: {name}.tif is damaged.", LeftOutWarning)
    return 0
filter.filter_files = leaves
sys.exit(cli.main(["filter", "a.tif", "-o", "b.tif"]))
"""


@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_what_was_left_out_is_said_and_is_a_failure(names):
    command = [sys.executable, "-c", LEAVING, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (cli.FAILED if names else cli.OK)
    lines = [f"napari-segment: The case '{n}' is left out: {n}.tif is damaged." for n in names]
    assert done.stderr.splitlines() == lines


def test_the_worker_shows_it_too():
    from napari_segment.worker.process import Worker

    worker, sent = Worker(sys.stderr), []
    worker.outbox.send = sent.append
    with warnings.catch_warnings():
        warnings.showwarning = worker._warn(7)
        warnings.warn("a is left out", LeftOutWarning, stacklevel=1)
        warnings.warn("of a library", DeprecationWarning, stacklevel=1)
    assert sent == [{"job": 7, "warning": "a is left out"}]

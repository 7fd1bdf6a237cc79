"""Many files at once: nested folders, bad files, reports, and runs that go on."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_segment import Image, Labels, read, write
from napari_segment.cli import main
from napari_segment.io import images_in
from napari_segment.recipe import Recipe

COUNT = 30
BAD = range(0, COUNT, 10)  # one in ten


def image(number):
    data = np.zeros((16, 16), np.uint8)
    data[2 : 4 + number % 8, 3:9] = 200
    return Image(data)


def name(number):
    return f"plate_{number % 3}/well_{number % 2}/{number}"


def path(folder, number):
    return str(Path(folder, f"{name(number)}.tif"))


@pytest.fixture
def nested(tmp_path, monkeypatch):
    """Images in folders of folders; every tenth is no TIFF, whatever its name says."""
    monkeypatch.chdir(tmp_path)
    for number in range(COUNT):
        write(image(number), tmp_path / "in" / f"{name(number)}.tif")
        if number in BAD:
            (tmp_path / "in" / f"{name(number)}.tif").write_bytes(b"II*\0 broken")
    return tmp_path


def run(*arguments):
    return main(["segment", "otsu", "in", "-o", "out", "--recursive", *arguments])


def test_bad_files_do_not_end_the_run(nested, capsys):
    assert run("--report", "report.json") == 1
    assert f"{len(BAD)} of {COUNT} inputs failed." in capsys.readouterr().err
    results = {p.relative_to(nested / "out") for p in (nested / "out").rglob("*.tif")}
    good = [n for n in range(COUNT) if n not in BAD]
    assert {str(p) for p in results} == {f"{name(n)}.tif" for n in good}
    for number in good:
        labels = read(nested / "out" / f"{name(number)}.tif")
        assert np.array_equal(labels.data != 0, image(number).data != 0)


def test_the_report_says_what_became_of_each_file(nested):
    run("--report", "reports/report.json")
    rows = {row["input"]: row for row in json.loads((nested / "reports/report.json").read_text())}
    assert len(rows) == COUNT
    bad, good = (rows[path("in", n)] for n in (0, 1))
    assert (bad["status"], good["status"]) == ("failed", "done")
    assert "0.tif" in bad["error"]
    assert good["error"] is None
    assert Recipe.from_plain(good["recipe"]).method.name == "otsu"
    assert read(good["output"]).shape == (16, 16)
    assert good["seconds"] > 0
    assert bad["peak_memory"] is None or bad["peak_memory"] > 10**6


def test_skip_existing_does_only_what_is_missing(nested, capsys):
    run()
    untouched = nested / "out" / f"{name(1)}.tif"
    (nested / "out" / f"{name(2)}.tif").unlink()
    before = untouched.stat().st_mtime_ns
    write(image(0), nested / "in" / f"{name(0)}.tif")
    capsys.readouterr()
    assert run("--skip-existing", "--report", "report.json") == 1
    assert f"{COUNT - len(BAD) - 1} of {COUNT} inputs skipped" in capsys.readouterr().err
    rows = json.loads((nested / "report.json").read_text())
    done = {row["input"] for row in rows if row["status"] == "done"}
    assert done == {path("in", n) for n in (0, 2)}
    assert untouched.stat().st_mtime_ns == before


def test_results_of_another_recipe_or_half_written_are_made_again(nested):
    run()
    target = nested / "out" / f"{name(1)}.tif"
    recipe = target.with_suffix(".recipe.yaml")
    recipe.unlink()  # as after a kill between the labels and what belongs to them
    run("--skip-existing")
    assert Recipe.load(recipe).method.settings["bins"] == 256
    run("--skip-existing", "--bins", "64")
    assert Recipe.load(recipe).method.settings["bins"] == 64


def test_a_killed_run_goes_on(nested):
    command = [sys.executable, "-m", "napari_segment.cli", "segment", "otsu", "in", "-o", "out"]
    process = subprocess.Popen([*command, "--recursive"], stdout=subprocess.PIPE)
    process.stdout.readline()  # the first file is done
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    process.stdout.close()
    made = {p: p.stat().st_mtime_ns for p in (nested / "out").rglob("*.recipe.yaml")}
    assert len(made) > 0
    time.sleep(0.01)
    assert run("--skip-existing") == 1
    assert len(images_in(nested / "out", recursive=True)) == COUNT - len(BAD)
    assert all(p.stat().st_mtime_ns == t for p, t in made.items())
    assert not list((nested / "out").rglob(".writing-*")) or len(made) < COUNT


def test_patterns_are_expanded_where_the_shell_did_not(nested, capsys):
    assert main(["segment", "otsu", "in/plate_1/*/[17].tif", "-o", "out"]) == 0
    assert {p.name for p in images_in("out")} == {"1.tif", "7.tif"}
    assert main(["segment", "otsu", "in/*.nothing", "-o", "out"]) == 2
    assert "No file matches 'in/*.nothing'" in capsys.readouterr().err


def test_results_in_the_folder_of_the_inputs_are_no_inputs(nested):
    (nested / "in").rename(nested / "all")
    arguments = ["segment", "otsu", "all", "-o", "all/results", "--recursive", "--skip-existing"]
    assert main(arguments) == main(arguments) == 1
    assert len(images_in("all/results", recursive=True)) == COUNT - len(BAD)


def test_filters_of_nested_folders(nested):
    arguments = ["filter", "in", "-o", "out", "--recursive", "--filter", "median"]
    assert main([*arguments, "--report", "report.json"]) == 1
    assert len(images_in("out", recursive=True)) == COUNT - len(BAD)
    assert main([*arguments, "--skip-existing", "--report", "report.json"]) == 1
    statuses = [row["status"] for row in json.loads((nested / "report.json").read_text())]
    assert statuses.count("skipped") == COUNT - len(BAD)
    assert statuses.count("failed") == len(BAD)


def objects(number):
    data = np.zeros((16, 16), np.uint8)
    for i in range(number % 4):
        data[4 * i : 4 * i + 2, : i + 1] = i + 1
    return Labels(data)


@pytest.fixture
def labelled(nested):
    for number in range(COUNT):
        if number not in BAD:
            write(objects(number), nested / "labels" / f"{name(number)}.tif")
    (nested / "labels" / "bad.tif").write_bytes(b"II*\0 broken")
    return nested


def test_folders_are_measured_into_one_table(labelled):
    arguments = ["measure", "labels", "--recursive", "-o", "t.csv", "--image", "in"]
    arguments += ["--properties", "basic,intensity"]
    assert main([*arguments, "--report", "report.json"]) == 1
    table = pd.read_csv("t.csv")
    counts = table.groupby("file").size().to_dict()
    expected = {n: n % 4 for n in range(COUNT) if n not in BAD and n % 4}
    assert counts == {path("labels", n): c for n, c in expected.items()}
    one = table[table["file"] == path("labels", 3)]
    assert one["area [pixel^2]"].tolist() == [2, 4, 6]
    assert one["mean_intensity [intensity]"].tolist() == [
        image(3).data[objects(3).data == i].mean() for i in (1, 2, 3)
    ]
    rows = json.loads((labelled / "report.json").read_text())
    assert sum(row["status"] == "failed" for row in rows) == 1


def test_a_table_is_continued(labelled, capsys):
    arguments = ["measure", "labels", "--recursive", "-o", "t.csv"]
    main(arguments)
    whole = pd.read_csv("t.csv")
    first = whole["file"].iloc[0]
    whole[whole["file"] == first].to_csv("t.csv", index=False)
    capsys.readouterr()
    assert main([*arguments, "--skip-existing"]) == 1
    assert "1 of" in capsys.readouterr().err
    pd.testing.assert_frame_equal(pd.read_csv("t.csv"), whole, check_dtype=False)
    assert main([*arguments, "--skip-existing", "--properties", "shape"]) == 1
    assert "has no column" in capsys.readouterr().err
    pd.testing.assert_frame_equal(pd.read_csv("t.csv"), whole, check_dtype=False)


def test_maps_next_to_labels_are_not_measured(tmp_path, capsys):
    labels = objects(3)
    chart = Image(np.zeros((16, 16), np.float32))
    write(labels.replace(maps={"entropy": chart}), tmp_path / "labels" / "a.tif")
    assert main(["measure", str(tmp_path / "labels"), "-o", str(tmp_path / "t.csv")]) == 0
    assert "3 rows of 1 file" in capsys.readouterr().out


def test_a_report_is_no_input_and_ends_with_json(nested, capsys):
    write(image(1), nested / "one.tif")
    for report in ("one.tif", "report.txt"):
        assert main(["segment", "otsu", "one.tif", "-o", "l.tif", "--report", report]) == 2
        assert "end it with .json" in capsys.readouterr().err


def test_nested_folders_are_compared_by_their_relative_names(tmp_path, capsys):
    for number in range(6):
        write(objects(3), tmp_path / "a" / f"{name(number)}.tif")
        write(objects(3 if number else 2), tmp_path / "b" / f"{name(number)}.tif")
    arguments = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]
    assert main([*arguments, "--recursive"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert set(scores["cases"]) == {name(n) for n in range(6)}
    assert scores["cases"][name(0)]["summary"]["ap50"] == pytest.approx(2 / 3)
    assert scores["pooled"]["ap50"] == pytest.approx(17 / 18)
    assert main(arguments) == 1
    assert "--recursive" in capsys.readouterr().err

"""The command line: exact names, exit statuses, and error messages."""

import json
import subprocess
import sys
from concurrent.futures import CancelledError

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_segment import Image, Labels, read, replay, segment, write
from napari_segment.cli import main
from napari_segment.cli.cluster import _what_clusters_say, cluster
from napari_segment.distribution import version
from napari_segment.errors import MissingError
from napari_segment.io import read_labels
from napari_segment.results.measure import measure
from napari_segment.samples import SAMPLES


@pytest.fixture
def cells(tmp_path):
    """A small image file: two balls on a dark ground, in micrometers."""
    z, y, x = np.mgrid[:6, :20, :24]
    data = np.full(z.shape, 20, np.uint8)
    data[(y - 6) ** 2 + (x - 6) ** 2 < 16] = 200
    data[(y - 13) ** 2 + (x - 16) ** 2 < 25] = 180
    path = tmp_path / "cells.tif"
    write(Image(data, "ZYX", spacing=(2, 0.5, 0.5), unit="micrometer"), path)
    return path


def test_help_answers_at_once():
    heavy = [
        "dask",
        "numba",
        "pandas",
        "scipy",
        "skimage",
        "torch",
        "monai",
        "napari",
        "matplotlib",
    ]
    code = (
        "import sys; from napari_segment.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print('heavy:', *[m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_the_version_is_shown(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"napari-segment {version()}\n"


def test_segment_writes_labels_and_their_recipe(cells, tmp_path, capsys):
    out = tmp_path / "labels.tif"
    arguments = ["segment", "otsu", str(cells), "-o", str(out), "--filter", "gaussian:sigma=0.5"]
    assert main([*arguments, "--cleanup", "connected_components"]) == 0
    labels = read_labels(out)
    assert labels.spacing == pytest.approx((2, 0.5, 0.5))
    assert labels.unit == "micrometer"
    assert np.asarray(labels).max() == 2
    assert "cells.tif" in capsys.readouterr().out
    expected = segment(
        cells, "otsu", filters=[("gaussian", {"sigma": 0.5})], cleanups=["connected_components"]
    )
    assert np.array_equal(labels, expected)
    assert np.array_equal(replay(tmp_path / "labels.recipe.yaml", cells), expected)


def test_replay_equals_segment(cells, tmp_path):
    first, second = tmp_path / "a.tif", tmp_path / "b.tif"
    assert main(["segment", "otsu", str(cells), "-o", str(first)]) == 0
    recipe = str(tmp_path / "a.recipe.yaml")
    assert main(["replay", recipe, str(cells), "-o", str(second)]) == 0
    assert np.array_equal(read_labels(first), read_labels(second))


def test_settings_are_options_and_json_tells_all(cells, tmp_path, capsys):
    out = tmp_path / "mask.tif"
    arguments = ["segment", "manual", str(cells), "-o", str(out), "--json", "--apply-to", "plane"]
    assert main([*arguments, "--value", "190"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["recipe"]["method"]["settings"]["value"] == 190
    assert report["recipe"]["apply_to"] == "plane"
    assert np.array_equal(np.asarray(read_labels(out)) > 0, np.asarray(read(cells)) > 190)


@pytest.mark.parametrize(
    ("method", "name", "text", "value"),
    [
        ("levels", "thresholds", "-5,100", [-5, 100]),
        ("manual", "value", "-1e3", -1000),
        ("manual", "value", "-.5", -0.5),
    ],
)
def test_values_may_be_negative(cells, tmp_path, capsys, method, name, text, value):
    arguments = ["segment", method, str(cells), "-o", str(tmp_path / "a.tif"), "--json"]
    assert main([*arguments, f"--{name}", text]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["recipe"]["method"]["settings"][name] == value


def test_several_inputs_need_a_folder_and_failures_are_counted(cells, tmp_path, capsys):
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"no tiff")
    out = tmp_path / "out"
    assert main(["segment", "otsu", str(cells), str(broken), "-o", str(out)]) == 1
    assert (out / "cells.tif").exists()
    error = capsys.readouterr().err
    assert "broken.tif" in error
    assert "1 of 2 inputs failed" in error
    assert "Traceback" not in error


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


@pytest.mark.parametrize("arguments", [[], ["segment"], ["frobnicate"], ["list", "things"]])
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segmnt", "otsu"], "Did you mean 'segment'?"),
        (["list", "method"], "Did you mean 'methods'?"),
        (["list", "things"], "Known: filters, methods"),
        (["train", "--minuts", "3", "-o", "run"], "Did you mean '--minutes'?"),
        (["segment", "otsu", "a.tif", "-o", "b.tif", "--bin", "9"], "Did you mean '--bins'?"),
        (
            ["segment", "otsu", "a.tif", "-o", "b.tif", "--apply-to", "planes"],
            "Did you mean 'plane'",
        ),
        (["segment", "network", "a.tif", "-o", "b.tif"], "--checkpoint"),
        (["segment", "otsu", "a.tif"], "See 'napari-segment segment otsu --help'"),
        (["segment"], "See 'napari-segment segment METHOD --help'"),
        (["segment", "canny", "a.tif", "-o", "b.tif", "sigma=1"], "'sigma=1' is one too many here"),
        (["segment", "canny", "a.tif", "-o", "b.tif", "sigma=1"], "Write --sigma 1."),
        (["segment", "range", "a.tif", "-o", "b.tif", "200"], "'200' is one too many here."),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(arguments)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(OSError, match=r"none\.tif"):
        main(["segment", "otsu", "none.tif", "-o", str(tmp_path / "a.tif"), "--debug"])


def test_measure_writes_a_table_with_units(cells, tmp_path):
    labels = tmp_path / "labels.tif"
    main(["segment", "otsu", str(cells), "-o", str(labels), "--cleanup", "connected_components"])
    table = tmp_path / "table.csv"
    assert main(["measure", str(labels), "--image", str(cells), "-o", str(table)]) == 0
    lines = table.read_text().splitlines()
    assert len(lines) == 3
    assert "volume" in lines[0]
    assert "mean_intensity" in lines[0]


def test_measure_takes_properties_and_leaves_stacks_on_disk(cells, tmp_path, capsys, monkeypatch):
    labels, table = tmp_path / "labels.tif", tmp_path / "table.csv"
    main(["segment", "otsu", str(cells), "-o", str(labels), "--cleanup", "connected_components"])
    command = ["measure", str(labels), "--image", str(cells), "-o", str(table)]
    assert main([*command, "--properties", "all"]) == 0
    expected = pd.read_csv(table)
    assert {"sphericity", "solidity", "texture_contrast"} <= set(expected)
    lazy = []

    def spy(labels, image, **options):
        lazy.append((labels.is_lazy, image.is_lazy))
        return measure(labels, image, **options)

    monkeypatch.setattr("napari_segment.results.measure.measure", spy)
    assert main([*command, "--properties", "all", "--lazy"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(table), expected)
    assert main([*command, "--properties", "size, euler_number", "--spacing", "4,1,1"]) == 0
    few = pd.read_csv(table)
    assert list(few) == ["label", "volume [micrometer^3]", "euler_number"]
    np.testing.assert_allclose(few.iloc[:, 1], 8 * expected["volume [micrometer^3]"])
    assert lazy == [(True, True), (False, False)]


def test_measure_reads_the_labels_of_an_image_with_channels(tmp_path):
    labels, image, table = (tmp_path / name for name in ("l.npy", "i.npy", "t.csv"))
    np.save(labels, np.ones((4, 5, 6), np.uint8))
    np.save(image, np.stack([np.full((4, 5, 6), 3), np.full((4, 5, 6), 7)]))
    command = ["measure", str(labels), "--image", str(image), "-o", str(table), "--axes", "czyx"]
    assert main(command) == 0
    row = pd.read_csv(table).iloc[0]
    assert (row["mean_intensity_0 [intensity]"], row["mean_intensity_1 [intensity]"]) == (3, 7)


def test_compare_files_and_folders(tmp_path, capsys):
    for folder, value in (("result", 1), ("reference", 1)):
        data = np.zeros((8, 8), np.uint8)
        data[2:4, 2 : 6 if folder == "result" else 4] = value
        for name in ("a.tif", "b.tif"):
            write(Labels(data, holds="mask"), tmp_path / folder / name)
    one, other = tmp_path / "result", tmp_path / "reference"
    assert main(["compare", str(one / "a.tif"), str(other / "a.tif")]) == 0
    assert "0.66" in capsys.readouterr().out  # Dice 2·4 / (8 + 4)
    assert main(["compare", str(one), str(other), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["cases"]) == {"a", "b"}
    assert main(["compare", str(one), str(other)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [["mean", "mean"], ["case", "dice", "iou"]]
    assert lines[2:4] == [[name, "0.6667", "0.5000"] for name in ("a", "b")]
    assert [line[-2:] for line in lines[4:]] == 2 * [
        ["0.6667", "0.5000"],
        ["0.667–0.667", "0.500–0.500"],
    ]
    assert [line[0] for line in lines[4:]] == ["mean", "95", "pooled", "95"]
    assert report["mean"]["mean_dice"] == pytest.approx(2 / 3)
    assert report["pooled"]["mean_dice"] == pytest.approx(2 / 3)
    assert main(["compare", str(one), str(other), "--surface", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean"]["mean_hd95"] > 0
    (other / "b.tif").unlink()
    assert main(["compare", str(one), str(other)]) == 1
    assert "1 result without a reference" in capsys.readouterr().err


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


@pytest.mark.parametrize("command", ["segment bioimageio", "segment otsu", "train", "samples"])
def test_help_shows_no_markup(capsys, command):
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert not any(mark in text for mark in ("``", "]_", "(see `", "manyeth"))


def test_help_names_all_samples_and_no_default_of_what_is_off(capsys):
    with pytest.raises(SystemExit):
        main(["samples", "--help"])
    assert set(SAMPLES) <= set(capsys.readouterr().out.replace(",", "").split())
    with pytest.raises(SystemExit):
        main(["segment", "network", "--help"])
    assert "(default: .)" not in capsys.readouterr().out


def test_help_of_a_method_shows_its_settings(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["segment", "canny", "--help"])
    assert stop.value.code == 0
    assert "--sigma" in capsys.readouterr().out


@pytest.mark.slow
def test_blocks_and_a_cluster_give_the_same(cells, tmp_path, monkeypatch):
    from distributed import LocalCluster

    expected = segment(cells, "otsu", cleanups=["connected_components"])
    arguments = ["segment", "otsu", str(cells), "--cleanup", "connected_components", "-o"]
    assert main([*arguments, str(tmp_path / "lazy.ome.zarr"), "--lazy"]) == 0
    assert np.array_equal(read_labels(tmp_path / "lazy.ome.zarr"), expected)
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        assert main([*arguments, str(tmp_path / "c.tif"), "--scheduler", address]) == 0
    assert np.array_equal(read_labels(tmp_path / "c.tif"), expected)
    monkeypatch.setattr("napari_segment.api.batch.reading.LARGE", 0.0)
    assert main([*arguments, str(tmp_path / "large.tif")]) == 0
    assert np.array_equal(read_labels(tmp_path / "large.tif"), expected)


def test_what_needs_the_whole_is_given_it_however_large(cells, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("napari_segment.api.batch.reading.LARGE", 0.0)
    command = ["segment", "watershed", str(cells), "-o", str(tmp_path / "a.tif")]
    assert main(command) == 0
    assert main([*command, "--lazy"]) == 1
    assert "neither --lazy nor --scheduler" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["nonsense", "nonsense://x:1"])
def test_addresses_of_no_cluster_are_refused_at_once(cells, capsys, monkeypatch, address):
    monkeypatch.setattr("distributed.Client", None)
    assert main(["segment", "otsu", str(cells), "-o", "a.tif", "--scheduler", address]) == 1
    assert f"No Dask scheduler answers at {address}" in capsys.readouterr().err


def test_a_missing_cluster_is_an_error(cells, tmp_path, capsys):
    out = str(tmp_path / "a.tif")
    assert main(["segment", "otsu", str(cells), "-o", out, "--scheduler", "nonsense://x:1"]) == 1
    assert "No Dask scheduler answers at nonsense" in capsys.readouterr().err
    assert main(["segment", "otsu", str(cells), "-o", out, "--lazy"]) == 0  # in threads, as before


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(2, "No such file", "/a/b.tif"), "/a/b.tif is not there for a worker of"),
        (CancelledError("task-1"), "was lost before the work was done"),
    ],
)
def test_what_ends_the_work_of_a_cluster_is_reported(error, message):
    with pytest.raises(MissingError, match=message), _what_clusters_say("tcp://x:1"):
        raise error


@pytest.mark.slow
def test_a_cluster_without_workers_is_an_error(capsys):
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as made:
        with cluster(made.scheduler_address):
            pass
        assert "no workers yet: waiting" in capsys.readouterr().err


def test_pictures_are_drawn_next_to_the_labels(cells, tmp_path):
    out, drawn = tmp_path / "out.tif", tmp_path / "drawn"
    assert main(["segment", "otsu", str(cells), "-o", str(out), "--pictures", str(drawn)]) == 0
    picture = np.asarray(read(drawn / "out.png"))
    assert picture.shape == (20, 72, 3)  # image, mask, and the mask over the image
    mask = np.asarray(read_labels(out))[3]
    assert np.array_equal(picture[:, 24:48, 0], mask * 255)


def test_data_of_a_wrong_name_is_refused_before_any_image_is_read(tmp_path, capsys):
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(b"no image")
    command = ["segment", "watershed", str(tmp_path), "-o", str(tmp_path / "out")]
    assert main([*command, "--data", "seeds=marks.tif"]) == 2
    assert capsys.readouterr().err.count("takes no 'seeds'") == 1
    assert not (tmp_path / "out").exists()


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


@pytest.mark.parametrize(
    ("number", "stored"),
    [(255, {0, 255}), (7, {0, 1, 7})],  # the first is not taken for a mask
)
def test_compare_leaves_out_voxels_without_annotation(tmp_path, capsys, number, stored):
    data = np.zeros((8, 8), np.uint8)
    data[2:4, 2:6] = 1
    reference = np.where(data == 1, 1, 0).astype(np.uint8) if 1 in stored else data * 0
    reference[:, 4:] = number
    for name, values in (("result", data), ("reference", reference)):
        tifffile.imwrite(tmp_path / f"{name}.tif", values)
    files = [str(tmp_path / "result.tif"), str(tmp_path / "reference.tif")]
    assert main(["compare", *files, "--ignore-index", str(number), "--json"]) == 0
    (scores,) = json.loads(capsys.readouterr().out)["cases"].values()
    assert scores["ignored"] == 32
    assert scores["summary"]["mean_dice"] == (1 in stored)


@pytest.mark.parametrize(
    ("shape", "axes"), [((3, 9, 12, 13), "TZYX"), ((3, 12, 13), "tyx"), ((9, 1, 12, 13), "ZTYX")]
)
def test_compare_is_given_the_axes_that_files_leave_open(tmp_path, capsys, shape, axes):
    data = np.zeros(shape, np.uint8)
    data[..., 2:5, 3:8] = 1
    np.save(tmp_path / "a.npy", data)
    np.save(tmp_path / "b.npy", data)
    files = [str(tmp_path / name) for name in ("a.npy", "b.npy")]
    assert main(["compare", *files, "--axes", axes, "--json"]) == 0
    (scores,) = json.loads(capsys.readouterr().out)["cases"].values()
    assert scores["summary"]["mean_dice"] == 1
    if len(shape) == 4:
        assert main(["compare", *files]) == 1
        assert "axes" in capsys.readouterr().err

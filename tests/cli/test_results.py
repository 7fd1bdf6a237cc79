"""Labels are measured and compared."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_segment import Labels, error_map, write
from napari_segment.api import as_labels
from napari_segment.cli import main
from napari_segment.results.measure import measure


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


def test_compare_writes_the_maps_of_errors_that_python_gives(tmp_path, capsys):
    labels, reference = np.zeros((2, 6, 8), np.uint16)
    labels[1:3, 1:7], labels[4, 1:3] = 1, 2
    reference[1:3, 1:4], reference[1:3, 5:7], reference[4, 5:7] = 1, 2, 3
    for folder, data in (("result", labels), ("reference", reference)):
        for name in ("a.tif", "b.tif"):
            write(Labels(data, holds="objects", spacing=(2.0, 0.5)), tmp_path / folder / name)
    one, other, out = (tmp_path / name for name in ("result", "reference", "errors"))
    expected = error_map(one / "a.tif", other / "a.tif")
    assert {1, 2, 3, 4} == set(np.unique(expected.data)) - {0}
    command = ["compare", str(one), str(other), "--errors", str(out)]
    assert main(command) == 0
    files = [*sorted(out.glob("*.tif"))]
    assert len(files) == 2
    single = tmp_path / "single.nii.gz"
    assert (
        main(["compare", *(str(f / "a.tif") for f in (one, other)), "--errors", str(single)]) == 0
    )
    for path in (*files, single):
        written = as_labels(path)
        np.testing.assert_array_equal(written.data, expected.data)
        assert written.spacing == (2.0, 0.5)
    capsys.readouterr()
    assert main([*command[:-1], str(other)]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert as_labels(other / "a.tif").data.max() == 3


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

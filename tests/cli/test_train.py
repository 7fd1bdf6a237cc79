"""Training from the command line to scores, and the demonstration."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from napari_segment import write
from napari_segment.cli import main
from napari_segment.cli.train import _say_how_to_use
from napari_segment.image import Image, Labels
from napari_segment.io import read_labels

pytestmark = pytest.mark.slow

TINY = ["--model", "unet:features=4,8", "--epochs", "2", "--steps", "6", "--patch", "32,32"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Bright discs on noise, with their masks."""
    root = tmp_path_factory.mktemp("pairs")
    y, x = np.mgrid[:40, :44]
    for i in range(6):
        rng = np.random.default_rng(i)
        mask = (y - rng.integers(12, 28)) ** 2 + (x - rng.integers(12, 32)) ** 2 < 64
        image = rng.normal(100, 10, mask.shape) + 100 * mask
        write(Image(image.astype(np.uint8)), root / "images" / f"{i}.png")
        write(Labels(mask.astype(np.uint8), holds="mask"), root / "labels" / f"{i}.tif")
    return root


def pairs(folders):
    return ["--images", str(folders / "images"), "--labels", str(folders / "labels")]


def test_train_resume_segment_compare(folders, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", *pairs(folders), *TINY, "-o", str(out), "--json"]) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["checkpoint"] == str(out)
    assert 0 <= report["scores"]["dice"] <= 1
    said = printed.err.splitlines()
    reasons = json.loads((out / "plan.json").read_text("utf-8"))["reasons"]
    assert [line for line in said if line.startswith("batch: ")] == [f"batch: {reasons['batch']}"]
    assert [line[:8] for line in said if "loss" in line] == ["epoch 1:", "epoch 2:"]
    assert main(["train", *pairs(folders), *TINY, "-o", str(out)]) == 2
    assert "--resume" in capsys.readouterr().err
    more = [*TINY[:3], "6", *TINY[4:]]
    assert main(["train", *pairs(folders), *more, "-o", str(out), "--resume"]) == 0
    assert main(["runs", str(out), "--json"]) == 0
    output = capsys.readouterr().out
    (actual,) = json.loads(output[output.index("[\n") :])
    assert actual["epochs"] == 6
    results = tmp_path / "results"
    images = str(folders / "images")
    assert main(["segment", "network", "--checkpoint", str(out), images, "-o", str(results)]) == 0
    assert read_labels(results / "0.png").shape == (40, 44)
    assert (results / "0.recipe.yaml").exists()
    capsys.readouterr()
    assert (
        main(["compare", str(results), str(folders / "labels"), "--holds", "mask", "--json"]) == 0
    )
    assert set(json.loads(capsys.readouterr().out)["cases"]) == set("012345")


def test_cross_validation_trains_every_fold(folders, tmp_path, capsys):
    arguments = ["train", *pairs(folders), *TINY, "-o", str(tmp_path / "folds"), "--folds", "2"]
    assert main([*arguments, "--cross-validate", "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    assert [r["checkpoint"][-6:] for r in reports] == ["fold_0", "fold_1"]


def test_what_was_left_out_is_said_once(folders, tmp_path, capsys):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "alone.png").write_bytes((folders / "images" / "0.png").read_bytes())
    given = ["--images", str(tmp_path / "images"), "--labels", str(folders / "labels")]
    assert main(["train", *given, *TINY, "-o", str(tmp_path / "run")]) == 1
    err = capsys.readouterr().err
    assert "no image with labels" in err
    assert err.count("alone") == 1


def test_an_untrained_network_is_not_offered(folders, tmp_path, capsys):
    arguments = ["train", *pairs(folders), *TINY[:2], "-o", str(tmp_path / "run")]
    with pytest.warns(UserWarning, match="learnt nothing"):
        assert main([*arguments, "--minutes", "0.0001"]) == 0
    assert "Use it" not in capsys.readouterr().out


def test_of_folds_the_best_and_all_are_offered(capsys):
    scores = [{}, {"ap": 0.2, "dice": 0.9}, {"ap": 0.5, "dice": 0.8}, {"ap": 0.4, "dice": 0.1}]
    made = [SimpleNamespace(folder=f"fold_{i}", scores=s) for i, s in enumerate(scores)]
    _say_how_to_use(made[1:])
    first, second = capsys.readouterr().out.splitlines()
    assert "--checkpoint fold_2 INPUT" in first
    assert second.endswith("--ensemble fold_3,fold_1")


@pytest.mark.parametrize(
    ("shape", "axes", "labels"),
    [((2, 9, 32, 32), "CZYX", (9, 32, 32)), ((32, 32, 2), "YXC", (32, 32)),
     ((2, 32, 32), "cyx", (32, 32))],
)  # fmt: skip
def test_axes_settle_what_the_files_leave_open(tmp_path, capsys, shape, axes, labels):
    random = np.random.default_rng(0)
    for k in range(2):
        for folder, data in (
            ("i", random.integers(0, 99, shape).astype(np.uint16)),
            ("l", random.integers(0, 2, labels).astype(np.uint8)),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / folder / f"{k}.tif", data, photometric="minisblack")
    given = ["--images", str(tmp_path / "i"), "--labels", str(tmp_path / "l"), "--epochs", "1"]
    more = ["-o", str(tmp_path / "run"), "--steps", "1", "--device", "cpu", "--axes", axes]
    small = ["--model", "unet:features=8,16", "--batch", "2"]
    assert main(["train", *given, *more, *small]) == 0
    card = json.loads((tmp_path / "run" / "model.json").read_text())
    assert len(card["channels"]) == 2

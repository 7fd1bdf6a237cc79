"""The tutorials run: every command of the page, with fewer and smaller images and steps."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALLER = {
    "--count": "5", "--size": "64", "--patch": "64,64", "--batch": "2", "--steps": "1",
    "--epochs": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def tutorials():
    spec = importlib.util.spec_from_file_location("tutorials", ROOT / "docs" / "tutorials.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def smaller(given):
    pairs = zip(["", *given], given, strict=False)
    return [SMALLER.get(option, word) for option, word in pairs]


@pytest.mark.slow
def test_the_unet_for_masks(tutorials, tmp_path, capsys):
    tutorials.run_all(tmp_path, "first-unet", smaller)
    assert "mean_dice" in capsys.readouterr().out
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 5
    run = tmp_path / "first-unet"
    assert {p.name for p in (run / "previews").iterdir()} == {"epoch_0000.png", "epoch_0001.png"}
    assert "accuracy" in (run / "curves.csv").read_text().splitlines()[0]
    assert (run / "network.svg").exists()


@pytest.mark.slow
def test_the_unet_over_an_encoder(tutorials, tmp_path):
    tutorials.run_all(tmp_path, "mobilenet", lambda given: smaller(tutorials.offline(given)))
    assert (tmp_path / "graph.svg").exists()
    run = tmp_path / "mobilenet"
    header = (run / "curves.csv").read_text().splitlines()[0]
    assert {"accuracy", "dice 1", "dice 2"} <= set(header.split(","))
    assert (run / "previews" / "epoch_0000.png").exists()


def test_weights_that_cannot_be_had_are_told(tutorials, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit):
        tutorials.run_all(tmp_path, "mobilenet", smaller)
    told = capsys.readouterr().err
    assert "imagenet" in told
    assert "weights='none'" in told

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
    _, scores = capsys.readouterr().out.split("\ncase", maxsplit=1)
    assert "dice" in scores.splitlines()[0]
    assert any(line.startswith("mean ") for line in scores.splitlines())
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
    assert {"accuracy", "dice inside", "dice border"} <= set(header.split(","))
    assert (run / "previews" / "epoch_0000.png").exists()


@pytest.fixture
def cached_encoder(tmp_path, monkeypatch):
    """Weights of MobileNetV2 where a download would have put them, and no network."""
    import huggingface_hub.constants as constants
    import segmentation_models_pytorch as smp
    import torch
    from safetensors.torch import save_file

    from napari_segment.deep.nn.models.smp._encoders import _address

    torch.manual_seed(0)
    weights = smp.encoders.get_encoder("mobilenet_v2", weights=None).state_dict()
    weights["features.0.1.running_mean"] += 0.5  # statistics that no new network has
    repository, revision = _address("mobilenet_v2", "imagenet")
    cache = tmp_path / "cache"
    folder = cache / f"models--{repository.replace('/', '--')}" / "snapshots" / revision
    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return weights


@pytest.mark.slow
def test_the_frozen_encoder_keeps_the_weights_of_the_cache(tutorials, tmp_path, cached_encoder):
    import torch

    from napari_segment.deep.checkpoint import Checkpoint

    def shorter(given):
        pairs = zip(["", *given], given, strict=False)
        return ["2" if option == "--epochs" else word for option, word in pairs]

    tutorials.run_all(tmp_path, "mobilenet", lambda given: shorter(smaller(given)))
    run = tmp_path / "mobilenet"
    checkpoint = Checkpoint.load(run)
    assert checkpoint.model.settings["weights"] == "imagenet"
    network = checkpoint.network().net
    actual = network.encoder.state_dict()
    assert set(actual) == set(cached_encoder)
    for name, value in cached_encoder.items():
        torch.testing.assert_close(actual[name], value, rtol=0, atol=0, msg=name)
    assert network.decoder.blocks[0].conv1[1].running_mean.any()  # the decoder has learnt
    assert {p.name for p in (run / "previews").iterdir()} == {
        f"epoch_{epoch:04d}.png" for epoch in range(3)
    }
    rows = (run / "curves.csv").read_text().splitlines()
    assert len(rows) == 3
    assert {"accuracy", "dice inside", "dice border"} <= set(rows[0].split(","))
    assert (run / "network.svg").exists()


def test_unavailable_weights_are_reported(tutorials, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit):
        tutorials.run_all(tmp_path, "mobilenet", smaller)
    message = capsys.readouterr().err
    assert "imagenet" in message
    assert "weights='none'" in message

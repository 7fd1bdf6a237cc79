"""Encoders and their pretrained weights."""

import pytest
import torch

from napari_segment.deep.nn import models as deep_models
from napari_segment.errors import MissingError, SettingError, UnknownNameError


def test_encoders_are_searched():
    assert "mobilenet_v2" in deep_models.encoders("mobilenet")
    assert deep_models.encoders("resnet 34")[0] == "resnet34"
    assert "tu-convnext_tiny" in deep_models.encoders("convnext tiny")
    assert "imagenet" in deep_models.encoder_weights("resnet34")


def test_unknown_encoders_and_weights_name_the_nearest():
    with pytest.raises(UnknownNameError, match="resnet34"):
        deep_models.build(("smp_unet", {"encoder": "resnet43"}), 3, 1, 2)
    with pytest.raises(UnknownNameError, match="imagenet"):
        deep_models.build(("smp_unet", {"encoder": "resnet18", "weights": "imagnet"}), 3, 1, 2)
    with pytest.raises(SettingError, match="vgg11"):
        deep_models.build(("deeplabv3", {"encoder": "vgg11"}), 3, 1, 2)


@pytest.mark.nightly
def test_every_encoder_of_the_library_carries_a_decoder():
    own = [name for name in deep_models.encoders() if not name.startswith("tu-")]
    assert len(own) > 50
    for name in own:
        net = deep_models.build(("fpn", {"encoder": name}), 2, 3, 2).eval()
        with torch.inference_mode():
            assert net(torch.zeros(1, 2, 70, 65)).shape == (1, 3, 70, 65), name


@pytest.fixture
def offline(monkeypatch, tmp_path):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("encoder", ["mobilenet_v2", "tu-resnet18"])
@pytest.mark.usefixtures("offline")
def test_weights_that_are_nowhere_fail_at_once(encoder):
    with pytest.raises(MissingError, match="weights='none' and frozen_epochs=0"):
        deep_models.build(("smp_unet", {"encoder": encoder, "weights": "imagenet"}), 3, 1, 2)


@pytest.mark.usefixtures("offline")
def test_a_checkpoint_s_network_asks_for_no_weights():
    spec = ("smp_unet", {"encoder": "mobilenet_v2", "weights": "imagenet"})
    net = deep_models.build(spec, 3, 1, 2, pretrained=False)
    assert net.spec.settings["weights"] == "imagenet"


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_weights_from_a_file_fit_any_channels(tmp_path, channels):
    import segmentation_models_pytorch as smp
    from safetensors.torch import save_file

    torch.manual_seed(0)
    source = smp.encoders.get_encoder("mobilenet_v2", weights=None)
    save_file(source.state_dict(), tmp_path / "encoder.safetensors")
    settings = {"encoder": "mobilenet_v2", "weights": str(tmp_path / "encoder.safetensors")}
    net = deep_models.build(("linknet", settings), channels, 2, 2)
    first = net.net.encoder.features[0][0].weight
    original = source.features[0][0].weight
    expected = (
        original.sum(1, keepdim=True)
        if channels == 1
        else torch.stack([original[:, i % 3] for i in range(channels)], 1) * 3 / channels
    )
    torch.testing.assert_close(first, expected)
    torch.testing.assert_close(
        net.net.encoder.features[4].state_dict(), source.features[4].state_dict()
    )

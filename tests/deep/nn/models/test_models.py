"""Every model keeps the contract: any size in, raw logits of that size out."""

import pytest
import torch
from shared.networks import check_network

from napari_segment.deep.nn import models as deep_models
from napari_segment.errors import InputError, SettingError
from napari_segment.registry import models

# Settings that make each network small; the contract is the same.
SMALL = {
    "unet": {"features": [4, 8, 16]},
    "basic_unet": {"features": [4, 4, 8, 8, 8], "last_features": 4},
    "unet_plus_plus": {"features": [4, 4, 8, 8, 8], "last_features": 4, "deep_supervision": True},
    "attention_unet": {"features": [4, 8, 16]},
    "dyn_unet": {"features": 4, "patch": ()},
    "segresnet": {"features": 8, "blocks_down": [1, 1], "blocks_up": [1]},
    "segresnet_ds": {"features": 8, "blocks_down": [1, 1, 1]},
    "mednext": {"features": 4, "blocks": 1},
    "flexible_unet": {"encoder": "resnet10"},
    "swin_unetr": {"features": 12},
    "unetr": {"size": 32, "features": 4, "hidden": 48},
    "quicknat": {"features": 4},
    "textbook_unet": {"features": 4, "levels": 3},
    "dpt": {"encoder": "tu-vit_tiny_patch16_224", "features": 16},
    "segformer": {"features": 16},
    "fastfcn": {"encoder": "resnet18", "features": 16},
    "gated_scnn": {"encoder": "resnet18", "features": 16},
}

OVER_ENCODER = [
    "smp_unet", "smp_unetplusplus", "manet", "linknet", "fpn", "pspnet", "pan", "deeplabv3",
    "deeplabv3plus", "upernet",
]  # fmt: skip

SMALL |= {name: {"encoder": "resnet18"} for name in OVER_ENCODER}

ODD = {2: ((37, 50), (1, 70), (65, 33)), 3: ((9, 21, 33), (1, 35, 20), (17, 33, 16))}

SLOW = {
    "ahnet", "daf3d", "flexible_unet", "highresnet", "swin_unetr", "vnet",
    "deeplabv3_resnet101", "fcn_resnet101", "dpt",
}  # fmt: skip

OURS = [n for n in sorted(models) if models[n].source.startswith("napari_segment.deep.nn.models.")]

EVERY = [(name, ndim) for name in OURS for ndim in models[name].ndim]


@pytest.mark.parametrize(
    ("name", "ndim"),
    [
        pytest.param(n, d, marks=[pytest.mark.nightly] if n in SLOW else [])
        for n, d in EVERY
    ],
)  # fmt: skip
def test_contract(name, ndim):
    check_network(name, SMALL.get(name, {}), ndim, 3, 4, ODD[ndim][0])


@pytest.mark.nightly
@pytest.mark.parametrize("channels_out", [1, 4])
@pytest.mark.parametrize("channels_in", [1, 3, 5])
@pytest.mark.parametrize(("name", "ndim"), EVERY)
def test_contract_in_full(name, ndim, channels_in, channels_out):
    for size in ODD[ndim]:
        check_network(name, {}, ndim, channels_in, channels_out, size)


def test_wrong_numbers_are_refused_with_a_message():
    with pytest.raises(SettingError, match="at least one channel"):
        deep_models.build("unet", 0, 1, 2)
    with pytest.raises(SettingError, match="3-D was asked"):
        deep_models.build("fpn", 1, 1, 3)
    net = deep_models.build(("unet", SMALL["unet"]), 3, 1, 2)
    with pytest.raises(InputError, match="3 channels"):
        net(torch.zeros(1, 1, 8, 8))

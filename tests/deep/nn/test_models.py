"""Every model keeps the contract: any size in, raw logits of that size out."""

import pytest
import torch

from napari_segment.deep.nn import losses as deep_losses
from napari_segment.deep.nn import models as deep_models
from napari_segment.errors import InputError, MissingError, SettingError, UnknownNameError
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


def check(name, settings, ndim, channels_in, channels_out, size):
    """Shape, type, gradient and the loss of one network on one size."""
    net = deep_models.build((name, settings), channels_in, channels_out, ndim)
    image = torch.randn(1, channels_in, *size, generator=torch.Generator().manual_seed(0))
    shape = (1, channels_out, *size)
    target = torch.zeros(shape)
    target[:, -1, ..., size[-1] // 2 :] = 1
    if channels_out > 1:
        target[:, 0] = 1 - target[:, -1]
    outputs = net.train()(image)
    assert isinstance(outputs, list) == net.supervised
    first = outputs[0] if net.supervised else outputs
    assert first.shape == shape
    value = net.supervise(outputs, target, deep_losses.make("dice_ce"))
    value.backward()
    assert torch.isfinite(value)
    moved = [p for p in net.parameters() if p.grad is not None and p.grad.any()]
    assert len(moved) > 0.5 * len(list(net.parameters()))
    assert all(torch.isfinite(p.grad).all() for p in moved)
    with torch.inference_mode():
        logits = net.eval()(image)
    assert logits.shape == shape
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("name", "ndim"),
    [
        pytest.param(n, d, marks=[pytest.mark.nightly] if n in SLOW else [])
        for n, d in EVERY
    ],
)  # fmt: skip
def test_contract(name, ndim):
    check(name, SMALL.get(name, {}), ndim, 3, 4, ODD[ndim][0])


@pytest.mark.nightly
@pytest.mark.parametrize("channels_out", [1, 4])
@pytest.mark.parametrize("channels_in", [1, 3, 5])
@pytest.mark.parametrize(("name", "ndim"), EVERY)
def test_contract_in_full(name, ndim, channels_in, channels_out):
    for size in ODD[ndim]:
        check(name, {}, ndim, channels_in, channels_out, size)


# ---- the wrapper ----


def test_inputs_that_fit_are_not_padded():
    net = deep_models.build(("unet", SMALL["unet"]), 1, 1, 2).eval()
    assert net.stride == (4, 4)
    assert net.padded((8, 13)) == (8, 16)
    image = torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(net(image), net.net(image))


def test_a_model_that_says_nothing_gets_its_input_as_it_is():
    before = models.snapshot()
    try:

        @models.add("third_party_point", title="One convolution")
        def point(channels_in, channels_out, ndim):
            """A convolution of single voxels."""
            layer = torch.nn.Conv2d if ndim == 2 else torch.nn.Conv3d
            return layer(channels_in, channels_out, 1)

        net = deep_models.build("third_party_point", 2, 3, 2)
        assert net(torch.zeros(1, 2, 5, 7)).shape == (1, 3, 5, 7)
        assert net.padded((5, 7)) == (5, 7)
    finally:
        models.restore(before)


def test_wrong_numbers_are_refused_in_words():
    with pytest.raises(SettingError, match="at least one channel"):
        deep_models.build("unet", 0, 1, 2)
    with pytest.raises(SettingError, match="3-D was asked"):
        deep_models.build("fpn", 1, 1, 3)
    net = deep_models.build(("unet", SMALL["unet"]), 3, 1, 2)
    with pytest.raises(InputError, match="3 channels"):
        net(torch.zeros(1, 1, 8, 8))


def test_deep_supervision_is_a_weighted_mean():
    net = deep_models.build(("unet", SMALL["unet"]), 1, 1, 2)
    parts = [torch.full((1, 1, 2, 2), v) for v in (1.0, 2.0, 4.0)]
    value = net.supervise(parts, parts[0], lambda logits, target: logits.mean())
    assert float(value) == pytest.approx((1 + 2 / 2 + 4 / 4) / (1 + 1 / 2 + 1 / 4))


# ---- the networks ----


def test_textbook_unet_has_the_paper_s_parameters():
    net = deep_models.build(
        ("textbook_unet", {"features": 64, "norm": "none", "dropout": 0}), 1, 2, 2
    )
    assert sum(p.numel() for p in net.parameters()) == 31_030_658


def test_kernels_follow_the_spacing():
    from napari_segment.deep.nn.models.monai._plan import plan

    flat = plan((20, 320, 256), (3.6, 0.62, 0.62))  # as nnU-Net plans the prostate task
    assert flat.kernels[:3] == ((1, 3, 3), (1, 3, 3), (3, 3, 3))
    assert flat.strides[:3] == ((1, 1, 1), (1, 2, 2), (1, 2, 2))
    assert flat.total[0] == 4
    cube = plan((128, 128, 128), (1, 1, 1))
    assert cube.strides == ((1, 1, 1), *((2, 2, 2),) * 5)
    assert len(plan((4, 4), (1, 1)).strides) == 3


def test_dyn_unet_takes_its_plan():
    settings = {"features": 4, "spacing": [4, 1, 1], "patch": [8, 32, 32]}
    net = deep_models.build(("dyn_unet", settings), 1, 2, 3)
    assert net.stride == (2, 8, 8)
    assert net.train()(torch.zeros(1, 1, 5, 30, 33))[0].shape == (1, 2, 5, 30, 33)
    with pytest.raises(SettingError, match="spacing"):
        deep_models.build(("dyn_unet", {"spacing": [1, 1]}), 1, 2, 3)


def test_unetr_is_monai_s_at_its_size():
    from monai.networks.nets import UNETR

    net = deep_models.build(("unetr", SMALL["unetr"]), 1, 2, 2).eval()
    image = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(net(image), UNETR.forward(net.net, image))


# ---- encoders ----


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


def test_a_frozen_encoder_learns_again_when_told():
    settings = {"encoder": "resnet18", "frozen_epochs": 2}
    net = deep_models.build(("linknet", settings), 1, 1, 2)
    assert net.frozen_epochs == 2
    encoder = net.net.encoder
    assert not any(p.requires_grad for p in encoder.parameters())
    net.train()
    assert not encoder.training
    assert net.net.decoder.training
    net.freeze(False)
    assert all(p.requires_grad for p in encoder.parameters())
    assert net.train().net.encoder.training


# ---- FastFCN ----


def multiply_adds(net, *inputs):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        net(*inputs)
    return counter.get_total_flops() / 2


def test_joint_pyramid_gives_the_dilated_size_for_a_fraction():
    from segmentation_models_pytorch.encoders import get_encoder

    from napari_segment.deep.nn.models._fastfcn import JointPyramidUpsampling

    with torch.device("meta"):
        image = torch.empty(1, 3, 512, 512)
        plain = get_encoder("resnet50", weights=None).eval()
        dilated = get_encoder("resnet50", weights=None, output_stride=8).eval()
        pyramid = JointPyramidUpsampling(plain.out_channels[-3:], 256).eval()

        def joint(image):
            return pyramid(plain(image)[-3:])

        assert joint(image).shape[2:] == dilated(image)[-1].shape[2:] == (64, 64)
        assert multiply_adds(joint, image) < 0.6 * multiply_adds(dilated, image)


@pytest.mark.parametrize("head", ["encoding", "psp", "aspp"])
def test_fastfcn_heads(head):
    settings = {"encoder": "resnet18", "features": 16, "head": head}
    check("fastfcn", settings, 2, 1, 3, (40, 33))


def test_context_encoding_is_the_sum_over_the_points():
    from napari_segment.deep.nn.models._heads import ContextEncoding

    torch.manual_seed(0)
    layer = ContextEncoding(4, 6, 2, 0.0, codewords=3)
    points = torch.rand(2, 5, 6)
    residual = points[:, :, None] - layer.codewords  # (B, N, K, D)
    share = (layer.scale * residual.square().sum(-1)).softmax(-1)
    torch.testing.assert_close(layer.encode(points), (share[..., None] * residual).sum(1))


# ---- Gated-SCNN ----


@pytest.fixture(scope="module")
def gated():
    torch.manual_seed(0)
    return deep_models.build(("gated_scnn", SMALL["gated_scnn"]), 1, 2, 2)


def test_gates_are_between_0_and_1(gated):
    seen = []
    layers = [g.gate for g in gated.net.shape.gates]
    hooks = [g.register_forward_hook(lambda m, i, o: seen.append(o)) for g in layers]
    logits, edge = gated.train()(torch.randn(1, 1, 50, 41) * 10)
    for hook in hooks:
        hook.remove()
    assert logits.shape == (1, 2, 50, 41)
    assert edge.shape == (1, 1, 50, 41)
    assert len(seen) == 3
    assert all(float(g.detach().min()) >= 0 and float(g.detach().max()) <= 1 for g in seen)


def test_the_edges_teach_the_shape_stream_and_the_encoder(gated):
    target = torch.zeros(1, 2, 50, 41)
    target[:, 1, 10:30, 10:30] = 1
    target[:, 0] = 1 - target[:, 1]
    gated.zero_grad()
    outputs = gated.train()(torch.rand(1, 1, 50, 41))
    gated.net.auxiliary(outputs, target).backward()
    assert gated.net.shape.edge.weight.grad.any()
    assert gated.net.encoder.conv1.weight.grad.any()


def test_edges_of_a_box():
    from napari_segment.deep.nn.models._gated_scnn import edge_loss, edges_of, gradient

    target = torch.zeros(1, 1, 7, 7)
    target[..., 2:5, 2:5] = 1
    edges = edges_of(target)
    assert int(edges.sum()) == 24  # all of the 5 x 5 block but its centre
    assert edges[0, 0, 3, 3] == 0
    known = torch.ones(1, 1, 7, 7)
    assert float(edge_loss(edges * 40 - 20, target, known)) < 1e-6
    assert float(edge_loss(20 - edges * 40, target, known)) > 5
    assert float(gradient(target).max()) == pytest.approx(1)
    assert gradient(target)[0, 0, 3, 3] < 1e-4

"""A decoder over an encoder, ready for the wrapper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
from torch import nn

from napari_segment.deep.nn.models._norms import spare_pooled_batch_norm
from napari_segment.deep.nn.models._weights import read_weights
from napari_segment.deep.nn.models.smp._encoders import check_name, weights_file
from napari_segment.errors import SettingError


def over_encoder(
    architecture: str, channels_in: int, channels_out: int,
    *, encoder: str, weights: str, frozen_epochs: int, stride: int = 32, least: int = 0,
    **options: Any,
) -> nn.Module:  # fmt: skip
    """Build one of the library's architectures.

    Parameters
    ----------
    architecture : str
        The class's name in the library.
    channels_in, channels_out : int
        Of image and logits. Pretrained first kernels are summed for one channel, and repeated
        and rescaled for other numbers than three.
    encoder, weights, frozen_epochs
        As the entries take them.
    stride : int
        What the sides must be a multiple of.
    least : int
        The least side; 0 for twice the stride.
    **options
        Of the class.

    Returns
    -------
    torch.nn.Module
        With the attributes that the wrapper reads.
    """
    net = with_encoder(
        lambda **common: getattr(smp, architecture)(classes=channels_out, **common, **options),
        architecture, channels_in, encoder, weights,
    )  # fmt: skip
    spare_pooled_batch_norm(net)
    net.stride, net.least = stride, least or 2 * stride
    net.frozen_epochs = frozen_epochs
    return net


def encoder_of(
    channels_in: int, encoder: str, weights: str, *, depth: int = 5, output_stride: int = 32
) -> nn.Module:
    """An encoder alone, which gives its features from the finest to the coarsest."""

    def make(encoder_name: str, in_channels: int, encoder_weights: Any, **more: Any) -> nn.Module:
        return smp.encoders.get_encoder(
            encoder_name, in_channels=in_channels, depth=depth, weights=encoder_weights,
            output_stride=output_stride, **more,
        )  # fmt: skip

    return with_encoder(make, "the network", channels_in, encoder, weights)


def with_encoder(
    make: Any, architecture: str, channels_in: int, encoder: str, weights: str
) -> nn.Module:
    """Call `make` with the encoder's settings, and load the encoder's weights."""
    check_name(encoder)
    file = weights_file(encoder, weights)
    common: dict[str, Any] = {"encoder_name": encoder, "in_channels": channels_in}
    if file is not None and encoder.startswith("tu-"):  # timm fits the weights to the channels
        common |= {"encoder_weights": True, "pretrained_cfg_overlay": {"file": str(file)}}
    else:
        common["encoder_weights"] = None
    try:
        net = make(**common)
    except (ValueError, NotImplementedError, TypeError, RuntimeError, KeyError) as error:
        raise SettingError(
            f"{architecture} cannot be built over the encoder {encoder!r}: {error}"
        ) from error
    if file is not None and not encoder.startswith("tu-"):
        _load(getattr(net, "encoder", net), file, encoder, channels_in)
    return net


def _load(encoder: nn.Module, file: Path, name: str, channels_in: int) -> None:
    """Weights for three channels go through an encoder of three, which then fits its kernel."""
    depth = getattr(encoder, "_depth", 5)
    original = smp.encoders.get_encoder(name, in_channels=3, depth=depth, weights=None)
    try:
        original.load_state_dict(read_weights(file))
    except RuntimeError as error:
        raise SettingError(f"The weights in {file} do not fit the encoder {name!r}.") from error
    original.set_in_channels(channels_in, pretrained=True)
    encoder.load_state_dict(original.state_dict())

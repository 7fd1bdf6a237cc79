"""Build a decoder over an encoder, ready for the wrapper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
from torch import nn

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._norms import spare_pooled_batch_norm
from napari_segment.deep.nn.models._weights import read_weights
from napari_segment.deep.nn.models.smp._encoders import check_name, weights_file
from napari_segment.errors import SettingError


def over_encoder(
    architecture: str, channels_in: int, channels_out: int,
    *, encoder: str, weights: str, frozen_epochs: int, stride: int = 32, least: int = 0,
    **options: object,
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
    return declare(net, stride=stride, least=least or 2 * stride, frozen_epochs=frozen_epochs)


def encoder_of(
    channels_in: int, encoder: str, weights: str, *, output_stride: int = 32
) -> tuple[nn.Module, list[int]]:
    """Build an encoder alone.

    Returns
    -------
    encoder : torch.nn.Module
        From an image to its features, from the finest to the coarsest.
    widths : list of int
        Number of channels of each of the features.
    """

    def make(encoder_weights: object, **options: object) -> nn.Module:
        return smp.encoders.get_encoder(
            options.pop("encoder_name"), weights=encoder_weights, depth=5,
            output_stride=output_stride, **options,
        )  # fmt: skip

    built: Any = with_encoder(make, "the network", channels_in, encoder, weights)
    return built, [int(width) for width in built.out_channels]


def output_stride(net: nn.Module) -> int:
    """Return the stride of the coarsest features of a network's encoder."""
    encoder: Any = net.encoder
    return int(encoder.output_stride)


def with_encoder(
    make: Callable[..., nn.Module], architecture: str, channels_in: int, encoder: str, weights: str
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

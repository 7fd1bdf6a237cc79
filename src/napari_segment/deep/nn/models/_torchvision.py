"""Torchvision's networks with any channels, and their encoders' weights."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import Tensor, nn
from torchvision import models as zoo
from torchvision.models import segmentation

from napari_segment.deep.nn.convolutions_torch import with_input_channels
from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._norms import spare_pooled_batch_norm
from napari_segment.deep.nn.models._weights import PROBE_SECONDS, given_file, read_weights
from napari_segment.deep.nn.models.published import published_digest, verified
from napari_segment.errors import MissingError, SettingError, UnknownNameError

_BUILDERS: dict[str, tuple[Any, Any]] = {
    "deeplabv3_resnet50": (segmentation.deeplabv3_resnet50, zoo.ResNet50_Weights),
    "deeplabv3_resnet101": (segmentation.deeplabv3_resnet101, zoo.ResNet101_Weights),
    "deeplabv3_mobilenet": (
        segmentation.deeplabv3_mobilenet_v3_large, zoo.MobileNet_V3_Large_Weights,
    ),
    "fcn_resnet50": (segmentation.fcn_resnet50, zoo.ResNet50_Weights),
    "fcn_resnet101": (segmentation.fcn_resnet101, zoo.ResNet101_Weights),
    "lraspp_mobilenet": (segmentation.lraspp_mobilenet_v3_large, zoo.MobileNet_V3_Large_Weights),
}  # fmt: skip


class Heads(nn.Module):
    """A network of torchvision whose outputs are a tensor, or a tensor and an auxiliary one."""

    def __init__(self, net: nn.Module, *, supervised: bool) -> None:
        super().__init__()
        self.encoder = net.get_submodule("backbone")
        self.classifier = net.get_submodule("classifier")
        self.second: nn.Module | None = getattr(net, "aux_classifier", None)
        self.supervised = supervised

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        features = self.encoder(image)
        logits = self.classifier(features if "low" in features else features["out"])
        logits = _resized(logits, image)
        if self.second is None or not self.training:
            return logits
        return [logits, _resized(self.second(features["aux"]), image)]


def network(
    name: str, channels_in: int, channels_out: int,
    *, weights: str, frozen_epochs: int, auxiliary: bool = False,
) -> nn.Module:  # fmt: skip
    """Build one of torchvision's segmentation networks.

    Parameters
    ----------
    name : str
        The entry's name.
    channels_in, channels_out : int
        Of image and logits. A pretrained first kernel is summed for one channel, and repeated
        and rescaled for other numbers than three.
    weights : str
        Of the encoder: "none", "imagenet" or a file.
    frozen_epochs : int
        See `napari_segment.deep.nn.models`.
    auxiliary : bool
        Whether a second head is trained.

    Returns
    -------
    torch.nn.Module
        With the attributes that the wrapper reads.
    """
    builder, known = _BUILDERS[name]
    options = {"aux_loss": True} if auxiliary else {}
    net = builder(weights=None, weights_backbone=None, num_classes=channels_out, **options)
    state = _state(name, weights, known.DEFAULT.url)
    if state is not None:
        _load(net.backbone, state, weights)
    _fit_first(net.backbone, channels_in, keep=state is not None)
    spare_pooled_batch_norm(net)
    whole = Heads(net, supervised=auxiliary)
    return declare(whole, stride=8, least=64, frozen_epochs=frozen_epochs)


def _resized(logits: Tensor, image: Tensor) -> Tensor:
    size = image.shape[-2:]
    return nn.functional.interpolate(logits, size, mode="bilinear", align_corners=False)


def _fit_first(backbone: nn.Module, channels: int, *, keep: bool) -> None:
    """Give the first convolution another number of input channels."""
    if channels == 3:
        return
    name, first = next((n, m) for n, m in backbone.named_modules() if isinstance(m, nn.Conv2d))
    parent, _, child = name.rpartition(".")
    setattr(backbone.get_submodule(parent), child, with_input_channels(first, channels, keep=keep))


def _state(name: str, weights: str, url: str) -> dict[str, Tensor] | None:
    if weights == "none":
        return None
    if weights == "imagenet":
        return read_weights(_downloaded(name, url))
    file = given_file(weights)
    if file is None:
        raise UnknownNameError(f"set of weights of {name!r}", weights, ["none", "imagenet"])
    return read_weights(file)


def _downloaded(name: str, url: str) -> Path:
    """Return the file in torch's cache; fetched, if the network answers at once."""
    cache = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    digest = published_digest(url)
    if cache.is_file():
        return verified(cache, digest)
    host = urlparse(url).netloc
    try:
        if not os.environ.get("https_proxy", os.environ.get("HTTPS_PROXY")):
            socket.create_connection((host, 443), PROBE_SECONDS).close()
        cache.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(cache), digest or None, progress=False)
    except (OSError, RuntimeError) as error:  # the second where the hash is another
        raise MissingError(
            f"The weights 'imagenet' of {name!r} are not on this machine, and {host} cannot be "
            f"reached ({error}). Connect to the network once, give the path of "
            f"{Path(url).name} as `weights`, or take weights='none' and frozen_epochs=0."
        ) from error
    return cache


def _load(backbone: nn.Module, state: dict[str, Tensor], weights: str) -> None:
    """Load the weights but for the classifier's own layers; everything else must fit."""
    state = {key.removeprefix("features."): value for key, value in state.items()}
    wanted = backbone.state_dict()
    if missing := [key for key in wanted if key not in state]:
        raise SettingError(
            f"The weights {weights!r} do not fit this encoder: {missing[0]!r} and "
            f"{len(missing) - 1} others are missing."
        )
    backbone.load_state_dict({key: state[key] for key in wanted})

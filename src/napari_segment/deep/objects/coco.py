"""Weights that torchvision trained on the photographs of COCO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_segment.errors import MissingError, SettingError

_WAIT = 3.0  # seconds until a server counts as out of reach


def pretrained(version: str, channels: int, transform: Any) -> Any:
    """Mask R-CNN (ResNet-50) with its COCO weights.

    Parameters
    ----------
    version : {"v1", "v2"}
        Which of torchvision's two.
    channels : int
        Of the image: 3, or 1, for which the colours' kernels are summed.
    transform : torch.nn.Module
        In place of torchvision's own.

    Raises
    ------
    MissingError
        If the weights are neither in the cache nor within reach.
    """
    from torchvision.models import detection

    if channels not in (1, 3):
        raise SettingError(
            f"The COCO weights are for RGB or grey pictures, but the image has {channels} "
            "channels. Take weights='none', or choose channels."
        )
    make = {
        "v1": detection.maskrcnn_resnet50_fpn, "v2": detection.maskrcnn_resnet50_fpn_v2,
    }[version]  # fmt: skip
    network = make(weights=None, weights_backbone=None, num_classes=91)
    network.load_state_dict(_state(_weights(version)))
    if channels == 1:
        _for_grey(network.backbone.body)
    network.transform = transform
    return network


def class_names(version: str = "v1") -> dict[int, str]:
    """The names of COCO's classes by label number; numbers without a class are left out."""
    names = _weights(version).meta["categories"]
    return {i: n for i, n in enumerate(names) if n not in ("__background__", "N/A")}


def _weights(version: str) -> Any:
    from torchvision.models import detection

    if version == "v1":
        return detection.MaskRCNN_ResNet50_FPN_Weights.COCO_V1
    return detection.MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1


def _state(weights: Any) -> Any:
    """The weights from torch's cache, else from their server if it answers."""
    import torch

    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not cached.exists() and not _answers(weights.url):
        raise MissingError(
            f"The COCO weights are not in the cache and their server cannot be reached. Download "
            f"{weights.url} elsewhere and put it to {cached}."
        )
    return weights.get_state_dict(progress=False, check_hash=True)


def _answers(url: str) -> bool:
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(url, method="HEAD"), timeout=_WAIT):
            return True
    except (URLError, OSError, ValueError):
        return False


def _for_grey(body: Any) -> None:
    import torch

    old = body.conv1
    body.conv1 = torch.nn.Conv2d(
        1, old.out_channels, old.kernel_size, old.stride, old.padding, bias=False
    )
    with torch.no_grad():
        body.conv1.weight.copy_(old.weight.sum(1, keepdim=True))

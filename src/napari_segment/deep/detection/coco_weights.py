"""Mask R-CNN with torchvision's weights for the photographs of COCO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.deep.checkpoint import Checkpoint, versions
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import MissingError, SettingError
from napari_segment.recipe import Spec

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torchvision.models import WeightsEnum
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.roi_heads import RoIHeads

CLASSES = 91
_TIMEOUT = 3.0  # seconds until a server counts as unreachable


def torchvision_network(
    version: str, channels: int, classes: int, transform: nn.Module, *, weights: bool
) -> MaskRCNN:
    """Build torchvision's own Mask R-CNN (ResNet-50), with or without its COCO weights.

    Parameters
    ----------
    version : {"v1", "v2"}
        Version of torchvision's model.
    channels : int
        Of the image. COCO weights need 3, or 1, for which the kernels of the colours are summed.
    classes : int
        With the background. For a number other than COCO's 91 the last layers are random.
    transform : torch.nn.Module
        Replaces torchvision's own.
    weights : bool
        Whether to load the COCO weights.

    Raises
    ------
    MissingError
        If the weights are neither in the cache nor can be downloaded.
    """
    from torchvision.models import detection

    make = {
        "v1": detection.maskrcnn_resnet50_fpn, "v2": detection.maskrcnn_resnet50_fpn_v2,
    }[version]  # fmt: skip
    network = make(weights=None, weights_backbone=None, num_classes=CLASSES)
    if weights:
        if channels not in (1, 3):
            raise SettingError(
                f"The COCO weights are for RGB or grey pictures, but the image has {channels} "
                "channels. Take weights='none', or choose channels."
            )
        network.load_state_dict(_state(_weights(version)))
    if channels != 3:
        _with_channels(network.backbone.body, channels)
    if classes != CLASSES:
        _with_classes(network.roi_heads, classes)
    network.transform = transform
    return network


def coco_checkpoint(folder: Path, version: str = "v1") -> Checkpoint:
    """Write torchvision's COCO network as a checkpoint that the method `network` takes.

    Parameters
    ----------
    folder : Path
        The folder to write.
    version : {"v1", "v2"}
        Version of torchvision's model.

    Returns
    -------
    Checkpoint
        For RGB pictures with values from 0 to 255.
    """
    from napari_segment.deep.nn import models

    settings = {"backbone": "torchvision", "version": version, "weights": "coco"}
    network = models.build(("mask_rcnn", settings), 3, CLASSES, 2)
    pairs = zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)  # ImageNet's
    return Checkpoint(
        folder=Path(folder), ndim=2, slices=1,
        model=Spec(name="mask_rcnn", settings={**settings, "weights": "none"}),
        channels=("red", "green", "blue"), channels_out=CLASSES, activation="softmax",
        holds="objects", names=class_names(version), patch=(800, 800),
        normalisation=tuple(
            Normalisation(scheme="fixed", shift=255 * m, scale=255 * s) for m, s in pairs
        ),
        objects=Objects(target="instances"), versions=versions(),
    ).save(network.state_dict())  # fmt: skip


def class_names(version: str = "v1") -> dict[int, str]:
    """Return the names of COCO's classes by label number; numbers without a class are left out."""
    names = _weights(version).meta["categories"]
    return {i: n for i, n in enumerate(names) if n not in ("__background__", "N/A")}


def _weights(version: str) -> WeightsEnum:
    from torchvision.models import detection

    if version == "v1":
        return detection.MaskRCNN_ResNet50_FPN_Weights.COCO_V1
    return detection.MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1


def _state(weights: WeightsEnum) -> Mapping[str, Tensor]:
    """Load the weights from torch's cache, else from their server if it responds."""
    import torch

    from napari_segment.deep.nn.models.published import published_digest, verified

    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not cached.exists() and not _responds(weights.url):
        raise MissingError(
            f"The COCO weights are not in the cache and their server cannot be reached. Download "
            f"{weights.url} elsewhere and put it at {cached}."
        )
    if cached.exists():
        verified(cached, published_digest(weights.url))
    return weights.get_state_dict(progress=False, check_hash=True)


def _responds(url: str) -> bool:
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(url, method="HEAD"), timeout=_TIMEOUT):
            return True
    except (URLError, OSError, ValueError):
        return False


def _with_channels(body: nn.Module, channels: int) -> None:
    """Change the number of input channels; one channel gets the sum of the colours' kernels."""
    from torch import nn

    from napari_segment.deep.nn.convolutions_torch import with_input_channels

    first = body.get_submodule("conv1")
    assert isinstance(first, nn.Conv2d)
    body.conv1 = with_input_channels(first, channels, keep=channels == 1)


def _with_classes(heads: RoIHeads, classes: int) -> None:
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
    from torchvision.models.detection.mask_rcnn import MaskRCNNPredictor

    heads.box_predictor = FastRCNNPredictor(heads.box_predictor.cls_score.in_features, classes)
    width = heads.mask_predictor.conv5_mask.in_channels
    heads.mask_predictor = MaskRCNNPredictor(width, 256, classes)

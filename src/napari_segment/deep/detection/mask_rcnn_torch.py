"""Mask R-CNN from torchvision's components, for any channels and sizes (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large, resnet18, resnet34, resnet50, resnext50_32x4d
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import (
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import AnchorGenerator, RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from napari_segment.deep.detection.anchors import DEFAULT, LEVELS, anchors_by_level, boxes_of
from napari_segment.deep.nn.convolutions_torch import with_input_channels
from napari_segment.errors import SettingError

_RESNETS = {
    "resnet18": resnet18, "resnet34": resnet34, "resnet50": resnet50, "resnext50": resnext50_32x4d,
}  # fmt: skip
_MIN_AREA = 4  # pixels of an object that a patch's border truncates; smaller ones are no targets


@dataclass(frozen=True)
class Heads:
    """The heads on the feature pyramid; see the settings of `mask_rcnn`."""

    width: int = 128
    version: str = "v1"
    proposals_per_image: int = 128
    max_detections: int = 500
    overlap: float = 0.5


class Detector(nn.Module):
    """Mask R-CNN that is trained with label images and predicts boxes with small masks.

    Parameters
    ----------
    backbone : str
        See `mask_rcnn`.
    heads : Heads
        Settings of the heads.
    channels_in, channels_out : int
        Of the image; classes with the background.
    anchors, ratios : sequence of float
        Sides of the anchors (a multiple of four of them; none for the default), and their height
        over width.
    weights : {"none", "coco"}
        Initial weights.
    """

    detects = True
    supervised = False
    frozen_epochs = 0

    def __init__(
        self, backbone: str, heads: Heads, channels_in: int, channels_out: int,
        anchors: Sequence[float] = (), ratios: Sequence[float] = (0.5, 1.0, 2.0),
        weights: str = "none",
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels_in, self.channels_out = channels_in, channels_out
        if weights == "coco" and backbone != "torchvision":
            raise SettingError("The COCO weights belong to backbone='torchvision'.")
        if backbone == "torchvision":
            from napari_segment.deep.detection.coco_weights import torchvision_network

            self.net = torchvision_network(
                heads.version, channels_in, max(channels_out, 2), _identity(channels_in),
                weights=weights == "coco",
            )  # fmt: skip
            self.net.roi_heads.max_detections_per_img = heads.max_detections
            self._compute_heads_in_float32()
            return
        anchors = tuple(anchors) or DEFAULT
        if len(anchors) % LEVELS:
            raise SettingError(f"{len(anchors)} anchors were given: give a multiple of {LEVELS}.")
        sizes = anchors_by_level(anchors)
        self.net = _mask_rcnn(
            _pyramid(backbone, channels_in, heads.width), heads, max(channels_out, 2),
            AnchorGenerator(sizes, (tuple(ratios),) * LEVELS), _identity(channels_in),
        )  # fmt: skip
        self._compute_heads_in_float32()

    def _compute_heads_in_float32(self) -> None:
        roi = self.net.roi_heads
        for module in (
            self.net.backbone, self.net.rpn.head, roi.box_predictor, roi.mask_predictor
        ):  # fmt: skip
            module.register_forward_hook(_in_float32)

    def forward(self, image: Tensor, labels: Tensor | None = None) -> Any:
        """Compute the loss, or detect.

        Parameters
        ----------
        image : tensor (B, C, Y, X)
            Normalised.
        labels : tensor (B, 1, Y, X) or (B, 2, Y, X), optional
            Instance labels, and the class of the object in each pixel (1 for all without it).
            With labels the sum of the losses is returned.

        Returns
        -------
        tensor or list of dict
            The loss; else for each picture ``boxes (N, 4)`` as x0, y0, x1, y1, ``scores (N,)``,
            ``labels (N,)`` (classes) and ``masks (N, 1, 28, 28)`` (probabilities in the box).
        """
        if labels is None:
            return self.net(list(image))
        targets = [as_targets(*one.cpu().numpy(), device=image.device) for one in labels]
        losses = self.net(list(image), targets)
        return torch.stack([loss.float() for loss in losses.values()]).sum()

    def walk(self, image: Tensor) -> None:
        """Run every module once, with the largest number of detections: for shapes alone."""
        levels = list(self.net.backbone(image).values())
        self.net.rpn.head(levels)
        roi, first = self.net.roi_heads, levels[0]
        for pool, parts in (
            (roi.box_roi_pool, (roi.box_head, roi.box_predictor)),
            (roi.mask_roi_pool, (roi.mask_head, roi.mask_predictor)),
        ):
            shape = (len(image) * roi.detections_per_img, first.shape[1], *pool.output_size)
            features = first.new_empty(shape)
            for part in parts:
                features = part(features)

    def padded(self, size: Sequence[int]) -> tuple[int, ...]:
        """Return the size at which every level of the pyramid fits its input."""
        stride = 4 * 2 ** (LEVELS - 1)
        return tuple(-(-n // stride) * stride for n in size)

    @property
    def min_score(self) -> float:
        """Smallest score; no mask is computed for detections below."""
        return float(self.net.roi_heads.score_thresh)

    @min_score.setter
    def min_score(self, score: float) -> None:
        self.net.roi_heads.score_thresh = score

    def freeze(self, frozen: bool = True) -> None:
        """Freeze the backbone's weights, or let them be trained."""
        self.net.backbone.body.requires_grad_(not frozen)


def as_targets(
    labels: NDArray[Any], class_map: NDArray[Any] | None = None, *, device: torch.device
) -> dict[str, Tensor]:
    """Return boxes, classes and masks of the objects of a label image for torchvision."""
    boxes = boxes_of(labels)
    masks = labels[None] == boxes[:, :1, None]
    large = masks.sum((1, 2)) >= _MIN_AREA
    boxes, masks = boxes[large], masks[large]
    corners = boxes[:, [2, 1, 4, 3]].astype(np.float32)
    classes = [1 if class_map is None else int(class_map[mask].max()) for mask in masks]
    return {
        "boxes": torch.from_numpy(corners).to(device),
        "labels": torch.tensor(classes, dtype=torch.int64, device=device),
        "masks": torch.from_numpy(masks.astype(np.uint8)).to(device),
    }


class _Identity(GeneralizedRCNNTransform):
    """A transform that neither resizes nor normalises, and leaves the masks at 28 × 28."""

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        return image, target

    def postprocess(self, result: list[dict[str, Tensor]], *_: object) -> list[dict[str, Tensor]]:
        return result


def _identity(channels: int) -> _Identity:
    return _Identity(
        1, 1, image_mean=[0.0] * channels, image_std=[1.0] * channels, _skip_resize=True
    )


def _pyramid(backbone: str, channels_in: int, width: int) -> nn.Module:
    """Build a backbone with strides 4 to 32 and a feature pyramid."""
    if backbone == "mobilenet":
        body, layers, widths = _mobilenet(channels_in)
    else:
        body = _RESNETS[backbone](weights=None)
        body.conv1 = _first(body.conv1, channels_in)
        layers = {f"layer{i + 1}": str(i) for i in range(LEVELS)}
        base = 64 if backbone in ("resnet18", "resnet34") else 256
        widths = [base * 2**i for i in range(LEVELS)]
    return BackboneWithFPN(body, layers, widths, width, extra_blocks=_NoExtraLevel())


def _mobilenet(channels_in: int) -> tuple[nn.Module, dict[str, str], list[int]]:
    body = mobilenet_v3_large(weights=None).features
    body[0][0] = _first(body[0][0], channels_in)
    ends = [3, 6, 12, 16]  # the last layers of strides 4, 8, 16 and 32
    return body, {str(e): str(i) for i, e in enumerate(ends)}, [24, 40, 112, 960]


def _first(layer: nn.Conv2d, channels: int) -> nn.Conv2d:
    """Return the first convolution for another number of channels."""
    return layer if channels == layer.in_channels else with_input_channels(layer, channels)


class _NoExtraLevel(ExtraFPNBlock):
    """No pyramid level beyond those of the backbone."""

    def forward(
        self, results: list[Tensor], _: list[Tensor], names: list[str]
    ) -> tuple[list[Tensor], list[str]]:
        return results, names


def _mask_rcnn(
    pyramid: nn.Module, heads: Heads, classes: int, anchors: AnchorGenerator, transform: _Identity
) -> MaskRCNN:
    width, deep = heads.width, heads.version == "v2"
    norm = partial(nn.GroupNorm, 8) if deep else None
    box_head = (
        FastRCNNConvFCHead((width, 7, 7), [width] * 4, [4 * width], norm_layer=norm)
        if deep
        else TwoMLPHead(width * 49, 4 * width)
    )
    levels = [str(i) for i in range(LEVELS)]
    network = MaskRCNN(
        pyramid,
        rpn_anchor_generator=anchors,
        rpn_head=RPNHead(width, anchors.num_anchors_per_location()[0], conv_depth=1 + deep),
        rpn_pre_nms_top_n_train=1000, rpn_post_nms_top_n_train=heads.proposals_per_image * 4,
        rpn_pre_nms_top_n_test=2000, rpn_post_nms_top_n_test=2 * heads.max_detections,
        box_roi_pool=MultiScaleRoIAlign(levels, 7, 2, canonical_scale=112),
        box_head=box_head,
        box_predictor=FastRCNNPredictor(4 * width, classes),
        box_batch_size_per_image=heads.proposals_per_image,
        box_detections_per_img=heads.max_detections,
        box_nms_thresh=heads.overlap, box_score_thresh=0.05,
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2, canonical_scale=112),
        mask_head=MaskRCNNHeads(width, [width] * (4 if deep else 2), 1, norm_layer=norm),
        mask_predictor=MaskRCNNPredictor(width, width, classes),
    )  # fmt: skip
    network.transform = transform
    return network


def _in_float32(module: nn.Module, inputs: object, outputs: Any) -> Any:
    """Cast outputs to float32: boxes need more digits than mixed precision has."""
    if isinstance(outputs, Tensor):
        return outputs.float()
    if isinstance(outputs, dict):
        return type(outputs)((k, v.float()) for k, v in outputs.items())
    return type(outputs)(_in_float32(module, inputs, o) for o in outputs)

"""Detectors of objects: Mask R-CNN, from training to labels.

Importing this package registers the model; torch is imported at its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_segment.deep.detection.anchors import with_anchors
from napari_segment.deep.training.trainers import Trainer, register
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn

    from napari_segment.deep.training.loop_torch import Fit

__all__ = ["mask_rcnn"]

Backbone = Literal["resnet18", "resnet34", "resnet50", "resnext50", "mobilenet", "torchvision"]
Positive = Annotated[float, Field(gt=0)]


@models.add("mask_rcnn", title="Mask R-CNN", group="objects", ndim=(2,))
def mask_rcnn(
    channels_in: int,
    channels_out: int,
    ndim: int,  # noqa: ARG001 - always 2, as declared
    *,
    backbone: Backbone = "resnet18",
    version: Literal["v1", "v2"] = "v1",
    width: Annotated[int, Field(ge=16, le=1024, multiple_of=16)] = 128,
    anchors: tuple[Positive, ...] | Literal["auto"] = "auto",
    ratios: tuple[Positive, ...] = (0.5, 1.0, 2.0),
    proposals_per_image: Annotated[int, Field(ge=16, le=4096)] = 128,
    max_detections: Annotated[int, Field(ge=1, le=10000)] = 500,
    overlap: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    weights: Literal["none", "coco"] = "none",
) -> nn.Module:
    """Detect objects as boxes, then segment the mask in each box.

    For objects that touch or overlap, in planes; stacks are segmented plane by plane, and the
    objects can be linked to 3-D ones afterwards.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image; classes with the background; 2.
    backbone : {"resnet18", "resnet34", "resnet50", "resnext50", "mobilenet", "torchvision"}
        Feature extractor below the feature pyramid. "torchvision" is the library's whole network
        with ResNet-50, to which the COCO weights belong: width, anchors, ratios and
        proposals_per_image are then those of its training.
    version : {"v1", "v2"}
        "v1" has the heads of [1]_, "v2" the deeper and slower ones of [2]_.
    width : int
        Channels of the pyramid and of the heads; 256 in the paper.
    anchors : tuple of float or "auto"
        Sides of the anchor boxes in pixels, ascending, a multiple of four of them. "auto" fits
        them to the objects of the training images.
    ratios : tuple of float
        Ratios of height to width of the anchor boxes.
    proposals_per_image : int
        Number of proposals per patch that are sampled for the loss of the heads.
    max_detections : int
        Largest number of objects per tile.
    overlap : float
        Intersection over union of two boxes above which non-maximum suppression removes the one
        with the lower score.
    weights : {"none", "coco"}
        Initial weights; "coco" takes torchvision's for photographs (RGB or grey; from the cache,
        else downloaded).

    References
    ----------
    .. [1] He K, Gkioxari G, Dollár P, Girshick R (2017) Mask R-CNN. ICCV.
       https://doi.org/10.1109/ICCV.2017.322
    .. [2] Li Y, Xie S, Chen X, Dollár P, He K, Girshick R (2021) Benchmarking detection transfer
       learning with vision transformers. https://doi.org/10.48550/arXiv.2111.11429
    """
    from napari_segment.deep.detection.mask_rcnn_torch import Detector, Heads

    heads = Heads(width, version, proposals_per_image, max_detections, overlap)
    sides = () if anchors == "auto" else anchors
    return Detector(backbone, heads, channels_in, channels_out, sides, ratios, weights)


def _fit() -> type[Fit]:
    from napari_segment.deep.detection.training_torch import DetectorFit

    return DetectorFit


register("instances", Trainer(_fit, with_anchors))

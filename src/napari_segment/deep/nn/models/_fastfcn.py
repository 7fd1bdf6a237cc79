"""FastFCN in torch: joint pyramid upsampling over an undilated encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_segment.deep.nn.models._heads import (
    AtrousPyramid,
    ContextEncoding,
    PoolingPyramid,
    convolved,
    resized,
)

DILATIONS = (1, 2, 4, 8)


class JointPyramidUpsampling(nn.Module):
    """Features at a stride of 8, as a dilated encoder would give, from strides 8, 16 and 32.

    Parameters
    ----------
    before : sequence of three int
        Channels of the encoder's last three levels, from the finest.
    width : int
        Channels of each path; four times as many come out.
    """

    def __init__(self, before: Sequence[int], width: int) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(convolved(n, width) for n in before)
        self.spread = nn.ModuleList(_separable(3 * width, width, d) for d in DILATIONS)
        self.channels = len(DILATIONS) * width

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        size = features[0].shape[-2:]
        paths = zip(self.reduce, features, strict=True)
        joined = torch.cat([resized(path(level), size) for path, level in paths], 1)
        return torch.cat([path(joined) for path in self.spread], 1)


class FastFCN(nn.Module):
    """An encoder, joint pyramid upsampling, and a head.

    Parameters
    ----------
    encoder : torch.nn.Module
        Gives its features from the finest to the coarsest, the last at a stride of 32.
    widths : sequence of int
        Number of channels of each of the features.
    channels_out, width : int
        Of the logits and of the paths.
    head : {"encoding", "psp", "aspp"}
        What follows.
    dropout : float
        Before the logits.
    presence_weight : float
        Of the classes' presence in the training loss; with the encoding head.
    """

    def __init__(
        self, encoder: nn.Module, widths: Sequence[int], channels_out: int, width: int,
        head: Literal["encoding", "psp", "aspp"], dropout: float, presence_weight: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.encoder, self.presence_weight = encoder, presence_weight
        self.pyramid = JointPyramidUpsampling(widths[-3:], width)
        self.head = _head(head, self.pyramid.channels, width, channels_out, dropout)
        self.last = nn.Conv2d(width, channels_out, 1)
        self.supervised = head == "encoding" and presence_weight > 0

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        outputs = self.head(self.pyramid(self.encoder(image)[-3:]))
        features, presence = outputs if isinstance(outputs, tuple) else (outputs, None)
        logits = resized(self.last(features), image.shape[-2:])
        if self.training and self.supervised and presence is not None:
            return [logits, presence]
        return logits

    def auxiliary(self, outputs: Sequence[Tensor], target: Tensor) -> Tensor:
        """Return how wrong the head is about which classes are in each image."""
        there = (target > 0.5).flatten(2).any(-1).float()
        wrong = functional.binary_cross_entropy_with_logits(outputs[1].float(), there)
        return self.presence_weight * wrong


def _head(name: str, before: int, width: int, classes: int, dropout: float) -> nn.Module:
    if name == "psp":
        return PoolingPyramid(before, width, dropout)
    if name == "aspp":
        return AtrousPyramid(before, width, (12, 24, 36), dropout)
    return ContextEncoding(before, width, classes, dropout)


def _separable(before: int, after: int, dilation: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(
            before, before, 3, padding=dilation, dilation=dilation, groups=before, bias=False
        ),
        nn.BatchNorm2d(before),
        *convolved(before, after, 1),
    )

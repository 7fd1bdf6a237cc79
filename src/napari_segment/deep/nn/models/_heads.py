"""Heads that see context: atrous pyramid, pooling pyramid, context encoding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def convolved(before: int, after: int, kernel: int = 3, dilation: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, rectifier; the size stays."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


def resized(values: Tensor, size: Sequence[int]) -> Tensor:
    """Interpolate bilinearly without moving the pixel centres."""
    if tuple(values.shape[-2:]) == tuple(size):
        return values
    return functional.interpolate(values, tuple(size), mode="bilinear", align_corners=False)


class Pooled(nn.Module):
    """Average over a grid of cells, one convolution, and back to the size that came in."""

    def __init__(self, before: int, after: int, cells: int) -> None:
        super().__init__()
        # One sample may have one cell: group normalisation needs no more than its channels.
        self.path = nn.Sequential(
            nn.AdaptiveAvgPool2d(cells),
            nn.Conv2d(before, after, 1, bias=False),
            nn.GroupNorm(1, after),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Tensor) -> Tensor:
        return resized(self.path(features), features.shape[-2:])


class AtrousPyramid(nn.Module):
    """Parallel convolutions of several rates, one of a point, and the whole image's average."""

    def __init__(
        self, before: int, after: int, rates: Sequence[int], dropout: float, extra: int = 0
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                convolved(before, after, 1),
                *(convolved(before, after, 3, rate) for rate in rates),
                Pooled(before, after, 1),
            ]
        )
        joined = len(self.branches) * after + extra
        self.join = nn.Sequential(convolved(joined, after, 1), nn.Dropout2d(dropout))

    def forward(self, features: Tensor, *extra: Tensor) -> Tensor:
        return self.join(torch.cat([*(b(features) for b in self.branches), *extra], 1))


class PoolingPyramid(nn.Module):
    """Concatenate averages over 1, 2, 3 and 6 cells a side with the features themselves."""

    cells = (1, 2, 3, 6)

    def __init__(self, before: int, after: int, dropout: float) -> None:
        super().__init__()
        self.branches = nn.ModuleList(Pooled(before, after // 4, n) for n in self.cells)
        joined = before + len(self.cells) * (after // 4)
        self.join = nn.Sequential(convolved(joined, after), nn.Dropout2d(dropout))

    def forward(self, features: Tensor) -> Tensor:
        return self.join(torch.cat([features, *(b(features) for b in self.branches)], 1))


class ContextEncoding(nn.Module):
    """Channels scaled by what the image is made of: residuals from learnt code words."""

    def __init__(
        self, before: int, after: int, classes: int, dropout: float, codewords: int = 32
    ) -> None:
        super().__init__()
        self.reduce = convolved(before, after, 1)
        spread = 1 / (codewords * after) ** 0.5
        self.codewords = nn.Parameter(torch.empty(codewords, after).uniform_(-spread, spread))
        self.scale = nn.Parameter(torch.empty(codewords).uniform_(-1, 0))
        self.norm = nn.BatchNorm1d(codewords)
        self.attention = nn.Linear(after, after)
        self.classify = nn.Linear(after, classes)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features, scaled, and the logits (B, classes) of each class's presence."""
        features = self.reduce(features)
        code = self.encode(features.flatten(2).transpose(1, 2))
        summary = functional.relu(self.norm(code)).mean(1)
        gain = self.attention(summary).sigmoid()[..., None, None]
        return self.dropout(functional.relu(features * (1 + gain))), self.classify(summary)

    def encode(self, points: Tensor) -> Tensor:
        """Residuals (B, K, D) from each code word, gathered over points (B, N, D)."""
        squares = (
            points.square().sum(-1, keepdim=True)
            - 2 * points @ self.codewords.T
            + self.codewords.square().sum(-1)
        )
        share = (self.scale * squares).softmax(-1)
        return share.transpose(1, 2) @ points - share.sum(1)[..., None] * self.codewords

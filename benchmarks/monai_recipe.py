"""MONAI's tutorial recipe: CacheDataset, Compose, DataLoader and a plain loop.

With the network, patch, batch and loss that it is given, and of the random changes those of
`--augment standard` that MONAI has, each as often and as strong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import pi
from typing import Any

import torch
from monai.data import CacheDataset, DataLoader
from monai.losses import DiceCELoss
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    LoadImaged,
    NormalizeIntensityd,
    Rand3DElasticd,
    RandAdjustContrastd,
    RandAffined,
    RandBiasFieldd,
    RandCropByPosNegLabeld,
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandScaleIntensityd,
    RandShiftIntensityd,
    RandSimulateLowResolutiond,
    SpatialPadd,
)

BOTH = ("image", "label")


def transforms(patch: Sequence[int]) -> Compose:
    """From files to augmented patches."""
    sampled: dict[str, Any] = {"mode": ("bilinear", "nearest"), "padding_mode": "border"}
    angle, part = pi / 9, 0.2
    return Compose(
        [
            LoadImaged(BOTH),
            EnsureChannelFirstd(BOTH),
            NormalizeIntensityd("image"),
            SpatialPadd(BOTH, patch),
            RandCropByPosNegLabeld(BOTH, "label", patch, pos=1, neg=2, num_samples=1),
            RandAffined(
                BOTH, prob=0.64, rotate_range=(angle,) * 3, scale_range=(0.25,) * 3, **sampled
            ),
            Rand3DElasticd(BOTH, (5, 7), (1, 10), prob=0.4, **sampled),
            RandGaussianSmoothd("image", *((0.1, 0.8),) * 3, prob=part),
            RandSimulateLowResolutiond("image", prob=part, zoom_range=(0.6, 1.0)),
            RandBiasFieldd("image", prob=part, coeff_range=(0.0, 0.2)),
            RandAdjustContrastd("image", prob=part, gamma=(0.7, 1.4)),
            RandScaleIntensityd("image", 0.25, prob=part),
            RandShiftIntensityd("image", 0.2, prob=part),
            RandGaussianNoised("image", prob=part, std=0.2),
        ]
    )


def steps(
    files: Sequence[dict[str, str]],
    network: Any,
    patch: Sequence[int],
    batch: int,
    *,
    dtype: torch.dtype,
    workers: int,
) -> Iterator[float]:
    """Train without end; gives the loss after each update."""
    data = CacheDataset(
        list(files), transforms(patch), cache_rate=1.0, num_workers=2, progress=False
    )
    loader = DataLoader(
        data, batch_size=batch, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )
    loss = DiceCELoss(softmax=True, to_onehot_y=True)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    network.train()
    while True:
        for cases in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
                logits = network(cases["image"].as_tensor())
            value = loss(logits.float(), cases["label"].as_tensor())
            value.backward()
            optimizer.step()
            yield float(value.detach())

"""The stacks on which figures are measured: bright blobs on a noisy, uneven background."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SMALL = (64, 512, 512)
LARGE = (64, 1024, 1024)


@lru_cache(maxsize=2)
def stack(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    """Round objects of unequal brightness, camera noise, 16 bits in full use."""
    rng = np.random.default_rng(0)
    image = rng.normal(6000, 1500, shape).astype(np.float32)
    image += 3000 * np.sin(np.linspace(0, 3, shape[-1], dtype=np.float32))
    for _ in range(shape[0] * shape[1] * shape[2] // 40_000):
        z, y, x = (int(rng.integers(0, n)) for n in shape)
        r = int(rng.integers(4, 12))
        near = tuple(
            slice(max(c - r, 0), min(c + r + 1, n)) for c, n in zip((z, y, x), shape, strict=True)
        )
        grid = np.ogrid[near]
        inside = sum((g - c) ** 2 for g, c in zip(grid, (z, y, x), strict=True)) <= r * r
        image[near][inside] += rng.uniform(8000, 40_000)
    return image.clip(0, 65535).astype(dtype)


@lru_cache(maxsize=1)
def photograph(side: int = 2048) -> np.ndarray:
    """An RGB picture (3, side, side) of uint8 with the colours of a stained section."""
    rng = np.random.default_rng(0)
    from scipy.ndimage import gaussian_filter, zoom

    inks = np.array([[0.9, 0.85, 0.9], [0.35, 0.2, 0.55], [0.85, 0.45, 0.65], [0.6, 0.75, 0.4]])
    fields = [zoom(rng.normal(size=(side // 32,) * 2), 32, order=1) for _ in inks]
    weights = np.exp(4 * np.stack([gaussian_filter(field, 6) for field in fields]))
    weights /= weights.sum(0)
    picture = np.tensordot(inks.T, weights, 1)
    picture *= 1 - 0.25 * rng.random((side, side)) ** 2
    picture += rng.normal(0, 0.03, picture.shape)
    return (255 * picture.clip(0, 1)).astype(np.uint8)

"""Fixed changes of a patch: where its voxels come from, and what happens to its intensities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_segment.deep.data.augment import Augmentation

_KNOTS = 4  # control points a side of the bending and of the bias field


@dataclass(frozen=True, eq=False)
class Spatial:
    """Where the voxels of a patch come from.

    Parameters
    ----------
    flips : tuple of bool
        Axes that are mirrored.
    matrix : ndarray (D, D)
        From a place in the patch to a place in the image, both from the patch's middle, in voxels.
    bending : ndarray (D, knots, ...), optional
        Displacements at control points over the patch, in voxels.
    """

    flips: tuple[bool, ...]
    matrix: NDArray[np.float32]
    bending: NDArray[np.float32] | None = None

    @property
    def is_rigid_grid(self) -> bool:
        """Return whether voxels stay voxels: nothing but flips."""
        return self.bending is None and bool((self.matrix == np.eye(len(self.matrix))).all())

    @classmethod
    def drawn(
        cls,
        amounts: Augmentation,
        rng: np.random.Generator,
        ndim: int,
        relative: Sequence[float],
    ) -> Spatial:
        """Draw a change; axes with a relative spacing of 0 are neither rotated nor bent."""
        flips = tuple(bool(f) for f in rng.random(ndim) < amounts.flip)
        rotate, scale, bend = rng.random(3) < amounts.spatial
        angles = np.deg2rad(rng.uniform(-amounts.rotate, amounts.rotate, 3)) * rotate
        zoom = (1 + amounts.scale) ** (rng.uniform(-1, 1) * scale)
        matrix = _rotation(angles, relative) * np.float32(zoom)
        knots = rng.standard_normal((ndim, *(_KNOTS,) * ndim)) * amounts.elastic
        knots *= np.array([r > 0 for r in relative]).reshape(-1, *(1,) * ndim)
        bending = knots.astype(np.float32) if bend and amounts.elastic else None
        return cls(flips, matrix.astype(np.float32), bending)


@dataclass(frozen=True, eq=False)
class Intensity:
    """What happens to the intensities of a patch; every neutral number leaves them as they are."""

    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    coarser: float = 1.0
    bias: float = 0.0
    dropped: float = -1.0
    seed: int = 0

    @classmethod
    def drawn(cls, amounts: Augmentation, rng: np.random.Generator) -> Intensity:
        """Draw a change."""
        on = rng.random(7) < amounts.intensity
        spread = rng.uniform(-1, 1, 3) * on[:3]
        size = rng.random(4) * on[3:]
        dropped = rng.random() if rng.random() < amounts.channel_dropout else -1.0
        return cls(
            gamma=float((1 + amounts.gamma) ** spread[0]),
            contrast=float(1 + amounts.contrast * spread[1]),
            brightness=float(amounts.brightness * spread[2]),
            noise=float(amounts.noise * size[0]),
            blur=float(amounts.blur * size[1]),
            coarser=float(1 + max(amounts.low_resolution - 1, 0) * size[2]),
            bias=float(amounts.bias_field * size[3]),
            dropped=float(dropped),
            seed=int(rng.integers(2**32)),
        )

    def fields(
        self, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
        """Draw the fields of a patch ``(C, *S)``: control points of the bias, and the noise."""
        rng = np.random.default_rng(self.seed)
        knots = noise = None
        if self.bias:
            knots = rng.uniform(-1, 1, (1, *(_KNOTS,) * (len(shape) - 1))).astype(np.float32)
        if self.noise:
            noise = rng.standard_normal(shape, np.float32)
        return knots, noise


@dataclass(frozen=True, eq=False)
class Change:
    """A fixed change of a patch, image and target alike."""

    spatial: Spatial
    intensity: Intensity


def _rotation(angles: NDArray[np.float64], relative: Sequence[float]) -> NDArray[np.float64]:
    """Rotate in each plane of axes that may mix, in physical space."""
    ndim = len(relative)
    total = np.eye(ndim)
    planes = [(a, b) for a in range(ndim) for b in range(a + 1, ndim)]
    for (a, b), angle in zip(planes, angles[::-1], strict=False):
        if relative[a] and relative[b]:
            turn = np.eye(ndim)
            turn[a, a] = turn[b, b] = np.cos(angle)
            turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
            total = total @ turn
    sides = np.array([r or 1.0 for r in relative])
    return (total * sides[None, :]) / sides[:, None]

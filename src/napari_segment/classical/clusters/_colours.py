"""Colour spaces of RGB between 0 and 1, one coordinate at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

# sRGB primaries to CIE XYZ relative to the D65 white, IEC 61966-2-1.
_XYZ = np.array(
    [
        [0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047],
        [0.212671, 0.715160, 0.072169],
        [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
    ]
)
_BEND = (6 / 29) ** 3


def lab(red: Floats, green: Floats, blue: Floats, axis: int) -> Floats:
    """One coordinate (0: L*, 1: a*, 2: b*) of CIE 1976 L*a*b*, white point D65."""
    linear = [_linear(c) for c in (red, green, blue)]
    x, y, z = (sum(w * c for w, c in zip(row, linear, strict=True)) for row in _XYZ)
    if axis == 0:
        return 116 * _bent(y) - 16
    return 500 * (_bent(x) - _bent(y)) if axis == 1 else 200 * (_bent(y) - _bent(z))


def hsv_cone(red: Floats, green: Floats, blue: Floats, axis: int) -> Floats:
    """One coordinate (0: value, 1 and 2: saturation · (cos, sin) of hue) of HSV."""
    value = np.maximum(np.maximum(red, green), blue)
    if axis == 0:
        return value
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(chroma > 0, chroma, 1)
    sixth = np.where(
        value == red,
        (green - blue) / safe,
        np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    saturation = chroma / np.where(value > 0, value, 1)
    turn = np.cos if axis == 1 else np.sin
    return saturation * turn(sixth * (np.pi / 3))


def _linear(channel: Floats) -> Floats:
    return np.where(channel > 0.04045, ((channel + 0.055) / 1.055) ** 2.4, channel / 12.92)


def _bent(ratio: Floats) -> Floats:
    return np.where(ratio > _BEND, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)

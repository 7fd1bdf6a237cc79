"""Augmentation: random changes of patches, as drawn numbers and fixed changes.

`Augmentation` says how much of each change there may be, `draw` draws the numbers of one sample,
and what it returns changes any patch always in the same way: a sample can be made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_segment.deep.data.augment.transforms import Change, Intensity, Spatial
from napari_segment.deep.planning.settings import Strength
from napari_segment.errors import SettingError

__all__ = ["Augmentation", "Change", "Intensity", "Spatial", "Strength", "draw"]

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]

_FLAT = 3.0  # spacings that differ by more make an axis too coarse to rotate or bend into


class Augmentation(BaseModel):
    """How much each random change may do; 0 leaves it out.

    Parameters
    ----------
    flip : float
        Part of the patches that are mirrored, for each axis.
    rotate : float
        Largest angle in degrees.
    scale : float
        Largest change of size: 0.25 is from 1 / 1.25 to 1.25.
    elastic : float
        Deviation of the bending, in voxels.
    spatial : float
        Part of the patches that are rotated, scaled or bent, for each of the three.
    gamma, contrast, brightness : float
        Largest change of the exponent, the spread and the level, in deviations of the image.
    noise : float
        Largest deviation of the noise.
    blur : float
        Largest deviation of the blur, in voxels.
    low_resolution : float
        Largest factor by which a patch is made coarser.
    bias_field : float
        Largest slow change of brightness over a patch.
    channel_dropout : float
        Part of the patches that lose one of several channels.
    intensity : float
        Part of the patches that are changed, for each of the changes from gamma to the bias field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: Share = 0.0
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    scale: Annotated[float, Field(ge=0, le=3)] = 0.0
    elastic: Amount = 0.0
    spatial: Share = 0.0
    gamma: Annotated[float, Field(ge=0, le=3)] = 0.0
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    brightness: Amount = 0.0
    noise: Amount = 0.0
    blur: Amount = 0.0
    low_resolution: Annotated[float, Field(ge=0, le=8)] = 0.0
    bias_field: Annotated[float, Field(ge=0, lt=1)] = 0.0
    channel_dropout: Share = 0.0
    intensity: Share = 0.0

    @classmethod
    def of(cls, strength: Strength, by_hand: Sequence[str] = ()) -> Augmentation:
        """Return a strength, with some amounts given by hand.

        Parameters
        ----------
        strength : {"none", "light", "standard", "strong"}
            Where to start.
        by_hand : sequence of str
            Such as ``("rotate=45", "flip=0")``.

        Raises
        ------
        SettingError
            If an amount is unknown or out of range.
        """
        amounts: dict[str, Any] = dict(STRENGTHS[strength])
        for text in by_hand:
            name, equals, value = text.partition("=")
            if name.strip() not in cls.model_fields or not equals:
                raise SettingError(
                    f"Cannot read the augmentation {text!r}. Write name=amount with one of "
                    f"{', '.join(cls.model_fields)}."
                )
            amounts[name.strip()] = value.strip()
        try:
            return cls.model_validate(amounts)
        except ValidationError as error:
            first = error.errors()[0]
            raise SettingError(
                f"The augmentation {first['loc'][0]!r} is {first['input']!r}: {first['msg']}."
            ) from None


STRENGTHS: Mapping[Strength, Mapping[str, float]] = {
    "none": {},
    "light": {
        "flip": 0.5, "rotate": 10, "scale": 0.1, "spatial": 0.3, "gamma": 0.2, "contrast": 0.15,
        "brightness": 0.1, "noise": 0.1, "intensity": 0.2,
    },
    "standard": {
        "flip": 0.5, "rotate": 20, "scale": 0.25, "elastic": 1.0, "spatial": 0.4, "gamma": 0.4,
        "contrast": 0.25, "brightness": 0.2, "noise": 0.2, "blur": 0.8, "low_resolution": 1.6,
        "bias_field": 0.2, "intensity": 0.2,
    },
    "strong": {
        "flip": 0.5, "rotate": 45, "scale": 0.4, "elastic": 2.0, "spatial": 0.6, "gamma": 0.6,
        "contrast": 0.4, "brightness": 0.3, "noise": 0.3, "blur": 1.2, "low_resolution": 2.5,
        "bias_field": 0.4, "channel_dropout": 0.1, "intensity": 0.3,
    },
}  # fmt: skip


def draw(
    amounts: Augmentation, rng: np.random.Generator, ndim: int, spacing: Sequence[float] = ()
) -> Change:
    """Draw the numbers of one sample's changes.

    Parameters
    ----------
    amounts : Augmentation
        How much there may be.
    rng : Generator
        The source of chance.
    ndim : int
        Spatial axes of the patch.
    spacing : sequence of float
        Of the axes; empty for 1. Axes that are more than three times coarser than the finest are
        neither rotated nor bent.

    Returns
    -------
    Change
        The fixed change of image and target.
    """
    return Change(
        Spatial.drawn(amounts, rng, ndim, _relative(spacing, ndim)), Intensity.drawn(amounts, rng)
    )


def _relative(spacing: Sequence[float], ndim: int) -> tuple[float, ...]:
    """Spacings over the finest, with 0 for the axes that are too coarse to mix."""
    sides = tuple(spacing) or (1.0,) * ndim
    ratios = (s / min(sides) for s in sides)
    return tuple(r if r <= _FLAT else 0.0 for r in ratios)

"""Types of settings that several losses share, with their descriptions."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

Positive: TypeAlias = Annotated[float, Field(gt=0)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
BelowOne: TypeAlias = Annotated[float, Field(ge=0, lt=1)]

BatchSums: TypeAlias = Annotated[
    bool,
    Field(
        description="Whether sums are taken over the whole batch instead of each sample, which is "
        "steadier where classes are absent from most patches."
    ),
]
ClassWeights: TypeAlias = Annotated[
    tuple[NotNegative, ...],
    Field(description="Weight of each class, the background first; empty for equal weights."),
]
DiceWeight: TypeAlias = Annotated[float, Field(ge=0, description="Weight of the Dice loss.")]
FalseNegativeWeight: TypeAlias = Annotated[
    float, Field(ge=0, description="Weight of false negatives; 0.5 for both weights is Dice.")
]
FalsePositiveWeight: TypeAlias = Annotated[
    float, Field(ge=0, description="Weight of false positives.")
]
IncludeBackground: TypeAlias = Annotated[
    bool, Field(description="Whether the first of several channels, the background, is included.")
]
RelativeSmooth: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        description="Constant added to numerator and denominator, in voxels of the largest class.",
    ),
]
Smooth: TypeAlias = Annotated[
    float,
    Field(
        gt=0,
        description="Constant added to numerator and denominator, which keeps the loss finite "
        "where a class is absent.",
    ),
]
Spacing: TypeAlias = Annotated[
    tuple[Positive, ...],
    Field(
        description="Spacing along each axis, used where the training gives no distance maps; "
        "empty for equal spacing."
    ),
]
TopFraction: TypeAlias = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="Fraction of the annotated voxels, those with the largest cross-entropy, over "
        "which the mean is taken.",
    ),
]

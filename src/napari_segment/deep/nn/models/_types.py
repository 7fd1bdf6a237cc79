"""Types of settings that several models share, with their descriptions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

Count: TypeAlias = Annotated[int, Field(ge=1, le=4096)]
Blocks: TypeAlias = Annotated[tuple[Annotated[int, Field(ge=1, le=32)], ...], Field(min_length=2)]

DeepSupervision: TypeAlias = Annotated[
    bool, Field(description="Whether the loss also supervises coarser levels of the decoder.")
]
Dropout: TypeAlias = Annotated[
    float, Field(ge=0, lt=1, description="Dropout probability of features during training.")
]
Features: TypeAlias = Annotated[
    tuple[Count, ...],
    Field(
        min_length=2,
        description="Number of channels of each level, from the finest; each level halves the "
        "sides.",
    ),
]
FiveFeatures: TypeAlias = Annotated[
    tuple[Count, ...],
    Field(
        min_length=5,
        max_length=5,
        description="Number of channels of each of the five levels, from the finest.",
    ),
]
FrozenEpochs: TypeAlias = Annotated[
    int,
    Field(
        ge=-1,
        description="Number of epochs during which the weights of the encoder are frozen: 0 for "
        "none, -1 for all.",
    ),
]
LastDropout: TypeAlias = Annotated[
    float, Field(ge=0, lt=1, description="Dropout probability of features before the last layer.")
]
LastFeatures: TypeAlias = Annotated[
    int, Field(ge=1, le=4096, description="Number of channels of the last level before the logits.")
]
Norm: TypeAlias = Annotated[
    Literal["instance", "batch", "group"],
    Field(
        description='Normalisation of features. "instance" does not depend on the batch, so it '
        "suits the small batches of 3-D patches."
    ),
]
Weights: TypeAlias = Annotated[
    str,
    Field(
        examples=["none", "imagenet"],
        description='Pretrained weights of the encoder: "none", a name such as "imagenet" (the '
        "cache of this machine first, then the hub), or the path of a file.",
    ),
]

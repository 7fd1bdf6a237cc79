"""Types of settings that several models share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Count = Annotated[int, Field(ge=1, le=4096)]
Features = Annotated[tuple[Count, ...], Field(min_length=2)]
Blocks = Annotated[tuple[Annotated[int, Field(ge=1, le=32)], ...], Field(min_length=2)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Weights = Annotated[str, Field(examples=["none", "imagenet"])]
FrozenEpochs = Annotated[int, Field(ge=-1)]
Norm = Literal["instance", "batch", "group"]

"""Types of settings that several losses share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

ClassWeights = tuple[Annotated[float, Field(ge=0)], ...]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Spacing = tuple[Annotated[float, Field(gt=0)], ...]

"""Types of settings that the decoders share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

# "encoder": completed by `encoders`; "weights": by `encoder_weights`.
EncoderName = Annotated[
    str,
    Field(
        min_length=1,
        examples=[
            "resnet18", "resnet34", "resnet50", "mobilenet_v2", "efficientnet-b0",
            "efficientnet-b3", "densenet121", "mit_b0", "tu-convnext_tiny",
            "tu-mobilenetv3_small_100",
        ],
    ),
]  # fmt: skip
Depth = Literal[3, 4, 5]
Rates = tuple[
    Annotated[int, Field(ge=1, le=64)],
    Annotated[int, Field(ge=1, le=64)],
    Annotated[int, Field(ge=1, le=64)],
]
DecoderNorm = Literal["batchnorm", "instancenorm", "layernorm"]

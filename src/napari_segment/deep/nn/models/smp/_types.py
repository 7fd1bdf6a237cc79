"""Types of settings that the decoders share, with their descriptions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from napari_segment.deep.nn.models._types import Count

_OUTPUT_STRIDE = (
    "Ratio of the size of the image to that of the encoder's last features; a smaller one replaces "
    "strides by dilated convolutions: finer, slower."
)

Attention: TypeAlias = Annotated[
    Literal["none", "scse"],
    Field(
        description="Attention in the decoder: none, or concurrent spatial and channel squeeze and "
        "excitation."
    ),
]
CoarseOutputStride: TypeAlias = Annotated[Literal[16, 32], Field(description=_OUTPUT_STRIDE)]
DecoderFeatures: TypeAlias = Annotated[
    tuple[Count, ...],
    Field(
        min_length=2,
        description="Number of channels of each level of the decoder, from the coarsest; the last "
        "`depth` of them are used.",
    ),
]
DecoderWidth: TypeAlias = Annotated[
    int, Field(ge=1, le=4096, description="Number of channels of the decoder.")
]
Depth: TypeAlias = Annotated[
    Literal[3, 4, 5],
    Field(description="Number of levels of the encoder that are used; each halves the sides."),
]
# "encoder": completed by `encoders`; "weights": by `encoder_weights`.
EncoderName: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        examples=[
            "resnet18", "resnet34", "resnet50", "mobilenet_v2", "efficientnet-b0",
            "efficientnet-b3", "densenet121", "mit_b0", "tu-convnext_tiny",
            "tu-mobilenetv3_small_100",
        ],
        description='Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` '
        "lists them.",
    ),
]  # fmt: skip
OutputStride: TypeAlias = Annotated[Literal[8, 16], Field(description=_OUTPUT_STRIDE)]
_Rate: TypeAlias = Annotated[int, Field(ge=1, le=64)]
Rates: TypeAlias = Annotated[
    tuple[_Rate, _Rate, _Rate],
    Field(
        description="Dilation of each of the three parallel convolutions. The paper takes (6, 12, "
        "18) at output stride 16 and doubles them at 8."
    ),
]
Separable: TypeAlias = Annotated[
    bool, Field(description="Whether the convolutions of the pyramid are depthwise separable.")
]
DecoderNorm: TypeAlias = Literal["batchnorm", "instancenorm", "layernorm"]

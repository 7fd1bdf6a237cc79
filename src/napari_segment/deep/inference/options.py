"""Settings of a prediction, and the outputs it can give."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from napari_segment.deep.device import Precision

OutputName: TypeAlias = Literal["labels", "probabilities", "entropy", "disagreement"]


Overlap: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="Fraction of a tile shared with its neighbour along each axis. More is "
        "smoother and slower.",
    ),
]
OnnxDevice: TypeAlias = Annotated[
    str, Field(description='Device of ONNX Runtime: "cpu", or "cuda" with onnxruntime-gpu.')
]
ImagePart: TypeAlias = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...],
    Field(
        description="First and last (exclusive) voxel along each axis of the part to predict, such "
        'as 0,10,100,400,100,400; the rest is background. "auto" predicts the whole image.'
    ),
]


@dataclass(frozen=True)
class Options:
    """Settings of a prediction; those of the method `network`, whose help explains them."""

    device: str = "auto"
    tile: tuple[int, ...] = ()
    overlap: float = 0.25
    batch: int = 1
    precision: Precision = "auto"
    test_time_augmentation: bool = False
    thresholds: tuple[float, ...] = ()
    region: tuple[int, ...] = ()
    backend: Literal["torch", "onnx"] = "torch"
    store: Path = field(default_factory=Path)

    @property
    def in_memory(self) -> bool:
        """Return whether results are held in memory, and not written to a folder."""
        return self.store == Path()

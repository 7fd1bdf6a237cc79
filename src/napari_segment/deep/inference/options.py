"""Settings of a prediction, and the outputs it can give."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from napari_segment.deep.device import Precision

OutputName: TypeAlias = Literal["labels", "probabilities", "entropy", "disagreement"]


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
        """Whether results are held in memory, and not written to a folder."""
        return self.store == Path()

"""A trained pixel classifier: a folder with a card and a forest of plain arrays."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from napari_segment.classical.classifier.card import ForestCard
from napari_segment.classical.classifier.features import FeatureSet, Kind


class PixelClassifier(ForestCard):
    """A trained pixel classifier: what it sees, what it tells apart, and where its trees are.

    Takes the parameters of `ForestCard` (an example is a labelled voxel), and:

    scales : tuple of float
        Standard deviations of the Gaussians of its features, in `unit`.
    features : tuple of str
        What is derived at each scale, as in `FeatureSet`.
    spacing : tuple of float
        Of the first training image.
    background : int or "none"
        The class that becomes 0 in results.
    """

    title: ClassVar[str] = "pixel classifier"
    trained_by: ClassVar[str] = "train_classifier"
    of_others: ClassVar[str] = "If it holds a network, use the method 'network'."

    kind: Literal["pixel_classifier"] = "pixel_classifier"
    channels: tuple[str, ...] = Field(min_length=1)
    scales: tuple[float, ...] = Field(min_length=1)
    features: tuple[Kind, ...] = Field(min_length=1)
    spacing: tuple[float, ...]
    background: int | Literal["none"] = "none"

    @property
    def feature_set(self) -> FeatureSet:
        return FeatureSet(self.scales, self.features)

    @property
    def feature_count(self) -> int:
        return len(self.feature_set.names(self.channels, self.ndim))

    @property
    def values(self) -> tuple[int, ...]:
        """Every label number that can come out, in the order of the classes."""
        return tuple(0 if c == self.background else c for c in self.classes)

"""A trained object classifier: a folder with a card and a forest of plain arrays."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from napari_segment.classical.classifier.card import ForestCard


class ObjectClassifier(ForestCard):
    """A trained object classifier: what it measures, what it tells apart, and where its trees are.

    Takes the parameters of `ForestCard` (an example is an object; no channels where no image was
    given), and:

    properties : tuple of str
        Properties that are measured of each object, as for `measure`.
    columns : tuple of str
        Names of the features that these give.
    """

    title: ClassVar[str] = "object classifier"
    trained_by: ClassVar[str] = "train_object_classifier"
    of_others: ClassVar[str] = (
        "If it holds a pixel classifier or a network, use the method 'classifier' or 'network'."
    )

    kind: Literal["object_classifier"] = "object_classifier"
    properties: tuple[str, ...] = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1)

    @property
    def feature_count(self) -> int:
        return len(self.columns)

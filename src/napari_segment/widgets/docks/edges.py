"""The Edges dock widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from qtpy.QtWidgets import QToolButton

from napari_segment import api
from napari_segment.registry import Entry
from napari_segment.widgets.docks.clusters import Clusters
from napari_segment.widgets.docks.extra_outputs import points_job
from napari_segment.widgets.docks.predict import Predict
from napari_segment.widgets.docks.segment import SegmentDock
from napari_segment.widgets.docks.threshold import Threshold
from napari_segment.widgets.layers.conversion import LayerData


class Edges(SegmentDock):
    """Edges, the regions between them, and every method that no other widget offers."""

    first: ClassVar[str] = api.CANNY

    def more(self) -> Sequence[Any]:
        """Return a button for the edges between voxels, which Canny's method alone can tell."""
        self.points_button = QToolButton()
        self.points_button.setText("+ Add edge points")
        self.points_button.setToolTip(
            "As a Points layer: where the edges lie between voxels, one point for each voxel that "
            "a run would mark"
        )
        self.points_button.clicked.connect(self.show_points)
        self.while_idle(self.points_button)
        self.method.changed.connect(self._offer_points)
        self._offer_points()
        return (self.points_button,)

    def show_points(self) -> None:
        """Add the edges between voxels as points."""
        self.running.begin(lambda: points_job(self.source, self.recipe()), self._add_points)

    def _add_points(self, layers: list[LayerData]) -> None:
        self.add_layers(layers)
        self.running.say(f"Done: {len(layers[0][0]):,} points.")

    def _offer_points(self, _: object = None) -> None:
        self.points_button.setVisible(self.method.name == api.CANNY)

    @staticmethod
    def offers(entry: Entry) -> bool:
        """Return whether a method is in this widget's menu."""
        return not any(other.offers(entry) for other in (Threshold, Clusters, Predict))

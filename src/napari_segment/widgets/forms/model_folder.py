"""Where a classifier goes that is trained in the window."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from napari_segment.errors import InputError
from napari_segment.widgets.forms.fields import PathField


class ModelFolder(PathField):
    """A folder for a classifier: a new dated one if none is chosen, never that of another model."""

    def __init__(self) -> None:
        super().__init__(folder=True)
        self.own = Path()  # written by the dock itself, and so replaced
        self.line.setPlaceholderText("a new folder")
        self.line.setToolTip("Where the classifier goes; a dated folder if left empty")

    def to_use(self) -> Path:
        """Return the folder to write to, which is the dock's own from now on.

        Raises
        ------
        InputError
            If another model is there.
        """
        chosen = self.value
        if chosen == Path():
            stamp = datetime.now().strftime("%Y-%m-%d %H.%M.%S")
            chosen = Path.home() / "napari-segment" / "classifiers" / stamp
        elif (chosen / "model.json").exists() and chosen != self.own:
            raise InputError(
                f"The folder {chosen} holds a trained model already. Choose another folder, or "
                "leave it empty for a new one."
            )
        self.own = chosen
        return chosen

"""The button that keeps a form's steps as a recipe, and takes those of a file or a layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton

from napari_segment.api.scripts import as_command, as_python
from napari_segment.errors import FormatError, InputError, SegmentError
from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.conversion import file_of, recipe_of_layer

if TYPE_CHECKING:
    from napari.viewer import Viewer

COPIES: dict[str, Callable[[Recipe, str], str]] = {
    "Python": as_python,
    "command line": as_command,
    "recipe": lambda recipe, _: recipe.to_yaml(),
}
FILES = "Recipes (*.yaml *.yml *.json)"


class RecipeButton(QPushButton):
    """Save, load, take from the selected layer, or copy as text.

    Parameters
    ----------
    viewer : napari Viewer
        Whose selected layer is asked.
    recipe : callable
        Gives what the form says.
    show : callable
        Fills the form.
    say : callable
        Shows what went wrong.
    image : callable
        Gives the layer that the form segments, or None.
    """

    def __init__(
        self,
        viewer: Viewer,
        recipe: Callable[[], Recipe],
        show: Callable[[Recipe], None],
        say: Callable[[str], None],
        image: Callable[[], Any],
    ) -> None:
        super().__init__("Recipe")
        self.viewer, self.recipe, self.fill, self.say = viewer, recipe, show, say
        self.image = image
        self.setToolTip("Keep these steps, or take those of a file or a layer")
        menu = QMenu(self)
        menu.addAction("Save …", self._ask_save)
        menu.addAction("Load …", self._ask_load)
        menu.addAction("Take from the selected layer", partial(self._try, self.take))
        menu.addSeparator()
        for title, write in COPIES.items():
            menu.addAction(f"Copy as {title}", partial(self.copy, write))
        self.setMenu(menu)

    def save(self, path: str | Path) -> None:
        """Write what the form says to a file."""

        def write() -> None:
            try:
                self.recipe().save(path)
            except OSError as error:
                raise FormatError(f"Cannot write the recipe {path}: {error.strerror}.") from None

        self._try(write)

    def load(self, path: str | Path) -> None:
        """Fill the form from a file."""

        def read() -> None:
            recipe = Recipe.load(path, allow_recipe_paths=True)
            self.fill(recipe.without_writes())
            if recipe.writes:
                self.say(
                    f"The recipe writes to the disk ({', '.join(recipe.writes)}), which was left "
                    "out: set it in the form if it is right."
                )

        self._try(read)

    def take(self) -> None:
        """Fill the form from the selected layer."""
        layer = self.viewer.layers.selection.active
        recipe = None if layer is None else recipe_of_layer(layer)
        if recipe is None:
            raise InputError("Select a layer that was made by a run.")
        self.fill(recipe)

    def copy(self, write: Callable[[Recipe, str], str]) -> None:
        """Put what the form says on the clipboard, for the file of its image."""

        def put() -> None:
            QApplication.clipboard().setText(write(self.recipe(), file_of(self.image())))
            self.say("Copied to the clipboard.")

        self._try(put)

    def _ask_save(self) -> None:
        dialog = QFileDialog(self, "Save the recipe", "", FILES)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("yaml")  # without it, Load would not offer the file
        dialog.selectFile("recipe.yaml")
        if dialog.exec():
            self.save(dialog.selectedFiles()[0])

    def _ask_load(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a recipe", "", FILES)
        if path:
            self.load(path)

    def _try(self, call: Callable[[], Any]) -> None:
        self.say("")  # what was said before
        try:
            call()
        except SegmentError as error:
            self.say(str(error))

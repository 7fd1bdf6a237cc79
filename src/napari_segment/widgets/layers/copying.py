"""Commands of napari's menus: how the selected layer, or everything in the window, was made."""

from collections.abc import Callable

from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from napari.viewer import Viewer
from qtpy.QtWidgets import QApplication

from napari_segment.api.scripts import as_command, as_python, history_as_python
from napari_segment.errors import SegmentError
from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.conversion import KEY, recipe_of_layer


def copy_as_python(layer: Layer) -> None:
    """Put Python that makes the selected layer again on the clipboard."""
    _copy(layer, as_python)


def copy_as_command(layer: Layer) -> None:
    """Put the command line that makes the selected layer again on the clipboard."""
    _copy(layer, as_command)


def copy_as_recipe(layer: Layer) -> None:
    """Put the recipe of the selected layer on the clipboard, as YAML."""
    _copy(layer, lambda recipe, _: recipe.to_yaml())


def copy_history(viewer: Viewer) -> None:
    """Put Python that makes every result in the window again on the clipboard."""
    results = [(layer.name, *made) for layer in viewer.layers if (made := _made(layer))]
    if results:
        _put(history_as_python(results))
    else:
        show_warning("No layer in the window was made by a run of this plug-in.")


def _copy(layer: Layer, write: Callable[[Recipe, str], str]) -> None:
    made = _made(layer)
    if made is None:
        show_warning(f"{layer.name!r} was not made by a run. Select labels that were.")
        return
    try:
        _put(write(*made))
    except SegmentError as error:  # a plug-in that is no longer installed
        show_warning(str(error))


def _made(layer: Layer) -> tuple[Recipe, str] | None:
    """The recipe of a layer and the file of its image; None if it was not made here."""
    recipe = recipe_of_layer(layer)
    if recipe is None:
        return None
    return recipe, layer.metadata[KEY].get("file") or "image.tif"


def _put(text: str) -> None:
    QApplication.clipboard().setText(text)
    show_info("Copied to the clipboard.")

"""Images and labels of Python in napari's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Layer

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.widgets.layers.conversion import stack_layer

if TYPE_CHECKING:
    from napari import Viewer


def to_layer(stack: Image | Labels) -> Layer:
    """Make a layer of a stack, as `Image.to_layer` does."""
    return Layer.create(*stack_layer(stack))


def show(*stacks: Image | Labels, viewer: Viewer | None = None) -> Viewer:
    """Show images and labels in napari, each in its place in the world.

    Parameters
    ----------
    *stacks : Image or Labels
        The last one is uppermost.
    viewer : napari.Viewer, optional
        The window; by default the one that was opened last, or a new one.

    Returns
    -------
    napari.Viewer
        In a script, ``napari.run()`` then keeps the window open.

    Raises
    ------
    InputError
        If something else than an Image or Labels is given.

    Examples
    --------
    >>> import napari_segment as ns
    >>> ns.show(image, ns.segment(image, "otsu"))  # doctest: +SKIP
    """
    others = [type(stack).__name__ for stack in stacks if not isinstance(stack, Image | Labels)]
    if others:
        raise InputError(
            f"show takes Images and Labels, but was given {', '.join(others)}. Wrap an array: "
            "napari_segment.Image(array, axes)."
        )
    if viewer is None:
        import napari

        viewer = napari.current_viewer() or napari.Viewer()
    for stack in stacks:
        viewer.add_layer(to_layer(stack))
    return viewer

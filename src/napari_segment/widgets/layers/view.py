"""Open the results of the demonstration.

Run it as ``python -m napari_segment.widgets.layers.view FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment import io
from napari_segment.widgets.layers.conversion import stack_layer

if TYPE_CHECKING:
    from napari.viewer import Viewer

LABELS = ("_labels", "_truth")


def open_folder(viewer: Viewer, folder: Path) -> None:
    """Add the images and labels of a folder to a viewer.

    Parameters
    ----------
    viewer : napari Viewer
        Where the layers go.
    folder : Path
        Files whose names end with ``_labels`` or ``_truth`` are labels, the others images.
    """
    for path in io.images_in(folder):
        if path.suffix == ".png":
            continue
        is_labels = io.stem(path).endswith(LABELS)
        stack = io.read_labels(path) if is_labels else io.read(path)
        data, attributes, kind = stack_layer(stack)
        getattr(viewer, f"add_{kind}")(data, **{**attributes, "name": io.stem(path)})
    for layer in viewer.layers:  # a volume and what was found in it; the rest is a click away
        layer.visible = layer.ndim == viewer.dims.ndim and not layer.name.endswith("_truth")
    viewer.dims.current_step = tuple(n // 2 for n in viewer.dims.nsteps)
    viewer.reset_view()


def main() -> None:
    """Show a folder until the window is closed."""
    import napari

    viewer = napari.Viewer(title="napari-segment")
    open_folder(viewer, Path(sys.argv[1]))
    napari.run()


if __name__ == "__main__":
    main()

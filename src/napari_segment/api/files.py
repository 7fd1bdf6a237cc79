"""Reading and writing what the verbs take and give."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels, Stack
from napari_segment.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from napari_segment.results.compare import Aggregate, Scores

    Writable: TypeAlias = Image | Labels | Recipe | pd.DataFrame | Scores | Aggregate


def read(
    path: str | Path,
    *,
    axes: str = "",
    lazy: bool = False,
    series: int | str = "",
    incomplete: Literal["refuse", "allow"] = "refuse",
) -> Image:
    """Read an image file with its axes, spacing, unit and affine.

    Parameters
    ----------
    path : str or Path
        A file or folder of any format that `napari_segment.io` knows.
    axes : str
        Axis letters, which win over what the file says.
    lazy : bool
        Leave the pixels on disk, as a Dask array.
    series : int or str
        Which image of a file or folder that holds several: number from 0, or name.
    incomplete : {"refuse", "allow"}
        What is done with a file of which a part is missing: an error, or what is there, with zeros
        for the rest and a warning that stays in ``header["warnings"]`` and in recipes.

    Returns
    -------
    Image

    Raises
    ------
    FormatError
        If the file is missing, broken, of an unknown format, or holds several images.
    """
    from napari_segment import io

    return io.read(path, axes=axes, lazy=lazy, series=series, incomplete=incomplete)


def write(what: Writable, path: str | Path, *, reference: str | Path = "") -> Path:
    """Write an image, labels, a recipe, a table or scores.

    Next to labels go their recipe, the features of their objects as ``<stem>.features.csv``, and
    their maps as ``<stem>.<map>`` in the same format (OME-TIFF where the labels are pictures).

    Parameters
    ----------
    what : Image, Labels, Recipe, DataFrame or Scores
        What to write.
    path : str or Path
        Where; the suffix says the format: ``.csv`` for tables. Folders are made.
    reference : str or Path
        The DICOM images to which a DICOM Segmentation (``.dcm``) refers, where the labels do not
        say.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FormatError
        If the format is unknown or does not fit, or if nothing can be written to the folder.
    """
    path = Path(path)
    if isinstance(what, Stack):
        return _write_stack(what, path, reference)
    if isinstance(what, Recipe):
        return _placed(path, what.save)
    from napari_segment.results.compare import Aggregate, Scores

    if isinstance(what, Scores | Aggregate):
        text = json.dumps(what.to_dict(), indent=2)
        return _placed(path, partial(Path.write_text, data=text, encoding="utf-8"))
    if hasattr(what, "to_csv"):
        return _write_table(what, path)
    raise FormatError(
        f"Cannot write a {type(what).__name__}. Give an Image, Labels, a Recipe, a table or scores."
    )


def _write_table(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix.lower() != ".csv":
        raise FormatError(f"Cannot write a table to {path}: end it with .csv.")
    from napari_segment.io import without_formulas

    return _placed(path, partial(without_formulas(table).to_csv, index=False))


def _placed(path: Path, save: Callable[[Path], Any]) -> Path:
    """Write a file whole or not at all."""
    from napari_segment.io.replacing import placing

    with placing(path) as unfinished:
        save(unfinished)
    return path


def _write_stack(stack: Stack, path: Path, reference: str | Path) -> Path:
    """Write a stack with all that belongs to it, together or not at all."""
    from napari_segment import io
    from napari_segment.io.replacing import placing_together

    if not isinstance(stack, Labels):
        return io.write(stack, path, reference=reference)
    recipe, features = io.recipe_path(path).name, io.features_path(path).name
    if io.is_inside(path):  # labels in an image, which their own folder alone is written to
        io.write(stack, path, reference=reference)
        if stack.recipe is not None:
            stack.recipe.save(path.parent / recipe)
        return path
    with placing_together(path.parent, (recipe, features), last=recipe) as folder:
        io.write(stack, folder / path.name, reference=reference)
        if stack.recipe is not None:
            stack.recipe.save(folder / recipe)
        if stack.features:
            import pandas as pd

            _write_table(pd.DataFrame(dict(stack.features)), folder / features)
        for name, image in stack.maps.items():
            io.write(image, folder / io.map_path(path, name).name)
    return path

"""File names: compound suffixes, stems, natural order."""

from __future__ import annotations

import re
from pathlib import Path

_COMPOUND = (".ome.tiff", ".ome.tif", ".ome.zarr", ".nii.gz")


def suffix(path: str | Path) -> str:
    """The suffix in lower case, whole where it has two parts.

    Examples
    --------
    >>> suffix("scan.NII.gz"), suffix("cells.ome.tif"), suffix("a.b.png")
    ('.nii.gz', '.ome.tif', '.png')
    """
    name = Path(path).name.lower()
    return next((s for s in _COMPOUND if name.endswith(s)), Path(name).suffix)


def stem(path: str | Path) -> str:
    """The name without its suffix.

    Examples
    --------
    >>> stem("data/scan.nii.gz"), stem("v1.2.png")
    ('scan', 'v1.2')
    """
    name = Path(path).name
    return name[: len(name) - len(suffix(path))]


def natural(text: str | Path) -> list[tuple[int, int, str]]:
    """A sort key in which numbers count as numbers: "2.png" comes before "10.png".

    Examples
    --------
    >>> sorted(["10.png", "2.png", "a"], key=natural)
    ['2.png', '10.png', 'a']
    """
    parts = re.findall(r"\d+|\D+", str(text))
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p.lower()) for p in parts]


def recipe_path(path: str | Path) -> Path:
    """Where the recipe of a result is kept: beside it, as ``<stem>.recipe.yaml``.

    Examples
    --------
    >>> recipe_path("out/cells.ome.tif").name
    'cells.recipe.yaml'
    """
    return Path(path).with_name(f"{stem(path)}.recipe.yaml")

"""File names: compound suffixes, stems, natural order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from napari_segment.io.registry import formats

_MEMBER = "::"


def split_member(path: str | Path) -> tuple[Path, str]:
    """Divide the path of an image within a file, as ``a.h5::volumes/raw``, into file and image.

    Examples
    --------
    >>> split_member("a.h5::volumes/raw")[1], split_member("a.h5")[1]
    ('volumes/raw', '')
    """
    file, _, member = str(path).partition(_MEMBER)
    return Path(file), member


_URL = re.compile(r"^(https?|s3|gs|az):/+(.+)$")


def url_of(path: str | Path) -> str:
    """The URL that a path stands for, or ""; `Path` joins the slashes after its protocol.

    Examples
    --------
    >>> url_of(Path("https://host/a.zarr")), url_of("a.zarr")
    ('https://host/a.zarr', '')
    """
    match = _URL.match(Path(path).as_posix())
    return f"{match[1]}://{match[2]}" if match else ""


def suffix(path: str | Path) -> str:
    """Return the suffix in lower case, whole where it has two parts.

    Examples
    --------
    >>> suffix("scan.NII.gz"), suffix("cells.ome.tif"), suffix("a.b.png")
    ('.nii.gz', '.ome.tif', '.png')
    """
    name = split_member(path)[0].name.lower()
    return formats.suffix(name) or Path(name).suffix


def exact_suffix(path: str | Path, content: Literal["labels", "floats"]) -> str:
    """Return the suffix of a file, or that of a format which keeps labels or floats exactly.

    Examples
    --------
    >>> exact_suffix("a.jpg", "labels"), exact_suffix("a.png", "labels")
    ('.png', '.png')
    >>> exact_suffix("a.png", "floats"), exact_suffix("a.dcm", "labels")
    ('.tif', '.nii.gz')
    """
    ending = suffix(path)
    form = formats.of_suffix(ending)
    if form is None:
        return ending
    return (form.labels_as if content == "labels" else form.floats_as) or ending


def stem(path: str | Path) -> str:
    """Return the name without its suffix.

    Examples
    --------
    >>> stem("data/scan.nii.gz"), stem("v1.2.png")
    ('scan', 'v1.2')
    """
    name = split_member(path)[0].name
    return name[: len(name) - len(suffix(path))]


def natural(text: str | Path) -> list[tuple[int, int, str]]:
    """Return a sort key in which numbers count as numbers: "2.png" comes before "10.png".

    Examples
    --------
    >>> sorted(["10.png", "2.png", "a"], key=natural)
    ['2.png', '10.png', 'a']
    """
    parts = re.findall(r"\d+|\D+", str(text))
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p.lower()) for p in parts]


def recipe_path(path: str | Path) -> Path:
    """Return the path of a result's recipe: ``<stem>.recipe.yaml`` in the same folder.

    Examples
    --------
    >>> recipe_path("out/cells.ome.tif").name
    'cells.recipe.yaml'
    """
    return Path(path).with_name(f"{stem(path)}.recipe.yaml")


def features_path(path: str | Path) -> Path:
    """Return the path of the features of a result's objects: ``<stem>.features.csv``.

    Examples
    --------
    >>> features_path("out/cells.ome.tif").name
    'cells.features.csv'
    """
    return Path(path).with_name(f"{stem(path)}.features.csv")


def map_path(path: str | Path, name: str) -> Path:
    """Return the path of a map of a result: ``<stem>.<name>``, in a format for floats.

    Examples
    --------
    >>> map_path("out/scan.nii.gz", "entropy").name, map_path("a.png", "entropy").name
    ('scan.entropy.nii.gz', 'a.entropy.tif')
    """
    return Path(path).with_name(f"{stem(path)}.{name}{exact_suffix(path, 'floats')}")


def journal_path(path: str | Path) -> Path:
    """Return the path of the journal of the edits of labels: ``<stem>.edits.jsonl``.

    Examples
    --------
    >>> journal_path("out/cells.ome.tif").name
    'cells.edits.jsonl'
    """
    return Path(path).with_name(f"{stem(path)}.edits.jsonl")

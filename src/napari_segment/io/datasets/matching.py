"""Match the files of two folders by name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from napari_segment.errors import FormatError
from napari_segment.io.datasets.case import Case
from napari_segment.io.listing import images_in
from napari_segment.io.names import natural, stem

_IMAGE_AFFIXES = r"raw|image|img|im|input|leftimg8bit"
_LABEL_AFFIXES = (
    r"labels?|masks?|seg|segmentations?|gt|groundtruth|ground_truth|annotations?|instances?|target"
)
_CHANNEL = re.compile(r"_(\d{4})$")

Key: TypeAlias = Callable[[str], str]


def match_files(images: Path, labels: Path) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Match the files of two folders by their stems.

    Equal names belong together; then names that are equal without a word such as ``_raw`` or
    ``_mask`` at either end; then files of one channel each (``case_0000``, ``case_0001``) and
    the labels of their case. Both folders may be one.

    Parameters
    ----------
    images, labels : Path
        Folders of readable files.

    Returns
    -------
    cases, notes : tuple of Case, tuple of str
        The cases in natural order, and notes that name the files that were left out.

    Raises
    ------
    FormatError
        If a folder is missing, or two files claim the same place.
    """
    inputs, references = _files(images), _files(labels)
    if images.resolve() == labels.resolve():
        references = [f for f in inputs if _plain_label(_fold(f)) != _fold(f)]
        inputs = [f for f in inputs if f not in references]
    cases: list[Case] = []
    rules: tuple[tuple[Key, Key], ...] = (
        (_as_is, _as_is), (_as_is, _plain_label), (_plain_image, _as_is),
        (_plain_image, _plain_label), (_without_channel, _as_is), (_without_channel, _plain_label),
    )  # fmt: skip
    for image_key, label_key in rules:
        channels = image_key is _without_channel
        grouped = _grouped(inputs, image_key, channels=channels)
        targets = _grouped(references, label_key, channels=False, wanted=grouped)
        for key in [k for k in grouped if k in targets]:
            files, label = tuple(grouped[key]), targets[key][0]
            name = stem(files[0]) if not channels else _CHANNEL.sub("", stem(files[0]))
            cases.append(Case(name, files if len(files) > 1 else files[0], label))
            inputs = [f for f in inputs if f not in files]
            references.remove(label)
    cases.sort(key=lambda c: natural(c.name))
    return tuple(cases), _notes(cases, inputs, references)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FormatError(
            f"{folder} is no folder. Give two folders, or single files as [(image, labels), …]."
        )
    return images_in(folder)


# ---- names without what does not belong to them ----


def _fold(file: Path) -> str:
    return stem(file).casefold()


def _as_is(name: str) -> str:
    return name


def _without(affixes: str) -> Key:
    pattern = re.compile(rf"^(?:{affixes})[_\-. ]+|[_\-. ]+(?:{affixes})$")
    return lambda name: pattern.sub("", name)


_plain_image = _without(_IMAGE_AFFIXES)
_plain_label = _without(_LABEL_AFFIXES)


def _without_channel(name: str) -> str:
    return _CHANNEL.sub("", name)


def _grouped(
    files: Iterable[Path], key: Key, *, channels: bool, wanted: Iterable[str] | None = None
) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        name = key(_fold(file))
        if not channels or name != _fold(file):
            groups[name].append(file)
    for name, group in groups.items():
        if len(group) > 1 and not channels and (wanted is None or name in wanted):
            raise FormatError(
                f"{group[0].name} and {group[1].name} in {group[0].parent} both stand for "
                f"{name!r}. Leave one file for each case."
            )
    return groups


def _notes(cases: list[Case], images: list[Path], labels: list[Path]) -> tuple[str, ...]:
    alone = (
        ("Images without labels of their name were left out", images),
        ("Labels without an image of their name were left out", labels),
    )
    return (
        f"{len(cases)} images with labels.",
        *(f"{reason}: {', '.join(f.name for f in files)}." for reason, files in alone if files),
    )

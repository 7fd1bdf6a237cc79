"""Pairs: images with their reference labels, from layers, two folders or a dataset layout."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np

from napari_segment.errors import (
    FormatError,
    InputError,
    LeftOutWarning,
    OtherLayoutError,
    SettingError,
)
from napari_segment.image import Holds, Image, Labels, Stack, align, from_layer
from napari_segment.io.boundary import reading
from napari_segment.io.contents import COLORS, LINEAGE, REACH
from napari_segment.io.datasets.case import Case, Source
from napari_segment.io.datasets.examples import examples
from napari_segment.io.datasets.mask_values import SENTENCE, MaskValues
from napari_segment.io.datasets.matching import match_files
from napari_segment.io.files import read, read_channels, read_stored_labels
from napari_segment.io.names import stem
from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry import layouts

PairsSource: TypeAlias = "Pairs | str | Path | Iterable[Any]"  # what `Pairs.of` takes

__all__ = ["Case", "Pairs", "Source", "match_folders", "open_layout"]


@dataclass(frozen=True, eq=False)
class Pairs(Sequence[Case]):
    """Images with their reference labels; nothing is read before it is asked for.

    Parameters
    ----------
    cases : tuple of Case
        In natural order of their names ("2" before "10").
    holds : {"", "mask", "classes", "objects"}
        What a label means; "" where the data set does not say.
    names : mapping of int to str
        Class names by number.
    ignore_index : int, optional
        The label of voxels without annotation. Negative labels mean the same.
    background : int, optional
        The labels are examples only (see `examples`): 0 is without annotation, and this number
        was painted on the background.
    axes : str
        Axis letters of the images; "" for what each file says.
    notes : tuple of str
        What was found, what was left out and why, in sentences.
    mask_values : MaskValues, optional
        The rule for 0 and 255 over all label files; that of a whole data set for its parts.
    """

    cases: tuple[Case, ...] = field(repr=False)
    holds: Holds | str = ""
    names: Mapping[int, str] = field(default_factory=dict)
    ignore_index: int | None = None
    background: int | None = None
    axes: str = ""
    notes: tuple[str, ...] = ()
    mask_values: MaskValues | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.mask_values is None:
            rule = MaskValues.of(case.labels for case in self.cases)
            object.__setattr__(self, "mask_values", rule)

    @classmethod
    def of(cls, what: PairsSource, *, axes: str = "") -> Pairs:
        """Read pairs from whatever may hold them.

        Parameters
        ----------
        what : Pairs, path, (folder, folder), or sequence of (image, labels)
            A path is a dataset folder or its description, of any layout. Each image and each
            labels is a path, an Image or Labels, an array or a napari layer.
        axes : str
            Axis letters of the images, where they do not name their own.
        """
        if isinstance(what, str | Path):
            what = open_layout(what)
        if isinstance(what, Pairs):
            return replace(what, axes=axes or what.axes)
        parts = list(what)
        if len(parts) == 2 and all(isinstance(p, str | Path) for p in parts):
            return replace(match_folders(*map(Path, parts)), axes=axes)
        return cls._of_stacks(parts, axes)

    @classmethod
    def _of_stacks(cls, what: Iterable[Any], axes: str) -> Pairs:
        cases: list[Case] = []
        holds: set[str] = set()
        names: dict[int, str] = {}
        for i, pair in enumerate(what):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise InputError(
                    f"Pair {i} is {type(pair).__name__}: give each image with its labels, "
                    "such as [(image, labels), …]."
                )
            image, labels = _image(pair[0], axes), _labels(pair[1], pair[0], axes)
            if isinstance(labels, Labels):
                holds.add("" if _is_unrecorded(pair[1]) else labels.holds)
                _agree(names, labels.names, i)
                names.update(labels.names)
            cases.append(Case(_name(image, i, cases), image, labels))
        return cls(tuple(cases), holds.pop() if len(holds) == 1 else "", names, axes=axes)

    # ---- a sequence of cases ----

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    @overload
    def __getitem__(self, index: int) -> Case: ...

    @overload
    def __getitem__(self, index: slice) -> Pairs: ...

    def __getitem__(self, index: int | slice) -> Case | Pairs:
        """Return one case, or the Pairs of a slice."""
        if isinstance(index, slice):
            return replace(self, cases=self.cases[index])
        return self.cases[index]

    def subset(self, indices: Iterable[int]) -> Pairs:
        """Return the Pairs of some cases, in the order of `indices`."""
        return replace(self, cases=tuple(self.cases[i] for i in indices))

    def part(self, name: str) -> Pairs:
        """Return the Pairs of the cases that the data set puts into one part, such as "train"."""
        return replace(self, cases=tuple(c for c in self.cases if c.part == name))

    # ---- reading ----

    def read_image(self, case: int | Case, *, lazy: bool = False) -> Image:
        """Read the image of one case.

        Parameters
        ----------
        case : int or Case
            A case of these Pairs or its index.
        lazy : bool
            Leave the pixels in the file (a Dask array) where the format can.
        """
        case = self.cases[case] if isinstance(case, int) else case
        stack = _open(case.image, case.name, axes=self.axes, lazy=lazy)
        if not isinstance(stack, Image):
            raise InputError(f"The image of case {case.name!r} is {type(stack).__name__}.")
        return stack.replace(name=case.name)

    def read(self, case: int | Case, *, lazy: bool = False) -> tuple[Image, Labels]:
        """Read one case, and make sure that both lie on one grid.

        Parameters
        ----------
        case : int or Case
            A case of these Pairs or its index.
        lazy : bool
            Leave the pixels in the files (Dask arrays) where the formats can.

        Returns
        -------
        Image, Labels
            The labels have the image's axes but for C, and its spacing, unit and affine.

        Raises
        ------
        GeometryError
            If the two do not overlap in the world, or, where a position is unknown, differ in shape
            or spacing.
        """
        case = self.cases[case] if isinstance(case, int) else case
        image = self.read_image(case, lazy=lazy)
        labels = self._on_grid(self._read_labels(case, lazy), image, case)
        return image, labels if self.background is None else examples(labels, self.background)

    def _read_labels(self, case: Case, lazy: bool) -> Stack:
        if not isinstance(case.labels, Path):
            return _open(case.labels, case.name, lazy=lazy)
        axes = self.axes.replace("C", "")
        labels, recorded = read_stored_labels(case.labels, axes=axes, lazy=lazy)
        if recorded or self.mask_values is None or self.background is not None:
            return labels
        return self.mask_values.apply(labels, self.ignore_index)

    def unreadable(self, case: int | Case, error: OSError) -> str:
        """Warn that a case is left out because it cannot be read, and give its name."""
        case = self.cases[case] if isinstance(case, int) else case
        reason = error if isinstance(error, FormatError) else f"{error.filename}: {error.strerror}"
        warnings.warn(f"The case {case.name!r} is left out: {reason}", LeftOutWarning, stacklevel=3)
        return case.name

    @property
    def decisions(self) -> tuple[str, ...]:
        """What was decided over all cases while they were read, in sentences."""
        rule = self.mask_values
        return (SENTENCE,) if rule is not None and rule.is_applied else ()

    def _on_grid(self, labels: Stack, image: Image, case: Case) -> Labels:
        axes = image.axes.replace("C", "")
        of = f"of case {case.name!r}"
        labels = _grown(labels, image)
        labels = align(labels, image, what=f"labels {of}", onto=f"image {of}")
        known = labels if isinstance(labels, Labels) else None
        return Labels(
            labels.data, axes, image.spacing, image.unit, image.affine, image.interval, case.name,
            holds=self.holds or (known.holds if known else "classes"),  # type: ignore[arg-type]
            names=self.names or (known.names if known else {}),
            header={key: labels.header[key] for key in _OF_LABELS if key in labels.header},
        )  # fmt: skip


def _grown(labels: Stack, image: Image) -> Stack:
    """Outlines without a size, as far as they reach, on the grid of the image that they lie on."""
    if not labels.header.get(REACH) or labels.axes != image.axes.replace("C", ""):
        return labels
    more = [image.size(axis) - labels.size(axis) for axis in labels.axes]
    if min(more) < 0:
        return labels
    data = np.pad(np.asarray(labels.data), [(0, n) for n in more])
    return labels.replace(
        data=data, spacing=image.spacing, unit=image.unit, affine=image.affine
    )  # fmt: skip


_OF_LABELS = (LINEAGE, COLORS)  # in the header of labels: what does not depend on the grid


def _agree(known: Mapping[int, str], names: Mapping[int, str], pair: int) -> None:
    """Make sure that a value of the labels has one name in all pairs."""
    for value, name in names.items():
        if known.get(value, name) != name:
            raise InputError(
                f"The labels of pair {pair} call the value {value} {name!r}, but earlier ones call "
                f"it {known[value]!r}. Give labels in which each value means one class."
            )


def _open(source: Source, name: str, *, axes: str = "", lazy: bool = False) -> Stack:
    if isinstance(source, Stack):
        return source
    if isinstance(source, Path):
        return read(source, axes=axes, lazy=lazy)
    if isinstance(source, tuple):
        return read_channels(source, axes=axes, lazy=lazy)
    with reading(Path(getattr(source, "path", name)), "labels"):
        return source()


def _image(what: Any, axes: str) -> Path | Image:
    if isinstance(what, str | Path):
        return Path(what)
    if isinstance(what, Image):
        return what
    stack = from_layer(what, axes) if hasattr(what, "data") and hasattr(what, "scale") else None
    if isinstance(stack, Labels):
        raise InputError(f"The layer {stack.name!r} holds labels, but an image is needed here.")
    return stack or Image(what, axes)


def _labels(what: Any, image: object, axes: str) -> Path | Labels:
    if isinstance(what, str | Path):
        return Path(what)
    if isinstance(what, Labels):
        return what
    axes = (image.axes if isinstance(image, Image) else axes).replace("C", "")
    if hasattr(what, "data") and hasattr(what, "scale"):
        stack = from_layer(what, axes)
        if isinstance(stack, Labels):
            return stack
        what, axes = stack.data, stack.axes  # an image layer that shows labels
    return Labels(what, axes, holds="classes")


def _is_unrecorded(labels: object) -> bool:
    """Return whether labels are a layer that nothing says of what its numbers are."""
    metadata = getattr(labels, "metadata", None) or {}
    return hasattr(labels, "selected_label") and not metadata.get("napari-segment", {}).get("holds")


def _name(image: Path | Image, index: int, cases: Sequence[Case]) -> str:
    name = (stem(image) if isinstance(image, Path) else image.name) or f"case {index}"
    return name if all(c.name != name for c in cases) else f"{name} ({index})"


def match_folders(images: Path, labels: Path) -> Pairs:
    """Match the files of two folders by their stems, as `match_files` does."""
    cases, notes = match_files(images, labels)
    return Pairs(cases, notes=notes)


def open_layout(path: str | Path, layout: SpecLike = "auto") -> Pairs:
    """Read the pairs of a dataset.

    Parameters
    ----------
    path : str or Path
        The dataset's folder, or the file that describes it (``dataset.json``, COCO's JSON).
    layout : Spec or str
        A layout by name; "auto" finds the only one that fits.

    Raises
    ------
    FormatError
        If no layout fits, saying why, or if several do.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError(f"{path} does not exist.")
    spec = Spec.of(layout)
    if spec.name != "auto":
        return _pairs(layouts[spec.name](path, **spec.settings), path)
    if spec.settings:
        raise SettingError("The layout 'auto' has no settings; name the layout.")
    fitting, reasons = {}, []
    for name, entry in layouts.items():
        try:
            fitting[name] = entry(path)
        except OtherLayoutError as other:
            reasons.append(f"{name}: {other}")
    for less_specific in ("folders", "coco_panoptic"):  # next to a fuller description
        if len(fitting) > 1:
            fitting.pop(less_specific, None)
    if len(fitting) > 1:
        raise FormatError(f"{path} may be of the layouts {', '.join(fitting)}; say which.")
    if not fitting:
        raise FormatError(f"{path} is of no known layout ({'; '.join(sorted(reasons))}).")
    return _pairs(next(iter(fitting.values())), path)


def _pairs(pairs: Pairs, path: Path) -> Pairs:
    if not pairs:
        raise FormatError(f"{path} holds no image with labels. {' '.join(pairs.notes[:5])}")
    return pairs

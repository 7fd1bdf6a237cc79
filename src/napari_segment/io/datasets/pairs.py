"""Pairs: images with their reference labels, from layers, two folders or a dataset layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from napari_segment.errors import InputError
from napari_segment.image import Holds, Image, Labels, Stack, align, from_layer

Source: TypeAlias = "Path | tuple[Path, ...] | Stack | Callable[[], Stack]"


@dataclass(frozen=True, eq=False)
class Case:
    """One image and its reference labels, not read yet.

    Parameters
    ----------
    name : str
        Unique among the cases.
    image : Path, tuple of Path, Image or callable
        A file, one file for each channel, the image itself, or what gives it.
    labels : Path, Labels or callable
        Likewise.
    part : str
        "train", "validation" or "test" where the data set says so, else "".
    classes : mapping of int to int
        The class of each object, where objects have classes.
    """

    name: str
    image: Source
    labels: Source
    part: str = ""
    classes: Mapping[int, int] = field(default_factory=dict)


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
    unlabelled : int, optional
        The label of voxels that nobody labelled.
    axes : str
        Axis letters of the images; "" for what each file says.
    notes : tuple of str
        What was found, what was left out and why, in sentences.
    """

    cases: tuple[Case, ...] = field(repr=False)
    holds: Holds | str = ""
    names: Mapping[int, str] = field(default_factory=dict)
    unlabelled: int | None = None
    axes: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, what: Any, *, axes: str = "") -> Pairs:
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
            from napari_segment.io.datasets import open_layout

            what = open_layout(what)
        if isinstance(what, Pairs):
            return replace(what, axes=axes or what.axes)
        what = list(what)
        if len(what) == 2 and all(isinstance(w, str | Path) for w in what):
            from napari_segment.io.datasets.folders import match_folders

            return replace(match_folders(*map(Path, what)), axes=axes)
        return cls._of_stacks(what, axes)

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
                holds.add(labels.holds)
                _agree(names, labels.names, i)
                names.update(labels.names)
            cases.append(Case(_name(image, i, cases), image, labels))
        return cls(tuple(cases), holds.pop() if len(holds) == 1 else "", names, axes=axes)

    # ---- a sequence of cases ----

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __getitem__(self, index: Any) -> Any:
        """One case, or the Pairs of a slice."""
        if isinstance(index, slice):
            return replace(self, cases=self.cases[index])
        return self.cases[index]

    def subset(self, indices: Iterable[int]) -> Pairs:
        """The Pairs of some cases, in the order of `indices`."""
        return replace(self, cases=tuple(self.cases[i] for i in indices))

    def part(self, name: str) -> Pairs:
        """The Pairs of the cases that the data set puts into one part, such as "train"."""
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
        stack = _open(case.image, axes=self.axes, lazy=lazy)
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
        labels = _open(case.labels, labels=True, axes=self.axes.replace("C", ""), lazy=lazy)
        return image, self._on_grid(labels, image, case)

    def _on_grid(self, labels: Stack, image: Image, case: Case) -> Labels:
        axes = image.axes.replace("C", "")
        of = f"of case {case.name!r}"
        labels = align(labels, image, what=f"labels {of}", onto=f"image {of}")
        known = labels if isinstance(labels, Labels) else None
        return Labels(
            labels.data, axes, image.spacing, image.unit, image.affine, image.interval, case.name,
            holds=self.holds or (known.holds if known else "classes"),  # type: ignore[arg-type]
            names=self.names or (known.names if known else {}),
        )  # fmt: skip


def _agree(known: Mapping[int, str], names: Mapping[int, str], pair: int) -> None:
    """Make sure that a value of the labels has one name in all pairs."""
    for value, name in names.items():
        if known.get(value, name) != name:
            raise InputError(
                f"The labels of pair {pair} call the value {value} {name!r}, but earlier ones call "
                f"it {known[value]!r}. Give labels in which each value means one class."
            )


def _open(source: Source, *, labels: bool = False, axes: str = "", lazy: bool = False) -> Stack:
    from napari_segment.io.files import read, read_channels, read_labels

    if isinstance(source, Stack):
        return source
    if isinstance(source, Path):
        reader = read_labels if labels else read
        return reader(source, axes=axes, lazy=lazy)
    if isinstance(source, tuple):
        return read_channels(source, axes=axes, lazy=lazy)
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


def _labels(what: Any, image: Any, axes: str) -> Path | Labels:
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


def _name(image: Path | Image, index: int, cases: Sequence[Case]) -> str:
    from napari_segment.io.names import stem

    name = (stem(image) if isinstance(image, Path) else image.name) or f"case {index}"
    return name if all(c.name != name for c in cases) else f"{name} ({index})"

"""What is done to one file of a batch; each can be pickled, and so done in another process."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_segment.api.batch.paths import Matching
from napari_segment.api.batch.reading import Reading
from napari_segment.api.batch.report import Row
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels, Stack
from napari_segment.recipe import ApplyTo, Recipe, SpecLike
from napari_segment.step import Step

Folders = Mapping[Path, Path]  # of each input: where its result lies below that of the results


@dataclass(frozen=True)
class Segmenting:
    """Segments an image by a recipe, and writes the labels.

    Parameters
    ----------
    recipe : Recipe
        What is done.
    folders : mapping of Path to Path
        Of each input, where its result lies below the folder of the results.
    reading : Reading
        How the image is read.
    data : mapping of str to Matching
        What the method takes besides the image.
    pictures : Path, optional
        A folder for drawings.
    """

    recipe: Recipe
    folders: Folders
    reading: Reading
    data: Mapping[str, Matching] = field(default_factory=dict)
    pictures: Path | None = None

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file."""
        from napari_segment.api.files import write
        from napari_segment.api.outcome import outcome_of
        from napari_segment.api.verbs import segment_steps

        started = time.perf_counter()
        data = {name: files.like(path, self.folders[path]) for name, files in self.data.items()}
        image = self.reading.image(path)
        if not self.reading.lazy and _needs_whole(self.recipe):
            image = image.compute()
        labels = yield from segment_steps(image, self.recipe, data=data)
        write(labels, target)
        if self.pictures:
            _draw(image, labels, self.picture(path, target))
        outcome = outcome_of(labels, image, pieces=False)
        return {
            "summary": outcome.text or labels.holds,
            "holds": labels.holds,
            "count": outcome.count,
            **_geometry(labels),
            "seconds": round(time.perf_counter() - started, 3),
            "recipe": labels.recipe.model_dump(mode="json") if labels.recipe else None,
        }

    def is_done(self, path: Path, target: Path) -> bool:  # noqa: ARG002
        """Whether labels are complete and of the same recipe, which is written last."""
        from napari_segment.api.verbs import complete
        from napari_segment.io import recipe_path

        if not target.exists():
            return False
        try:
            written = Recipe.load(recipe_path(target), allow_recipe_paths=True)
        except FormatError:
            return False
        unwarned = written.model_copy(update={"warnings": self.recipe.warnings})
        return bool(unwarned == complete(self.recipe))

    def picture(self, path: Path, target: Path) -> Path:
        """Where the drawing of a file goes."""
        from napari_segment.io import stem

        return Path(self.pictures or "") / self.folders[path] / f"{stem(target)}.png"


def _needs_whole(recipe: Recipe) -> bool:
    """Whether some part of a recipe cannot run block by block, however large the input is."""
    from napari_segment.registry import cleanups, filters, methods

    registries = (*[filters] * len(recipe.filters), methods, *[cleanups] * len(recipe.cleanups))
    specs = (*recipe.filters, recipe.method, *recipe.cleanups)
    return any(r[spec.name].whole for r, spec in zip(registries, specs, strict=True))


def _draw(image: Image, labels: Labels, path: Path) -> None:
    from napari_segment.api.files import write
    from napari_segment.results.picture import picture

    write(Image(picture(image, labels), "YXC", channels=RGB), path)


def _geometry(stack: Stack) -> Row:
    return {
        "axes": stack.axes, "shape": list(stack.shape), "dtype": str(stack.dtype),
        "spacing": list(stack.spacing), "unit": stack.unit,
    }  # fmt: skip


@dataclass(frozen=True)
class Filtering:
    """Filters an image, and writes what came of it.

    Parameters
    ----------
    filters, channel, apply_to, times
        As of `filter_steps`.
    reading : Reading
        How the image is read.
    """

    filters: Sequence[SpecLike] | Recipe
    channel: int | str
    apply_to: ApplyTo
    times: tuple[int, int] | tuple[()]
    reading: Reading

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file."""
        from napari_segment.api.files import write
        from napari_segment.api.filtering import filter_steps

        image = yield from filter_steps(
            self.reading.image(path), self.filters, channel=self.channel, apply_to=self.apply_to,
            times=self.times,
        )  # fmt: skip
        write(image, target)
        return {"summary": str(image.dtype), **_geometry(image)}


@dataclass(frozen=True)
class Converting:
    """Writes an image or labels in another format.

    Parameters
    ----------
    reading : Reading
        How the file is read.
    are_labels : bool
        Whether it holds labels.
    reference : str
        The DICOM images to which a DICOM Segmentation refers.
    """

    reading: Reading
    are_labels: bool = False
    reference: str | Path = ""

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file."""
        from napari_segment.api.files import write

        yield Step(0, 0, "Reading")
        stack = self.reading.labels(path) if self.are_labels else self.reading.image(path)
        yield Step(0, 0, "Writing")
        write(stack, target, reference=self.reference)
        return {"summary": f"{stack.axes}, {stack.dtype}", **_geometry(stack)}


@dataclass(frozen=True)
class Measuring:
    """Measures labels; the rows of the table go with the row of the report.

    Parameters
    ----------
    folders : mapping of Path to Path
        As of `Segmenting`.
    properties : str or sequence of str
        As of `measure`.
    labels, image : Reading
        How the labels and the intensities are read.
    images : Matching, optional
        The intensities.
    """

    folders: Folders
    properties: str | Sequence[str]
    labels: Reading
    image: Reading
    images: Matching | None = None

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:  # noqa: ARG002
        """Do it to one file."""
        from napari_segment.api.verbs import measure
        from napari_segment.results.measure import with_units

        yield Step(0, 0, "Measuring")
        files = self.images
        image = None if files is None else self.image.image(files.like(path, self.folders[path]))
        table = measure(self.labels.labels(path), image, properties=self.properties)
        return {"rows": len(table), TABLE: with_units(table)}


TABLE = "table"  # the column of `Measuring` that is taken out before a row is reported

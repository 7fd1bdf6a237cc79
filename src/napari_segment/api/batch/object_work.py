"""Cleanups, tables of edges, tracks, consensus and scores of many files."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.api.batch.paths import Matching
from napari_segment.api.batch.reading import Reading
from napari_segment.api.batch.report import Row
from napari_segment.image import Labels
from napari_segment.recipe import ApplyTo, Recipe, Spec
from napari_segment.results.compare import IgnoreIndex
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.results.compare import Scores

SCORES = "scores"  # the column of `Comparing` that is taken out before a row is reported


@dataclass(frozen=True)
class Locating:
    """Writes the points on the edges of an image as a table, with the recipe next to it.

    Parameters
    ----------
    recipe : Recipe
        Of canny.
    reading : Reading
        How the image is read.
    """

    recipe: Recipe
    reading: Reading

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file."""
        from napari_segment.api.edges import edge_point_steps
        from napari_segment.api.files import write
        from napari_segment.results.measure import with_units

        table = yield from edge_point_steps(self.reading.image(path), self.recipe)
        write(with_units(table), target)
        self.recipe.save(self.recipe_path(target))
        return {"rows": len(table), "recipe": self.recipe.model_dump(mode="json")}

    def recipe_path(self, target: Path) -> Path:
        """Where the recipe goes; labels may have the same stem."""
        return target.with_name(f"{target.name}.recipe.yaml")

    def is_done(self, path: Path, target: Path) -> bool:  # noqa: ARG002
        """Whether a table is complete; its recipe is written last."""
        return target.exists() and self.recipe_path(target).exists()


@dataclass(frozen=True)
class Cleaning:
    """Cleans up labels, and writes what came of them.

    Parameters
    ----------
    cleanups : sequence of Spec
        What is done.
    channel, apply_to
        As of `clean`.
    folders : mapping of Path to Path
        As of `Segmenting`.
    labels, image : Reading
        How the labels and the intensities are read.
    images : Matching, optional
        The intensities.
    """

    cleanups: Sequence[Spec]
    channel: int | str
    apply_to: ApplyTo
    folders: Mapping[Path, Path]
    labels: Reading
    image: Reading
    images: Matching | None = None

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file."""
        from napari_segment.api.cleaning import clean_steps
        from napari_segment.api.files import write
        from napari_segment.api.outcome import outcome_of

        files = self.images
        image = None if files is None else self.image.image(files.like(path, self.folders[path]))
        labels = yield from clean_steps(
            self.labels.labels(path), self.cleanups, image, channel=self.channel,
            apply_to=self.apply_to,
        )  # fmt: skip
        write(labels, target)
        outcome = outcome_of(labels, image, pieces=False)
        return {
            "summary": outcome.text or labels.holds, "holds": labels.holds, "count": outcome.count,
            "cleanups": [spec.model_dump(mode="json") for spec in self.cleanups],
        }  # fmt: skip


@dataclass(frozen=True)
class Joining:
    """Tracks the objects of one file, or joins those of several to what most agree on.

    Parameters
    ----------
    verb : {"track", "consensus"}
        What is done.
    settings : mapping
        Of the verb.
    reading : Reading
        How labels are read.
    folders : mapping of Path to Path
        As of `Segmenting`.
    others : sequence of Matching
        The other segmentations of a consensus.
    """

    verb: str
    settings: Mapping[str, Any]
    reading: Reading
    folders: Mapping[Path, Path]
    others: Sequence[Matching] = ()

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file."""
        from napari_segment.api.files import write

        yield Step(0, 0, "Following the objects" if self.verb == "track" else "Agreeing")
        files = [path, *(other.like(path, self.folders[path]) for other in self.others)]
        read = [self.reading.labels(file) for file in files]
        labels = self._joined(read if self.reading.lazy else [one.compute() for one in read])
        write(labels, target)
        count = int(labels.data.max()) if labels.data.size else 0
        return {"summary": "1 object" if count == 1 else f"{count} objects", "count": count}

    def _joined(self, labels: Sequence[Labels]) -> Labels:
        from napari_segment.api.entries import verb
        from napari_segment.api.linking import consensus
        from napari_segment.api.verbs import track

        settings = verb(self.verb).validate(self.settings)  # those of the command line are text
        return (
            track(labels[0], **settings) if self.verb == "track" else consensus(labels, **settings)
        )


@dataclass(frozen=True)
class Comparing:
    """Scores labels against a reference.

    Parameters
    ----------
    axes : str
        Of all files.
    holds : {"auto", "mask", "classes", "objects"}
        What the labels mean; "auto" for what the result says of itself.
    surface, ignore_index
        As of `compare`.
    errors : mapping of Path to Path
        Where the map of errors of a file goes; files without one have none.
    """

    axes: str = ""
    holds: str = "auto"
    surface: bool = False
    ignore_index: IgnoreIndex = "none"
    errors: Mapping[Path, Path] = field(default_factory=dict)

    def __call__(self, path: Path, target: Path) -> Generator[Step, None, Row]:
        """Do it to one file and its reference."""
        yield Step(0, 0, "Comparing")
        labels, truth = self._read(path, target)
        scores = self._scores(labels, truth)
        if path in self.errors:
            self._write_errors(labels, truth, self.errors[path])
        return {"summary": scores.summary, SCORES: scores}

    def _read(self, path: Path, reference: Path) -> tuple[Labels, Labels]:
        from napari_segment.api.coercion import as_labels
        from napari_segment.io import read_labels

        axes = self.axes.upper()
        labels = read_labels(path, axes=axes)
        if self.holds != "auto":
            labels = labels.replace(holds=self.holds)
        truth = as_labels(reference, axes, ignore_index=self.ignore_index)
        return labels, truth.replace(holds=labels.holds)

    def _scores(self, labels: Labels, truth: Labels) -> Scores:
        from napari_segment.api.verbs import compare

        return compare(labels, truth, surface=self.surface, ignore_index=self.ignore_index)

    def _write_errors(self, labels: Labels, truth: Labels, target: Path) -> None:
        from napari_segment.api.files import write
        from napari_segment.api.verbs import error_map

        write(error_map(labels, truth, ignore_index=self.ignore_index), target)

"""The verbs that take many files: folders, patterns, a report, and runs that go on."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_segment.api.batch.paths import (
    Matching,
    Paths,
    inputs_of,
    listed,
    protect,
    table_path,
    targets_of,
    without_maps,
)
from napari_segment.api.batch.reading import Reading
from napari_segment.api.batch.report import Row
from napari_segment.api.batch.run import Batch, run_files_steps
from napari_segment.api.batch.table import MeasureTable
from napari_segment.api.batch.work import TABLE, Converting, Filtering, Measuring, Segmenting
from napari_segment.api.verbs import complete
from napari_segment.errors import SettingError
from napari_segment.recipe import ApplyTo, Recipe, SpecLike
from napari_segment.step import Step, run

_READING, _BATCH = Reading(), Batch()


def segment_files_steps(
    inputs: Paths,
    output: str | Path,
    recipe: Recipe,
    *,
    data: Mapping[str, str | Path] | None = None,
    pictures: str | Path = "",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """`segment_files` as long work: a generator of Steps, a `FileStep` after each file."""
    folders = inputs_of(inputs, recursive=batch.recursive, skip=output)
    targets = targets_of(folders, output)
    further = {name: Path(file) for name, file in (data or {}).items()}
    _check_data(recipe, further)
    matches = {name: Matching(path, batch.recursive) for name, path in further.items()}
    drawn = Path(pictures) if str(pictures) else None
    work = Segmenting(complete(recipe), folders, reading, matches, drawn)
    read = [*folders, *inputs_of(map(str, further.values()), recursive=batch.recursive)]
    protect(read, targets)
    if drawn:
        drawings = [work.picture(*pair) for pair in zip(folders, targets, strict=True)]
        protect(read, drawings)
        protect(targets, drawings, "output")
    return (yield from run_files_steps(list(folders), targets, work, batch, is_done=work.is_done))


def segment_files(
    inputs: Paths,
    output: str | Path,
    recipe: Recipe,
    *,
    data: Mapping[str, str | Path] | None = None,
    pictures: str | Path = "",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> list[Row]:
    """Segment many files by one recipe; those that fail do not end the work on the others.

    Parameters
    ----------
    inputs : str, Path, or iterable of these
        Files, patterns such as ``plates/*/*.tif``, and folders. A DICOM series is one input.
    output : str or Path
        A file for one input; for several a folder, in which the results have the folders and names
        of the inputs.
    recipe : Recipe
        As of `recipe_of`.
    data : mapping of str to path, optional
        What the method takes besides the image: a file for all, or a folder of equal names.
    pictures : str or Path
        A folder for a drawing of each image and its labels; "" for none.
    reading : Reading
        How the images are read.
    batch : Batch
        Folders below, processes, report, and whether results that exist are made again.

    Returns
    -------
    list of dict
        A row for each input: ``input``, ``output``, ``status`` ("done", "failed", "skipped"),
        ``error``, ``seconds``, ``peak_memory`` (bytes), ``recipe``, and what the labels hold.

    Examples
    --------
    >>> from napari_segment.api import Batch, recipe_of, segment_files
    >>> segment_files("plates", "results", recipe_of("otsu"),
    ...     batch=Batch(recursive=True, workers=2))  # doctest: +SKIP
    """
    steps = segment_files_steps(
        inputs, output, recipe, data=data, pictures=pictures, reading=reading, batch=batch
    )
    return run(steps)


def _check_data(recipe: Recipe, data: Mapping[str, Path]) -> None:
    from napari_segment.registry import FROM_IMAGE, methods

    entry = methods[recipe.method.name]
    for name in data:
        if name not in set(entry.data) - set(FROM_IMAGE):
            raise SettingError(f"The method {entry.name!r} takes no {name!r} besides the image.")


def filter_files_steps(
    inputs: Paths,
    output: str | Path,
    filters: Sequence[SpecLike] | Recipe,
    *,
    channel: int | str = "all",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """`filter_files` as long work: a generator of Steps, a `FileStep` after each file."""
    folders = inputs_of(inputs, recursive=batch.recursive, skip=output)
    targets = targets_of(folders, output, "floats")
    work = Filtering(filters, channel, apply_to, times, reading)
    return (yield from run_files_steps(list(folders), targets, work, batch))


def filter_files(
    inputs: Paths,
    output: str | Path,
    filters: Sequence[SpecLike] | Recipe,
    *,
    channel: int | str = "all",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> list[Row]:
    """Filter many files.

    Parameters
    ----------
    inputs, output, reading, batch
        As of `segment_files`.
    filters, channel, apply_to, times
        As of `apply_filters`.

    Returns
    -------
    list of dict
        A row for each input, as of `segment_files`.
    """
    return run(
        filter_files_steps(
            inputs, output, filters, channel=channel, apply_to=apply_to, times=times,
            reading=reading, batch=batch,
        )
    )  # fmt: skip


def convert_files_steps(
    inputs: Paths,
    output: str | Path,
    *,
    suffix: str = "",
    are_labels: bool = False,
    reference: str | Path = "",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """`convert_files` as long work: a generator of Steps, a `FileStep` after each file."""
    folders = inputs_of(inputs, recursive=batch.recursive, skip=output)
    targets = targets_of(folders, output, "labels" if are_labels else "floats")
    if suffix:
        targets = [_renamed(target, suffix) for target in targets]
        protect(folders, targets)
    reading = reading if are_labels else replace(reading, lazy=True)
    work = Converting(reading, are_labels, reference)
    return (yield from run_files_steps(list(folders), targets, work, batch))


def convert_files(
    inputs: Paths,
    output: str | Path,
    *,
    suffix: str = "",
    are_labels: bool = False,
    reference: str | Path = "",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> list[Row]:
    """Write many files in another format.

    Parameters
    ----------
    inputs, output, reading, batch
        As of `segment_files`.
    suffix : str
        The format of the results, such as ".nii.gz"; "" for those of the inputs.
    are_labels : bool
        Whether the files hold labels, whose numbers must stay as they are.
    reference : str or Path
        The DICOM images to which DICOM Segmentations refer.

    Returns
    -------
    list of dict
        A row for each input, as of `segment_files`.
    """
    return run(
        convert_files_steps(
            inputs, output, suffix=suffix, are_labels=are_labels, reference=reference,
            reading=reading, batch=batch,
        )
    )  # fmt: skip


def _renamed(target: Path, suffix: str) -> Path:
    from napari_segment import io

    ending = suffix if suffix.startswith(".") else f".{suffix}"
    if not io.is_readable(f"a{ending}"):
        known = ", ".join(sorted(s for f in io.formats.values() if f.writes for s in f.suffixes))
        raise SettingError(f"{suffix!r} is the suffix of no known format. Known: {known}.")
    if target.name.endswith(ending):
        return target
    return target.with_name(io.stem(target) + ending)


def measure_files_steps(
    labels: Paths,
    table: str | Path,
    *,
    images: str | Path = "",
    properties: str | Sequence[str] = "basic",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """`measure_files` as long work: a generator of Steps, a `FileStep` after each file."""
    given = listed(labels)
    folders = without_maps(inputs_of(given, recursive=batch.recursive), given)
    intensities = inputs_of([images] if str(images) else [], recursive=True)
    path = table_path(table, [*folders, *intensities])
    alone = list(folders) == [Path(given[0])]
    whole = MeasureTable(path, list(folders), alone=alone, go_on=batch.skip_existing)
    work = Measuring(
        folders, properties, replace(reading, series="") if str(images) else reading, reading,
        Matching(Path(images), batch.recursive) if str(images) else None,
    )  # fmt: skip

    def is_done(path: Path, target: Path) -> bool:
        return target.exists() if alone else str(path) in whole.files

    def take(path: Path, row: Row) -> None:
        whole.add(path, row.pop(TABLE))

    try:
        return (
            yield from run_files_steps(
                list(folders), [path] * len(folders), work, batch, is_done=is_done, take=take
            )
        )
    finally:
        whole.save()


def measure_files(
    labels: Paths,
    table: str | Path,
    *,
    images: str | Path = "",
    properties: str | Sequence[str] = "basic",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> list[Row]:
    """Measure the objects of many files into one table.

    Parameters
    ----------
    labels : str, Path, or iterable of these
        As the inputs of `segment_files`.
    table : str or Path
        A CSV file; of several inputs with the column ``file``.
    images : str or Path
        A file of intensities, or a folder of equal names; "" for none.
    properties : str or sequence of str
        As of `measure`.
    reading, batch
        As of `segment_files`.

    Returns
    -------
    list of dict
        A row for each input, as of `segment_files`.
    """
    return run(
        measure_files_steps(
            labels, table, images=images, properties=properties, reading=reading, batch=batch
        )
    )

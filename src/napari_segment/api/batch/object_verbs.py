"""The verbs that take many files of cleanups, edges, tracks, a consensus or scores."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.api.batch.object_work import SCORES, Cleaning, Comparing, Joining, Locating
from napari_segment.api.batch.paths import (
    Matching,
    Paths,
    inputs_of,
    is_image,
    is_map,
    listed,
    protect,
    table_path,
    targets_of,
    without_maps,
)
from napari_segment.api.batch.reading import Reading
from napari_segment.api.batch.report import Row
from napari_segment.api.batch.run import Batch, run_files_steps
from napari_segment.api.entries import verb
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.recipe import ApplyTo, Recipe, Spec, SpecLike
from napari_segment.registry import cleanups as registry
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.results.compare import Scores

_READING, _BATCH = Reading(), Batch()


def edge_point_files_steps(
    inputs: Paths,
    output: str | Path,
    recipe: Recipe,
    *,
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """Locate edges in many files as long work, a CSV table for each.

    Parameters
    ----------
    inputs, reading, batch
        As of `segment_files`.
    output : str or Path
        A CSV file for one input, a folder for several.
    recipe : Recipe
        Of canny, as of `edge_points`.

    Returns
    -------
    list of dict
        A row for each input.
    """
    from napari_segment.io import stem

    folders = inputs_of(inputs, recursive=batch.recursive, skip=output)
    alone = list(folders) == [Path(name) for name in listed(inputs)]
    if alone and len(folders) == 1 and not (Path(output).is_dir() or str(output).endswith("/")):
        targets = [table_path(output, folders)]
    elif Path(output).suffix.lower() == ".csv":
        raise SettingError(f"{len(folders)} inputs need a folder for their tables, not {output}.")
    else:
        targets = [Path(output) / f / f"{stem(path)}.csv" for path, f in folders.items()]
    _check_unique(targets)
    protect(folders, targets)
    work = Locating(recipe, reading)
    return (yield from run_files_steps(list(folders), targets, work, batch, is_done=work.is_done))


def _check_unique(targets: Sequence[Path]) -> None:
    if len(set(targets)) < len(targets):
        double = next(t for t in targets if targets.count(t) > 1)
        raise SettingError(f"Two inputs would both be written to {str(double)!r}. Run them apart.")


def clean_files_steps(
    inputs: Paths,
    output: str | Path,
    cleanups: Sequence[SpecLike],
    *,
    images: str | Path = "",
    channel: int | str = "auto",
    apply_to: ApplyTo = "auto",
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """Clean up the labels of many files as long work.

    Parameters
    ----------
    inputs, output, reading, batch
        As of `segment_files`; the inputs are labels.
    cleanups, channel, apply_to
        As of `clean`.
    images : str or Path
        The image, or a folder of images of equal names; "" for none.

    Returns
    -------
    list of dict
        A row for each input.
    """
    specs = [registry.complete(Spec.of(c)) for c in cleanups]
    given = listed(inputs)
    folders = without_maps(inputs_of(given, recursive=batch.recursive, skip=output), given)
    targets = targets_of(folders, output)
    matches = Matching(Path(images), batch.recursive) if str(images) else None
    if matches:
        protect(inputs_of([str(images)], recursive=batch.recursive), targets)
    intensities = replace(reading, holds="objects")
    work = Cleaning(specs, channel, apply_to, folders, reading, intensities, matches)
    return (yield from run_files_steps(list(folders), targets, work, batch))


def track_files_steps(
    inputs: Paths,
    output: str | Path,
    settings: Mapping[str, Any],
    *,
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """Track the objects of many files as long work.

    Parameters
    ----------
    inputs, output, reading, batch
        As of `segment_files`; the inputs are labels.
    settings : mapping
        Of `track`.

    Returns
    -------
    list of dict
        A row for each input.
    """
    given = listed(inputs)
    folders = without_maps(inputs_of(given, recursive=batch.recursive, skip=output), given)
    targets = targets_of(folders, output)
    work = Joining("track", verb("track").validate(settings), reading, folders)
    return (yield from run_files_steps(list(folders), targets, work, batch))


def consensus_files_steps(
    inputs: Sequence[str | Path],
    output: str | Path,
    settings: Mapping[str, Any],
    *,
    reading: Reading = _READING,
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """Join files of objects into one, or the files of equal names of several folders.

    Parameters
    ----------
    inputs : sequence of str or Path
        Files, of which there is one result; or folders, with a result for each file of the first.
    output, reading, batch
        As of `segment_files`.
    settings : mapping
        Of `consensus`.

    Returns
    -------
    list of dict
        A row for each file of the first input.
    """
    first, *others = [Path(path) for path in inputs]
    single = is_image(first)
    for other in others:
        if is_image(other) != single:
            raise InputError(f"Give files alone or folders alone; {first} and {other} are both.")
    folders = inputs_of([first], recursive=batch.recursive, skip=output)
    folders = without_maps(folders, [first])
    targets = targets_of(folders, output)
    protect(others, targets)
    matches = [Matching(other, batch.recursive) for other in others]
    work = Joining("consensus", verb("consensus").validate(settings), reading, folders, matches)
    return (yield from run_files_steps(list(folders), targets, work, batch))


def compare_files_steps(
    result: str | Path,
    reference: str | Path,
    work: Comparing,
    *,
    scores: dict[str, Scores],
    errors: str | Path = "",
    batch: Batch = _BATCH,
) -> Generator[Step, None, list[Row]]:
    """Score a file, or the files of a folder, against references of equal names.

    Parameters
    ----------
    result, reference : str or Path
        Two files or two folders.
    work : Comparing
        How.
    scores : dict
        Is filled with the scores of each case.
    errors : str or Path
        Where the map of errors of each case goes: a file for one, a folder for several; "" for
        nowhere.
    batch : Batch
        As of `segment_files`; nothing is skipped.

    Returns
    -------
    list of dict
        A row for each result, whose ``output`` is its reference.
    """
    cases = cases_of(Path(result), Path(reference), batch.recursive)
    names = {paths[0]: name for name, paths in cases.items()}

    def take(path: Path, row: Row) -> None:
        scores[names[path]] = row.pop(SCORES)

    references = [paths[1] for paths in cases.values()]
    if errors:
        targets = targets_of({path: Path(name).parent for path, name in names.items()}, errors)
        protect(references, targets)
        work = replace(work, errors=dict(zip(names, targets, strict=True)))
    rows = yield from run_files_steps(list(names), references, work, batch, take=take)
    ordered = {name: scores[name] for name in cases if name in scores}
    scores.clear()
    scores.update(ordered)
    return rows


def cases_of(result: Path, reference: Path, recursive: bool) -> dict[str, tuple[Path, Path]]:
    """Pair results with references; every result must have one."""
    for path in (result, reference):
        if not path.exists():
            raise FormatError(f"There is no file or folder {path}.")
    if is_image(result):
        return {result.name: (result, reference)}
    if is_image(reference):
        raise InputError(f"{result} is a folder, so {reference} must be a folder of equal names.")
    references, results = (_by_stem(folder, recursive) for folder in (reference, result))
    results = {n: p for n, p in results.items() if n in references or not is_map(n, results)}
    missing = [name for name in results if name not in references]
    if missing:
        count = "1 result" if len(missing) == 1 else f"{len(missing)} results"
        raise InputError(f"{count} without a reference in {reference}: {missing[0]}…")
    if not results:
        hint = "" if recursive else " For those in folders below, add recursive=True."
        raise InputError(f"The folder {result} holds no labels that can be read.{hint}")
    return {name: (path, references[name]) for name, path in results.items()}


def _by_stem(folder: Path, recursive: bool) -> dict[str, Path]:
    """The images of a folder by their names without suffix, below that folder."""
    from napari_segment import io

    images = io.images_in(folder, recursive=recursive)
    return {(p.parent.relative_to(folder) / io.stem(p)).as_posix(): p for p in images}

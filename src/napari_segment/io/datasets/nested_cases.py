"""A folder for each case, with a file for each modality and one of labels, as BraTS has it."""

from __future__ import annotations

from pathlib import Path

from napari_segment.errors import OtherLayoutError
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.listing import images_in
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts


@layouts.add("nested_cases", title="A folder for each case (BraTS)")
def nested_cases(folder: Path, *, labels: str = "seg", modalities: str = "") -> Pairs:
    """Read cases of which each has a folder, with one file for each modality.

    Modalities become channels in the order of their names.

    Parameters
    ----------
    folder : Path
        Holds the folders of the cases, whose files begin with the name of their case:
        ``case/case_t1.nii.gz``, ``case/case-flair.nii.gz``, ``case/case_seg.nii.gz``.
    labels : str
        The last part of the name of the label files.
    modalities : str
        Names of modalities in the order of the channels, divided by commas; "" for all.
    """
    if not folder.is_dir():
        raise OtherLayoutError("it is no folder")
    groups = {f.name: _files(f) for f in folder.iterdir() if f.is_dir() and f.name[0] != "."}
    annotated = {name: files for name, files in groups.items() if labels in files}
    if not annotated:
        raise OtherLayoutError(f"no folders with a file NAME_{labels} in it")
    every = {m for files in annotated.values() for m in files} - {labels}
    chosen = [m.strip() for m in modalities.split(",") if m.strip()] or sorted(every)
    cases, notes = [], []
    for name in sorted(groups, key=natural):
        missing = [m for m in (*chosen, labels) if m not in groups[name]]
        if missing:
            notes.append(f"The case {name} has no file {', '.join(missing)}; it was left out.")
            continue
        images = tuple(groups[name][m] for m in chosen)
        label = groups[name][labels]
        cases.append(Case(name, images if len(images) > 1 else images[0], label))
    summary = f"{len(cases)} cases with labels; the channels are {', '.join(chosen)}."
    return Pairs(tuple(cases), "classes", {}, notes=(summary, *notes))


def _files(folder: Path) -> dict[str, Path]:
    """The files of a case by what follows its name."""
    named = {stem(f): f for f in images_in(folder)}
    start = len(folder.name) + 1
    return {
        s[start:]: f
        for s, f in named.items()
        if s.startswith((f"{folder.name}_", f"{folder.name}-"))
    }

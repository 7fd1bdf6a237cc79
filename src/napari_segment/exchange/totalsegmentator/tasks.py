"""Tasks of TotalSegmentator, and where their weights lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from napari_segment.errors import FormatError, MissingError
from napari_segment.exchange.nnunet.folder import (
    TrainedFolder,
    is_results_folder,
    open_folder,
)
from napari_segment.exchange.totalsegmentator import classes

TaskName: TypeAlias = Literal[
    "total", "total_fast", "total_fastest", "total_mr", "total_mr_fast", "total_mr_fastest",
    "body", "body_fast", "vertebrae_mr", "breasts", "appendicular_bones", "appendicular_bones_mr",
    "tissue_types", "tissue_types_mr", "tissue_4_types", "vertebrae_body", "face", "face_mr",
]  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One network of a task.

    Parameters
    ----------
    dataset : int
        Number of its data set, which begins the name of its folder.
    classes : tuple of str
        Names of its outputs without the background, in order. Further outputs served the training
        alone and become background.
    name : str
        Of the part, where there are several.
    """

    dataset: int
    classes: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class Task:
    """One task of TotalSegmentator.

    Parameters
    ----------
    name : str
        As its command has it; faster networks of coarser spacing are tasks of their own.
    parts : tuple of Part
        Whose classes are numbered one part after the other.
    older : tuple of int
        Data sets of former releases, in the same order of parts.
    """

    name: str
    parts: tuple[Part, ...]
    older: tuple[int, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """Return the official number of every class with its name."""
        return dict(enumerate((name for part in self.parts for name in part.classes), start=1))


_CT = (classes.ORGANS, classes.VERTEBRAE, classes.CARDIAC, classes.MUSCLES, classes.RIBS)
_CT_PARTS = ("organs", "vertebrae", "cardiac", "muscles", "ribs")
_CT_ALL = tuple(name for part in _CT for name in part)
_MR_ALL = (*classes.MR_ORGANS, *classes.MR_MUSCLES)


def _single(name: str, dataset: int, names: tuple[str, ...], older: int = 0) -> Task:
    return Task(name, (Part(dataset, names),), (older,) if older else ())


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("total", tuple(map(Part, range(291, 296), _CT, _CT_PARTS))),
        _single("total_fast", 297, _CT_ALL),
        _single("total_fastest", 298, _CT_ALL),
        Task(
            "total_mr",
            (Part(850, classes.MR_ORGANS, "organs"), Part(851, classes.MR_MUSCLES, "muscles")),
            (730, 731),
        ),
        _single("total_mr_fast", 852, _MR_ALL, older=732),
        _single("total_mr_fastest", 853, _MR_ALL, older=733),
        _single("body", 299, classes.BODY),
        _single("body_fast", 300, classes.BODY),
        _single("vertebrae_mr", 756, classes.VERTEBRAE_MR),
        _single("breasts", 527, ("breast",)),
        _single("appendicular_bones", 304, classes.BONES),
        _single("appendicular_bones_mr", 855, classes.BONES[:8]),
        _single("tissue_types", 481, classes.TISSUES),
        _single("tissue_types_mr", 925, classes.TISSUES, older=734),
        _single("tissue_4_types", 485, (*classes.TISSUES, "intermuscular_fat")),
        _single("vertebrae_body", 305, ("vertebrae_body", "intervertebral_discs")),
        _single("face", 303, ("face",)),
        _single("face_mr", 856, ("face",), older=737),
    )
}
assert set(TASKS) == set(get_args(TaskName))


def weights_folder() -> Path:
    """Return where TotalSegmentator keeps its weights.

    ``TOTALSEG_WEIGHTS_PATH``, else ``nnunet/results`` in ``TOTALSEG_HOME_DIR`` or in
    ``~/.totalsegmentator``.
    """
    if given := os.environ.get("TOTALSEG_WEIGHTS_PATH"):
        return Path(given).expanduser()
    home = os.environ.get("TOTALSEG_HOME_DIR")
    base = Path(home).expanduser() if home else Path.home() / ".totalsegmentator"
    return base / "nnunet" / "results"


def open_task(task: Task, folder: Path) -> list[TrainedFolder]:
    """Open the results folder of each part of a task; no weights are read.

    Parameters
    ----------
    task : Task
        One of `TASKS`.
    folder : Path
        With a folder for each data set.

    Raises
    ------
    MissingError
        If a part is absent; the message says which file goes where.
    FormatError
        If a network has fewer outputs than its part has classes.
    """
    opened = []
    for index, part in enumerate(task.parts):
        numbers = (part.dataset, *task.older[index : index + 1])
        trained = next((t for n in numbers if (t := _opened(folder, n))), None)
        if trained is None:
            raise MissingError(_missing(task, part, folder))
        outputs = len(trained.plans.table.numbers) - 1
        if outputs < len(part.classes) or trained.plans.table.regions:
            raise FormatError(
                f"The network in {trained.folder} has {outputs} classes, but {task.name!r} has "
                f"{len(part.classes)}. Is it of another version of TotalSegmentator?"
            )
        opened.append(trained)
    return opened


def _opened(folder: Path, dataset: int) -> TrainedFolder | None:
    """Open the folder of a data set, of any trainer; of several the one in full resolution."""
    inside = sorted(
        p for p in folder.glob(f"Dataset{dataset:03d}_*/*__*__*") if is_results_folder(p)
    )
    full = [p for p in inside if p.name.endswith("__3d_fullres")]
    return open_folder((full or inside)[0]) if inside else None


def _missing(task: Task, part: Part, folder: Path) -> str:
    which = f"{task.name!r} ({part.name})" if part.name else f"{task.name!r}"
    inner = "nnUNetTrainer…__nnUNetPlans__3d_fullres"
    download = task.name.removesuffix("est")
    return (
        f"The weights of TotalSegmentator's task {which} are not in {folder}. There should be a "
        f"folder Dataset{part.dataset}_… with {inner}, which holds dataset.json, plans.json and "
        "fold_0/checkpoint_final.pth: unpack the published zip file of this data set there, or run "
        f"'totalseg_download_weights -t {download}' of TotalSegmentator. Another folder is given "
        "as 'weights_folder', or by TOTALSEG_HOME_DIR."
    )

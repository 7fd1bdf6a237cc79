"""Results folders of nnU-Net: which network they hold, and what is said of it in lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from napari_segment.errors import FormatError, SettingError
from napari_segment.exchange.nnunet.reading.plans import Configuration, Plans, read_plans
from napari_segment.io.changed import State, state_of

_FILES = ("dataset.json", "plans.json")
Weights = Literal["final", "best", "latest"]


@dataclass(frozen=True)
class TrainedFolder:
    """One trained configuration of nnU-Net.

    Parameters
    ----------
    folder : Path
        With ``dataset.json``, ``plans.json`` and the folders of the folds.
    plans : Plans
        Of the data set.
    configuration : Configuration
        That was trained.
    files : tuple of Path
        Weights of each fold that is used.
    """

    folder: Path
    plans: Plans
    configuration: Configuration
    files: tuple[Path, ...]

    def network(self, mirrored: bool) -> Any:
        """Return the network: ``(B, C, *S)`` to logits ``(B, K, *S)``, the mean of all folds.

        Parameters
        ----------
        mirrored : bool
            Whether it averages over mirror images, along the axes that the training allows.
        """
        from napari_segment.deep.inference.networks import composite_torch as composite

        networks = []
        for path in self.files:
            network, axes = _load(path, self.folder, self.configuration.name, self._states())
            if mirrored and axes:
                spatial = [axis - len(self.configuration.patch) for axis in axes]
                network = composite.MirroredNetwork(network, spatial)
            networks.append(network)
        return networks[0] if len(networks) == 1 else composite.Ensemble(networks)

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file that the results depend on, by its path."""
        from napari_segment.deep.inference.networks.checkpoint_files import file_hash

        files = (*(self.folder / name for name in _FILES), *self.files)
        return {str(path.relative_to(self.folder)): file_hash(path) for path in files}

    def _states(self) -> tuple[State, ...]:
        return tuple(state_of(p) for p in (*(self.folder / n for n in _FILES), *self.files))


def open_folder(
    folder: Path,
    configuration: str = "auto",
    folds: Sequence[str] = (),
    weights: Weights = "final",
) -> TrainedFolder:
    """Open a results folder; no weights are read.

    Parameters
    ----------
    folder : Path
        Such as ``Dataset001_X/nnUNetTrainer__nnUNetPlans__3d_fullres``, or the folder of the data
        set where it holds one configuration, or `configuration` names one.
    configuration : str
        Such as "3d_fullres"; "auto" takes the only one.
    folds : sequence of str
        Such as "0" or "all"; empty for all numbered ones, else "all".
    weights : {"final", "best", "latest"}
        Which of the checkpoints of a fold.

    Raises
    ------
    FormatError, SettingError
        Saying what is absent.
    """
    trained = _trained(Path(folder), configuration)
    plans = read_plans(trained)
    name = _name(trained, plans, configuration)
    files = _files(trained, folds, f"checkpoint_{weights}.pth")
    return TrainedFolder(trained, plans, plans.configuration(name), files)


def describe(folder: Path) -> dict[str, Any]:
    """Return what a list of models says of a results folder, without reading weights.

    Returns
    -------
    dict
        ``title``, ``kind`` ("nnU-Net"), ``configuration``, ``classes`` (names in the order of
        their numbers), ``values``, ``channels``, ``spacing`` (of the network's axes), ``unit``,
        ``ndim``, ``folds`` and ``files``.
    """
    trained = open_folder(folder)
    plans, configuration = trained.plans, trained.configuration
    names = dict(sorted(plans.table.names.items()))
    return {
        "title": plans.title,
        "kind": "nnU-Net",
        "configuration": configuration.name,
        "classes": tuple(names.values()),
        "values": tuple(names),
        "channels": plans.channels,
        "spacing": configuration.spacing,
        "unit": "pixel" if plans.reader == "NaturalImage2DIO" else "millimeter",
        "ndim": len(configuration.patch),
        "folds": tuple(file.parent.name.removeprefix("fold_") for file in trained.files),
        "files": tuple(str(file) for file in trained.files),
    }


def is_results_folder(folder: Path) -> bool:
    """Return whether a folder looks like one trained configuration of nnU-Net."""
    return all((Path(folder) / name).is_file() for name in _FILES)


def first_stage(trained: TrainedFolder, folder: Path | None) -> TrainedFolder:
    """Open the configuration whose labels a cascade starts from.

    Parameters
    ----------
    trained : TrainedFolder
        The second stage.
    folder : Path, optional
        Of the first stage; else the folder beside the second one's, of the same trainer.
    """
    name = trained.configuration.previous_stage
    if folder is None:
        trainer = trained.folder.name.rpartition("__")[0]
        folder = trained.folder.parent / f"{trainer}__{name}"
    if not is_results_folder(folder):
        raise FormatError(
            f"{trained.folder.name} is the second stage of a cascade and needs the labels of "
            f"{name!r}, but {folder} is no results folder. Copy that of {name!r} there, or give it "
            "as 'previous_stage'."
        )
    first = open_folder(folder, name)
    if first.plans.table.numbers != trained.plans.table.numbers:
        raise FormatError(f"{folder} and {trained.folder} were not trained on the same labels.")
    return first


def _trained(folder: Path, configuration: str) -> Path:
    """Return the folder of one configuration: this one, or one inside of it."""
    if folder == Path():
        raise SettingError(
            "'nnunet' needs a model folder: give the folder that training with nnU-Net wrote, such "
            "as nnUNetTrainer__nnUNetPlans__3d_fullres."
        )
    if is_results_folder(folder):
        return folder
    inside = sorted(p for p in folder.glob("*__*__*") if is_results_folder(p))
    wanted = [p for p in inside if configuration in ("auto", p.name.rpartition("__")[2])]
    if len(wanted) == 1:
        return wanted[0]
    if inside:
        raise SettingError(
            f"{folder} holds {', '.join(p.name for p in inside)}. Give one of these folders, or "
            "its 'configuration'."
        )
    if not folder.is_dir():
        raise FormatError(f"There is no folder {folder}. Give a results folder of nnU-Net.")
    raise FormatError(
        f"{folder} holds no dataset.json and plans.json. Give a results folder of nnU-Net v2, such "
        "as nnUNetTrainer__nnUNetPlans__3d_fullres."
    )


def _name(folder: Path, plans: Plans, configuration: str) -> str:
    """Return the name of the trained configuration: as given, as of the folder, or the only one."""
    own = folder.name.rpartition("__")[2]
    name = own if configuration == "auto" else configuration
    if name not in plans.configurations and configuration == "auto":
        name = next(iter(plans.configurations)) if len(plans.configurations) == 1 else ""
    if name not in plans.configurations:
        raise SettingError(
            f"Which configuration {folder} was trained in cannot be told from its name: give "
            f"'configuration', one of {', '.join(plans.configurations)}."
        )
    return name


def _files(folder: Path, folds: Sequence[str], name: str) -> tuple[Path, ...]:
    present = sorted(p.parent.name.removeprefix("fold_") for p in folder.glob(f"fold_*/{name}"))
    numbered = [fold for fold in present if fold.isdigit()]
    wanted = list(folds) or numbered or present
    absent = [fold for fold in wanted if fold not in present]
    if absent or not wanted:
        raise FormatError(
            f"There is no {name} of fold {', '.join(absent) or 'any'} in {folder}. Folds with that "
            f"file: {', '.join(present) or 'none'}."
        )
    return tuple(folder / f"fold_{fold}" / name for fold in wanted)


@lru_cache(maxsize=8)
def _load(
    path: Path, folder: Path, configuration: str, states: tuple[State, ...]  # noqa: ARG001 - new files, new network
) -> tuple[Any, tuple[int, ...]]:  # fmt: skip
    """Load the network of one fold once for all images of a process, and its mirror axes."""
    from napari_segment.exchange.nnunet.reading.weights_torch import load_into, read_weights
    from napari_segment.exchange.nnunet.unet_torch import UNet

    plans = read_plans(folder)
    own = plans.configuration(configuration)
    weights = read_weights(path)
    if weights.configuration not in ("", configuration):
        raise FormatError(
            f"{path} was trained as {weights.configuration!r}, not as {configuration!r}. Give "
            f"'configuration', or the folder that it was trained in."
        )
    network = UNet(plans.inputs(own), plans.table.outputs, own.architecture)
    load_into(network, weights, str(path))
    if any(axis >= len(own.patch) for axis in weights.mirror_axes):
        raise FormatError(f"{path} allows to mirror more axes than its network has.")
    return network.eval(), weights.mirror_axes

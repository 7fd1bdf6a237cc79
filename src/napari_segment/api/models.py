"""Verbs of models: what is on this machine, what is known of it, and what is added or removed."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.step import Step, run

if TYPE_CHECKING:
    from napari_segment.deep.card import ModelCard
    from napari_segment.exchange.catalogue import Model, Verification
    from napari_segment.image import Image
    from napari_segment.recipe import Recipe


def model_card(model: str | Path) -> ModelCard:
    """Return what is known of a model: what it segments, its data, its scores, its licence.

    Parameters
    ----------
    model : str or Path
        The folder of a training, the path of any other model, or the name of one of this machine.

    Returns
    -------
    ModelCard
        ``to_markdown()`` is the card as text; ``best`` are the scores to judge it by.
    """
    from napari_segment.deep.card import CARD, ModelCard
    from napari_segment.exchange.catalogue import find_model

    if (Path(model) / CARD).is_file():
        return ModelCard.load(Path(model))
    return find_model(model).card


def list_models() -> list[Model]:
    """List the models of this machine: bundled, added, and trained here.

    Returns
    -------
    list of Model
        Each with ``name``, ``kind``, ``origin``, ``card``, ``size``, ``uses`` and ``recipe``, the
        method with the setting that runs it.

    Examples
    --------
    >>> [model.name for model in list_models()]  # doctest: +SKIP
    """
    from napari_segment.exchange.catalogue import list_models as listed

    return listed()


def find_model(name: str | Path) -> Model:
    """Return a model by its name on this machine, or that at a path.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    from napari_segment.exchange.catalogue import find_model as find

    return find(name)


def add_model_steps(
    source: str | Path,
    *,
    name: str = "",
    sha256: str = "",
    card: str | Path = "",
    overwrite: bool = False,
) -> Generator[Step, None, Model]:
    """Add a model as long work; the parameters are those of `add_model`."""
    from napari_segment.exchange.catalogue import add_model as added

    return (yield from added(source, name=name, sha256=sha256, card=card, overwrite=overwrite))


def add_model(
    source: str | Path,
    *,
    name: str = "",
    sha256: str = "",
    card: str | Path = "",
    overwrite: bool = False,
) -> Model:
    """Copy a model to those of this machine, where methods take it by its name.

    Nothing of it is run.

    Parameters
    ----------
    source : str or Path
        A folder, a file, or an http(s) address, whose download goes on where it was broken off.
    name : str
        By which methods take it; "" for one made of its title.
    sha256 : str
        Expected hash of the file; "" to check none.
    card : str or Path
        JSON file with the card of an ONNX file; "" where it lies next to it, or in its metadata.
    overwrite : bool
        Replace a model of this name.

    Returns
    -------
    Model
    """
    return run(add_model_steps(source, name=name, sha256=sha256, card=card, overwrite=overwrite))


def remove_model(name: str) -> Model:
    """Remove a model that was added; of one that was trained here only the note is removed.

    Returns
    -------
    Model
        What it was.
    """
    from napari_segment.exchange.catalogue import remove_model as removed

    return removed(name)


def verify_models_steps(names: Iterable[str] = ()) -> Generator[Step, None, list[Verification]]:
    """Verify models as long work; the parameters are those of `verify_models`."""
    from napari_segment.exchange.catalogue import verify_models as verified

    return (yield from verified(names))


def verify_models(names: Iterable[str] = ()) -> list[Verification]:
    """Hash the files of models again, and compare with what was noted when they came.

    Parameters
    ----------
    names : iterable of str
        Which; empty for all models of this machine.

    Returns
    -------
    list of Verification
        With ``name`` and ``problems``, empty where every file is as it was.
    """
    return run(verify_models_steps(names))


def note_model_use(recipe: Recipe, image: Image) -> None:
    """Note that the model of a recipe has segmented an image, where its method runs models."""
    from napari_segment.exchange.kinds import kinds
    from napari_segment.io.models_folder import located, note_use

    for kind in kinds().values():
        given = str(recipe.method.settings.get(kind.setting) or "")
        if given and kind.method == recipe.method.name:
            note_use(located(Path(given)), image.name or "an image", date.today().isoformat())

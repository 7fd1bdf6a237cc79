"""Verification: whether the files of models are still what they were."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_segment.exchange.catalogue.listing import Model, find_model, list_models
from napari_segment.io.hashing import file_hash
from napari_segment.io.models_folder import read_note
from napari_segment.step import Step


@dataclass(frozen=True)
class Verification:
    """What the hashes of one model say.

    Parameters
    ----------
    name : str
        Of the model.
    problems : tuple of str
        In sentences; none where each file is as it was.
    checked : int
        Files whose hash was known.
    """

    name: str
    problems: tuple[str, ...]
    checked: int

    def __str__(self) -> str:
        if self.problems:
            return " ".join(self.problems)
        if not self.checked:
            return "No hash is known of it."
        return f"{self.checked} file{'s' * (self.checked != 1)} as when it was recorded."


def verify_models(
    names: Iterable[str] = (),
) -> Generator[Step, None, list[Verification]]:
    """Hash the files of models again.

    Parameters
    ----------
    names : iterable of str
        Which; empty for all models of this machine.

    Returns
    -------
    list of Verification
    """
    models = [find_model(name) for name in names] or list_models()
    results = []
    for i, model in enumerate(models):
        yield Step(i, len(models), f"hashing {model.name}")
        results.append(_verified(model))
    return results


def _verified(model: Model) -> Verification:
    expected, root = _expected(model)
    problems = [model.problem] if model.problem else []
    for name, digest in expected.items():
        path = root / name
        if not path.is_file():
            problems.append(f"{name} is missing: remove the model and add it again.")
        elif file_hash(path) != digest:
            problems.append(f"{name} has changed: remove the model and add it again.")
    return Verification(model.name, tuple(problems), len(expected))


def _expected(model: Model) -> tuple[dict[str, str], Path]:
    """Return the hashes by file that were noted, and the folder of the files."""
    if model.origin == "added":
        return dict(read_note(model.folder).get("files", {})), model.folder
    digest = model.card.weights
    if model.kind.name == "network" and digest:
        return {"weights.safetensors": digest}, model.path
    return {}, model.path

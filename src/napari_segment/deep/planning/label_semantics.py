"""Decide what label numbers stand for: objects or classes; which classes, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.errors import InputError, SettingError
from napari_segment.image import Holds
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.registry import models

_MANY = 30  # more label numbers than this in one case are objects


class Objects(BaseModel):
    """The target maps of objects, and the thresholds with which a network's maps are decoded.

    Parameters
    ----------
    target : {"distance", "border", "seeds", "flow", "instances"}
        What is learnt besides the foreground: the distance to the object's edge (1 at its middle),
        the border between an object and what is not that object, the inner part of each object,
        or the way to the object's middle (one output an axis). "instances": the network is a
        detector, which finds the objects itself.
    foreground : float
        Probability from which a voxel belongs to some object.
    seed : float
        Value of the second output from which a voxel belongs to the heart of an object; of flow,
        the agreement (mean cosine) of an object with the flow from which it counts; of a
        detector, the score from which an object counts.
    smooth : float
        Deviation of the Gaussian that smooths the second output first, in voxels; 0 for none.
    size : int
        Objects of fewer voxels are left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Literal["distance", "border", "seeds", "flow", "instances"] = "distance"
    foreground: float = 0.5
    seed: float = 0.5
    smooth: float = 0.0
    size: int = 0

    def outputs(self, ndim: int) -> int:
        """Return how many outputs the network has."""
        return 1 + (ndim if self.target == "flow" else 1)


@dataclass(frozen=True)
class LabelSemantics:
    """What label numbers mean in all cases.

    Parameters
    ----------
    holds : {"mask", "classes", "objects"}
        What a label number is.
    values : tuple of int
        Label numbers of the classes, the background first; empty for objects.
    names : dict of int to str
        Of classes, or of the kinds of objects that a detector tells apart.
    objects : Objects, optional
        How objects are learnt.
    ignore_index : int, optional
        The label of voxels that nobody labelled.
    reasons : dict of str to str
        Why, in words.
    """

    holds: Holds
    values: tuple[int, ...]
    names: dict[int, str]
    objects: Objects | None
    ignore_index: int | None
    reasons: dict[str, str]


def label_semantics(items: Sequence[Item], pairs: Pairs, settings: TrainSettings) -> LabelSemantics:
    """Decide from the label numbers what they mean, where nobody says it.

    Parameters
    ----------
    items : sequence of Item
        All cases, measured.
    pairs : Pairs
        Where they come from.
    settings : TrainSettings
        Its ``task``, ``classes``, ``ignore_index``, ``target`` and ``model``.

    Returns
    -------
    LabelSemantics
    """
    ignored = pairs.ignore_index if settings.ignore_index == "auto" else settings.ignore_index
    given = () if settings.classes == "auto" else settings.classes
    names = named(items, pairs.names, given)
    numbers_of_cases = [{v for v in i.counts if v > 0 and v != ignored} for i in items]
    if not any(numbers_of_cases):
        numbers = sorted(set().union(*(i.counts for i in items)))
        raise InputError(
            "The labels are empty: no voxel of any case is marked. They hold the numbers "
            f"{', '.join(map(str, numbers[:8]))}; ignore_index is {ignored}. Check that the labels "
            "are those of the images, and that ignore_index is not the number of a class."
        )
    reasons = _examples(pairs, names)
    if _are_objects(numbers_of_cases, pairs, bool(names), settings.task, reasons):
        chosen = names if _tells_kinds(pairs, settings) else {}
        holds: Holds = "objects"
        values: tuple[int, ...] = ()
    else:
        marked = set().union(*numbers_of_cases, names) - {0, ignored}
        holds = "mask" if len(marked) == 1 else "classes"
        values = tuple(sorted(marked | ({0} - {ignored})))
        chosen = {k: v for k, v in names.items() if k in values}
        what = "a mask: one label" if holds == "mask" else f"classes: {len(marked)} labels"
        why = ", as given" if settings.task == "classes" else ""
        reasons["task"] = f"{what} in all cases{why}"
    if given and not chosen:
        raise SettingError("Classes were named, but each label number is an object of its own.")
    if chosen:
        listed = ", ".join(f"{number} {name}" for number, name in sorted(chosen.items()))
        reasons["classes"] = f"{listed}, {'as given' if given else 'as the data say'}"
    return LabelSemantics(holds, values, chosen, _objects(holds, settings), ignored, reasons)


def _examples(pairs: Pairs, names: dict[int, str]) -> dict[str, str]:
    """Say that labels are examples only; the number of their background, now 0, loses its name."""
    if pairs.background is None:
        return {}
    names.pop(pairs.background, None)
    painted = f"{pairs.background}, as given; voxels of 0 are without annotation"
    return {"background": painted}


def named(items: Sequence[Item], known: Mapping[int, str], given: Sequence[str]) -> dict[int, str]:
    """Names of label numbers: given by hand, else as the data set or the label files have them.

    Parameters
    ----------
    items : sequence of Item
        All cases, measured.
    known : mapping of int to str
        Names that the data set has for all cases.
    given : sequence of str
        By hand, each as ``NUMBER=NAME``.

    Raises
    ------
    InputError
        If label files call one number by two names.
    """
    by_hand = dict(_class(text) for text in given)
    names = {**known, **by_hand}
    first: dict[int, str] = {}
    for item in items:
        for value, name in item.names.items():
            if value in by_hand:
                continue
            if names.setdefault(value, name) != name:
                raise InputError(
                    f"The label {value} is called {names[value]!r} in the case {first[value]!r}, "
                    f"but {name!r} in {item.name!r}. If they are one class, give it one name with "
                    f"classes={value}={name}; else give them different numbers."
                )
            first.setdefault(value, item.name)
    return names


def _class(text: str) -> tuple[int, str]:
    number, _, name = (part.strip() for part in text.partition("="))
    if not (number.isdecimal() and name):
        raise SettingError(f"Cannot read the class {text!r}: write NUMBER=NAME, such as 1=nucleus.")
    return int(number), name


def _are_objects(
    numbers_of_cases: Sequence[set[int]],
    pairs: Pairs,
    names: bool,
    task: str,
    reasons: dict[str, str],
) -> bool:
    """Return whether each label number is an object: as given, as the data say, or as they look."""
    if task == "objects":
        reasons["task"] = "objects, as given"
    elif task == "auto" and pairs.holds == "objects":
        reasons["task"] = "objects, as the data say"
    elif task == "auto" and not (pairs.holds or names) and looks_like_objects(numbers_of_cases):
        counts = sorted(len(n) for n in numbers_of_cases)
        reasons["task"] = (
            f"objects: {counts[0]} to {counts[-1]} labels in a case, from 1 on; "
            "if each number is a class, give task=classes"
        )
    return "task" in reasons


def looks_like_objects(numbers_of_cases: Sequence[set[int]]) -> bool:
    """Whether label numbers count objects: each case has 1 … n, and n is large or differs."""
    marked = [n for n in numbers_of_cases if n]
    counts = [len(f) for f in marked]
    consecutive = np.mean([max(f) <= 1.5 * len(f) + 2 for f in marked])
    return bool(consecutive > 0.7 and (max(counts) > _MANY or (max(counts) > 3 * min(counts) > 0)))


def _detects(settings: TrainSettings) -> bool:
    """Return whether the model finds the objects itself."""
    return models[settings.model.name].group == "objects"


def _tells_kinds(pairs: Pairs, settings: TrainSettings) -> bool:
    return _detects(settings) and any(case.classes for case in pairs)


def _objects(holds: Holds, settings: TrainSettings) -> Objects | None:
    """Return how objects are learnt; a model of the group "objects" finds them itself."""
    if _detects(settings) and holds != "objects":
        raise SettingError(
            f"The model {settings.model.name!r} finds objects, but the labels are classes. If each "
            "label number is an object, give task='objects'; else take another model."
        )
    if holds != "objects":
        return None
    if _detects(settings):
        return Objects(target="instances")
    return Objects(target=settings.target, smooth=1.0)

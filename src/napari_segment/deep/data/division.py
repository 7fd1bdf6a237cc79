"""Division: which cases a network learns from, which choose it, and which only judge it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from napari_segment.deep.planning.fingerprint import Item
from napari_segment.errors import SettingError

ENOUGH = 20  # validation cases from which half of them are left to the test


@dataclass(frozen=True)
class Division:
    """The cases of a training, in three parts.

    Parameters
    ----------
    training : list of Item
        What the network learns from.
    validation : list of Item
        What the epoch and the decoding are chosen on.
    test : list of Item
        What chooses nothing.
    reason : str
        How the validation cases were chosen, for a person.
    test_reason : str
        How those of the test were; why there is none.
    """

    training: list[Item]
    validation: list[Item]
    test: list[Item]
    reason: str
    test_reason: str

    @property
    def description(self) -> str:
        """The numbers of cases and how they were chosen."""
        return (
            f"{len(self.training)} cases to train on, {len(self.validation)} to validate "
            f"({self.reason}), {len(self.test)} for the test ({self.test_reason})"
        )


def divide(
    items: Sequence[Item],
    *,
    folds: int = 5,
    fold: int = 0,
    test: float | Literal["auto"] = "auto",
    test_cases: Sequence[str] = (),
) -> Division:
    """Divide cases into those to train on, to validate on, and to test on.

    Parameters
    ----------
    items : sequence of Item
        All items; those of one case stay together.
    folds : int
        Every so manyeth case, sorted by name, is for validation.
    fold : int
        Which of them: 0 for the last of each group of `folds`, 1 for the one before, and so on.
    test : float or "auto"
        Fraction of the cases for the test, evenly spaced by sorted name; 0 for none. "auto" takes
        those that the data set names; else every second of the validation cases where these are
        20 or more. So no case is lost to the training.
    test_cases : sequence of str
        Names of the cases for the test, instead.

    Returns
    -------
    Division
        A single case is cut along its longest axis, four fifths to one.

    Raises
    ------
    SettingError
        If a name is not there, or nothing is left to train on.
    """
    held, reason = _held_out(items, test, test_cases)
    rest = [item for item in items if item not in set(held)]
    if not rest:
        raise SettingError(
            "All cases are for the test: nothing is left to train on. Give a smaller 'test', or "
            "fewer 'test_cases'."
        )
    training, validation, how = _validated(rest, folds, fold)
    if held or test != "auto" or how == _OF_DATA_SET:
        return Division(training, validation, held, how, reason)
    names = sorted({item.name for item in validation})
    if len(names) < ENOUGH:
        few = f"there are fewer than {ENOUGH} validation cases to take half of"
        return Division(training, validation, [], how, few)
    chosen = set(names[1::2])
    return Division(
        training,
        [item for item in validation if item.name not in chosen],
        [item for item in validation if item.name in chosen],
        how + ", half of them",
        "the other half",
    )


_OF_DATA_SET = "as the data set says"


def _held_out(
    items: Sequence[Item], test: float | Literal["auto"], test_cases: Sequence[str]
) -> tuple[list[Item], str]:
    """Return what is for the test whatever is validated on, and why."""
    if test_cases:
        _check_names(test_cases, {item.name for item in items})
        return [item for item in items if item.name in set(test_cases)], "as given"
    if test == 0:
        return [], "none is wanted"
    if test == "auto":
        named = [item for item in items if item.part == "test"]
        return named, _OF_DATA_SET if named else "none is named by the data set"
    names = sorted({item.name for item in items})
    count = max(round(test * len(names)), 1)
    if count >= len(names):
        raise SettingError(
            f"test={test:g} of {len(names)} cases leaves none to train on. Give a smaller fraction."
        )
    chosen = {names[int((i + 0.5) * len(names) / count)] for i in range(count)}
    return [item for item in items if item.name in chosen], f"{test:g} of all, by sorted name"


def _check_names(given: Iterable[str], known: set[str]) -> None:
    from difflib import get_close_matches

    for name in given:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SettingError(
                f"There is no case {name!r} for 'test_cases': give names of images without "
                f"their endings.{hint}"
            )


def _validated(items: Sequence[Item], folds: int, fold: int) -> tuple[list[Item], list[Item], str]:
    parts = {item.part for item in items}
    if {"train", "validation"} <= parts:
        of = {p: [i for i in items if i.part == p] for p in ("train", "validation")}
        return of["train"], of["validation"], _OF_DATA_SET
    names = sorted({item.name for item in items})
    if len(names) == 1:
        inner, outer = zip(*(_cut(item, folds) for item in items), strict=True)
        return list(inner), list(outer), f"the last {1 / folds:.0%} of the one case"
    folds = min(folds, len(names))
    chosen = {name for i, name in enumerate(names) if i % folds == folds - 1 - fold % folds}
    training = [i for i in items if i.name not in chosen]
    validation = [i for i in items if i.name in chosen]
    return training, validation, f"one case in {folds}, by sorted name"


def _cut(item: Item, folds: int) -> tuple[Item, Item]:
    axis = int(np.argmax(item.shape))
    border = item.shape[axis] - max(item.shape[axis] // folds, 1)

    def part(where: slice, size: int) -> Item:
        crop = tuple(where if a == axis else slice(None) for a in range(len(item.shape)))
        shape = tuple(size if a == axis else n for a, n in enumerate(item.shape))
        return replace(item, crop=crop, shape=shape)

    return part(slice(border), border), part(slice(border, None), item.shape[axis] - border)

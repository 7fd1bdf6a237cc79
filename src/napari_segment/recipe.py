"""Spec and Recipe: what was done to an image, so that it can be done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_segment.aliases import current_fields
from napari_segment.errors import FormatError, SettingError

ApplyTo: TypeAlias = Literal["auto", "plane", "volume", "stack", "directions"]

_EXPECTED = {
    "channel": "the number of a channel from 0, its name, or 'auto'",
    "apply_to": " or ".join(map(repr, get_args(ApplyTo))),
    "times": "two whole numbers, such as (0, 10), the last exclusive, or () for all",
}


class Spec(BaseModel):
    """One entry by name, with the settings that differ from its defaults or all of them.

    Parameters
    ----------
    name : str
        The entry's name in its registry.
    settings : dict
        Setting names and plain values (numbers, strings, booleans, lists, Specs).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, what: SpecLike) -> Spec:
        """Read a Spec from a name, a ``(name, settings)`` pair, a mapping or a Spec."""
        if isinstance(what, Spec):
            return what
        if isinstance(what, str):
            return cls(name=what)
        try:
            if isinstance(what, Mapping):
                return cls.model_validate(dict(what))
            name, settings = what
            return cls(name=name, settings=dict(settings))
        except (TypeError, ValueError) as error:
            raise SettingError(
                f"Cannot read {what!r} as an entry with settings. Give a name, a pair "
                "(name, {setting: value}), or {'name': …, 'settings': {…}}."
            ) from error


SpecLike: TypeAlias = "Spec | str | tuple[str, Mapping[str, Any]] | Mapping[str, Any]"


class Recipe(BaseModel):
    """Filters, one method and cleanups, and which part of an image they were run on.

    Parameters
    ----------
    method : Spec
        What makes labels of the image.
    filters, cleanups : tuple of Spec
        Run before and after the method, in this order.
    channel : int or str, default "auto"
        The channel that one-channel entries see, by index or name. "auto" takes the only
        channel, the luminance of an RGB image, and refuses to choose among others.
    apply_to : {"auto", "plane", "volume", "stack", "directions"}
        What is segmented at once: each YX plane, each ZYX volume, or all time points together.
        "auto" is "volume" where the entry can and the image has Z, else "plane". "directions"
        takes the planes across Z, across Y and across X, each linked to volumes by the recipe's
        cleanups, and gives the objects that most of the three agree on.
    times : tuple of int, optional
        First and last (exclusive) time point; empty for all.
    version : str
        The version of napari-segment that recorded the recipe.
    warnings : tuple of str
        What was reported of the image's file when it was read, such as missing planes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Spec
    filters: tuple[Spec, ...] = ()
    cleanups: tuple[Spec, ...] = ()
    channel: int | str = "auto"
    apply_to: ApplyTo = "auto"
    times: tuple[int, int] | tuple[()] = ()
    version: str = ""
    warnings: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _translated(cls, values: object) -> object:
        """Read a recipe that was written with former names of its fields."""
        return current_fields(values) if isinstance(values, Mapping) else values

    @classmethod
    def of(cls, **parts: Any) -> Recipe:
        """Make a recipe of its parts.

        Raises
        ------
        SettingError
            Saying which part cannot be used, and what it may be.
        """
        try:
            return cls(**parts)
        except ValidationError as error:
            name = str(error.errors()[0]["loc"][0])
            if name not in _EXPECTED:
                raise
            raise SettingError(
                f"{name}={parts[name]!r} cannot be used: give {_EXPECTED[name]}."
            ) from None

    def to_json(self) -> str:
        """Write the recipe as indented JSON."""
        return self.model_dump_json(indent=2)

    def to_yaml(self) -> str:
        """Write the recipe as YAML, in the order in which it runs."""
        import yaml

        order: tuple[str, ...] = (
            "version",
            "channel",
            "apply_to",
            "times",
            "filters",
            "method",
            "cleanups",
        )
        plain = self.model_dump(mode="json")
        order += ("warnings",) if self.warnings else ()
        return yaml.safe_dump({key: plain[key] for key in order}, sort_keys=False)

    @classmethod
    def from_text(cls, text: str, *, source: str = "the text") -> Recipe:
        """Read a recipe from YAML or JSON (which is YAML).

        Parameters
        ----------
        text : str
            What `to_yaml` or `to_json` wrote, or a person.
        source : str
            Where the text came from, for the error message.

        Raises
        ------
        FormatError
            If the text is no recipe.
        """
        import yaml

        try:
            return cls.from_plain(yaml.safe_load(text), source=source)
        except yaml.YAMLError as error:
            raise FormatError(f"{source} is neither YAML nor JSON: {_one_line(error)}") from None

    @classmethod
    def from_plain(cls, values: object, *, source: str = "the mapping") -> Recipe:
        """Read a recipe from plain values, such as a napari layer keeps.

        Parameters
        ----------
        values : mapping
            What `to_json` writes, as Python values.
        source : str
            Where they came from, for the error message.

        Raises
        ------
        FormatError
            If they are no recipe.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(
                f"{source} is not a recipe: {first['msg']} (at {where}). A recipe holds "
                "'method: {name: otsu}' and, if wanted, 'filters', 'cleanups', 'channel', "
                "'apply_to', 'times'."
            ) from None

    def save(self, path: str | Path) -> Path:
        """Write the recipe to a ``.json`` file, or as YAML under any other name."""
        path = Path(path)
        path.write_text(self.to_json() if path.suffix == ".json" else self.to_yaml(), "utf-8")
        return path

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe from a YAML or JSON file."""
        path = Path(path)
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            raise FormatError(
                f"There is no recipe {path}. `segment` writes one beside its labels: "
                "labels.tif has labels.recipe.yaml."
            ) from None
        except UnicodeDecodeError:
            raise FormatError(f"{path} is no text, so it is no recipe (.yaml or .json).") from None
        except OSError as error:
            raise FormatError(f"Cannot read the recipe {path}: {error.strerror}.") from None
        return cls.from_text(text, source=str(path))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

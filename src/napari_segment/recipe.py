"""Spec and Recipe: what was done to an image, so that it can be done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from napari_segment.aliases import current_fields
from napari_segment.bounded import LARGEST, load_yaml
from napari_segment.errors import FormatError, SettingError

ApplyTo: TypeAlias = Literal["auto", "plane", "volume", "stack", "directions"]

_EXPECTED = {
    "channel": "the number of a channel from 0, its name, or 'auto'",
    "apply_to": " or ".join(map(repr, get_args(ApplyTo))),
    "times": "two whole numbers, such as (0, 10), the last exclusive, or () for all",
    "edits": "edits by name with their settings, such as ('delete', {'numbers': (3,)})",
}
_LISTS = ("filters", "cleanups")


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


class Edit(Spec):
    """One edit of labels by name, with its settings and where it is made.

    Parameters
    ----------
    name, settings
        As of `Spec`.
    at : dict of str to int
        Position along an axis to which the edit is held, by the axis' letter: ``{"T": 3}`` is time
        point 3, ``{"Z": 5}`` plane 5. Of axes that are not named all positions are edited.
    """

    at: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)

    @field_validator("at")
    @classmethod
    def _letters(cls, at: dict[str, int]) -> dict[str, int]:
        letters = {axis.upper(): position for axis, position in at.items()}
        if wrong := set(letters) - set("TZYX"):
            raise ValueError(f"edits are held to positions along T, Z, Y or X, not {min(wrong)!r}")
        return letters


class Recipe(BaseModel):
    """Filters, one method, cleanups and edits, and which part of an image they were run on.

    Parameters
    ----------
    method : Spec
        What makes labels of the image.
    filters, cleanups : tuple of Spec
        Run before and after the method, in this order.
    edits : tuple of Edit
        Corrections by hand, made on the labels one after the other.
    edited : str
        Checksum of the labels that the first edit was made on; "" if it is not known.
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
    edits: tuple[Edit, ...] = ()
    edited: str = ""
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

    @field_validator("channel")
    @classmethod
    def _number(cls, channel: int | str) -> int | str:
        """An index that was given as text, as on the command line, is a number."""
        is_index = isinstance(channel, str) and channel.lstrip("-").isdecimal()
        return int(channel) if is_index else channel

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
        order += tuple(name for name in ("edits", "edited", "warnings") if plain[name])
        return yaml.safe_dump({key: plain[key] for key in order}, sort_keys=False)

    @property
    def writes(self) -> tuple[str, ...]:
        """What the recipe writes besides its result, such as ``"store='runs/1'"``.

        Recipes of others may name any folder, so `load` refuses those that name one.
        """
        specs = (*self.filters, self.method, *self.cleanups)
        return tuple(text for spec in specs for text in _writes(spec.name, spec.settings))

    def without_writes(self) -> Recipe:
        """The recipe with its results in memory, which `writes` nothing."""
        specs = {part: tuple(map(_without_writes, getattr(self, part))) for part in _LISTS}
        return self.model_copy(update={**specs, "method": _without_writes(self.method)})

    @classmethod
    def from_text(
        cls, text: str, *, source: str = "the text", allow_recipe_paths: bool = False
    ) -> Recipe:
        """Read a recipe from YAML or JSON (which is YAML).

        Parameters
        ----------
        text : str
            What `to_yaml` or `to_json` wrote, or a person.
        source : str
            Where the text came from, for the error message.
        allow_recipe_paths : bool
            Whether the recipe may write to folders that it names.

        Raises
        ------
        FormatError
            If the text is no recipe, or larger or deeper than any.
        SettingError
            If it writes to a folder and that is not allowed.
        """
        values = load_yaml(text, source)
        return cls.from_plain(values, source=source, allow_recipe_paths=allow_recipe_paths)

    @classmethod
    def from_plain(
        cls, values: object, *, source: str = "the mapping", allow_recipe_paths: bool = False
    ) -> Recipe:
        """Read a recipe from plain values, such as a napari layer keeps.

        Parameters
        ----------
        values : mapping
            What `to_json` writes, as Python values.
        source, allow_recipe_paths
            As of `from_text`.

        Raises
        ------
        FormatError
            If they are no recipe.
        SettingError
            If it writes to a folder and that is not allowed.
        """
        recipe = cls._validated(values, source)
        if recipe.writes and not allow_recipe_paths:
            raise SettingError(
                f"{source} is a recipe that writes to the disk ({', '.join(recipe.writes)}). "
                "Recipes of others may name any folder: if it is right, allow it with "
                "allow_recipe_paths=True."
            )
        return recipe

    @classmethod
    def _validated(cls, values: Any, source: str) -> Recipe:
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(
                f"{source} is not a recipe: {first['msg']} (at {where}). A recipe holds "
                "'method: {name: otsu}' and, if wanted, 'filters', 'cleanups', 'edits', "
                "'channel', 'apply_to', 'times'."
            ) from None

    def save(self, path: str | Path) -> Path:
        """Write the recipe to a ``.json`` file, or as YAML under any other name."""
        path = Path(path)
        path.write_text(self.to_json() if path.suffix == ".json" else self.to_yaml(), "utf-8")
        return path

    @classmethod
    def load(cls, path: str | Path, *, allow_recipe_paths: bool = False) -> Recipe:
        """Read a recipe from a YAML or JSON file.

        Parameters
        ----------
        path : str or Path
            The file.
        allow_recipe_paths : bool
            Whether the recipe may write to folders that it names.

        Raises
        ------
        FormatError
            If it is no recipe, or larger or deeper than any.
        SettingError
            If it writes to a folder and that is not allowed.
        """
        path = Path(path)
        try:
            with path.open("rb") as file:
                text = file.read(4 * LARGEST).decode("utf-8")
        except FileNotFoundError:
            raise FormatError(
                f"There is no recipe {path}. `segment` writes one next to its labels: "
                "labels.tif has labels.recipe.yaml."
            ) from None
        except UnicodeDecodeError:
            raise FormatError(f"{path} is no text, so it is no recipe (.yaml or .json).") from None
        except OSError as error:
            raise FormatError(f"Cannot read the recipe {path}: {error.strerror}.") from None
        return cls.from_text(text, source=str(path), allow_recipe_paths=allow_recipe_paths)


def _without_writes(spec: Spec) -> Spec:
    written = {text.partition("=")[0] for text in _writes(spec.name, spec.settings)}
    rest = {name: value for name, value in spec.settings.items() if name not in written}
    return Spec(name=spec.name, settings=rest)


def _writes(name: str, settings: Mapping[str, Any]) -> list[str]:
    """The settings by which an entry writes to the disk."""
    store = str(settings.get("store", "none"))
    written = [] if store in ("none", "", ".") else [f"store={store!r}"]
    if name == "network" and settings.get("backend") == "onnx":  # a copy next to the weights
        written.append("backend='onnx'")
    return written

"""Entry: a registered function and what its signature and docstring say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ValidationError

from napari_segment.aliases import current_settings
from napari_segment.arrays import Array
from napari_segment.errors import InputError, SegmentError, SettingError
from napari_segment.recipe import Spec
from napari_segment.registry.settings import alternatives, settings_model

# Data that the engine takes from the image itself; all other data is given by the user.
FROM_IMAGE = ("image", "spacing", "unit", "orientation", "channel_names")


@dataclass(frozen=True)
class Entry:
    """A registered function and what its signature and docstring say.

    Calling an entry, with its data by position or name, validates the settings; calling `function`
    itself trusts its caller.

    Parameters
    ----------
    kind : str
        The registry's name, such as "methods".
    name, title : str
        The name in recipes and on the command line; the name in menus.
    function : callable
        The plain function.
    gives : str
        What comes out: "mask", "classes" or "objects" of methods; of cleanups "" for what went in.
    ndim : tuple of int
        Spatial dimensions it can take at once.
    channels : {"one", "many"}
        "one": arrays ``(*S)`` of one channel. "many": arrays ``(C, *S)`` of all channels; of a
        cleanup, those of the image before any filter.
    pointwise : bool
        Whether neighbours play no part, so that time points can be taken together.
    whole : str
        Why it needs the whole array in memory; "" if it runs on a Dask array block by block.
    group : str
        A heading in menus and tables, such as "global threshold".
    """

    kind: str
    name: str
    title: str
    function: Callable[..., Any]
    gives: str = ""
    ndim: tuple[int, ...] = (2, 3)
    channels: Literal["one", "many"] = "one"
    pointwise: bool = False
    whole: str = ""
    group: str = ""

    @property
    def source(self) -> str:
        """The module that declared the entry."""
        return self.function.__module__

    @cached_property
    def data(self) -> tuple[str, ...]:
        """Names of the data parameters, in order."""
        return tuple(p.name for p in self.parameters if p.kind is not p.KEYWORD_ONLY)

    @cached_property
    def help(self) -> str:
        """The docstring's first sentence."""
        return self._doc.short_description or ""

    @cached_property
    def settings(self) -> type[BaseModel]:
        """The settings as a pydantic model, made from the signature and the docstring."""
        documented = {
            name.strip(): (p.description or "").replace("\n", " ")
            for p in self._doc.params
            for name in p.arg_name.split(",")  # "low, high : float"
        }
        return settings_model(self.name, self.function, documented)

    def schema(self) -> dict[str, Any]:
        """The settings as JSON schema."""
        return self.settings.model_json_schema()

    def validate(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Check settings and fill in the defaults.

        Parameters
        ----------
        settings : mapping
            Values by name; strings are parsed where a number is wanted.

        Returns
        -------
        dict
            Every setting of the entry with its typed value.

        Raises
        ------
        SettingError
            Naming the setting, what was given and what is expected.
        """
        known = frozenset(self.settings.model_fields)
        given = current_settings(self.kind, self.name, settings, known)
        if unknown := set(given) - known:
            raise SettingError(self._unknown(min(unknown)))
        try:
            model = self.settings.model_validate(given)
        except ValidationError as error:
            raise SettingError(self._explained(error)) from None
        return {name: getattr(model, name) for name in self.settings.model_fields}

    def spec(self, settings: Mapping[str, Any] | None = None) -> Spec:
        """The entry as a Spec with every setting, validated, in plain values."""
        model = self.settings.model_validate(self.validate(settings or {}))
        return Spec(name=self.name, settings=model.model_dump(mode="json"))

    def __call__(self, *data: Any, **settings: Any) -> Any:
        named = {name: settings.pop(name) for name in self.data if name in settings}
        data = tuple(map(_array_of, self.data, data)) + data[len(self.data) :]
        named = {name: _array_of(name, given) for name, given in named.items()}
        if self.kind == "cleanups":
            _check_labels(self, data[0] if data else named.get("labels"))
        return self.function(*data, **named, **self.validate(settings))

    @cached_property
    def parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())

    @cached_property
    def _doc(self) -> Any:
        from docstring_parser import DocstringStyle, parse

        return parse(inspect.getdoc(self.function) or "", style=DocstringStyle.NUMPYDOC)

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        known = list(self.settings.model_fields)
        close = get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        listed = f"Its settings: {', '.join(known)}." if known else "It has no settings."
        return f"{self.name!r} has no setting {name!r}. {hint}{listed}"

    def _explained(self, error: ValidationError) -> str:
        first = error.errors()[0]
        inner = first.get("ctx", {}).get("error")
        if isinstance(inner, SegmentError):
            return str(inner)
        name = str(first["loc"][0])
        field = self.settings.model_fields.get(name)
        either = bool(alternatives(field.annotation)[0]) if field else False
        where = name if either else ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            return f"{self.name!r} needs the setting {where!r}."
        same = [e for e in error.errors() if e["loc"][0] == first["loc"][0]] if either else [first]
        reason = ", or ".join(e["msg"][0].lower() + e["msg"][1:] for e in same)
        described = f" It means: {field.description}" if field and field.description else ""
        return f"The setting {where!r} of {self.name!r} is {first['input']!r}: {reason}.{described}"


def _array_of(name: str, given: Any) -> Any:
    """Nested lists as the array that they mean; a spacing of any kind as a tuple."""
    if name == "spacing":
        return () if given is None else tuple(map(float, given))
    return np.asarray(given) if isinstance(given, list) else given


def _check_labels(entry: Entry, labels: Array | None) -> None:
    if labels is None or not hasattr(labels, "dtype"):
        return
    dtype = labels.dtype
    if dtype.kind not in "bui":
        raise InputError(
            f"{entry.name!r} takes labels: an array of booleans or whole numbers, not of {dtype}. "
            "Threshold an image first, or give labels.astype(int)."
        )
    if labels.ndim not in entry.ndim:
        known = " or ".join(f"{n}-D" for n in entry.ndim)
        raise InputError(
            f"{entry.name!r} takes {known} labels, not {labels.ndim}-D. Call it for each time "
            "point, or name it among the cleanups of 'segment', which does."
        )

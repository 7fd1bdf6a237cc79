"""Entry and Registry: everything a user can run, described by its own signature.

An entry is a plain function. Its positional parameters are data, its keyword-only parameters are
settings; the form, the command-line options, the validation, the JSON schema and the reference
page are derived from the signature and the numpydoc docstring.

>>> from napari_segment.registry import methods
>>> methods["otsu"].gives
'mask'
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import GenericAlias, MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from napari_segment.errors import PluginError, SegmentError, SettingError, UnknownNameError
from napari_segment.recipe import Spec, SpecLike

F = TypeVar("F", bound=Callable[..., Any])

GROUP = "napari_segment"
_PLAIN = (bool, int, float, str, Path, Spec)
# Words with which `segment` and the command line address the image, not the entry.
RESERVED = frozenset(
    {"axes", "channel", "cleanup", "cleanups", "debug", "filter", "filters", "help", "json"}
    | {"lazy", "method", "output", "per", "scheduler", "spacing", "times", "unit"}
)


@dataclass(frozen=True)
class Of:
    """Mark a Spec setting as a choice from a registry: ``Annotated[Spec, Of(losses)]``."""

    registry: Registry


@dataclass(frozen=True, eq=False)
class Result:
    """What a method returns when only the run can tell what its labels hold (a network).

    Parameters
    ----------
    array : ndarray or dask Array
        The labels.
    holds : {"mask", "classes", "objects"}
        What a number means.
    names : mapping of int to str
        Class names by number.
    """

    array: Any
    holds: str
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A registered function and what its signature and docstring say.

    Calling an entry validates the settings; calling `function` itself trusts its caller.

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
        "one": arrays ``(*S)`` of one channel. "many": arrays ``(C, *S)`` of all channels.
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
        told = {
            name.strip(): (p.description or "").replace("\n", " ")
            for p in self._doc.params
            for name in p.arg_name.split(",")  # "low, high : float"
        }
        fields = {
            p.name: (
                Annotated[
                    _checked(_resolve(p, self.function)), Field(description=told.get(p.name))
                ],
                ... if p.default is p.empty else p.default,
            )
            for p in self.parameters
            if p.kind is p.KEYWORD_ONLY
        }
        config = ConfigDict(
            extra="forbid", frozen=True, validate_default=True, protected_namespaces=()
        )
        return cast(
            "type[BaseModel]",
            create_model(self.name, __config__=config, **cast("dict[str, Any]", fields)),
        )

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
        unknown = set(settings) - set(self.settings.model_fields)
        if unknown:
            raise SettingError(self._unknown(min(unknown)))
        try:
            model = self.settings.model_validate(dict(settings))
        except ValidationError as error:
            raise SettingError(self._explained(error)) from None
        return {name: getattr(model, name) for name in self.settings.model_fields}

    def spec(self, settings: Mapping[str, Any] | None = None) -> Spec:
        """The entry as a Spec with every setting, validated, in plain values."""
        model = self.settings.model_validate(self.validate(settings or {}))
        return Spec(name=self.name, settings=model.model_dump(mode="json"))

    def __call__(self, *data: Any, **settings: Any) -> Any:
        return self.function(*data, **self.validate(settings))

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
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            return f"{self.name!r} needs the setting {where!r}."
        reason = first["msg"][0].lower() + first["msg"][1:]
        return f"The setting {where!r} of {self.name!r} is {first['input']!r}: {reason}."


class Registry(Mapping[str, Entry]):
    """The entries of one kind, by name.

    Parameters
    ----------
    kind : str
        Plural, as in the command line: "methods".
    singular : str
        For messages: "method".
    """

    def __init__(self, kind: str, singular: str) -> None:
        self.kind, self.singular = kind, singular
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, *, title: str, **metadata: Any) -> Callable[[F], F]:
        """Decorator: register a function, which is returned unchanged.

        Parameters
        ----------
        name, title : str
            The name in recipes and on the command line; the name in menus.
        **metadata
            The further fields of `Entry`.

        Raises
        ------
        PluginError
            If the name is taken, or the signature is not that of an entry.
        """

        def register(function: F) -> F:
            entry = Entry(self.kind, name, title, function, **metadata)
            self._refuse_second(entry)
            _check_signature(entry)
            self._entries[name] = entry
            return function

        return register

    def make(self, spec: SpecLike) -> Any:
        """Call an entry that takes no data (a loss) with a Spec's settings."""
        spec = Spec.of(spec)
        return self[spec.name](**spec.settings)

    def complete(self, spec: SpecLike) -> Spec:
        """Check a Spec's name and settings, and fill in the defaults."""
        spec = Spec.of(spec)
        return self[spec.name].spec(spec.settings)

    def __getitem__(self, name: str) -> Entry:
        load_plugins()
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(self.singular, name, self._entries) from None

    def get(self, name: str, default: Any = None) -> Any:
        load_plugins()
        return self._entries.get(name, default)

    def __contains__(self, name: object) -> bool:
        load_plugins()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter(self._entries)

    def __len__(self) -> int:
        load_plugins()
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{self.kind}: {', '.join(self)}>"

    def snapshot(self) -> dict[str, Entry]:
        """The entries so far, without loading plug-ins."""
        return dict(self._entries)

    def restore(self, entries: dict[str, Entry]) -> None:
        """Go back to a snapshot."""
        self._entries = dict(entries)

    def _refuse_second(self, entry: Entry) -> None:
        first = self._entries.get(entry.name)
        if first is None:
            return
        if (first.source, first.function.__qualname__) == (
            entry.source,
            entry.function.__qualname__,
        ):
            return  # a module loaded again, or a cell run again in a notebook
        raise PluginError(
            f"Two {self.kind} are named {entry.name!r}: one in {first.source}, one in "
            f"{entry.source}. Rename one of them."
        )


filters = Registry("filters", "filter")
methods = Registry("methods", "method")
cleanups = Registry("cleanups", "cleanup")
models = Registry("models", "model")
losses = Registry("losses", "loss")
layouts = Registry("layouts", "layout")

REGISTRIES: Mapping[str, Registry] = MappingProxyType(
    {r.kind: r for r in (filters, methods, cleanups, models, losses, layouts)}
)

_broken: dict[str, str] = {}
_loaded = False


def load_plugins() -> None:
    """Import the modules that declare entries, once: our own, then third parties'.

    A module that cannot be imported is listed by `broken_plugins`, leaves no entries behind, and
    harms nobody else.
    """
    global _loaded
    if _loaded:
        return
    _loaded = True
    from importlib.metadata import entry_points

    found = sorted(
        entry_points(group=GROUP), key=lambda p: (not _is_ours(p.value), p.name, p.value)
    )
    for point in found:
        _load(f"{point.name} = {point.value}", point.value)


def broken_plugins() -> dict[str, str]:
    """What could not be imported, and why: entry point to error message."""
    load_plugins()
    return dict(_broken)


def _is_ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == "napari_segment"


def _load(label: str, module: str) -> None:
    before = {kind: r.snapshot() for kind, r in REGISTRIES.items()}
    try:
        import_module(module)
    except Exception as error:  # whatever a stranger's module raises must stay with it
        if _is_ours(module):
            raise
        _broken[label] = f"{type(error).__name__}: {error}"
        for kind, registry in REGISTRIES.items():
            registry.restore(before[kind])


def _check_signature(entry: Entry) -> None:
    for parameter in entry.parameters:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise PluginError(
                f"{entry.name!r} in {entry.source} takes {parameter}: name every setting."
            )
        if parameter.kind is parameter.KEYWORD_ONLY:
            _check_setting(entry, parameter)


def _check_setting(entry: Entry, parameter: inspect.Parameter) -> None:
    place = f"The setting {parameter.name!r} of {entry.name!r} in {entry.source}"
    if parameter.name in RESERVED:
        raise PluginError(f"{place} has a name that `segment` keeps for itself. Rename it.")
    if parameter.annotation is parameter.empty:
        raise PluginError(f"{place} has no type.")
    annotation = _resolve(parameter, entry.function)
    if not _is_setting_type(annotation):
        raise PluginError(
            f"{place} is of type {annotation}. Use bool, int, float, str, Path, Literal, Spec, "
            "or a tuple of those."
        )


def _resolve(parameter: inspect.Parameter, function: Callable[..., Any]) -> Any:
    """The annotation of one setting; data parameters may name types that do not exist here."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    try:
        return eval(parameter.annotation, inspect.unwrap(function).__globals__)
    except NameError as error:
        raise PluginError(
            f"The type of the setting {parameter.name!r} of {function.__name__!r} cannot be "
            f"resolved: {error}. Import it at run time, not under TYPE_CHECKING."
        ) from None


def _is_setting_type(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_setting_type(get_args(annotation)[0])
    if origin is Literal:
        return True
    if origin is tuple:
        return all(a is Ellipsis or _is_setting_type(a) for a in get_args(annotation))
    return annotation in _PLAIN


def _checked(annotation: Any) -> Any:
    """Let a Spec setting be given as a name, and check it against its registry."""
    if get_origin(annotation) is tuple:
        arguments = tuple(a if a is Ellipsis else _checked(a) for a in get_args(annotation))
        return GenericAlias(tuple, arguments)
    if annotation is float:
        return Annotated[float, Field(allow_inf_nan=False)]
    if get_origin(annotation) is not Annotated:
        return annotation
    inner, *marks = get_args(annotation)
    if inner is float and not any(getattr(m, "allow_inf_nan", None) for m in marks):
        marks.append(Field(allow_inf_nan=False))
    for mark in [m for m in marks if isinstance(m, Of)]:
        marks.remove(mark)
        marks += [
            BeforeValidator(Spec.of),
            AfterValidator(mark.registry.complete),
            Field(json_schema_extra={"registry": mark.registry.kind}),
        ]
    return Annotated[(_checked(inner), *marks)] if marks else _checked(inner)

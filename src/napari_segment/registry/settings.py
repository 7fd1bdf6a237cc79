"""Settings: the keyword-only parameters of an entry, their types and their checks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import GenericAlias, SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Protocol,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
)
from pydantic.fields import FieldInfo

from napari_segment.errors import PluginError
from napari_segment.recipe import Spec, SpecLike

_PLAIN = (bool, int, float, str, Path, Spec)
# Words with which `segment` and the command line address the image, not the entry.
RESERVED = frozenset(
    {"axes", "channel", "cleanup", "cleanups", "debug", "filter", "filters", "help", "json"}
    | {"lazy", "method", "output", "apply_to", "scheduler", "spacing", "times", "unit"}
)


# Kinds whose settings stand among those of `segment`; a loss or a model may have its own spacing.
_WITH_RESERVED = ("filters", "methods", "cleanups")


class Choices(Protocol):
    """What a Spec setting needs of the registry that it picks from."""

    kind: str

    def complete(self, spec: SpecLike) -> Spec: ...


@dataclass(frozen=True)
class Of:
    """Mark a Spec setting as a choice from a registry: ``Annotated[Spec, Of(losses)]``."""

    registry: Choices


def settings_model(
    name: str, function: Callable[..., Any], documented: Mapping[str, str]
) -> type[BaseModel]:
    """Make a pydantic model of a function's settings.

    Parameters
    ----------
    name : str
        Name of the entry.
    function : callable
        Function whose keyword-only parameters are the settings.
    documented : mapping of str to str
        Descriptions from the docstring by setting. A setting without one takes the description of
        its type: ``Annotated[float, Field(gt=0, description="Standard deviation.")]``.

    Returns
    -------
    type of BaseModel
        A frozen model with one field for each setting.
    """
    fields = {
        p.name: (
            _described(resolved(p, function), documented.get(p.name, "")),
            ... if p.default is p.empty else p.default,
        )
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }
    config = ConfigDict(extra="forbid", frozen=True, validate_default=True, protected_namespaces=())
    return cast(
        "type[BaseModel]",
        create_model(name, __config__=config, **cast("dict[str, Any]", fields)),
    )


def _described(annotation: object, documented: str) -> Any:
    """Add the description to a setting's type: that of the docstring, else that of the type."""
    text = documented or _description_of(annotation)
    return Annotated[_checked(annotation), Field(description=text or None)]


def _description_of(annotation: object) -> str:
    """Find the description in a type, or in the types that a union is made of."""
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, FieldInfo) and mark.description:
            return mark.description
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return next(filter(None, map(_description_of, get_args(annotation))), "")
    return ""


def picks_from(field: FieldInfo) -> tuple[str, bool]:
    """The kind of the registry that a setting picks from, and whether it picks several.

    Parameters
    ----------
    field : FieldInfo
        Of a setting.

    Returns
    -------
    kind : str
        "" for a setting that picks from none.
    several : bool
    """
    several = get_origin(field.annotation) is tuple
    marks = getattr(get_args(field.annotation)[0], "__metadata__", ()) if several else (field,)
    for mark in marks:
        extra = getattr(mark, "json_schema_extra", None)
        if isinstance(extra, Mapping) and "registry" in extra:
            return str(extra["registry"]), several
    return "", several


def alternatives(annotation: object) -> tuple[tuple[str, ...], Any]:
    """Split a type such as ``int | Literal["auto"]`` into its literals and the other type.

    Parameters
    ----------
    annotation : type
        The type of a setting.

    Returns
    -------
    literals : tuple of str
        Such as ``("auto",)``; empty where the type is no union.
    other : type
        The type of all other values, such as int.

    Examples
    --------
    >>> alternatives(int | Literal["auto"])
    (('auto',), <class 'int'>)
    >>> alternatives(float)
    ((), <class 'float'>)
    """
    if get_origin(annotation) is Annotated:
        literals, other = alternatives(get_args(annotation)[0])
        return literals, other if literals else annotation
    if get_origin(annotation) not in (Union, UnionType):
        return (), annotation
    arms = get_args(annotation)
    literals = tuple(x for a in arms if get_origin(a) is Literal for x in get_args(a))
    others = [a for a in arms if get_origin(a) is not Literal]
    return (literals, others[0]) if len(others) == 1 else ((), annotation)


def check_signature(kind: str, name: str, function: Callable[..., Any]) -> None:
    """Refuse a function whose settings have no name or no type of settings.

    Raises
    ------
    PluginError
        Naming the parameter.
    """
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise PluginError(
                f"{name!r} in {function.__module__} takes {parameter}: name every setting."
            )
        if parameter.kind is parameter.KEYWORD_ONLY:
            _check_setting(kind, name, parameter, function)


def _check_setting(
    kind: str, name: str, parameter: inspect.Parameter, function: Callable[..., Any]
) -> None:
    where = f"The setting {parameter.name!r} of {name!r} in {function.__module__}"
    if kind in _WITH_RESERVED and parameter.name in RESERVED:
        raise PluginError(f"{where} has a name that `segment` keeps for itself. Rename it.")
    if parameter.annotation is parameter.empty:
        raise PluginError(f"{where} has no type.")
    annotation = resolved(parameter, function)
    if not _is_setting_type(annotation):
        raise PluginError(
            f"{where} is of type {annotation}. Use bool, int, float, str, Path, Literal, Spec, "
            "a tuple of those, or int, float, Path or a tuple with a literal, such as "
            "int | Literal['auto']."
        )


def resolved(parameter: inspect.Parameter, function: Callable[..., Any]) -> Any:
    """The annotation of one setting; data parameters may name types that do not exist here."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    try:
        holder = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
        names = inspect.unwrap(function).__globals__
        return get_type_hints(holder, names, include_extras=True)[parameter.name]
    except NameError as error:
        raise PluginError(
            f"The type of the setting {parameter.name!r} of {function.__name__!r} cannot be "
            f"resolved: {error}. Import it at run time, not under TYPE_CHECKING."
        ) from None


def _is_setting_type(annotation: object) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_setting_type(get_args(annotation)[0])
    if origin is Literal:
        return True
    if origin is tuple:
        return all(a is Ellipsis or _is_setting_type(a) for a in get_args(annotation))
    if origin in (Union, UnionType):
        return _is_union_with_literals(annotation)
    return annotation in _PLAIN


def _is_union_with_literals(annotation: object) -> bool:
    literals, other = alternatives(annotation)
    while get_origin(other) is Annotated:
        other = get_args(other)[0]
    fits = other in (int, float, Path) or get_origin(other) is tuple
    return fits and _is_setting_type(other) and all(isinstance(a, str) for a in literals)


def _checked(annotation: object) -> Any:
    """Let a Spec setting be given as a name, and check it against its registry."""
    if get_origin(annotation) is tuple:
        arguments = tuple(a if a is Ellipsis else _checked(a) for a in get_args(annotation))
        return GenericAlias(tuple, arguments)
    if get_origin(annotation) in (Union, UnionType):
        literals, other = alternatives(annotation)
        literal: Any = Literal[literals]
        union = literal | _checked(other)
        return Annotated[union, Field(union_mode="left_to_right")]  # "none" is no Path
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

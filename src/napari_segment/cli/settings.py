"""Settings as text: options from an entry's fields, and ``NAME:key=value,…``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_segment.errors import SettingError
from napari_segment.recipe import Spec
from napari_segment.registry import Entry, Registry


def training() -> Entry:
    """Training, described by its signature like any entry."""
    from napari_segment.deep.train import ENTRY

    return ENTRY


def add_options(group: Any, entry: Entry, skip: Sequence[str] = ()) -> None:
    """Give a parser one option for each setting of an entry.

    Parameters
    ----------
    group : ArgumentParser or argument group
        Where the options go. Values stay text; `chosen` turns them into settings.
    entry : Entry
        Whose settings.
    skip : sequence of str
        Settings that the command gives itself.
    """
    for name, field in entry.settings.model_fields.items():
        if name in skip:
            continue
        option = "--" + name.replace("_", "-")
        words = _help(field)
        common: dict[str, Any] = {"dest": f"set_{name}", "default": argparse.SUPPRESS}
        if field.annotation is bool:
            group.add_argument(
                option, nargs="?", const="true", metavar="true|false", help=words, **common
            )
            group.add_argument(
                "--no-" + option[2:], dest=f"set_{name}", action="store_const", const="false",
                default=argparse.SUPPRESS, help=argparse.SUPPRESS,
            )  # fmt: skip
        else:
            required = field.is_required()
            group.add_argument(
                option, metavar=_metavar(field), help=words, required=required, **common
            )


def chosen(options: argparse.Namespace, entry: Entry) -> dict[str, Any]:
    """The settings that were given as options, ready for validation."""
    given = {k[4:]: v for k, v in vars(options).items() if k.startswith("set_")}
    return {name: parse_value(entry, name, text) for name, text in given.items()}


def parse_spec(text: str, registry: Registry) -> Spec:
    """Read ``NAME[:key=value,…]``.

    Parameters
    ----------
    text : str
        Such as ``gaussian:sigma=2``; a value may hold commas (``sigma=1,2,2,mode=nearest``).
    registry : Registry
        Where the name is looked up.

    Returns
    -------
    Spec
        Checked, with every setting.

    Raises
    ------
    SettingError, UnknownNameError
        If the text or what it names is wrong.
    """
    name, _, rest = text.partition(":")
    entry = registry[name]
    settings: dict[str, str] = {}
    last = ""
    for part in rest.split(",") if rest else ():
        key, equals, value = part.partition("=")
        if equals:
            last = key.strip().replace("-", "_")
            settings[last] = value
        elif last:
            settings[last] += f",{part}"
        else:
            raise SettingError(f"Cannot read {text!r}: write {name}:KEY=VALUE,KEY=VALUE.")
    return registry.complete(
        Spec(name=name, settings={k: parse_value(entry, k, v) for k, v in settings.items()})
    )


def parse_value(entry: Entry, name: str, text: str) -> Any:
    """Text as what validation takes: lists are split, Specs read; the rest pydantic parses."""
    field = entry.settings.model_fields.get(name)
    if field is None:
        return text
    if get_origin(field.annotation) is tuple:
        return _split(text)
    if field.annotation is Spec:
        return parse_spec(text, _registry_of(field))
    return text


def _split(text: str) -> list[str]:
    inner = text.strip().strip("()[]")
    return [part.strip() for part in inner.split(",") if part.strip()]


def _registry_of(field: FieldInfo) -> Registry:
    from napari_segment.registry import REGISTRIES

    extra = field.json_schema_extra
    kind = extra.get("registry") if isinstance(extra, dict) else None
    return REGISTRIES[str(kind)]


def _metavar(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) is tuple:
        return "A,B,…"
    literals = [str(a) for a in get_args(annotation)]
    if literals:
        return "|".join(literals)
    if annotation is Spec:
        return "NAME[:KEY=VALUE,…]"
    letters: dict[Any, str] = {int: "N", float: "X", str: "TEXT"}
    return letters.get(annotation, "PATH")


def _help(field: FieldInfo) -> str:
    words = (field.description or "").strip()
    default = field.default
    if default is not PydanticUndefined and default not in ("", ()):
        shown = default.name if isinstance(default, Spec) else default
        words = f"{words} (default: {shown})"
    return words.replace("%", "%%")

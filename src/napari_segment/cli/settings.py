"""Settings as text: options from an entry's fields, and ``NAME:key=value,…``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_segment.cli.messages import plain
from napari_segment.errors import SettingError
from napari_segment.recipe import Spec
from napari_segment.registry import REGISTRIES, Entry, Registry, alternatives, picks_from

if TYPE_CHECKING:
    from napari_segment.cli.options import Options


def training() -> Entry:
    """Training, described by its signature like any entry."""
    from napari_segment.deep.training import ENTRY

    return ENTRY


def add_options(group: Options, entry: Entry, skip: Sequence[str] = ()) -> None:
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
        text = _help(field)
        common: dict[str, Any] = {"dest": f"set_{name}", "default": argparse.SUPPRESS}
        if field.annotation is bool:
            group.add_argument(
                option, nargs="?", const="true", metavar="true|false", help=text, **common
            )
            group.add_argument(
                "--no-" + option[2:], dest=f"set_{name}", action="store_const", const="false",
                default=argparse.SUPPRESS, help=argparse.SUPPRESS,
            )  # fmt: skip
        else:
            more = {"action": "append"} if all(picks_from(field)) else {}
            group.add_argument(
                option, metavar=_metavar(field), help=text, required=field.is_required(),
                **more, **common,
            )  # fmt: skip


def names_by_group(entry: Entry) -> dict[str, list[str]]:
    """The settings of an entry by the group that each is in ("settings" without one)."""
    groups: dict[str, list[str]] = {}
    for name, field in entry.settings.model_fields.items():
        extra = field.json_schema_extra
        group = str(extra.get("group", "settings")) if isinstance(extra, dict) else "settings"
        groups.setdefault(group, []).append(name)
    return groups


def chosen(options: argparse.Namespace, entry: Entry) -> dict[str, Any]:
    """The settings that were given as options, ready for validation."""
    given = {k[4:]: v for k, v in vars(options).items() if k.startswith("set_")}
    return {name: parse_value(entry, name, value) for name, value in given.items()}


def parse_spec(text: str, registry: Registry) -> Spec:
    """Read ``NAME[:key=value,…]``.

    Parameters
    ----------
    text : str
        Such as ``gaussian:sigma=2``; a value may hold commas (``sigma=1,2,2,mode=nearest``), and
        Specs in parentheses (``compound:parts=dice,(tversky:alpha=0.2,beta=0.8),weights=1,2``).
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
    for part in _parts(rest):
        key, equals, value = part.partition("=")
        if equals and "(" not in key:
            last = key.strip().replace("-", "_")
            settings[last] = value
        elif last:
            settings[last] += f",{part}"
        else:
            raise SettingError(f"Cannot read {text!r}: write {name}:KEY=VALUE,KEY=VALUE.")
    return registry.complete(
        Spec(name=name, settings={k: parse_value(entry, k, v) for k, v in settings.items()})
    )


def parse_value(entry: Entry, name: str, given: str | Sequence[str]) -> Any:
    """Text as what validation takes: lists are split, Specs read; the rest pydantic parses.

    An option that may be given several times comes as a list of texts.
    """
    field = entry.settings.model_fields.get(name)
    if field is None:
        return given
    if isinstance(given, str) and _is_nested(field.annotation):
        return [row.split(",") for row in given.replace(";", " ").split()]
    literals, other = alternatives(field.annotation)
    if literals:
        return _literal_or_value(given, literals, other)
    kind, several = picks_from(field)
    if isinstance(given, str) and not several:
        return parse_spec(_bare(given), REGISTRIES[kind]) if kind else given
    texts = (_parts(given) if kind else _plain(given)) if isinstance(given, str) else given
    names = [text for text in map(_bare, texts) if text]
    return [parse_spec(text, REGISTRIES[kind]) for text in names] if kind else names


def _literal_or_value(given: str | Sequence[str], literals: Sequence[str], other: object) -> Any:
    """Text as one of the literals, or as what validation takes for the other type."""
    if not isinstance(given, str) or given.strip() in literals or _origin(other) is not tuple:
        return given.strip() if isinstance(given, str) else given
    return [text for text in map(_bare, _plain(given)) if text]


def _is_nested(annotation: object) -> bool:
    """Whether values are tuples of tuples, such as the vertices of a line."""
    inner = get_args(annotation)[:1]
    return get_origin(annotation) is tuple and get_origin(inner[0]) is tuple


def _origin(annotation: object) -> Any:
    """The origin of a type, whatever it is annotated with."""
    origin = get_origin(annotation)
    return _origin(get_args(annotation)[0]) if origin is Annotated else origin


def _plain(text: str) -> list[str]:
    return text.strip().strip("()[]").split(",")


def _parts(text: str) -> list[str]:
    """What commas divide, but for those in parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts if text else []


def _bare(text: str) -> str:
    """Without space and parentheses around it."""
    text = text.strip()
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text


def _metavar(field: FieldInfo) -> str:
    annotation = field.annotation
    if all(picks_from(field)):
        return "NAME[:KEY=VALUE,…]"
    literals, other = alternatives(annotation)
    return "|".join([*literals, _form_of(other)])


def _form_of(annotation: object) -> str:
    """How values of a type are typed."""
    if get_origin(annotation) is Annotated:
        return _form_of(get_args(annotation)[0])
    if _is_nested(annotation):
        return "'A,B C,D …'"
    if get_origin(annotation) is tuple:
        return "A,B,…"
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    forms: dict[Any, str] = {int: "N", float: "X", str: "TEXT", Spec: "NAME[:KEY=VALUE,…]"}
    return forms.get(annotation, "PATH")


def _help(field: FieldInfo) -> str:
    text = plain(field.description or "").strip()
    default = field.default
    if default is not PydanticUndefined and default not in ("", (), Path()):
        specs = default if isinstance(default, tuple) else (default,)
        shown: Any = ", ".join(d.name for d in specs if isinstance(d, Spec)) or default
        text = f"{text} (default: {shown})"
    return text.replace("%", "%%")

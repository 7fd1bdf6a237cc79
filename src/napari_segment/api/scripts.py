"""A recipe as Python or as a command line that gives the identical result."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_segment.api.verbs import complete
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import FROM_IMAGE, REGISTRIES, Entry, methods

_DEFAULTS = {"channel": "auto", "apply_to": "auto", "times": ()}


def as_python(recipe: Recipe, image: str | Path = "image.tif", out: str | Path = "") -> str:
    """Write a recipe as Python.

    Parameters
    ----------
    recipe : Recipe
        What is to be run.
    image : str or Path
        File of the image.
    out : str or Path
        File that the labels are written to; "" writes none.

    Returns
    -------
    str
        Lines that can be run as they are. Settings that have their default values are left out.

    Raises
    ------
    UnknownNameError, SettingError
        If the recipe names an entry or setting that is not known.

    Examples
    --------
    >>> print(as_python(Recipe(method=Spec(name="otsu"), channel=1)))
    from napari_segment import segment
    <BLANKLINE>
    labels = segment("image.tif", "otsu", channel=1)
    <BLANKLINE>
    """
    recipe = complete(recipe)
    names = ["edit"] * bool(recipe.edits) + ["segment"] + ["write"] * bool(out)
    lines = [f"from napari_segment import {', '.join(names)}", ""]
    lines += [f"labels = {_call(recipe, image)}", *_edits(recipe, image, "labels")]
    lines += [f"write(labels, {str(out)!r})".replace("'", '"')] if out else []
    return "\n".join(lines) + "\n"


def as_command(recipe: Recipe, image: str | Path = "image.tif", out: str | Path = "") -> str:
    """Write a recipe as one line for the command line of a POSIX shell.

    Parameters
    ----------
    recipe, image
        As of `as_python`.
    out : str or Path
        File that the labels are written to; "" takes the image's name with ``_labels``.

    Returns
    -------
    str
        One line. Settings that have their default values are left out. A recipe with edits is
        replayed from its file, which is written next to the labels.

    Raises
    ------
    UnknownNameError, SettingError
        If the recipe names an entry or setting that is not known.

    Examples
    --------
    >>> as_command(Recipe(method=Spec(name="otsu"), filters=(Spec(name="gaussian"),)))
    'napari-segment segment otsu image.tif -o image_labels.tif --filter gaussian'
    """
    recipe = complete(recipe)
    image = Path(image)
    out = out or image.with_name(image.name.split(".")[0] + "_labels.tif")
    if recipe.edits:  # one command makes no more than one of them
        from napari_segment.io import recipe_path

        return shlex.join(
            ["napari-segment", "replay", str(recipe_path(out)), str(image), "-o", str(out)]
        )
    entry = methods[recipe.method.name]
    arguments = ["napari-segment", "segment", recipe.method.name, str(image), "-o", str(out)]
    for name in _further(entry):
        arguments += ["--data", f"{name}={name}.tif"]
    for name, value in _changed(entry, recipe.method).items():
        option = "--" + name.replace("_", "-")
        several = isinstance(value, list | tuple) and any(map(_is_spec, value))
        for one in value if several else [value]:
            arguments += [f"{option}={_text(one, outer=True)}"]
    for option, specs in (("--filter", recipe.filters), ("--cleanup", recipe.cleanups)):
        for spec in specs:
            arguments += [option, _spec_text(spec, REGISTRIES[option[2:] + "s"][spec.name])]
    if recipe.channel != "auto":
        arguments += ["--channel", str(recipe.channel)]
    if recipe.apply_to != "auto":
        arguments += ["--apply-to", recipe.apply_to]
    if recipe.times:
        arguments += ["--times", ":".join(map(str, recipe.times))]
    return shlex.join(arguments)


def history_as_python(results: Iterable[tuple[str, Recipe, str | Path]]) -> str:
    """Write several results as one script.

    Parameters
    ----------
    results : iterable of (str, Recipe, str or Path)
        Of each result its name, the recipe that made it, and the file of its image.

    Returns
    -------
    str
        Python that makes each result again, in this order, in a dictionary by name.
    """
    several = [(name, complete(recipe), image) for name, recipe, image in results]
    names = "edit, segment" if any(recipe.edits for _, recipe, _ in several) else "segment"
    lines = [f"from napari_segment import {names}", "", "results = {}"]
    for name, recipe, image in several:
        target = f"results[{_literal(name)}]"
        lines += [f"{target} = {_call(recipe, image)}", *_edits(recipe, image, target)]
    return "\n".join(lines) + "\n"


def _call(recipe: Recipe, image: str | Path) -> str:
    """The call of `segment`."""
    entry = methods[recipe.method.name]
    settings = _changed(entry, recipe.method)
    arguments = [_literal(str(image)), _literal(entry.name)]
    arguments += [f"{name}={_literal(_plain(value))}" for name, value in settings.items()]
    for name, registry in (("filters", "filters"), ("cleanups", "cleanups")):
        specs = getattr(recipe, name)
        if specs:
            pairs = [_pair(spec, REGISTRIES[registry][spec.name]) for spec in specs]
            arguments.append(f"{name}={_literal(pairs)}")
    for name, default in _DEFAULTS.items():
        value = getattr(recipe, name)
        if value != default:
            arguments.append(f"{name}={_literal(value)}")
    if _further(entry):
        files = {name: f"{name}.tif" for name in _further(entry)}
        arguments.append(f"data={_literal(files)}")
    line = f"segment({', '.join(arguments)})"
    if len(line) <= 88:
        return line
    return "segment(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _edits(recipe: Recipe, image: str | Path, target: str) -> list[str]:
    """A line for each edit of the recipe."""
    lines = []
    for edit in recipe.edits:
        entry = REGISTRIES["edits"][edit.name]
        settings = _changed(entry, edit)
        arguments = [target, _literal(edit.name)]
        arguments += [f"{name}={_literal(_plain(value))}" for name, value in settings.items()]
        arguments += [f"at={_literal(edit.at)}"] if edit.at else []
        if "image" in entry.data:
            arguments.append(f"image={_literal(str(image))}")
            arguments += [f"channel={_literal(recipe.channel)}"] * (recipe.channel != "auto")
        lines.append(f"{target} = edit({', '.join(arguments)})")
    return lines


def _further(entry: Entry) -> list[str]:
    """What the method needs besides the image, such as markers."""
    return [
        p.name
        for p in entry.parameters
        if p.name in entry.data and p.name not in FROM_IMAGE and p.default is p.empty
    ]


def _changed(entry: Entry, spec: Spec) -> dict[str, Any]:
    """The settings that differ from their defaults."""
    required = [n for n, f in entry.settings.model_fields.items() if f.is_required()]
    given = spec.settings
    defaults = entry.spec({name: given[name] for name in required if name in given}).settings
    return {n: v for n, v in given.items() if n in required or defaults.get(n, v) != v}


def _is_spec(value: object) -> bool:
    return isinstance(value, Spec) or (isinstance(value, Mapping) and set(value) >= {"name"})


def _pair(spec: Spec, entry: Entry) -> Any:
    """A Spec as its name, or as a name and the settings that were changed."""
    changed = {name: _plain(value) for name, value in _changed(entry, spec).items()}
    return (spec.name, changed) if changed else spec.name


def _plain(value: Any) -> Any:
    """A setting in plain values of Python."""
    if _is_spec(value):
        spec = Spec.of(value)
        settings = {name: _plain(one) for name, one in spec.settings.items()}
        return (spec.name, settings) if settings else spec.name
    if isinstance(value, list | tuple):
        return type(value)(_plain(one) for one in value)
    return str(value) if isinstance(value, Path) else value


def _literal(value: object) -> str:
    """A plain value as Python source, with double quotes where they need no escape."""
    if isinstance(value, str) and '"' not in value and "\\" not in value and value.isprintable():
        return f'"{value}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, float) and repr(value) in ("inf", "-inf", "nan"):
        return f'float("{value}")'
    return repr(value)


def _text(value: Any, *, outer: bool = False) -> str:
    """A setting as the command line reads it; inside of a Spec, lists and Specs in parentheses."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_spec(value):
        spec = Spec.of(value)
        parts = ",".join(f"{name}={_text(one)}" for name, one in spec.settings.items())
        text = f"{spec.name}:{parts}" if parts else spec.name
        return text if outer or not parts else f"({text})"
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return str(value)


def _spec_text(spec: Spec, entry: Entry) -> str:
    return _text(Spec(name=spec.name, settings=_changed(entry, spec)), outer=True)

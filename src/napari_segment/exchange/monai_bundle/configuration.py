"""The configuration of a MONAI bundle as plain data: references are followed, nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_segment.bounded import load_yaml, read_json
from napari_segment.errors import FormatError

_REFERENCE = re.compile(r"@[\w:#.-]+\Z")
_DEEPEST = 32  # levels of lists, mappings and references
_MOST = 50_000  # values of one part, references followed
_LARGEST = 2**20  # bytes of a configuration


@dataclass(frozen=True)
class Part:
    """A value of a configuration, and where it stands.

    Parameters
    ----------
    value : object
        As it is written: text, numbers, true, false, null, lists and mappings.
    location : str
        Such as "inference.json: preprocessing.transforms[3]".
    source : Configuration
        Where references lead to.
    """

    value: Any
    location: str
    source: Configuration = field(repr=False)

    def get(self, key: str) -> Part | None:
        """Return what a mapping holds under a key, references followed; None where it is absent."""
        if not isinstance(self.value, Mapping) or key not in self.value:
            return None
        return self.source.followed(self.below(key))

    def items(self) -> Iterator[Part]:
        """Yield the values of a list, references followed."""
        if not isinstance(self.value, list):
            raise FormatError(f"{self.location} should be a list.")
        for index in range(len(self.value)):
            yield self.source.followed(self.below(index))

    def plain(self) -> Any:
        """Return the value with all references in it followed.

        Raises
        ------
        FormatError
            If there is an expression or a macro in it, which would have to be run.
        """
        return _plain(self, [_MOST], 0)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of a mapping with ``_target_``, as `plain` does."""
        keys = [str(key) for key in self.value if not str(key).startswith("_")]
        left = [_MOST]
        return {key: _plain(self.source.followed(self.below(key)), left, 0) for key in keys}

    def target(self) -> str:
        """Return the name in ``_target_``, or "" where it has none."""
        part = self.get("_target_")
        if part is None:
            return ""
        if not isinstance(part.value, str):
            raise FormatError(f"{part.location} should be the name of a class.")
        return part.value

    def below(self, key: str | int) -> Part:
        """Return what stands under a key or number, as it is written."""
        location = f"{self.location}[{key}]" if isinstance(key, int) else f"{self.location}.{key}"
        return Part(self.value[key], location, self.source)


@dataclass(frozen=True)
class Configuration:
    """``inference.json`` or ``inference.yaml`` of a bundle.

    Parameters
    ----------
    content : mapping
        As it is written.
    name : str
        Of the file, for messages.
    """

    content: Mapping[str, Any]
    name: str

    def part(self, key: str) -> Part | None:
        """Return a part by its name, references followed; None where there is none."""
        if key not in self.content:
            return None
        return self.followed(Part(self.content[key], f"{self.name}: {key}", self))

    def followed(self, part: Part) -> Part:
        """Follow a reference to what it names; any other value is returned as it is.

        Raises
        ------
        FormatError
            If it is an expression or a macro, or leads nowhere or round in a circle.
        """
        seen: list[str] = []
        while isinstance(part.value, str):
            _refuse_code(part.value, part.location)
            if not _REFERENCE.match(part.value):
                break
            if part.value in seen or len(seen) >= _DEEPEST:
                raise FormatError(
                    f"{part.location}: the references {' → '.join([*seen, part.value])} lead round "
                    "in a circle, or are too many."
                )
            seen.append(part.value)
            part = Part(self._named(part.value, part.location), part.location, self)
        return part

    def _named(self, reference: str, location: str) -> Any:
        value: Any = self.content
        for key in reference[1:].replace("#", "::").split("::"):
            if isinstance(value, Mapping) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                raise FormatError(f"{location}: the reference {reference} leads to nothing.")
        return value


def _plain(part: Part, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise FormatError(
            f"{part.location} stands for more than {_MOST:,} values or {_DEEPEST} levels, or holds "
            "itself. Is it the file that was meant?"
        )
    value, source = part.value, part.source
    if isinstance(value, list):
        return [_plain(item, left, depth + 1) for item in part.items()]
    if isinstance(value, Mapping):
        parts = {str(key): source.followed(part.below(key)) for key in value}
        return {key: _plain(each, left, depth + 1) for key, each in parts.items()}
    return value


def _refuse_code(text: str, location: str) -> None:
    if text.startswith(("$", "%")):
        kind = "an expression of Python" if text.startswith("$") else "a macro"
        raise FormatError(
            f"{location} is {kind}, {text[:80]!r}, which is never run here. If you trust the "
            "bundle, write the value that it stands for in its place."
        )


def read_configuration(path: Path) -> dict[str, Any]:
    """Read a JSON or YAML file of a bundle within bounds.

    Raises
    ------
    FormatError
        If it is neither, or no mapping.
    """
    try:
        if path.suffix == ".json":
            content = read_json(path, largest=_LARGEST)
        else:
            content = load_yaml(path.read_text("utf-8"), str(path), of_tools=True)
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path} should hold a mapping of names to values.")
    return content

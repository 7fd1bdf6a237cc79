"""YAML and JSON from elsewhere, read with bounds on what a text may cause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.errors import FormatError
from napari_segment.printable import one_line

if TYPE_CHECKING:
    from yaml.nodes import Node

LARGEST = 2**20  # bytes of a YAML text
DEEPEST = 32  # levels of lists and mappings in YAML
MOST = 50_000  # values of a YAML text
LONGEST = 2**16  # characters of one value
DIGITS = 100  # of a number
LARGEST_JSON = 2**26  # bytes; lists of annotations have their own bound

_TAGS = frozenset(f"tag:yaml.org,2002:{tag}" for tag in ("map", "seq", "str", "int", "float"))
_TAGS |= {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"}


_DATE = "tag:yaml.org,2002:timestamp"


def load_yaml(text: str, source: str, *, of_tools: bool = False) -> Any:
    """Read plain values from YAML, or from JSON, which is YAML.

    Parameters
    ----------
    text : str
        Of mappings, lists, text, numbers, true, false and null; without anchors, aliases and tags.
    source : str
        Where it came from, for messages.
    of_tools : bool
        Read what programs that write YAML make of dates and of values that occur twice: text, and
        aliases, within the same bounds. Both are refused otherwise.

    Returns
    -------
    object
        Plain Python values.

    Raises
    ------
    FormatError
        If the text is no YAML, goes beyond a bound of this module, or gives a key twice.
    """
    import yaml

    if len(text) > LARGEST:
        raise FormatError(
            f"{source} has {len(text):,} characters; at most {LARGEST:,} are read. Is it the file "
            "that was meant?"
        )
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(yaml.parse(text, Loader=base), source, aliases=of_tools)
        loader = base(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if of_tools:
                _make_text(node)
                _size_of(node, source, {})
            _check_values(node, source)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{source} is neither YAML nor JSON: {one_line(str(error))}") from None


def _check_events(events: Any, source: str, *, aliases: bool) -> None:
    """Refuse what would grow when it is put together, one event after the other."""
    import yaml

    depth = count = 0
    for event in events:
        named = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
        if named and not aliases:
            raise FormatError(
                f"{source} uses an anchor or alias of YAML (& or *), by which few lines become "
                "many; write each value where it is used."
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        count += isinstance(event, yaml.NodeEvent)
        if depth > DEEPEST or count > MOST:
            raise FormatError(
                f"{source} has more than {DEEPEST} levels or {MOST:,} values, which no recipe or "
                "description needs. Is it the file that was meant?"
            )


def _make_text(node: Node) -> None:
    """Take every date for the text that it is written as."""
    waiting, seen = [node], set()
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            waiting += _parts(each)
        if each.tag == _DATE:
            each.tag = "tag:yaml.org,2002:str"


def _size_of(node: Node, source: str, known: dict[int, int]) -> int:
    """Return how many values there are when each alias stands for all that it names.

    Raises
    ------
    FormatError
        If that is beyond the bound, or a value holds itself.
    """
    if id(node) not in known:
        known[id(node)] = MOST  # for one that holds itself
        known[id(node)] = 1 + sum(_size_of(part, source, known) for part in _parts(node))
    if known[id(node)] > MOST:
        raise FormatError(
            f"{source} has aliases of YAML (*) that stand for more than {MOST:,} values, which no "
            "description needs. Is it the file that was meant?"
        )
    return known[id(node)]


def _parts(node: Any) -> list[Node]:
    """Return the items of a list, or the keys and values of a mapping."""
    if not isinstance(node.value, list):
        return []
    return [part for each in node.value for part in (each if isinstance(each, tuple) else [each])]


def _check_values(node: Node, source: str) -> None:
    """Refuse values that are not plain, too long, or given twice."""
    import yaml

    if node.tag not in _TAGS:
        raise FormatError(
            f"{source} holds a {node.tag.rpartition(':')[2]!r}{_line(node)}, but only text, "
            "numbers, true, false, lists and mappings are read. Put text in quotes."
        )
    if isinstance(node, yaml.ScalarNode):
        number = node.tag.endswith((":int", ":float"))
        limit = DIGITS if number else LONGEST
        if len(node.value) > limit:
            raise FormatError(
                f"{source} holds a value of {len(node.value):,} characters{_line(node)}; at most "
                f"{limit:,} are read of {'a number' if number else 'one value'}."
            )
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_values(item, source)
    elif isinstance(node, yaml.MappingNode):
        _check_keys(node, source)
        for pair in node.value:
            for part in pair:
                _check_values(part, source)


def _check_keys(node: Any, source: str) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key.value, str):
            raise FormatError(f"{source} has a list or mapping as a key{_line(key)}; give text.")
        if key.value in seen:
            raise FormatError(f"{source} gives {key.value[:50]!r} twice{_line(key)}: give it once.")
        seen.add(key.value)


def _line(node: Node) -> str:
    return f" in line {node.start_mark.line + 1}"


def read_json(path: Path, *, largest: int = LARGEST_JSON) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : Path
        The file.
    largest : int
        Bytes that are read at most.

    Returns
    -------
    object
        Plain Python values.

    Raises
    ------
    FormatError
        If the file is larger, no JSON, or nested too deeply.
    OSError
        If it cannot be opened.
    """
    size = path.stat().st_size
    if size > largest:
        raise FormatError(
            f"{path} has {size:,} bytes; at most {largest:,} are read of such a file."
        )
    try:
        return json.loads(path.read_text("utf-8"))
    except RecursionError:
        raise FormatError(f"{path} is nested too deeply to be read as JSON.") from None
    except ValueError as error:
        raise FormatError(f"{path} cannot be read as JSON: {error}") from None

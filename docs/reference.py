"""Reference pages from the registries: a table of entries, then each with its settings.

``python docs/reference.py [FOLDER]`` writes one page for each registry; mkdocs runs it before it
builds the site.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from napari_segment.registry import REGISTRIES, Entry


def page(kind: str) -> str:
    """The Markdown page of one registry."""
    entries = REGISTRIES[kind].values()
    rows = [f"| [{e.name}](#{e.name}) | {e.title} | {_facts(e)} | {e.help} |" for e in entries]
    head = [f"# {kind.capitalize()}", "", "| name | title | takes, gives | what it does |"]
    return "\n".join([*head, "|---|---|---|---|", *rows, "", *map(section, entries)])


def section(entry: Entry) -> str:
    """One entry with its settings."""
    properties = entry.schema().get("properties", {})
    lines = [f"## {entry.name}", "", entry.help, ""]
    if entry.whole:
        lines += [f"Takes whole arrays in memory: {entry.whole}", ""]
    if properties:
        lines += ["| setting | type | default | |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {_type(field)} | {_default(field)} | {field.get('description', '')} |"
            for name, field in properties.items()
        ]
    return "\n".join([*lines, ""])


def _facts(entry: Entry) -> str:
    dimensions = ", ".join(f"{n}-D" for n in entry.ndim)
    many = ", all channels" if entry.channels == "many" else ""
    gives = f" → {entry.gives}" if entry.gives else ""
    return f"{dimensions}{many}{gives}"


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    kind = str(field.get("type", field.get("registry", "")))
    low, high = field.get("minimum"), field.get("maximum")
    above, below = field.get("exclusiveMinimum"), field.get("exclusiveMaximum")
    bounds = [
        f"≥ {low}" if low is not None else f"> {above}" if above is not None else "",
        f"≤ {high}" if high is not None else f"< {below}" if below is not None else "",
    ]
    return " ".join([kind, *filter(None, bounds)])


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return "required"
    default = field["default"]
    return f"`{default['name'] if isinstance(default, dict) else default}`"


def write(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in REGISTRIES:
        (folder / f"{kind}.md").write_text(page(kind) + "\n", "utf-8")


def on_pre_build(**_: Any) -> None:
    """Called by mkdocs."""
    write(Path(__file__).parent / "reference")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "reference")

"""``models``: list, show, add, remove and verify the models of this machine."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from napari_segment.cli.messages import in_columns
from napari_segment.cli.progress import show as shown
from napari_segment.errors import SettingError

if TYPE_CHECKING:
    from napari_segment.exchange.catalogue import Model


def list_all(options: argparse.Namespace) -> int:
    """List the models, each in a line."""
    from napari_segment import api

    models = api.list_models()
    if options.json:
        print(json.dumps([model.to_dict() for model in models], indent=2))
        return 0
    head = ["name", "kind", "origin", "result", "MiB", "score", "measured on"]
    print(in_columns([head, *map(_row, models)]))
    return 0


def _row(model: Model) -> list[str]:
    best = model.card.best
    name, value = next(iter(best.values.items()), ("", 0.0)) if best else ("", 0.0)
    result = f"{model.card.holds} {model.card.ndim}-D" if model.card.ndim else ""
    return [
        model.name, model.kind.title, model.origin, model.problem or result.strip(),
        f"{model.size / 2**20:.1f}", f"{name} {value:.3f}" if name else "",
        f"{best.on}, {best.caution}" if best else "",
    ]  # fmt: skip


def show(options: argparse.Namespace) -> int:
    """Print the card of a model."""
    from napari_segment import api

    model = api.find_model(options.name)
    if options.json:
        print(json.dumps(model.to_dict(), indent=2))
        return 0
    print(in_columns([(name, value) for name, value in model.facts().items()]))
    for scores in model.card.scores:
        print(f"\n{scores}")
    if model.card.command:
        print(f"\n{model.card.command}")
    method, settings = model.recipe
    given = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.items())
    print(f"\nUse it: napari-segment segment {method} {given} INPUT -o OUT")
    return 0


def add(options: argparse.Namespace) -> int:
    """Add a model, and say by which name it is used."""
    from napari_segment import api

    steps = api.add_model_steps(
        options.source, name=options.name, sha256=options.sha256, card=options.card,
        overwrite=options.overwrite,
    )  # fmt: skip
    model = shown(steps, "add")
    print(f"→ {model.name} ({model.kind.title}) in {model.folder}")
    return 0


def remove(options: argparse.Namespace) -> int:
    """Remove a model, after it was asked."""
    from napari_segment import api

    model = api.find_model(options.name)
    if not options.yes and not _confirmed(model):
        print("Nothing was removed.")
        return 1
    api.remove_model(model.name)
    remaining = f"; {model.folder} stays" if model.origin == "trained" else ""
    print(f"{model.name} is removed{remaining}.")
    return 0


def _confirmed(model: Model) -> bool:
    if not sys.stdin.isatty():
        raise SettingError(f"Removing {model.name!r} asks first: give --yes where nobody answers.")
    what = "from the list" if model.origin == "trained" else f"with its files in {model.folder}"
    return input(f"Remove {model.name} {what}? [y/N] ").strip().lower() in ("y", "yes")


def verify(options: argparse.Namespace) -> int:
    """Hash the files of models again; 1 where one has changed."""
    from napari_segment import api

    results = shown(api.verify_models_steps(options.names), "verify")
    if options.json:
        plain = [{"name": r.name, "problems": r.problems, "checked": r.checked} for r in results]
        print(json.dumps(plain, indent=2))
    else:
        print(in_columns([(result.name, str(result)) for result in results]))
    return int(any(result.problems for result in results))

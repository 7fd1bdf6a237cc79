"""``recipe``: what a recipe says, as Python, a command line, YAML or JSON."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_segment.recipe import Recipe


def recipe(options: argparse.Namespace) -> int:
    """Print a recipe in the form that is asked for."""
    from napari_segment.api.scripts import as_command, as_python
    from napari_segment.io import recipe_path

    given = Path(options.recipe)
    recorded = recipe_path(given)
    loaded = Recipe.load(recorded if recorded.is_file() else given)
    forms = {
        "python": lambda: as_python(loaded, options.image, options.labels),
        "command": lambda: as_command(loaded, options.image, options.labels),
        "yaml": loaded.to_yaml,
        "json": loaded.to_json,
    }
    print(forms[options.form]().rstrip())
    return 0

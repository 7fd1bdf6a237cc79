"""The manual is true: its links resolve, its names are known, its reference renders."""

import ast
import builtins
import importlib.util
import re
from pathlib import Path

import pytest

from napari_segment.registry import REGISTRIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# Pages whose Python blocks run one after the other, given the files that they name.
ALONE = (
    "bioimageio",
    "clusters",
    "losses",
    "models",
    "monai",
    "nnunet",
    "onnx",
    "prediction",
    "totalsegmentator",
    "training",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ALONE)
def test_python_blocks_know_every_name_they_use(page):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text(), re.S)
    nodes = list(ast.walk(ast.parse("\n".join(blocks))))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    known = {
        *dir(builtins),
        *(n.id for n in names if isinstance(n.ctx, ast.Store)),
        *(n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)),
        *(n.arg for n in nodes if isinstance(n, ast.arg)),
        *((n.asname or n.name).split(".")[0] for n in nodes if isinstance(n, ast.alias)),
    }
    assert {n.id for n in names} <= known


@pytest.mark.parametrize("kind", list(REGISTRIES))
def test_reference_pages_hold_every_entry_and_setting(kind):
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    page = reference.page(kind)
    for entry in REGISTRIES[kind].values():
        assert f"## {entry.name}\n" in page
        assert all(f"| `{name}` |" in page for name in entry.settings.model_fields)


@pytest.mark.parametrize("listing", ["mkdocs.yml", "docs/index.md"])
def test_every_page_of_the_manual_is_listed(listing):
    listed = {"index.md", *re.findall(r"(\w+\.md)", (ROOT / listing).read_text())}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= listed

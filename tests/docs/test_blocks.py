"""Every fenced block of the manual parses: Python and its names, commands, TOML, YAML, JSON."""

import ast
import importlib
import inspect
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType

import pytest
import yaml

from napari_segment.cli.parser import make_parser
from napari_segment.cli.settings import chosen, parse_spec, training
from napari_segment.errors import SegmentError
from napari_segment.recipe import Spec
from napari_segment.registry import REGISTRIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# Options of the command line that name entries, and the registry of each.
SPECS = {"filter": "filters", "cleanup": "cleanups", "model": "models"}
SEPARATORS = {"&&", "||", "|", ";", "&"}
FENCE = re.compile(r"^[ >]*(?P<mark>`{3,}|~{3,}) *(?P<language>[^\s`]*)")


@dataclass(frozen=True)
class Block:
    """One fenced code block.

    Parameters
    ----------
    page : Path
        The page that it is on.
    line : int
        Number of the line that opens it, from 1.
    language : str
        What follows the fence, lower case; empty where nothing does.
    text : str
        The lines between the fences, without a common indentation.
    """

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Read every fenced block of a page, whatever its fence and indentation."""
    return list(_blocks(page, page.read_text("utf-8").splitlines()))


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    numbered = iter(enumerate(lines, 1))
    for number, line in numbered:
        opening = FENCE.match(line)
        if opening is None:
            continue
        content: list[str] = []
        for _, inner in numbered:
            bare = inner.strip(" >")
            if bare.startswith(opening["mark"]) and not bare.strip(opening["mark"][0]):
                break
            content.append(inner)
        else:
            raise ValueError(f"{page.name}:{number}: the fence is not closed.")
        yield Block(page, number, opening["language"].lower(), dedent("\n".join(content)) + "\n")


def commands_of(text: str) -> Iterator[list[str]]:
    """Split shell text into simple commands, each as the words that the shell would pass on."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        command: list[str] = []
        for word in [*lexer, ";"]:
            if word not in SEPARATORS:
                command.append(word)
            elif command:
                yield command
                command = []


def check_shell(block: Block) -> None:
    for command in commands_of(block.text):
        arguments = command[2:] if command[:2] == ["uv", "run"] else command
        program, *given = arguments
        assert program in PROGRAMS, f"{block}: {program} is not a program that the test knows"
        PROGRAMS[program](given)


def check_command(arguments: list[str]) -> None:
    """Parse a command of ours, and the entries that it names with their settings."""
    try:
        options = make_parser(arguments).parse_args(arguments)
    except SystemExit as stop:
        assert stop.code == 0, f"usage error: napari-segment {shlex.join(arguments)}"  # noqa: PT017
        return
    if options.command in ("train", "segment"):
        segments = options.command == "segment"
        entry = REGISTRIES["methods"][options.method] if segments else training()
        entry.validate(chosen(options, entry))
    for option, kind in SPECS.items():
        given = getattr(options, option, None) or ()
        for text in [given] if isinstance(given, str) else given:
            parse_spec(text, REGISTRIES[kind])


def check_script(given: list[str]) -> None:
    """A script of the repository exists and knows the options."""
    text = (ROOT / given[0]).read_text("utf-8")
    assert all(f'"{word}"' in text for word in given[1:] if word.startswith("--"))


def check_python(block: Block) -> None:
    page = "\n".join(b.text for b in blocks_of(block.page) if b.language == "python")
    names = imported(ast.parse(page))
    compile(block.text, str(block), "exec")
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Attribute):
            resolve(node, names)
        elif isinstance(node, ast.Call):
            check_call(node, names)


def imported(tree: ast.AST) -> dict[str, object]:
    """What the imports of this project bind; each name must exist."""
    names: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "napari_segment":
                    module = importlib.import_module(alias.name)
                    names[alias.asname or "napari_segment"] = module
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("napari_segment"):
            module = importlib.import_module(node.module)
            names |= {
                alias.asname or alias.name: member(module, alias.name) for alias in node.names
            }
    return names


def member(owner: object, name: str) -> object:
    """An attribute of a module or class, or a submodule."""
    if isinstance(owner, ModuleType) and not hasattr(owner, name):
        return importlib.import_module(f"{owner.__name__}.{name}")
    return getattr(owner, name)


def resolve(node: ast.expr, names: dict[str, object]) -> object:
    """The object of this project that a dotted name stands for, None where it is another's."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolve(node.value, names)
        if isinstance(owner, ModuleType | type):
            return member(owner, node.attr)
    return None


def check_call(node: ast.Call, names: dict[str, object]) -> None:
    """Keywords exist: parameters of the function, settings of the method, entries in lists."""
    function = resolve(node.func, names)
    given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if not inspect.isfunction(function):
        return
    parameters = inspect.signature(function).parameters
    extra = given.keys() - parameters.keys()
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        extra -= settings_of(node, function.__name__)
    assert not extra, f"{function.__name__} has no {sorted(extra)}"
    for kind in ("filters", "cleanups"):
        for spec in ast.literal_eval(given[kind]) if kind in given else ():
            REGISTRIES[kind].complete(Spec.of(spec))


def settings_of(node: ast.Call, verb: str) -> set[str]:
    """The settings that a verb hands on, by the entry that the call names."""
    if verb == "train":
        return set(training().settings.model_fields)
    method = ast.literal_eval(node.args[1]) if verb == "segment" else "canny"
    if verb not in ("segment", "edge_points") or method not in REGISTRIES["methods"]:
        return {keyword.arg for keyword in node.keywords}  # handed on, or the page's own method
    entry = REGISTRIES["methods"][method]
    return {*entry.settings.model_fields, *entry.data}


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
CHECKS = {
    "python": check_python,
    "sh": check_shell,
    "toml": lambda block: tomllib.loads(block.text),
    "yaml": lambda block: yaml.safe_load(block.text),
    "json": lambda block: json.loads(block.text),
    "text": lambda block: None,  # a drawing or what a program prints
}
PROGRAMS = {
    "napari-segment": check_command,
    "python": check_script,
    "pip": lambda given: None,
    "pytest": lambda given: None,
    "pre-commit": lambda given: None,
}
REFUSALS = (
    AssertionError,
    AttributeError,
    ImportError,
    OSError,
    SegmentError,
    SyntaxError,
    ValueError,
    yaml.YAMLError,
)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_blocks_parse(block):
    assert block.language in CHECKS, f"{block}: name the language of the block: {list(CHECKS)}"
    CHECKS[block.language](block)


def test_blocks_of_text_hold_no_commands():
    texts = [block for block in BLOCKS if block.language == "text"]
    commands = re.compile(r"^\s*(\$ |napari-segment |import |from \S+ import )", re.M)
    assert [str(block) for block in texts if commands.search(block.text)] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sh", "napari-segment segment otsu a.tif -o b.tif --no-such-option 1"),
        ("sh", "cd a && napari-segment segment otsu a.tif"),
        ("sh", "napari-segment segment otsu a.tif -o b.tif --filter gaussian:no_such=1"),
        ("sh", "napari-segment segment gaussian_mixture a.tif -o b.tif --clusters many"),
        ("sh", "napari-segment train --images a --labels b -o c --loss no_such"),
        ("sh", "napari-segment train --images a --labels b -o c --model unet:no_such=1"),
        ("sh", "napari-segment summary no_such"),
        ("sh", "python benchmarks/no_such.py"),
        ("python", "import napari_segment as ns\nns.no_such"),
        ("python", "from napari_segment.api import no_such"),
        ("python", "import napari_segment as ns\nns.segment('a.tif', 'otsu', no_such=1)"),
        ("python", "import napari_segment as ns\nns.read('a.tif', no_such=1)"),
        ("python", "x ="),
        ("toml", "a = "),
        ("yaml", "a: [1"),
        ("json", "{"),
    ],
)
def test_wrong_blocks_are_refused(language, text, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"1. An item\n\n   ~~~ {language}\n" + indent(text, "   ") + "\n   ~~~\n")
    (block,) = blocks_of(page)
    with pytest.raises(REFUSALS):
        CHECKS[block.language](block)

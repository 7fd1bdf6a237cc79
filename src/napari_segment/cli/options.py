"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from napari_segment.cli.messages import Parser
from napari_segment.recipe import ApplyTo

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - typeshed's name
    Options: TypeAlias = "argparse._ActionsContainer"  # noqa: SLF001 - a parser, or a group


def later(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """A command's function, imported when it runs."""

    def run(options: argparse.Namespace) -> int:
        return int(getattr(import_module(f"napari_segment.cli.{module}"), function)(options))

    return run


def command(commands: Commands, name: str, module: str, title: str) -> Parser:
    """Add a command, which runs the function of its name in a module of `cli`."""
    parser: Parser = commands.add_parser(name, help=title, description=title)
    parser.set_defaults(run=later(module, name))
    parser.add_argument("--debug", action="store_true", help="show a traceback on failure")
    text = "open files that others name outside of their folder (data sets, headers, OME-TIFF)"
    parser.add_argument("--allow-outside", action="store_true", help=text)
    text = "read files that unpack to more than 1 GiB and 100 times their size"
    parser.add_argument("--allow-expansion", action="store_true", help=text)
    return parser


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def output_option(parser: argparse.ArgumentParser, text: str, **more: Any) -> None:
    """Add -o, which is required unless `more` says otherwise."""
    given: dict[str, Any] = {"required": True, "type": _output_path, "help": text, **more}
    parser.add_argument("-o", "--output", metavar="OUT", **given)


def _output_path(text: str) -> str:
    """OUT, which "" is not: that would be the folder in which one stands."""
    if not text:
        raise argparse.ArgumentTypeError("has no name. Is a variable unset?")
    return text


def input_options(parser: argparse.ArgumentParser) -> None:
    """What tells which part of the input is segmented."""
    group = parser.add_argument_group("the input")
    group.add_argument("--axes", default="", help="axis letters of the input, such as TZYX")
    group.add_argument(
        "--series", default="", metavar="N", help="which image of a file of several, or its name"
    )
    group.add_argument(
        "--incomplete", choices=("refuse", "allow"), default="refuse",
        help="whether a file with missing parts is refused, or read as far as it goes",
    )  # fmt: skip
    group.add_argument("--spacing", default="", help="spacing per spatial axis, such as 2,0.5,0.5")
    group.add_argument("--unit", default="", help="unit of the spacing, such as micrometer")
    group.add_argument("--lazy", action="store_true", help="leave the input on disk, run by blocks")
    group.add_argument("--scheduler", default="", metavar="ADDRESS", help="a Dask cluster")


def file_options(parser: argparse.ArgumentParser) -> None:
    """Add the inputs and the output of a command that takes one file or several."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="files, folders of files, patterns like '*.tif'"
    )
    output_option(parser, "a file for one input, a folder for several")
    batch_options(parser)


def batch_options(parser: argparse.ArgumentParser, *, skip_existing: bool = True) -> None:
    """What several inputs have in common, whatever is done to them."""
    group = parser.add_argument_group("several inputs")
    group.add_argument(
        "--recursive", action="store_true", help="take the images in folders below too"
    )
    if skip_existing:
        group.add_argument(
            "--skip-existing", action="store_true", help="make no result again that exists"
        )
    group.add_argument(
        "--workers", type=int, default=0, metavar="N",
        help="work in N processes, each on one file at a time; one that the system ends fails its "
        "file alone (default: 0, in this process)",
    )  # fmt: skip
    group.add_argument(
        "--report", default="", metavar="JSON",
        help="write what became of each input: output, recipe, seconds, peak memory, error",
    )  # fmt: skip


def segment_options(parser: argparse.ArgumentParser) -> None:
    """Add what `segment` and `replay` have in common."""
    file_options(parser)
    parser.add_argument(
        "--data", action="append", default=[], metavar="NAME=FILE",
        help="what a method takes besides the image, such as markers=marks.tif; for several inputs "
        "a folder of equal names",
    )  # fmt: skip
    parser.add_argument(
        "--pictures", metavar="DIR", help="draw each image, its labels and both, into this folder"
    )
    json_option(parser)
    input_options(parser)


def recipe_options(group: Options, apply_to: Sequence[str] = get_args(ApplyTo)) -> None:
    """Add what a recipe has around its method."""
    entry = "NAME[:KEY=VALUE,…]"
    group.add_argument("--filter", action="append", default=[], metavar=entry, help="run before")
    group.add_argument("--cleanup", action="append", default=[], metavar=entry, help="run after")
    part_options(group, "auto", apply_to)


def part_options(group: Options, channel: str, apply_to: Sequence[str]) -> None:
    """What tells which part of an image is taken, and what of it at once."""
    group.add_argument("--channel", default=channel, help=f"index or name (default: {channel})")
    text = "what is taken at once; auto: volumes where there are any, else planes"
    group.add_argument("--apply-to", default="auto", choices=apply_to, help=text)
    group.add_argument("--times", default="", metavar="FIRST:LAST", help="a range of time points")


def recipe_path_option(parser: Any) -> None:
    """Let a recipe write where it says, if that is asked for."""
    parser.add_argument(
        "--allow-recipe-paths", action="store_true",
        help="let the recipe write to folders that it names, such as its store",
    )  # fmt: skip


def pairs_options(parser: argparse.ArgumentParser) -> None:
    """Add what names images and their labels: two folders, or a data set."""
    group = parser.add_argument_group("the pairs")
    group.add_argument("--images", metavar="DIR", help="folder of images")
    group.add_argument("--labels", metavar="DIR", help="folder of labels of equal names")
    group.add_argument("--dataset", metavar="DIR", help="a folder in a known layout instead")
    group.add_argument("--layout", default="", help="see 'napari-segment list layouts'")

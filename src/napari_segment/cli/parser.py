"""Commands and options; those of methods and of training are derived from signatures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from napari_segment.cli.messages import Parser, plain
from napari_segment.cli.network_parser import network_commands
from napari_segment.cli.options import (
    batch_options,
    command,
    file_options,
    input_options,
    json_option,
    later,
    output_option,
    pairs_options,
    part_options,
    recipe_options,
    recipe_path_option,
    segment_options,
)
from napari_segment.recipe import ApplyTo

if TYPE_CHECKING:
    from napari_segment.cli.options import Commands

KINDS = (
    "filters", "methods", "cleanups", "edits", "models", "losses", "layouts", "logs", "devices",
)  # fmt: skip
WRITTEN = (
    "folders", "decathlon", "coco", "coco_panoptic", "yolo", "voc", "dsb2018", "cell_tracking",
    "nested_cases", "omezarr",
)  # fmt: skip
SAMPLES = ("nuclei", "cells", "two_tissues", "time_lapse", "stained_tissue")
EXAMPLES = """examples:
  napari-segment demo -o out
  napari-segment samples nuclei -o nuclei --count 20
  napari-segment segment otsu cells.tif -o labels.tif --cleanup fill_holes --cleanup split_touching
  napari-segment train --images images --labels labels -o run --minutes 10
  napari-segment segment network --checkpoint run new/*.nii.gz -o results
  napari-segment compare results reference
"""


def make_parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for what was typed: the method named there brings its own options.

    Parameters
    ----------
    given : sequence of str
        The arguments; only the first ones are looked at.

    Returns
    -------
    ArgumentParser
        Whose result has ``run``, the function of the command.
    """
    parser = Parser(
        "napari-segment",
        description="Segment 2-D and 3-D microscopy and medical stacks.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_Version("%(prog)s"))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    typed = [word for word in given if word != "--debug"]
    _demo(commands)
    _list(commands)
    _compile(commands)
    _samples(commands)
    _segment(commands, typed[1] if typed[:1] == ["segment"] and len(typed) > 1 else "")
    _replay(commands)
    _show_recipe(commands)
    _filter(commands)
    _edges(commands, derive=typed[:1] == ["edges"])
    _check(commands)
    _convert(commands)
    network_commands(commands, typed[0] if typed else "")
    _clean(commands)
    _measure(commands)
    _compare(commands)
    _objects(commands, typed[0] if typed else "")
    _review(commands)
    _edit(commands, typed[2] if typed[:1] == ["edit"] and len(typed) > 2 else "")
    return parser


class _Version(str):
    """Looked up only when it is shown, which argparse does by filling in the program's name."""

    def __mod__(self, names: object) -> str:
        from napari_segment.distribution import version

        return f"napari-segment {version()}"

    __slots__ = ()


def _demo(commands: Commands) -> None:
    title = "Run the main job on made-up data: segment, train, predict, score, measure."
    parser = command(commands, "demo", "demo", title)
    output_option(parser, "folder for the results", required=False, default="napari-segment-demo")
    parser.add_argument("--view", action="store_true", help="open the results in napari")


def _compile(commands: Commands) -> None:
    title = "Compile the code of all classical entries in advance, so that no first run waits."
    parser = command(commands, "compile", "compilation", title)
    parser.set_defaults(run=later("compilation", "compile_all"))
    text = "with the lowest priority, and only if it was not done before"
    parser.add_argument("--background", action="store_true", help=text)


def _list(commands: Commands) -> None:
    parser = command(commands, "list", "listing", "Show what there is to choose from.")
    parser.set_defaults(run=later("listing", "show"))
    parser.add_argument("kind", nargs="?", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    json_option(parser)


def _samples(commands: Commands) -> None:
    title = "Write made-up images and their labels as two folders to train on."
    parser = command(commands, "samples", "samples", title)
    parser.add_argument("name", metavar="NAME", help=", ".join(SAMPLES))
    output_option(parser, "folder for images/ and labels/")
    parser.add_argument("--count", type=int, default=20, metavar="N", help="pairs (default: 20)")
    parser.add_argument("--size", default="", metavar="A,B,…", help="sides; one number for all")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the first pair")
    parser.add_argument(
        "--holds", choices=("objects", "mask", "trimap"), default="objects",
        help="labels of objects as they are, as one mask, or as inside and border",
    )  # fmt: skip


def _segment(commands: Commands, method: str) -> None:
    title = "Segment files by one method, or by a trained network."
    parser = command(commands, "segment", "segment", title)
    parser.topic = " METHOD"
    parser.add_argument(
        "method", metavar="METHOD",
        help="see 'napari-segment list methods'; 'napari-segment segment METHOD --help' shows its "
        "settings",
    )  # fmt: skip
    segment_options(parser)
    recipe_options(parser.add_argument_group("the recipe"))
    if method and not method.startswith("-"):
        from napari_segment.cli.settings import add_options
        from napari_segment.registry import methods

        chosen = methods[method]
        parser.description = f"{chosen.title}. {plain(chosen.help)}"
        parser.topic = f" {method}"
        add_options(parser.add_argument_group(f"settings of {method}"), chosen)


def _replay(commands: Commands) -> None:
    parser = command(commands, "replay", "segment", "Do again what a recipe records.")
    parser.add_argument("recipe", metavar="RECIPE", help="the file of a recipe")
    segment_options(parser)
    recipe_path_option(parser)


def _show_recipe(commands: Commands) -> None:
    title = "Print a recipe as Python, as a command line, as YAML or as JSON."
    parser = command(commands, "recipe", "recipe", title)
    parser.add_argument(
        "recipe", metavar="RECIPE", help="the file of a recipe, or labels that lie next to theirs"
    )
    parser.add_argument(
        "--as", dest="form", choices=("python", "command", "yaml", "json"), default="python",
        help="what is printed (default: python)",
    )  # fmt: skip
    parser.add_argument("--image", default="image.tif", metavar="FILE", help="the image's file")
    parser.add_argument("--labels", default="", metavar="FILE", help="file that labels go to")


def _filter(commands: Commands) -> None:
    parser = command(commands, "filter", "filter", "Filter images, without segmenting them.")
    parser.set_defaults(run=later("filter", "filter_files"))
    file_options(parser)
    json_option(parser)
    group = parser.add_argument_group("the filters")
    group.add_argument(
        "--filter", action="append", default=[], metavar="NAME[:KEY=VALUE,…]",
        help="see 'napari-segment list filters'; several run in this order",
    )  # fmt: skip
    others = [apply_to for apply_to in get_args(ApplyTo) if apply_to != "directions"]
    part_options(group, "all", others)
    group.add_argument("--recipe", metavar="FILE", help="what the method of a recipe sees")
    recipe_path_option(group)
    input_options(parser)


def _edges(commands: Commands, *, derive: bool) -> None:
    title = "Locate the edges that canny marks to a fraction of a voxel."
    parser = command(commands, "edges", "edges", title)
    parser.add_argument(
        "inputs", nargs="+", metavar="IMAGE", help="files of intensities, folders, patterns"
    )
    output_option(parser, "the table of points, as CSV; a folder for several images")
    batch_options(parser)
    json_option(parser)
    recipe_options(parser.add_argument_group("the recipe"), ("auto", "plane", "volume"))
    parser.add_argument("--recipe", metavar="FILE", help="a recipe of canny instead")
    recipe_path_option(parser)
    input_options(parser)
    if derive:
        from napari_segment.cli.settings import add_options
        from napari_segment.registry import methods

        add_options(parser.add_argument_group("settings of canny"), methods["canny"])


def _check(commands: Commands) -> None:
    title = "Say what is wrong with a data set before a network is trained on it."
    parser = command(commands, "check", "datasets", title)
    pairs_options(parser)
    json_option(parser)


def _convert(commands: Commands) -> None:
    title = "Write files in another format, or a data set in another layout."
    parser = command(commands, "convert", "datasets", title)
    parser.add_argument(
        "inputs", nargs="*", metavar="INPUT", help="files, folders of files, patterns like '*.tif'"
    )
    output_option(parser, "a file for one input, a folder for several or for a data set")
    parser.add_argument("--suffix", default="", help="format of the results, such as .nii.gz")
    parser.add_argument("--are-labels", action="store_true", help="the inputs hold labels")
    parser.add_argument(
        "--holds", choices=("mask", "classes", "objects"), default="objects",
        help="what labels mean where the file does not say (default: objects)",
    )  # fmt: skip
    parser.add_argument(
        "--reference", default="", metavar="DIR",
        help="the DICOM images to which a DICOM Segmentation (.dcm) refers",
    )  # fmt: skip
    pairs_options(parser)
    parser.add_argument(
        "--to-layout", default="folders", choices=WRITTEN,
        help="layout in which a data set is written (default: folders)",
    )  # fmt: skip
    batch_options(parser)
    json_option(parser)
    input_options(parser)


def _measure(commands: Commands) -> None:
    parser = command(commands, "measure", "results", "Measure every object into a table.")
    parser.add_argument(
        "labels", nargs="+", metavar="LABELS", help="files of labels, folders, patterns"
    )
    parser.add_argument(
        "--image", metavar="IMAGE", help="file of intensities, or a folder of equal names"
    )
    parser.add_argument(
        "--holds", choices=("mask", "classes", "objects"), default="objects",
        help="what the numbers mean where the file does not say (default: objects)",
    )  # fmt: skip
    parser.add_argument(
        "--properties", default="basic", metavar="NAME,…",
        help="properties and groups of them: basic, shape, intensity, texture, detail or all "
        "(default: basic)",
    )  # fmt: skip
    output_option(parser, "the table, as CSV; of several inputs one, with the column 'file'")
    batch_options(parser)
    json_option(parser)
    input_options(parser)


def _number_or_none(text: str) -> int | str:
    return text if text == "none" else int(text)


def _compare(commands: Commands) -> None:
    parser = command(commands, "compare", "results", "Score results against references.")
    parser.add_argument("result", metavar="RESULT", help="file or folder")
    parser.add_argument("reference", metavar="REFERENCE", help="file, or folder of equal names")
    parser.add_argument(
        "--holds", choices=("auto", "mask", "classes", "objects"), default="auto",
        help="what the numbers mean; auto: what the result says of itself",
    )  # fmt: skip
    parser.add_argument("--axes", default="", help="axis letters of all files, such as TZYX")
    parser.add_argument("--surface", action="store_true", help="measure distances of surfaces too")
    parser.add_argument("--errors", metavar="OUT", help="write maps of errors: a file, or a folder")
    parser.add_argument(
        "--ignore-index", type=_number_or_none, default="none", metavar="N",
        help="number in the reference of voxels without annotation, which are left out as negative "
        "ones are (default: none)",
    )  # fmt: skip
    batch_options(parser, skip_existing=False)
    parser.set_defaults(skip_existing=False, scheduler="")
    json_option(parser)
    parser.add_argument("--table", metavar="CSV", help="write a row for each object of all cases")


def _clean(commands: Commands) -> None:
    parser = command(commands, "clean", "objects", "Clean up labels that are there already.")
    parser.add_argument(
        "labels", nargs="+", metavar="LABELS", help="files of labels, folders, patterns"
    )
    parser.add_argument(
        "--cleanup", action="append", default=[], metavar="NAME[:KEY=VALUE,…]",
        help="what is done, several in order; see 'napari-segment list cleanups'",
    )  # fmt: skip
    parser.add_argument(
        "--image", metavar="IMAGE", default="",
        help="file of intensities, or a folder of equal names, for cleanups that take an image",
    )  # fmt: skip
    parser.add_argument("--channel", default="auto", help="of the image, by index or name")
    parser.add_argument(
        "--apply-to", default="auto", choices=("auto", "plane", "volume"),
        help="what is cleaned up at once (default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--holds", choices=("mask", "classes", "objects"), default="objects",
        help="what the numbers mean where the file does not say (default: objects)",
    )  # fmt: skip
    output_option(parser, "a file for one input, a folder for several")
    batch_options(parser)
    json_option(parser)
    input_options(parser)


def _objects(commands: Commands, chosen: str) -> None:
    """The commands that come after a segmentation; their settings are those of the verbs."""
    parsers = {
        "track": command(commands, "track", "objects", "Give each object one number in time."),
        "consensus": command(commands, "consensus", "objects", "Join segmentations into one."),
        "rank": command(commands, "rank", "objects", "Rank planes by how unsure a network is."),
    }
    parsers["track"].add_argument(
        "labels", nargs="+", metavar="LABELS", help="files of objects, folders, patterns"
    )
    parsers["consensus"].add_argument(
        "labels", nargs="+", metavar="LABELS",
        help="files of objects on one grid, or folders of files of equal names",
    )  # fmt: skip
    parsers["rank"].add_argument("map", metavar="MAP", help="file of entropy or disagreement")
    for name, parser in parsers.items():
        json_option(parser)
        if name == "rank":
            parser.add_argument("--axes", default="", help="axis letters of the input, as TZYX")
            continue
        output_option(parser, "a file for one result, a folder for several")
        batch_options(parser)
        input_options(parser)
    if chosen in parsers:
        from napari_segment.api.entries import verb
        from napari_segment.cli.settings import add_options

        entry = verb(chosen)
        parsers[chosen].description = plain(entry.help)
        add_options(parsers[chosen].add_argument_group("settings"), entry)


def _review(commands: Commands) -> None:
    title = "Order objects by how doubtful they are, to look at the first ones first."
    parser = command(commands, "review", "edit", title)
    parser.add_argument("labels", metavar="LABELS", help="file of objects")
    output_option(parser, "the table, as CSV")
    parser.add_argument("--axes", default="", help="axis letters of the labels, such as TZYX")
    json_option(parser)


def _edit(commands: Commands, name: str) -> None:
    title = "Correct labels by an edit, or by all edits of a journal."
    parser = command(commands, "edit", "edit", title)
    parser.topic = " LABELS EDIT"
    parser.add_argument("labels", metavar="LABELS", help="file of labels")
    parser.add_argument(
        "edit", nargs="?", default="", metavar="EDIT",
        help="see 'napari-segment list edits'; 'napari-segment edit LABELS EDIT --help' shows its "
        "settings; without it the edits of the journal are made",
    )  # fmt: skip
    output_option(parser, "a file, or a folder")
    parser.add_argument(
        "--journal", default="", metavar="FILE",
        help="edits that are made first; an edit that is named is written to its end",
    )  # fmt: skip
    parser.add_argument("--image", default="", metavar="FILE", help="intensities, for some edits")
    parser.add_argument("--channel", default="auto", help="channel of the image that edits see")
    parser.add_argument(
        "--at", default="", metavar="AXIS=N,…", help="hold the edit to a position, such as T=3,Z=5"
    )
    parser.add_argument("--axes", default="", help="axis letters of the labels, such as TZYX")
    json_option(parser)
    if name and not name.startswith("-"):
        from napari_segment.cli.settings import add_options
        from napari_segment.registry import edits

        entry = edits[name]
        parser.description = f"{entry.title}. {plain(entry.help)}"
        parser.topic = f" LABELS {name}"
        add_options(parser.add_argument_group(f"settings of {name}"), entry)

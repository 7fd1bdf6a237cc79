"""Commands and options of what is trained: networks, classifiers and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_segment.cli.options import command, json_option, later, output_option, pairs_options

if TYPE_CHECKING:
    from napari_segment.cli.messages import Parser
    from napari_segment.cli.options import Commands


def network_commands(commands: Commands, chosen: str) -> None:
    """Add the commands that train, and those that show or pass on what was trained.

    Parameters
    ----------
    commands : subparsers action
        Of the whole parser.
    chosen : str
        The command that was typed, whose options are derived from a signature.
    """
    _train(commands, derive=chosen == "train")
    _train_classifier(commands, derive=chosen == "train-classifier")
    _train_object_classifier(commands, derive=chosen == "train-object-classifier")
    _summary(commands)
    _export(commands)
    _runs(commands)
    _models(commands)


def _train(commands: Commands, *, derive: bool) -> None:
    parser = command(commands, "train", "train", "Train a network on images and their labels.")
    pairs_options(parser)
    parser.add_argument("--axes", default="", help="axis letters of the images, such as CZYX")
    output_option(parser, "folder of the run")
    parser.add_argument(
        "--cross-validate",
        action="store_true",
        help="train once for each of --folds, into OUT/fold_N",
    )
    json_option(parser)
    if derive:
        from napari_segment.cli.settings import add_options, names_by_group, training

        for title, names in names_by_group(training()).items():
            others = [name for name in training().settings.model_fields if name not in names]
            add_options(parser.add_argument_group(title), training(), skip=(*others, "out"))


def _train_classifier(commands: Commands, *, derive: bool) -> None:
    title = "Train a pixel classifier on images and sparse labels of them."
    parser = command(commands, "train-classifier", "train_classifier", title)
    parser.set_defaults(run=later("train_classifier", "train_classifier"))
    group = parser.add_argument_group("the images")
    group.add_argument("--images", metavar="DIR", required=True, help="folder of images")
    group.add_argument(
        "--labels", metavar="DIR", required=True,
        help="folder of labels of equal names: class numbers where painted, 0 elsewhere",
    )  # fmt: skip
    group.add_argument("--axes", default="", help="axis letters of the images, such as TZYX")
    output_option(parser, "folder of the classifier")
    json_option(parser)
    if derive:
        from napari_segment.classical.classifier.training import ENTRY
        from napari_segment.cli.settings import add_options

        add_options(parser.add_argument_group("settings"), ENTRY, skip=("out",))


def _train_object_classifier(commands: Commands, *, derive: bool) -> None:
    title = "Train an object classifier on objects of which some have a class."
    parser = command(commands, "train-object-classifier", "train_object_classifier", title)
    parser.set_defaults(run=later("train_object_classifier", "train_object_classifier"))
    group = parser.add_argument_group("the objects")
    group.add_argument(
        "--labels", metavar="PATH", required=True, help="a file of objects, or a folder of such"
    )
    group.add_argument(
        "--classes", metavar="PATH", required=True,
        help="a .csv table with the columns label and class (and file, time), or labels of equal "
        "names in which classes are painted on objects",
    )  # fmt: skip
    group.add_argument(
        "--images", metavar="PATH", default="", help="the images, for intensities and textures"
    )
    output_option(parser, "folder of the classifier")
    json_option(parser)
    if derive:
        from napari_segment.classical.object_classifier.training import ENTRY
        from napari_segment.cli.settings import add_options

        add_options(parser.add_argument_group("settings"), ENTRY, skip=("out",))


def _summary(commands: Commands) -> None:
    title = "Show a network's layers, parameters and memory before it is used."
    parser = command(commands, "summary", "summary", title)
    parser.add_argument(
        "model", metavar="MODEL", help="NAME[:KEY=VALUE,…], or the folder of a trained network"
    )
    numbers: dict[str, Any] = {"type": int, "metavar": "N"}
    parser.add_argument("--channels", default=1, help="of the image (default: 1)", **numbers)
    parser.add_argument("--classes", default=2, help="with the background (default: 2)", **numbers)
    parser.add_argument(
        "--ndim", type=int, choices=(2, 3), help="dimensions (default: the model's first)"
    )
    parser.add_argument("--size", default="", metavar="A,B,…", help="sides (default: 256 or 64)")
    parser.add_argument("--batch", default=1, help="images at once (default: 1)", **numbers)
    output_option(parser, "draw it (.png, .svg, .pdf) or write the table (.md)", required=False)
    json_option(parser)


def _export(commands: Commands) -> None:
    title = "Write a trained network as ONNX or as a BioImage.IO package, for other programs."
    parser = command(commands, "export", "export", title)
    parser.add_argument("checkpoint", metavar="RUN", help="folder or name of the trained network")
    parser.add_argument(
        "--format", choices=("auto", "onnx", "bioimageio"), default="auto",
        help="what is written (default: by the ending of the file)",
    )  # fmt: skip
    parser.add_argument("--author", default="", help="of a package (default: of its card)")
    parser.add_argument(
        "--maintainer", default="", metavar="NAME", help="GitHub name of a package's maintainer"
    )
    parser.add_argument(
        "--licence", default="", metavar="SPDX", help="of a package, such as CC-BY-4.0"
    )
    parser.add_argument(
        "--tile", default="", metavar="A,B,…", help="sides of its input (default: the patch's)"
    )
    output_option(parser, "the file, ending with .onnx or .zip")


def _runs(commands: Commands) -> None:
    parser = command(commands, "runs", "runs", "List and compare trainings.")
    parser.add_argument(
        "folders", nargs="*", metavar="DIR", help="run folders, or above (default: .)"
    )
    json_option(parser)


def _models(commands: Commands) -> None:
    title = "List, show, add, remove and verify the models of this machine."
    parser = command(commands, "models", "models", title)
    parser.set_defaults(run=later("models", "list_all"), json=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listed = _action(actions, "list", "list_all", "List them: bundled, added, trained here.")
    json_option(listed)
    shown = _action(actions, "show", "show", "Show the card of a model: data, scores, licence.")
    shown.add_argument("name", metavar="MODEL", help="name or path of a model")
    json_option(shown)
    added = _action(actions, "add", "add", "Copy a model to those of this machine.")
    added.add_argument("source", metavar="SOURCE", help="folder, file, or http(s) address")
    added.add_argument("--name", default="", help="by which it is used (default: of its title)")
    added.add_argument("--sha256", default="", help="expected hash of the file")
    added.add_argument("--card", default="", metavar="JSON", help="card of an ONNX file")
    added.add_argument("--overwrite", action="store_true", help="replace a model of this name")
    removed = _action(actions, "remove", "remove", "Remove a model that was added.")
    removed.add_argument("name", metavar="MODEL", help="name of a model")
    removed.add_argument("--yes", action="store_true", help="without being asked")
    verified = _action(actions, "verify", "verify", "Hash the files of models again.")
    verified.add_argument("names", nargs="*", metavar="MODEL", help="names (default: all)")
    json_option(verified)


def _action(actions: Commands, name: str, function: str, title: str) -> Parser:
    parser = command(actions, name, "models", title)
    parser.set_defaults(run=later("models", function))
    return parser

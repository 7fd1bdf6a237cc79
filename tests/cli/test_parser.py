"""Help, the version, and usage that is wrong."""

import subprocess
import sys

import pytest

from napari_segment.cli import main
from napari_segment.distribution import version
from napari_segment.samples import SAMPLES


def test_help_answers_at_once():
    heavy = [
        "dask",
        "numba",
        "pandas",
        "scipy",
        "skimage",
        "torch",
        "monai",
        "napari",
        "matplotlib",
    ]
    code = (
        "import sys; from napari_segment.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print('heavy:', *[m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_the_version_is_shown(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"napari-segment {version()}\n"


@pytest.mark.parametrize("arguments", [[], ["segment"], ["frobnicate"], ["list", "things"]])
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segmnt", "otsu"], "Did you mean 'segment'?"),
        (["list", "method"], "Did you mean 'methods'?"),
        (["list", "things"], "Known: filters, methods"),
        (["train", "--minuts", "3", "-o", "run"], "Did you mean '--minutes'?"),
        (["segment", "otsu", "a.tif", "-o", "b.tif", "--bin", "9"], "Did you mean '--bins'?"),
        (
            ["segment", "otsu", "a.tif", "-o", "b.tif", "--apply-to", "planes"],
            "Did you mean 'plane'",
        ),
        (["segment", "network", "a.tif", "-o", "b.tif"], "--checkpoint"),
        (["segment", "otsu", "a.tif"], "See 'napari-segment segment otsu --help'"),
        (["segment"], "See 'napari-segment segment METHOD --help'"),
        (["segment", "canny", "a.tif", "-o", "b.tif", "sigma=1"], "'sigma=1' is one too many here"),
        (["segment", "canny", "a.tif", "-o", "b.tif", "sigma=1"], "Write --sigma 1."),
        (["segment", "range", "a.tif", "-o", "b.tif", "200"], "'200' is one too many here."),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(arguments)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["segment bioimageio", "segment otsu", "train", "samples"])
def test_help_shows_no_markup(capsys, command):
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert not any(mark in text for mark in ("``", "]_", "(see `", "manyeth"))


def test_help_names_all_samples_and_no_default_of_what_is_off(capsys):
    with pytest.raises(SystemExit):
        main(["samples", "--help"])
    assert set(SAMPLES) <= set(capsys.readouterr().out.replace(",", "").split())
    with pytest.raises(SystemExit):
        main(["segment", "network", "--help"])
    assert "(default: .)" not in capsys.readouterr().out


def test_help_of_a_method_shows_its_settings(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["segment", "canny", "--help"])
    assert stop.value.code == 0
    assert "--sigma" in capsys.readouterr().out

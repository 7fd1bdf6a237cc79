"""Entries are described by their signatures; registries find them and isolate what is broken."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
from docstring_parser import parse
from pydantic import Field

from napari_segment import registry as reg
from napari_segment.errors import InputError, PluginError, SettingError, UnknownNameError
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import Entry

Sigma = Annotated[float, Field(gt=0, description="Standard deviation.")]
Side = Annotated[float, Field(gt=0, description="Length of a side.")] | Literal["auto"]


@pytest.fixture
def kinds():
    """Two registries of our own, so that the real ones stay as they are."""
    losses, methods = reg.Registry("losses", "loss"), reg.Registry("methods", "method")

    @losses.add("focal", title="Focal loss")
    def focal(*, gamma: Annotated[float, Field(ge=0)] = 2.0):
        """Down-weight easy voxels."""
        return gamma

    @methods.add("net", title="Net", gives="classes")
    def net(
        image,
        spacing,
        *,
        loss: Annotated[Spec, reg.Of(losses)] = Spec(name="focal"),
        count: Annotated[int, Field(ge=2, le=5)] = 3,
        sizes: tuple[int, ...] = (1, 2),
        rate: Annotated[float, Field(gt=0)] = 1e-3,
        mode: Literal["fast", "exact"] = "fast",
    ):
        """Do it. And more.

        Parameters
        ----------
        image, spacing : object
            Data.
        count : int
            Number
            of things.
        """
        return count, loss

    return losses, methods


def test_entry_is_derived_from_signature_and_docstring(kinds):
    entry = kinds[1]["net"]
    assert entry.data == ("image", "spacing")
    assert entry.help == "Do it. And more."
    schema = entry.schema()["properties"]
    assert schema["count"]["description"] == "Number of things."
    assert (schema["count"]["minimum"], schema["count"]["maximum"]) == (2, 5)
    assert schema["count"]["default"] == 3
    assert schema["mode"]["enum"] == ["fast", "exact"]
    assert schema["loss"]["registry"] == "losses"


def test_entry_validates_and_the_bare_function_trusts(kinds):
    entry = kinds[1]["net"]
    assert entry(None, None, count="4")[0] == 4
    assert entry.function(None, None, count=99)[0] == 99


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"count": 7}, ["count", "7", "less than or equal to 5"]),
        ({"cuont": 3}, ["cuont", "Did you mean 'count'"]),
        ({"rate": float("nan")}, ["rate", "finite"]),
        ({"mode": "slow"}, ["mode", "'fast' or 'exact'"]),
        ({"sizes": "x"}, ["sizes", "tuple"]),
        ({"loss": ("focal", {"gamma": -1})}, ["gamma", "focal"]),
    ],
)
def test_wrong_settings_are_explained(kinds, settings, parts):
    with pytest.raises(SettingError) as caught:
        kinds[1]["net"].validate(settings)
    assert all(word in str(caught.value) for word in parts)


def test_data_are_given_by_position_or_name():
    def spread(image, spacing=(), *, sigma: float = 1.0):
        """Spread."""
        return image, spacing, sigma

    entry = reg.Entry("filters", "spread", "Spread", spread)
    assert entry("i", spacing=(2.0,), sigma="3") == ("i", (2.0,), 3.0)
    assert entry(image="i") == ("i", (), 1.0)
    with pytest.raises(TypeError, match="image"):
        entry("i", image="j")


def test_errors_say_what_a_setting_means():
    from napari_segment.registry import methods

    with pytest.raises(SettingError, match=r"less than or equal to 1\. It means: Fractions"):
        methods["canny"].validate({"low": 12})


def test_spec_settings_come_from_another_registry(kinds):
    losses, methods = kinds
    spec = methods.complete(("net", {"loss": "focal"}))
    assert spec.settings["loss"] == {"name": "focal", "settings": {"gamma": 2.0}}
    assert methods["net"].validate(spec.settings)["loss"] == Spec.of(("focal", {"gamma": 2.0}))
    with pytest.raises(UnknownNameError, match="Did you mean 'focal'"):
        methods["net"].validate({"loss": "fokal"})
    assert losses.make(("focal", {"gamma": 1})) == 1.0


def test_unknown_names_are_answered_with_the_nearest(kinds):
    with pytest.raises(UnknownNameError, match=r"no method named 'nett'\. Did you mean 'net'"):
        kinds[1]["nett"]
    assert kinds[1].get("nett") is None
    assert "nett" not in kinds[1]


def test_two_entries_of_one_name_are_refused_naming_both(kinds):
    losses, _ = kinds

    def other(*, x: int = 1):
        """Do something else."""

    other.__module__ = "elsewhere"
    with pytest.raises(PluginError, match=r"'focal'.*test_registry.*elsewhere"):
        losses.add("focal", title="Other")(other)


def test_bad_signatures_are_refused_when_declared(kinds):
    losses, _ = kinds
    for annotation in (dict, "int | None", np.ndarray):

        def bad(*, x=1):
            """Bad."""

        bad.__annotations__["x"] = annotation
        bad.__kwdefaults__ = {"x": 1}
        with pytest.raises(PluginError, match="'x'"):
            losses.add("bad", title="Bad")(bad)

    def sponge(**settings):
        """Take anything."""

    with pytest.raises(PluginError, match="name every setting"):
        losses.add("sponge", title="Sponge")(sponge)

    def reserved(*, channel: int = 0):
        """Use a word of the verb."""

    with pytest.raises(PluginError, match="keeps for itself"):
        reg.Registry("methods", "method").add("reserved", title="Reserved")(reserved)
    losses.add("free", title="Free")(reserved)


def either(
    *,
    count: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto",
    rate: float | Literal["auto"] = 0.5,
    patch: tuple[float, ...] | Literal["auto"] = "auto",
    start: Path | Literal["none"] = "none",
):
    """Decide.

    Parameters
    ----------
    count : int or "auto"
        Number of rounds.
    """


def test_a_setting_may_be_a_literal_or_a_value():
    entry = Entry("methods", "either", "Either", either)
    assert entry.validate({}) == {"count": "auto", "rate": 0.5, "patch": "auto", "start": "none"}
    given = {"count": "3", "rate": "auto", "patch": ["1", 2], "start": "a/b"}
    assert entry.validate(given) == {
        "count": 3, "rate": "auto", "patch": (1.0, 2.0), "start": Path("a/b"),
    }  # fmt: skip
    assert entry.schema()["properties"]["count"]["description"] == "Number of rounds."
    for wrong in (
        {"count": 0}, {"count": "none"}, {"rate": float("inf")}, {"patch": "1"}, {"patch": [None]},
    ):  # fmt: skip
        with pytest.raises(SettingError, match=f"The setting '{min(wrong)}' of"):
            entry.validate(wrong)
    with pytest.raises(SettingError, match="should be 'auto', or input should be a valid integer"):
        entry.validate({"count": "many"})


@pytest.mark.parametrize("settings", [{}, {"count": 3, "patch": [1.5], "start": "a"}])
def test_literals_and_values_survive_json_and_yaml(settings):
    entry = Entry("methods", "either", "Either", either)
    recipe = Recipe(method=entry.spec(settings))
    for text in (recipe.to_json(), recipe.to_yaml()):
        again = Recipe.from_text(text)
        assert again == recipe
        assert entry.validate(again.method.settings) == entry.validate(settings)


def test_a_union_without_a_literal_is_refused(kinds):
    with pytest.raises(PluginError, match=r"int \| Literal\['auto'\]"):

        @kinds[0].add("two", title="Two")
        def two(*, x: int | float = 1):
            """Two."""


def test_nested_lists_are_arrays():
    image = [[0, 0, 9], [0, 9, 9]]
    assert reg.methods["otsu"](image).tolist() == [[False, False, True], [False, True, True]]
    for spacing in ([1, 1], np.ones(2)):
        assert reg.cleanups["fill_holes"](image, spacing).tolist() == image
        assert reg.cleanups["dilate"](labels=image, spacing=spacing, radius=0.5).tolist() == image
    assert reg.filters["invert"](image).tolist() == [[9, 9, 0], [9, 0, 0]]
    assert reg.filters["gaussian"](image, [1.0, 2.0], sigma=0.0).shape == (2, 3)


PLUGIN = '''
from typing import Annotated
import numpy as np
from pydantic import Field
from napari_segment.registry import losses, methods

@methods.add("brightest", title="Brightest", gives="mask")
def brightest(image, *, share: Annotated[float, Field(gt=0, lt=1)] = 0.1):
    """Take the brightest share of all voxels."""
    return image >= np.quantile(image, 1 - share)

@losses.add("lab_mse", title="Lab MSE")
def lab_mse(*, weight: float = 1.0):
    """Square the difference."""
    return lambda logits, target: weight * ((logits.sigmoid() - target) ** 2).mean()
'''
BROKEN = """
from napari_segment.registry import methods

@methods.add("half", title="Half", gives="mask")
def half(image):
    "Half a plug-in."

import a_package_that_is_not_there
"""


@pytest.fixture
def plugin_packages(tmp_path):
    """Install two small packages: one whole, one that fails to import."""
    for name, code in (("my_lab", PLUGIN), ("broken_lab", BROKEN)):
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[napari_segment]\n{name} = {name}\n")
    return tmp_path


def run_python(code: str, path) -> str:
    import os
    import subprocess

    env = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_third_party_entries_work_and_broken_ones_harm_nobody(plugin_packages):
    out = run_python(
        "import numpy as np, napari_segment as ns\n"
        "from napari_segment.registry import broken_plugins\n"
        "labels = ns.segment(np.arange(100.0).reshape(10, 10), 'brightest', share=0.2)\n"
        "print(int(np.asarray(labels).sum()), labels.recipe.method.settings)\n"
        "print('half' in ns.methods, 'otsu' in ns.methods, 'lab_mse' in ns.losses)\n"
        "print(broken_plugins())\n",
        plugin_packages,
    )
    first, second, third = out.splitlines()
    assert first == "20 {'share': 0.2}"
    assert second == "False True True"
    assert "broken_lab" in third
    assert "a_package_that_is_not_there" in third


@pytest.mark.parametrize("shape", [(7,), (2, 3, 4, 5)])
def test_cleanups_refuse_labels_of_other_dimensions(shape):
    for entry in reg.cleanups.values():
        with pytest.raises(InputError, match=f"not {len(shape)}-D"):
            entry(np.ones(shape, int))


def test_a_thread_that_comes_while_plugins_load_sees_them_all(plugin_packages):
    slow = "import time; time.sleep(0.5)\n" + PLUGIN
    (plugin_packages / "my_lab.py").write_text(slow)
    out = run_python(
        "import sys, threading, time\n"
        "from napari_segment.registry import load_plugins, methods\n"
        "first = threading.Thread(target=load_plugins)\n"
        "first.start()\n"
        "while 'my_lab' not in sys.modules: time.sleep(0.01)\n"
        "print('brightest' in methods)\n",
        plugin_packages,
    )
    assert out.split() == ["True"]


def test_plugins_are_loaded_again_where_our_own_did_not_load():
    out = run_python(
        "from napari_segment.registry import methods, plugins\n"
        "load = plugins._load\n"
        "def fails(*_): raise ImportError('no disk')\n"
        "for plugins._load in (fails, load):\n"
        "    try: print('otsu' in methods)\n"
        "    except ImportError as error: print(error)\n",
        "",
    )
    assert out.splitlines() == ["no disk", "True"]


def test_importing_the_package_is_light():
    out = run_python(
        "import sys, napari_segment\n"
        "heavy = {'torch', 'napari', 'skimage', 'scipy', 'pandas', 'dask', 'numba', 'monai'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "napari_segment.methods['otsu']\n"
        "print(sorted(heavy & set(sys.modules)))\n",
        "",
    )
    assert out.splitlines() == ["[]", "[]"]


@pytest.mark.parametrize("kind", list(reg.REGISTRIES))
def test_every_entry_has_title_help_and_described_settings(kind):
    for entry in reg.REGISTRIES[kind].values():
        assert entry.title, entry.name
        assert entry.help.endswith("."), entry.name
        for name, field in entry.schema().get("properties", {}).items():
            assert field.get("description"), (kind, entry.name, name)


@pytest.mark.parametrize("kind", reg.REGISTRIES)
def test_every_setting_of_every_entry_is_described(kind):
    lacking = [
        f"{entry.name}.{name}"
        for entry in reg.REGISTRIES[kind].values()
        for name, field in entry.settings.model_fields.items()
        if not (field.description or "").strip()
    ]
    assert not lacking


def test_a_description_that_entries_share_stands_in_their_type():
    docs = {(entry.name, function): entry for entry, function in functions_of_entries()}
    texts = Counter(
        (param.arg_name, " ".join(param.description.split()))
        for entry in docs.values()
        for param in parse(entry.function.__doc__ or "").params
        if param.arg_name in entry.settings.model_fields
    )
    assert [text for text, count in texts.items() if count > 1] == []


def functions_of_entries():
    """Each entry once, though a function may make a filter and a method of its name."""
    for registry in reg.REGISTRIES.values():
        for entry in registry.values():
            yield entry, entry.function.__module__


def test_a_description_comes_from_the_docstring_else_from_the_type():
    def method(image, *, sigma: Sigma = 1.0, width: Sigma = 1.0, side: Side = "auto"):
        """Do something.

        Parameters
        ----------
        width : float
            Width of the box.
        """
        return image

    entry = reg.Entry("methods", "method", "Method", method)
    described = {n: p["description"] for n, p in entry.schema()["properties"].items()}
    assert described == {
        "sigma": "Standard deviation.",
        "width": "Width of the box.",
        "side": "Length of a side.",
    }

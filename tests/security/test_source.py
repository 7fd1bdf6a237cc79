"""No call of the source runs what a file holds."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "napari_segment"
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads",
    "pickle.Unpickler", "marshal.loads", "joblib.load", "dill.load", "shelve.open", "yaml.load",
    "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "torch.jit.load", "torch.hub.load",
    "pandas.read_pickle", "pd.read_pickle", "runpy.run_path",
}  # fmt: skip

# These talk over a pipe with a process that they started, or were started by; no file is read so.
PIPES = {"api/batch/child.py", "api/batch/processes.py"}


def dotted(node):
    """The name of what is called, as far as it is one."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def is_constant(call, name, value):
    given = [k.value for k in call.keywords if k.arg == name]
    return bool(given) and isinstance(given[0], ast.Constant) and given[0].value is value


def faults(text):
    for call in (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)):
        name = dotted(call.func)
        keywords = {k.arg for k in call.keywords}
        if name in FORBIDDEN:
            yield name
        elif name == "torch.load" and not is_constant(call, "weights_only", True):
            yield "torch.load without weights_only=True"
        elif "allow_pickle" in keywords and not is_constant(call, "allow_pickle", False):
            yield "allow_pickle"
        elif "shell" in keywords and not is_constant(call, "shell", False):
            yield "shell"
        elif "trust_remote_code" in keywords or (name.endswith("extractall") and "tar" in name):
            yield name


@pytest.mark.parametrize(
    "wrong",
    [
        "eval('1')", "torch.load(f)", "torch.load(f, weights_only=False)", "yaml.load(t, Loader=L)",
        "np.load(f, allow_pickle=True)", "np.load(f, allow_pickle=x)", "os.system('ls')",
        "subprocess.run('ls', shell=True)", "pickle.loads(b)",
        "AutoModel.x(trust_remote_code=True)",
    ],
)  # fmt: skip
def test_what_is_forbidden_is_seen(wrong):
    assert list(faults(wrong))
    assert not list(faults("net.eval(); np.load(f); torch.load(f, weights_only=True)"))


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda f: f.stem)
def test_no_file_runs_what_it_reads(file):
    allowed = {"pickle.load"} if file.relative_to(SOURCE).as_posix() in PIPES else set()
    assert not set(faults(file.read_text("utf-8"))) - allowed


def test_subprocesses_are_started_with_a_safe_path():
    """Every start of Python names -P; `sys.executable` stands in a list with it."""
    for file in SOURCE.rglob("*.py"):
        text = file.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and dotted(node) == "sys.executable":
                line = text.splitlines()[node.lineno - 1]
                started = "started with" not in line and "print" not in line
                assert not started or '"-P"' in line, f"{file.name}: {line.strip()}"

"""The command that compiles in advance."""

import pytest

from napari_segment import api
from napari_segment.cli import main
from napari_segment.step import Step


@pytest.mark.parametrize("done", [True, False])
def test_in_the_background_it_is_done_once(monkeypatch, capsys, done):
    def steps():
        yield Step(0, 7, "compiling")
        return 7

    monkeypatch.setattr(api, "is_compiled", lambda: done)
    monkeypatch.setattr(api, "compile_kernels_steps", steps)
    monkeypatch.setattr("os.nice", lambda number: number, raising=False)
    assert main(["compile", "--background"]) == 0
    assert capsys.readouterr().out.startswith("" if done else "7 calls in 0 s")
    assert main(["compile"]) == 0
    assert "7 calls in 0 s" in capsys.readouterr().out

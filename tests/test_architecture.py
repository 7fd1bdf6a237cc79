"""No module imports itself over others, and each has its test; import-linter holds the layers."""

from pathlib import Path

import grimp

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "napari_segment"

TYPES_ONLY = {"api/types", "arrays"}


def cycles_of(imports):
    """Strongly connected components of more than one module (Tarjan, iterative)."""
    index, low, stack, on_stack, cycles = {}, {}, [], set(), []
    for root in imports:
        work = [] if root in index else [(root, iter(imports[root]))]
        while work:
            module, targets = work[-1]
            if module not in index:
                index[module] = low[module] = len(index)
                stack.append(module)
                on_stack.add(module)
            for target in targets:
                if target not in index:
                    work.append((target, iter(imports.get(target, ()))))
                    break
                if target in on_stack:
                    low[module] = min(low[module], index[target])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[module])
                if low[module] == index[module]:
                    position = stack.index(module)
                    cycles.append(sorted(stack[position:]))
                    on_stack -= set(stack[position:])
                    del stack[position:]
    return sorted(c for c in cycles if len(c) > 1)


def test_cycles_are_seen():
    """Two cycles that share no module, a chain, and a module that leads into a cycle."""
    imports = {
        "a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": [], "f": ["g"], "g": ["f", "a"],
    }  # fmt: skip
    assert cycles_of(imports) == [["a", "b", "c"], ["f", "g"]]


def test_no_two_modules_import_each_other():
    """Also not over other modules, nor inside functions; imports for types alone are left out."""
    graph = grimp.build_graph("napari_segment", exclude_type_checking_imports=True, cache_dir=None)
    imports = {m: sorted(graph.find_modules_directly_imported_by(m)) for m in sorted(graph.modules)}
    assert len(imports) > 200
    assert cycles_of(imports) == []


def modules_to_test():
    """All but those that are private or compiled: these are tested through who imports them."""
    for path in sorted(SOURCE.rglob("*.py")):
        own = path.name == "__main__.py" or not path.name.startswith("_")
        if own and not path.stem.endswith("_kernels"):
            yield path.relative_to(SOURCE).with_suffix("").as_posix()


def test_every_module_has_its_test():
    lines = (TESTS / "tested_elsewhere.txt").read_text("utf-8").splitlines()
    elsewhere = dict(line.split(": ") for line in lines if not line.startswith("#"))
    listed = set(elsewhere)
    modules = set(modules_to_test())
    own = {m for m in modules if (TESTS / m).with_name(f"test_{Path(m).name}.py").is_file()}
    assert sorted(modules - own - listed - TYPES_ONLY) == [], "write tests/PACKAGE/test_MODULE.py"
    assert sorted(own & listed) == [], "no longer tested elsewhere"
    assert sorted((listed | TYPES_ONLY) - modules) == [], "no longer there"
    assert [test for test in elsewhere.values() if not (TESTS / test).is_file()] == []

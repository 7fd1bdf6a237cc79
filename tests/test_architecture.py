"""No module imports itself over others; `uv run lint-imports` holds the layers."""

import grimp


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

"""The house is kept: no file is long, and no module imports itself by way of others."""

from graphlib import CycleError, TopologicalSorter

import grimp

from tests.conftest import ROOT

MOST_LINES = 400
SOURCES = ROOT / "src" / "keras_repro"


def test_no_file_is_long():
    lines = {
        str(path.relative_to(SOURCES)): len(path.read_text(encoding="utf-8").splitlines())
        for path in SOURCES.rglob("*.py")
    }
    assert len(lines) > 100
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_module_imports_itself_by_way_of_others():
    """Lint sees to circles of folders and files beside each other; here a package's own too."""
    graph = grimp.build_graph("keras_repro", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert "keras_repro.recorder.parity.probe" in imports["keras_repro.recorder.watching"]
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(
            "imported in a circle: " + " -> ".join(reversed(error.args[1]))
        ) from None

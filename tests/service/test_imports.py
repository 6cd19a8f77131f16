"""Imports go one way: a module knows only what stands on a floor below its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "service" / "wgig"

# From the ground up. What stands on one floor does not know its neighbors, so there is no room for a circle.
FLOORS = [
    floor.split()
    for floor in (
        """
        about backup backup.locking durable engines lines markdown.form namespaces outside outside.allowed
        places.json places.spot places.tokens plans presence quiet readers recording records reports.xml
        screening shortcuts steering syntax syntax.grammar wellformed wgig writes writes.changes
        """,
        """
        backup.swap nesting outside.peers places.context places.fits problems settings streaming writes.commit
        writes.journal
        """,
        """
        archive backup.control bodies connections contexts examples formats markdown.faults opening pages
        pages.rule places.jsonld places.turtle plans.plan room rules sparql turns
        """,
        """
        backup.checkpoint backup.manifest codings commands known markdown.outline outside.tables pages.results
        places processes readers.lending records.versions reports syntax.reading tokens unfit using
        writes.premises writes.targets
        """,
        """
        answers backup.backups engines.pyshacl engines.shifty guard markdown.headings markdown.values rdf
        report syntax.patterns syntax.scope syntax.slips writes.trial
        """,
        """
        about.declared about.moved cache diagnosis markdown.graph markdown.statements reports.rdf
        reports.words syntax.unbound view writes.upkeep
        """,
        "about.figures admission inference markdown.body markdown.head readers.wire",
        """
        about.void markdown.keys outside.calls question readers.evaluation readers.holder_link readers.result
        store
        """,
        """
        about.catalog backup.keeping bearer describe federation health labels load lookup markdown.reading
        plans.counting readers.inline readers.reader readers.reader_link syntax.unknown
        """,
        """
        about.portrait hints kinds markdown.writing pages.standing plans.steps readers.generation
        readers.holder records.history running things vocabulary
        """,
        "compact markdown pages.thing plans.advice readers.pool record records.mementos skeleton",
        "explain inlining resource word",
        "discovery documents payload query refusals shapes",
        "beyond direct files openapi placing reports.saying uploads",
        """
        commands.watch meant pages.report reports.github reports.json reports.junit reports.sarif reports.text
        summary
        """,
        "check reports.csv reports.html",
        "bulk conformance validate",
        "board workers",
        "gate shipped",
        "pages.graph writing",
        "graphs update",
        "write",
        "app",
        """
        commands.backup commands.check commands.dump commands.load commands.new commands.queries
        commands.query commands.restore commands.serve commands.stats commands.token
        """,
        "cli",
        "__main__",
    )
]
HEIGHT = {module: height for height, floor in enumerate(FLOORS) for module in floor}


def name_of(path: Path) -> str:
    """The name of a module below the package, the package itself being `wgig`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "wgig"


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(module: str) -> Iterator[str]:
    """The modules of the package that a module imports, also inside of functions."""
    path = MODULES[module]
    folders = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = [*folders[: len(folders) - node.level + 1], *(node.module or "").split(".")]
            origin = ".".join(filter(None, above))
            for one in node.names:
                inside = f"{origin}.{one.name}".lstrip(".")
                yield inside if inside in MODULES else origin or "wgig"


def test_every_module_has_its_floor() -> None:
    assert sorted(HEIGHT) == sorted(MODULES)
    assert len(HEIGHT) == sum(map(len, FLOORS))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below(module: str) -> None:
    assert not [one for one in imported(module) if HEIGHT[one] >= HEIGHT[module]]


def test_the_package_names_itself_by_dots_alone() -> None:
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [name for name in named if name.split(".")[0] == "wgig"], path

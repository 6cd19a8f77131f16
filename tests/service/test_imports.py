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
        about allocating arguments backup backup.locking catalogues citing client.address
        client.report client.terms client.triples dumps durable engines feeds feeds.xml
        feeds.zones form index index.mark index.words lines lists markdown.form mcp mcp.budget
        namespaces outside outside.allowed pages.scripts places.json places.spot
        places.tokens plans presence profiles profiles.dublin readers reconcile recording
        records remembering reports.xml routing screening shared shared.access shared.position
        steering stream stream.states syntax syntax.grammar tables turning wellformed wgig writes
        writes.changes
        """,
        """
        backup.swap client.errors client.rows computed layout lists.table metrics nesting
        outside.peers places.context places.fits problems settings shared.ground shared.numbers
        sides streaming tracing usage writes.commit writes.journal writes.marks writes.packing
        """,
        """
        archive backup.control bodies client.connection contexts counting examples formats
        index.asked index.entries lists.shown logs markdown.faults near opening pages.rule
        places.jsonld places.turtle plans.plan room rules shared.words shortcuts sparql
        tables.columns turns writes.scratch
        """,
        """
        backup.checkpoint backup.manifest binding citing.citation codings commands form.asked
        index.file index.snippets known languages links markdown.outline mcp.strict noting
        outside.tables parameters places processes profiles.profile quiet readers.lending
        records.versions reports shared.client shared.dialects syntax.reading tables.csvw tokens
        typed unfit using writes.premises writes.targets
        """,
        """
        backup.backups commands.queries commands.token engines.pyshacl engines.shifty guard
        index.finding issuer lists.asked markdown.headings markdown.unheld markdown.values
        profiles.wish rdf report shared.body speaking syntax.patterns syntax.scope syntax.slips
        writes.trial
        """,
        """
        about.declared about.moved answers choosing commands.restore diagnosis form.choices
        form.draft kinds limits lists.schemas lists.selection markdown.graph markdown.statements
        pages.days profiles.subject reports.rdf reports.words syntax.unbound view writes.upkeep
        """,
        """
        about.figures admission connections feeds.atom form.layout index.filling inference
        licenses lookup markdown.body markdown.head pages pages.ways profiles.schema_org
        readers.wire shared.results
        """,
        """
        about.counting about.void form.filled form.words markdown.keys outside.calls pages.found
        pages.naming pages.picture pages.results paging profiles.links profiles.mapped question
        readers.evaluation readers.holder_link readers.result shared.engine shared.reading
        tables.parquet transactions
        """,
        """
        about.catalog federation form.sent form.source jobs.void markdown.reading opensearch
        pages.around profiles.listing queried readers.answerers readers.reader
        readers.reader_link shared.claims shared.converting shared.texts store
        """,
        """
        about.portrait backup.keeping bearer cache cells census describe dumps.files
        form.changing form.people health index.keeping labels load markdown.writing
        plans.counting readers.generation readers.holder readers.inline records.history
        shared.ledger shared.versions shelf syntax.unknown
        """,
        """
        commands.backup dumps.download exposition form.stating hints index.narrowing lists.found
        markdown pages.gist pages.papers pages.standing plans.steps readers.pool reconcile.names
        record records.mementos records.told running shared.copying shared.turn skeleton
        stream.file stream.members things vocabulary
        """,
        """
        citing.versions commands.new compact facts lists.writing matrix pages.columns
        pages.thing pages.vocabulary plans.advice reconcile.queries records.differences
        reloading seats shared.sharing stream.log within word
        """,
        """
        explain frames inlining pages.matrix pages.sections reconcile.candidates
        reconcile.extending represent schemas shared.joining stream.last stream.look
        stream.nodes
        """,
        """
        discovery documents folders payload query reconcile.suggesting resource search
        shared.store sheet stream.keeping
        """,
        """
        beyond catalog client.graph doc existing feeds.paging files happening people placing
        reconciliation reports.saying shapes shared.replicas stream.events tables.lists uploads
        """,
        """
        citing.content cli client commands.watch coverage feeds.findings feeds.meetings
        feeds.news feeds.sitemap form.placed listing meant pages.report pages.timeline refusals
        reports.github reports.json reports.junit reports.sarif reports.text summary
        """,
        """
        __main__ check direct editing form.differing form.unheld form.unruled mcp.tools pages.chart
        queries reports.csv reports.html shared.datasets shared.following
        """,
        "bulk conformance form.work home mcp.server operations shared.passing timeline validate",
        "board form.view openapi workers",
        "commands.check form.page gate jobs jobs.quads shipped",
        """
        citing.past commands.bulk commands.dump commands.load commands.query commands.stats
        form.taking jobs.lines pages.graph writing
        """,
        "citing.found form.saving graphs jobs.counting jobs.processes jobs.session update",
        "citing.cite form.begin jobs.spark write",
        "form.answering",
        "app",
        "commands.serve mcp.inside",
        "commands.mcp",
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

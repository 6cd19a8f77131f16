"""The queries, tables and links in the README are correct."""

import re
import textwrap
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import SH
from wgig.app import ROUTES
from wgig.settings import SHIPPED_FOLDER

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
QUERIES_AND_RESULTS = re.findall(r"```sparql\n(.*?)```\n\n```csv\n(.*?)```", README, re.DOTALL)


def test_readme_shows_three_queries() -> None:
    assert len(QUERIES_AND_RESULTS) == 3


@pytest.mark.parametrize(("query", "expected_csv"), QUERIES_AND_RESULTS)
def test_query_has_the_result_that_the_readme_shows(
    query: str, expected_csv: str, shipped_store: ox.Store
) -> None:
    results = shipped_store.query(query, use_default_graph_as_union=True)
    assert isinstance(results, ox.QuerySolutions)
    csv = results.serialize(format=ox.QueryResultsFormat.CSV)
    assert csv is not None
    assert csv.decode().replace("\r\n", "\n") == expected_csv


def test_paper_in_the_readme_conforms_to_the_shapes() -> None:
    turtle = README.partition("```turtle\n")[2].partition("```")[0]
    data, shapes = rdflib.Graph(), rdflib.Graph()
    data.parse(data=textwrap.dedent(turtle), format="turtle")
    for name in ("data/issues", "data/documents", "ontology/wgig"):
        data.parse(SHIPPED_FOLDER / f"{name}.ttl")
    for name in ("paper", "source"):
        shapes.parse(SHIPPED_FOLDER / "shapes" / f"{name}.ttl")
    paper = rdflib.URIRef("https://w3id.org/wgig/id/paper/wp-example")
    assert (paper, None, None) in data
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes)
    assert isinstance(report, rdflib.Graph)
    assert not {node for node in report.objects(None, SH.focusNode) if "wp-example" in str(node)}


def test_table_of_paths_matches_the_routes() -> None:
    table = README.partition("| path | what you get |\n")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()]
    listed_paths = {name for cell in cells for name in re.findall(r"`(/\w+)", cell)}
    # The home page and static files are not listed.
    assert listed_paths == {match[0] for path, *_ in ROUTES if (match := re.match(r"/\w+", path))} - {
        "/static"
    }


def test_layout_names_folders_that_exist() -> None:
    root = Path(__file__).parents[1]
    tree = README.partition("## The whole system\n\n```\n")[2].partition("```")[0]
    assert tree
    for line in tree.splitlines():
        folder = line.split()[0]
        assert (root / folder).is_dir() or (root / "data" / folder).is_dir(), folder


def test_every_page_of_the_docs_is_linked_and_every_link_has_a_target() -> None:
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\((docs/[^)#]+\.md)(?:#([^)]+))?\)", README)
    pictures = re.findall(r"!\[[^]]+\]\((docs/[^)]+)\)", README)
    assert pictures
    assert all((root / path).is_file() for path in pictures)
    pages = {
        page.relative_to(root).as_posix() for page in root.glob("docs/*/*.md") if page.name != "README.md"
    }
    assert {path for path, _ in links} >= {"docs/README.md", *pages}
    for path, fragment in links:
        titles = re.findall(r"^#+ (.*)$", (root / path).read_text(encoding="utf-8"), re.MULTILINE)
        anchors = [title.lower().replace(" ", "-") for title in titles]
        assert not fragment or fragment in anchors, (path, fragment)


def test_every_row_of_the_table_of_users_links_to_a_page() -> None:
    table = README.partition("| you are | your page |\n")[2].partition("\n\n")[0]
    assert len(re.findall(r"^\| [^|]+ \| \[[^]]+\]\(docs/", table, re.MULTILINE)) == table.count("\n")

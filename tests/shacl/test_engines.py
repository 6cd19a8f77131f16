"""Both engines find the same, and what they find in a paper alone they find with the whole vocabulary."""

import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import TURTLE
from wgig.rdf.namespaces import BASE_IRI, RDF_TYPE, WGIG_NAMESPACE
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER
from wgig.shacl.check import engine_input_triples
from wgig.shacl.engines import ENGINE_NAMES, get_shacl_engine
from wgig.shacl.results import ValidationResult
from wgig.shacl.rules import NON_SHACL_COMPONENT, rules_by_code

pytestmark = pytest.mark.slow

PAPERS = 2000
SAMPLE = 200  # of them, by the reference engine; all of them where there is time
EXAMPLES = sorted(
    [*SHIPPED_FOLDER.glob("shapes/examples/issue-paper/*.ttl"), *SHIPPED_FOLDER.glob("data/examples/*.ttl")]
)

XSD = "http://www.w3.org/2001/XMLSchema#"
BEYOND = {code for code, rule in rules_by_code().items() if rule.component == NON_SHACL_COMPONENT}

PAGES = "http://purl.org/ontology/bibo/numPages"
LANGUAGE = "https://schema.org/inLanguage"
POSTED, DECIDES = f"{WGIG_NAMESPACE}posted", f"{WGIG_NAMESPACE}makesDecisions"


# The module to run is in the folder from which it is run.
FOUND_HERE = os.environ | {"PYTHONSAFEPATH": ""}


@pytest.fixture(scope="module", params=[SAMPLE, pytest.param(PAPERS, marks=pytest.mark.long)])
def compared(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """What two processes, side by side, found in generated and mutated papers."""
    half = PAPERS // 2
    command = [sys.executable, "-m", "tests.fixtures.agreement"]
    halves = [
        subprocess.Popen(
            [*command, str(first), str(half), str(request.param // 2)],
            cwd=CHECKOUT_FOLDER,
            env=FOUND_HERE,
            stdout=subprocess.PIPE,
        )
        for first in (0, half)
    ]
    return [json.loads(one.communicate()[0]) for one in halves]


def test_the_engines_find_the_same_in_generated_and_mutated_papers(compared: list[dict[str, Any]]) -> None:
    assert not [line for half in compared for line in half["engines"]]


def test_a_paper_alone_is_judged_as_with_all_that_is_shipped(compared: list[dict[str, Any]]) -> None:
    assert not [line for half in compared for line in half["vocabularies"]]


def test_the_papers_break_each_rule_that_is_a_shape(compared: list[dict[str, Any]]) -> None:
    broken = sum((Counter(half["broken"]) for half in compared), Counter[str]())
    assert rules_by_code().keys() - broken.keys() == BEYOND


def apart(number: int, path: Path) -> list[ox.Triple]:
    """The triples of an example as an engine gets them, its made-up things having names of their own."""
    text = re.sub(r"\b(paper|agent|membership):example", rf"\1:example-{number}", path.read_text())
    return list(engine_input_triples(read_paper_document(path.name, text.encode(), TURTLE)))


@pytest.fixture(scope="module")
def found_in_examples() -> dict[str, set[ValidationResult]]:
    """What each engine finds in the examples, which are one graph."""
    triples = [one for number, path in enumerate(EXAMPLES) for one in apart(number, path)]
    return {name: get_shacl_engine(name)(triples) for name in ENGINE_NAMES}


def test_the_engines_find_the_same_in_all_examples(
    found_in_examples: dict[str, set[ValidationResult]],
) -> None:
    assert found_in_examples["shifty"] ^ found_in_examples["pyshacl"] == set()


@pytest.fixture(scope="module", params=ENGINE_NAMES)
def broken(
    request: pytest.FixtureRequest, found_in_examples: dict[str, set[ValidationResult]]
) -> dict[str, set[str]]:
    """The codes that an engine finds in each example, by the names of the examples."""
    found: dict[str, set[str]] = {path.stem: set() for path in EXAMPLES}
    for result in found_in_examples[request.param]:
        whose = re.search(r"/example-(\d+)", result.focus.value)
        assert whose, f"a finding outside of the examples: {result}"
        found[EXAMPLES[int(whose[1])].stem].add(result.code)
    return found


@pytest.mark.parametrize("code", sorted(rules_by_code()))
def test_an_engine_finds_in_the_example_of_a_rule_that_rule_alone(
    code: str, broken: dict[str, set[str]]
) -> None:
    assert broken[f"bad-{code}"] == ({code} if code not in BEYOND else set())


def paper(number: int, property_: str, kind: str, text: str) -> list[ox.Triple]:
    """A paper with a forum, one of them with a value."""
    node, forum = (ox.NamedNode(f"{BASE_IRI}id/paper/{number}{end}") for end in ("", "/forum"))
    value = ox.Literal(text, datatype=ox.NamedNode(XSD + kind))
    return [
        ox.Triple(node, RDF_TYPE, ox.NamedNode(f"{WGIG_NAMESPACE}IssuePaper")),
        ox.Triple(node, ox.NamedNode(f"{WGIG_NAMESPACE}forum"), forum),
        ox.Triple(forum if property_ == DECIDES else node, ox.NamedNode(property_), value),
    ]


VALUES = [
    *(
        (PAGES, "integer", text)
        for text in ["4", "04", "+4", "-4", "2", "6", "4.0", "4.", "", " 4 ", "four", "4e0"]
    ),
    *((PAGES, "integer", text) for text in ["9" * 40, "\u0664", "\uff14", "1_0", "--4", "+", "0x4", "-0"]),
    *(
        (PAGES, kind, text)
        for kind in ("int", "decimal", "double", "byte")
        for text in ("4", "6", "4.0", "999", "")
    ),
    *(
        (POSTED, "date", text)
        for text in ["2005-01-20", "2005-01-25", "2005-01-26", "2005-02-30", "2005-1-5", ""]
    ),
    *(
        (POSTED, "date", f"2005-01-2{day}{zone}")
        for day in (3, 4, 5, 6)
        for zone in ["Z", "-14:00", "+14:00"]
    ),
    *(
        (POSTED, "date", f"2005-01-20{end}")
        for end in ["T00:00:00", " ", "z", "+15:00", "+1:00", "+0100", "+01:60"]
    ),
    *(
        (POSTED, "date", text)
        for text in ["20050120", "2005-W03-4", "2005-020", "2005", "+2005-01-20", "02005-01-20"]
    ),
    *((POSTED, kind, "2006-01-20T00:00:00") for kind in ("dateTime", "string", "gYear", "dateTimeStamp")),
    *(
        (LANGUAGE, "string", text)
        for text in [
            "en",
            "EN-us",
            "english",
            "zh-Hant-TW",
            "x-y",
            "en-",
            "",
            "en\n",
            "en\r\n",
            " en",
            "\u0435n",
        ]
    ),
    *(
        (DECIDES, "boolean", text)
        for text in ["true", "false", "1", "0", "TRUE", "yes", " true ", "", "2", "01"]
    ),
]


def test_the_engines_read_a_value_alike_and_say_nothing_beside(caplog: pytest.LogCaptureFixture) -> None:
    papers = [triple for number, value in enumerate(VALUES) for triple in paper(number, *value)]
    assert get_shacl_engine("shifty")(papers) ^ get_shacl_engine("pyshacl")(papers) == set()
    assert not caplog.records


@pytest.mark.parametrize(
    ("property_", "kind", "text"),
    [
        pytest.param(
            POSTED, "date", "-2005-01-20", marks=pytest.mark.xfail(reason="Python has no such year.")
        ),
        pytest.param(
            POSTED, "date", "12005-01-20", marks=pytest.mark.xfail(reason="Python has no such year.")
        ),
        pytest.param(
            PAGES, "integer", "9" * 4001, marks=pytest.mark.xfail(reason="Python reads 4,300 digits.")
        ),
    ],
)
def test_the_engines_differ_on_values_that_no_paper_has(property_: str, kind: str, text: str) -> None:
    triples = paper(1, property_, kind, text)
    assert get_shacl_engine("shifty")(triples) == get_shacl_engine("pyshacl")(triples)


@pytest.mark.parametrize("name", ENGINE_NAMES)
@pytest.mark.parametrize(
    ("decides", "codes"),
    [
        ("true", {"WGIG-5B-PROCEDURE-MISSING"}),
        ("1", {"WGIG-5B-PROCEDURE-MISSING"}),
        ("false", set()),
        ("0", set()),
        ("yes", {"WGIG-5B-DECIDES-VALUE"}),
    ],
)
def test_a_forum_that_decides_has_a_procedure_however_that_is_written(
    name: str, decides: str, codes: set[str]
) -> None:
    found = {one.code for one in get_shacl_engine(name)(paper(1, DECIDES, "boolean", decides))}
    assert found & {"WGIG-5B-PROCEDURE-MISSING", "WGIG-5B-DECIDES-VALUE"} == codes


@pytest.mark.parametrize("normalizing", [True, False])
def test_the_reference_engine_leaves_rdflib_as_it_was(
    normalizing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", normalizing)
    get_shacl_engine("pyshacl")(paper(1, PAGES, "integer", "04"))
    assert rdflib.NORMALIZE_LITERALS is normalizing


def test_no_engine_follows_an_import() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/shapes.ttl"
        imports = ox.NamedNode("http://www.w3.org/2002/07/owl#imports")
        asking = ox.Triple(ox.NamedNode(f"{BASE_IRI}shapes"), imports, ox.NamedNode(address))
        for name in ENGINE_NAMES:
            get_shacl_engine(name)([asking, *paper(1, PAGES, "integer", "4")])
        with pytest.raises(BlockingIOError):
            server.accept()

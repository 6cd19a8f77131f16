"""Both engines return the same results.

An engine adds the vocabulary, an extract of the bundled graphs, to the triples of papers.
"""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import TURTLE
from wgig.rdf.namespaces import RDF_TYPE, WGIG_NAMESPACE
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER
from wgig.shacl.check import engine_input_triples
from wgig.shacl.engines import ENGINE_NAMES, get_shacl_engine
from wgig.shacl.results import ValidationResult
from wgig.shacl.rules import NON_SHACL_COMPONENT, rules_by_code
from wgig_client.namespaces import BASE_IRI

pytestmark = pytest.mark.slow

# Ranges of generated papers: the number of the first, and their count. The long test has those that together
# break every rule; for more: `python -m tests.fixtures.agreement 0 2000`.
FIRST_PAPERS = "0 100"
PAPERS_THAT_BREAK_EVERY_RULE = pytest.param("100 200 400 200 1300 100", marks=pytest.mark.long)
EXAMPLES = sorted(
    [*SHIPPED_FOLDER.glob("shapes/examples/issue-paper/*.ttl"), *SHIPPED_FOLDER.glob("data/examples/*.ttl")]
)

XSD = "http://www.w3.org/2001/XMLSchema#"
NON_SHACL_CODES = {code for code, rule in rules_by_code().items() if rule.component == NON_SHACL_COMPONENT}

# The properties of VALUES.
PAGES_IRI = "http://purl.org/ontology/bibo/numPages"
LANGUAGE_IRI = "https://schema.org/inLanguage"
POSTED_IRI, DECIDES_IRI = f"{WGIG_NAMESPACE}posted", f"{WGIG_NAMESPACE}makesDecisions"


# Lets python -m import the module from the current folder.
ENVIRONMENT = os.environ | {"PYTHONSAFEPATH": ""}
AGREEMENT_COMMAND = [sys.executable, "-m", "tests.fixtures.agreement"]


@pytest.fixture(scope="module", params=[FIRST_PAPERS, PAPERS_THAT_BREAK_EVERY_RULE])
def comparison(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The output of a process that compares the engines on ranges of generated and mutated papers.

    It has the differences between the engines, those between the vocabulary and all bundled graphs, and the
    number of violations of each rule.
    """
    process = subprocess.run(
        [*AGREEMENT_COMMAND, *request.param.split()],
        cwd=CHECKOUT_FOLDER,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        check=True,
    )
    output: dict[str, Any] = json.loads(process.stdout)
    return output


def test_the_engines_agree_on_generated_and_mutated_papers(comparison: dict[str, Any]) -> None:
    assert not comparison["engines"]


def test_results_are_the_same_with_the_vocabulary_and_with_all_bundled_graphs(
    comparison: dict[str, Any],
) -> None:
    assert not comparison["vocabularies"]


@pytest.mark.parametrize("comparison", [PAPERS_THAT_BREAK_EVERY_RULE], indirect=True)
def test_generated_papers_break_every_shacl_rule(comparison: dict[str, Any]) -> None:
    assert rules_by_code().keys() - comparison["broken"].keys() == NON_SHACL_CODES


def read_renamed_example(number: int, path: Path) -> list[ox.Triple]:
    """The triples of an example as an engine gets them, with a number in the IRIs of its own resources."""
    text = re.sub(r"\b(paper|agent|membership):example", rf"\1:example-{number}", path.read_text())
    return list(engine_input_triples(read_paper_document(path.name, text.encode(), TURTLE)))


@pytest.fixture(scope="module")
def example_results() -> dict[str, set[ValidationResult]]:
    """The results of each engine for a graph of all examples."""
    triples = [
        triple for number, path in enumerate(EXAMPLES) for triple in read_renamed_example(number, path)
    ]
    return {name: get_shacl_engine(name)(triples) for name in ENGINE_NAMES}


def test_the_engines_agree_on_all_examples(
    example_results: dict[str, set[ValidationResult]],
) -> None:
    assert example_results["shifty"] ^ example_results["pyshacl"] == set()


@pytest.fixture(scope="module", params=ENGINE_NAMES)
def codes_by_example(
    request: pytest.FixtureRequest, example_results: dict[str, set[ValidationResult]]
) -> dict[str, set[str]]:
    """The codes of the rules that each example breaks by one engine, by the name of the example."""
    codes: dict[str, set[str]] = {path.stem: set() for path in EXAMPLES}
    for result in example_results[request.param]:
        match = re.search(r"/example-(\d+)", result.focus.value)
        assert match, f"a finding outside of the examples: {result}"
        codes[EXAMPLES[int(match[1])].stem].add(result.code)
    return codes


@pytest.mark.parametrize("code", sorted(rules_by_code()))
def test_the_bad_example_of_a_rule_breaks_only_that_rule(
    code: str, codes_by_example: dict[str, set[str]]
) -> None:
    assert codes_by_example[f"bad-{code}"] == ({code} if code not in NON_SHACL_CODES else set())


def build_paper_triples(number: int, property_: str, datatype: str, text: str) -> list[ox.Triple]:
    """A paper with a forum, and a value of this property of the forum (DECIDES_IRI) or of the paper."""
    paper, forum = (ox.NamedNode(f"{BASE_IRI}id/paper/{number}{suffix}") for suffix in ("", "/forum"))
    value = ox.Literal(text, datatype=ox.NamedNode(XSD + datatype))
    return [
        ox.Triple(paper, RDF_TYPE, ox.NamedNode(f"{WGIG_NAMESPACE}IssuePaper")),
        ox.Triple(paper, ox.NamedNode(f"{WGIG_NAMESPACE}forum"), forum),
        ox.Triple(forum if property_ == DECIDES_IRI else paper, ox.NamedNode(property_), value),
    ]


# Valid and invalid values: the property, the local name of the datatype, and the text.
VALUES = [
    *(
        (PAGES_IRI, "integer", text)
        for text in ["4", "04", "+4", "-4", "2", "6", "4.0", "4.", "", " 4 ", "four", "4e0"]
    ),
    *(
        (PAGES_IRI, "integer", text)
        for text in ["9" * 40, "\u0664", "\uff14", "1_0", "--4", "+", "0x4", "-0"]
    ),
    *(
        (PAGES_IRI, datatype, text)
        for datatype in ("int", "decimal", "double", "byte")
        for text in ("4", "6", "4.0", "999", "")
    ),
    *(
        (POSTED_IRI, "date", text)
        for text in ["2005-01-20", "2005-01-25", "2005-01-26", "2005-02-30", "2005-1-5", ""]
    ),
    *(
        (POSTED_IRI, "date", f"2005-01-2{day}{zone}")
        for day in (3, 4, 5, 6)
        for zone in ["Z", "-14:00", "+14:00"]
    ),
    *(
        (POSTED_IRI, "date", f"2005-01-20{end}")
        for end in ["T00:00:00", " ", "z", "+15:00", "+1:00", "+0100", "+01:60"]
    ),
    *(
        (POSTED_IRI, "date", text)
        for text in ["20050120", "2005-W03-4", "2005-020", "2005", "+2005-01-20", "02005-01-20"]
    ),
    *(
        (POSTED_IRI, datatype, "2006-01-20T00:00:00")
        for datatype in ("dateTime", "string", "gYear", "dateTimeStamp")
    ),
    *(
        (LANGUAGE_IRI, "string", text)
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
        (DECIDES_IRI, "boolean", text)
        for text in ["true", "false", "1", "0", "TRUE", "yes", " true ", "", "2", "01"]
    ),
]


def test_the_engines_agree_on_values_and_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    triples = [
        triple for number, value in enumerate(VALUES) for triple in build_paper_triples(number, *value)
    ]
    assert get_shacl_engine("shifty")(triples) ^ get_shacl_engine("pyshacl")(triples) == set()
    assert not caplog.records


@pytest.mark.parametrize(
    ("property_", "datatype", "text"),
    [
        pytest.param(
            POSTED_IRI, "date", "-2005-01-20", marks=pytest.mark.xfail(reason="Python has no such year.")
        ),
        pytest.param(
            POSTED_IRI, "date", "12005-01-20", marks=pytest.mark.xfail(reason="Python has no such year.")
        ),
        pytest.param(
            PAGES_IRI,
            "integer",
            "9" * 4001,
            marks=pytest.mark.xfail(reason="The pySHACL engine reads 4,000 digits."),
        ),
    ],
)
def test_the_engines_differ_on_values_that_no_paper_has(property_: str, datatype: str, text: str) -> None:
    triples = build_paper_triples(1, property_, datatype, text)
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
def test_a_forum_that_decides_needs_a_procedure_for_every_boolean_spelling(
    name: str, decides: str, codes: set[str]
) -> None:
    broken_codes = {
        result.code
        for result in get_shacl_engine(name)(build_paper_triples(1, DECIDES_IRI, "boolean", decides))
    }
    assert broken_codes & {"WGIG-5B-PROCEDURE-MISSING", "WGIG-5B-DECIDES-VALUE"} == codes


@pytest.mark.parametrize("is_normalizing", [True, False])
def test_pyshacl_does_not_change_the_settings_of_rdflib(
    is_normalizing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", is_normalizing)
    get_shacl_engine("pyshacl")(build_paper_triples(1, PAGES_IRI, "integer", "04"))
    assert rdflib.NORMALIZE_LITERALS is is_normalizing


def test_no_engine_fetches_an_import() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/shapes.ttl"
        imports = ox.NamedNode("http://www.w3.org/2002/07/owl#imports")
        import_triple = ox.Triple(ox.NamedNode(f"{BASE_IRI}shapes"), imports, ox.NamedNode(url))
        for name in ENGINE_NAMES:
            get_shacl_engine(name)([import_triple, *build_paper_triples(1, PAGES_IRI, "integer", "4")])
        with pytest.raises(BlockingIOError):  # nobody has connected
            server.accept()

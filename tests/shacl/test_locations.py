"""The finding of each bad example points to the line and column of the fault, in every RDF format."""

import json
import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.papers.readers import read_paper_document
from wgig.rdf.formats import JSON_LD, N_TRIPLES, TRIG, TURTLE
from wgig.rdf.namespaces import RDF_TYPE_IRI
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.findings import Finding
from wgig.shacl.rules import Rule, rules_by_code
from wgig.text import TextPosition

EXAMPLES_FOLDER = SHIPPED_FOLDER / "shapes" / "examples" / "issue-paper"
BAD_PATHS = sorted(EXAMPLES_FOLDER.glob("bad-*.ttl"))
ID_NAMESPACE = "https://w3id.org/wgig/id/"

MARK = "‸"  # marks the position that a finding must point to
PREFIX_PATTERN = re.compile(r"@prefix +(\S*:) +<(.*)>")

Terms = tuple[object, ...]  # the first one, two or three terms of a triple
Names = dict[str, str]  # a namespace or keyword by its prefix or short name


def get_broken_rule(path: Path) -> Rule:
    return rules_by_code()[path.stem.removeprefix("bad-")]


def find_only_finding(suffix: str, text: str, rule: Rule) -> Finding:
    """The only finding in a text in the format of a file suffix; it must be of this rule."""
    format_ = {"ttl": TURTLE, "trig": TRIG, "nt": N_TRIPLES, "jsonld": JSON_LD}[suffix]
    findings = check_document(read_paper_document(suffix, text.encode(), format_), "final").findings
    assert [finding.rule.code for finding in findings] == [rule.code]
    return findings[0]


def expected_position(text: str, rule: Rule) -> TextPosition:
    """The position of the fault: an unknown property, or else the value in the line of the fault."""
    number = expected_line(text, rule)
    line = text.split("\n")[number - 1]
    text_before_pattern = r" *" if rule.code == "WGIG-0-TERM-UNKNOWN" else r"(?: +[\w:]+ +(?=[^ ;,.])| *)"
    match = re.match(text_before_pattern, line)
    assert match
    return TextPosition(number, match.end() + 1)


def expected_line(text: str, rule: Rule) -> int:
    """The number of the line of the fault in an example, which has a comment at its change.

    A wrong statement is below the comment; its last value is the fault. If a statement is missing, the block
    around the comment begins with the node that lacks it.
    """
    lines = text.split("\n")
    comment_index = max(
        number
        for number, line in enumerate(lines)
        if line.lstrip().startswith("# ") and is_change_comment(line)
    )
    if lines[comment_index + 1] == "":  # the whole block below was added: an assessment or a foreign resource
        comment_index += 2
        if rule.code != "WGIG-0-FOREIGN":
            comment_index = next(
                number for number in range(comment_index, len(lines)) if "wgig:judges" in lines[number]
            )
        return comment_index + 1
    block_start = max(number for number in range(comment_index) if lines[number] == "") + 1
    if rule.component == "Class" and rule.code.endswith("-KIND"):  # the value lacks its type
        name = re.compile(rf"{re.escape(lines[block_start])} [;,]$")
        return next(number for number, line in enumerate(lines, 1) if name.search(line))
    if rule.code == "WGIG-0-DRAFTER-GROUPS":  # the fault is the paper, whose drafters are of one group
        return lines.index("paper:example") + 1
    if rule.code.endswith(("-MISSING", "-REASON")):
        return block_start + 1
    return (
        next(
            number for number in range(comment_index + 1, len(lines)) if lines[number].endswith((" ;", " ."))
        )
        + 1
    )


def is_change_comment(comment: str) -> bool:
    """Whether a comment is not one of those that all examples have."""
    return comment.strip() not in COMMON_COMMENTS


COMMON_COMMENTS = {line.strip() for line in (EXAMPLES_FOLDER / "ok-final.ttl").read_text().split("\n")} | {
    "# A made-up issue paper. What is wrong is said where it is wrong."
}


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: path.stem)
def test_a_finding_in_turtle_points_to_the_fault(path: Path) -> None:
    text = path.read_text()
    finding = find_only_finding("ttl", text, get_broken_rule(path))
    assert finding.position == expected_position(text, get_broken_rule(path))
    assert finding.line == text.split("\n")[finding.position.line - 1].strip()


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: path.stem)
def test_a_finding_in_trig_points_to_the_fault(path: Path) -> None:
    prefixes, graph_prefix, graph_name_and_body = path.read_text().partition("\ngraph:")
    text = f"{prefixes}\n<https://example.org/graph> {{\n{graph_prefix}{graph_name_and_body}\n}}\n"
    assert find_only_finding("trig", text, get_broken_rule(path)).position == expected_position(
        text, get_broken_rule(path)
    )


def build_json_ld_nodes(triples: list[ox.Triple], marked_terms: Terms, names: Names) -> list[dict[str, Any]]:
    """The triples as nodes of JSON-LD with compact names, and MARK before the last of `marked_terms`.

    `marked_terms` are the terms of a triple up to the marked one.
    """

    def format_name(term: object, *terms: object) -> str:
        """The compact name of a term; `terms` are the terms of its triple up to it."""
        iri = str(term) if isinstance(term, ox.BlankNode) else compact_iri(getattr(term, "value", ""), names)
        return f"{MARK}{iri}" if terms == marked_terms else iri

    def build_value(triple: ox.Triple) -> dict[str, str]:
        value_term = triple.object
        if not isinstance(value_term, ox.Literal):
            return {compact_iri("@id", names): format_name(value_term, *triple)}
        type_or_language = (
            {"@language": value_term.language}
            if value_term.language
            else {compact_iri("@type", names): format_name(value_term.datatype)}
        )
        return {
            "@value": MARK + value_term.value if tuple(triple) == marked_terms else value_term.value
        } | type_or_language

    nodes: dict[object, dict[str, Any]] = {}
    for triple in triples:
        node = nodes.setdefault(
            triple.subject, {compact_iri("@id", names): format_name(triple.subject, triple.subject)}
        )
        if triple.predicate.value == RDF_TYPE_IRI:
            node.setdefault(compact_iri("@type", names), []).append(format_name(triple.object, *triple))
        else:
            node.setdefault(format_name(triple.predicate, triple.subject, triple.predicate), []).append(
                build_value(triple)
            )
    return [*nodes.values()]


def compact_iri(iri: str, names: Names) -> str:
    """An IRI or keyword shortened by the longest namespace that it begins with."""
    namespace = max(
        (iri_start for iri_start in names.values() if iri.startswith(iri_start)), key=len, default=""
    )
    return next(
        (name + iri.removeprefix(namespace) for name, iri_start in names.items() if iri_start == namespace),
        iri,
    )


def wrap_json_ld_nodes(nodes: list[dict[str, Any]], names: Names) -> dict[str, Any]:
    return {"@context": {name.removesuffix(":"): iri for name, iri in names.items()}, "@graph": nodes}


# Layouts of JSON-LD: whether its names are compact, and the options of json.dumps.
LAYOUTS: dict[str, tuple[bool, dict[str, Any]]] = {
    "one line": (False, {"separators": (",", ":")}),
    "indented": (False, {"indent": 2}),
    "context and graph": (True, {"indent": 1}),
    "context and graph on one line": (True, {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: path.stem)
def test_a_finding_in_json_ld_points_to_the_fault(path: Path, layout: str) -> None:
    rule, text = get_broken_rule(path), path.read_text()
    is_compact, options = LAYOUTS[layout]
    names = dict(PREFIX_PATTERN.findall(text)) | {"id": "@id", "type": "@type"} if is_compact else {}
    terms = parse_term_at(text, expected_line(text, rule))
    if rule.code == "WGIG-0-TERM-UNKNOWN":
        terms = terms[:2]  # the fault is the property
    triples = list(read_paper_document("", text.encode(), TURTLE).triples)
    nodes = build_json_ld_nodes(triples, terms, names)
    marked_text = json.dumps(
        wrap_json_ld_nodes(nodes, names) if names else nodes, ensure_ascii=False, **options
    )
    before, _, after = marked_text.partition(f'"{MARK}')
    assert find_only_finding("jsonld", f'{before}"{after}', rule).position == (
        before.count("\n") + 1,
        len(before.rpartition("\n")[2]) + 1,
    )


def test_a_finding_in_n_triples_points_to_the_line_of_its_triple() -> None:
    triples = read_paper_document(
        "", (EXAMPLES_FOLDER / "bad-WGIG-1-ISSUE-TWICE.ttl").read_bytes(), TURTLE
    ).triples
    text = "".join(f"{triple} .\n" for triple in triples)
    finding = find_only_finding("nt", text, rules_by_code()["WGIG-1-ISSUE-TWICE"])
    assert finding.position
    line = text.split("\n")[finding.position.line - 1]
    assert line[finding.position.column - 1 :] == f"<{ID_NAMESPACE}issue/cybersecurity-cybercrime> ."


def parse_term_at(text: str, line: int) -> Terms:
    """The terms at a line of Turtle: only a subject, or subject, predicate and object."""
    lines = text.split("\n")
    prefixes = [prefix_line for prefix_line in lines if prefix_line.startswith("@prefix")]
    subject_index = max(number for number in range(line) if lines[number] and lines[number][0] not in " #")
    predicate_index = max(number for number in range(line) if not lines[number - 1].endswith(","))
    terms = [lines[subject_index], lines[predicate_index].split()[0], lines[line - 1].split(None, 1)[-1]]
    if subject_index == line - 1:
        terms = [lines[subject_index], "a", "<x:>"]  # any statement about the subject
    elif predicate_index < line - 1:
        terms[2] = lines[line - 1]
    triple = next(iter(ox.parse("\n".join([*prefixes, *terms]).rstrip(" ;,.") + " .", ox.RdfFormat.TURTLE)))
    return (
        (triple.subject,) if subject_index == line - 1 else (triple.subject, triple.predicate, triple.object)
    )


@pytest.mark.parametrize("blank", ['""', '" "', '"""\n \t"""'])
def test_a_finding_points_to_a_text_of_white_space(blank: str) -> None:
    good_text = (EXAMPLES_FOLDER / "ok-final.ttl").read_text()
    text, count = re.subn(r"(wgig:issueDescription +)\"[^\"]*\"", rf"\1{MARK}{blank}", good_text)
    assert count == 1
    line = next(number for number, line in enumerate(text.split("\n"), 1) if MARK in line)
    column = text.split("\n")[line - 1].index(MARK) + 1
    assert find_only_finding("ttl", text.replace(MARK, ""), rules_by_code()["WGIG-1-BLANK"]).position == (
        line,
        column,
    )


@pytest.mark.parametrize("line_ending", ["\r", "\r\n"])
@pytest.mark.parametrize("code", ["WGIG-1-ISSUE-TWICE", "WGIG-7B-MISSING"])
def test_lines_are_counted_for_every_line_ending(code: str, line_ending: str) -> None:
    text, rule = (EXAMPLES_FOLDER / f"bad-{code}.ttl").read_text(), rules_by_code()[code]
    finding = find_only_finding("ttl", text.replace("\n", line_ending), rule)
    assert finding == find_only_finding("ttl", text, rule)
    assert finding.position == expected_position(text, rule)

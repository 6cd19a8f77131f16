"""Each finding of each example points to the line and the column that its author has to look at."""

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

EXAMPLES = SHIPPED_FOLDER / "shapes" / "examples" / "issue-paper"
BAD = sorted(EXAMPLES.glob("bad-*.ttl"))
ID = "https://w3id.org/wgig/id/"

HERE = "‸"  # the place that a finding must point to
PREFIX = re.compile(r"@prefix +(\S*:) +<(.*)>")

Terms = tuple[object, ...]
Names = dict[str, str]


def rule_of(path: Path) -> Rule:
    return rules_by_code()[path.stem.removeprefix("bad-")]


def found(name: str, text: str, rule: Rule) -> Finding:
    """The one finding in a text, which is of the rule."""
    format_ = {"ttl": TURTLE, "trig": TRIG, "nt": N_TRIPLES, "jsonld": JSON_LD}[name]
    findings = check_document(read_paper_document(name, text.encode(), format_), "final").findings
    assert [one.rule.code for one in findings] == [rule.code]
    return findings[0]


def expected(text: str, rule: Rule) -> TextPosition:
    """The place of the reason: a property that is unknown, else the last term that the line of it begins."""
    number = expected_line(text, rule)
    line = text.split("\n")[number - 1]
    begin = r" *" if rule.code == "WGIG-0-TERM-UNKNOWN" else r"(?: +[\w:]+ +(?=[^ ;,.])| *)"
    found = re.match(begin, line)
    assert found
    return TextPosition(number, found.end() + 1)


def expected_line(text: str, rule: Rule) -> int:
    """The line of the reason, as the example tells: it has a comment where it was changed.

    A statement that is wrong or too long stands below the comment, and its last value is the one. Where
    something is missing, the block around the comment begins with what lacks it.
    """
    lines = text.split("\n")
    comment = max(
        number for number, line in enumerate(lines) if line.lstrip().startswith("# ") and changed(line)
    )
    if lines[comment + 1] == "":  # the block below was added as a whole
        comment += 2
        if rule.code != "WGIG-0-FOREIGN":
            comment = next(n for n in range(comment, len(lines)) if "wgig:judges" in lines[n])
        return comment + 1
    begin = max(number for number in range(comment) if lines[number] == "") + 1
    if rule.component == "Class" and rule.code.endswith("-KIND"):  # the value is what lacks its type
        name = re.compile(rf"{re.escape(lines[begin])} [;,]$")
        return next(number for number, line in enumerate(lines, 1) if name.search(line))
    if rule.code == "WGIG-0-DRAFTER-GROUPS":  # it is the paper that has drafters of one group alone
        return lines.index("paper:example") + 1
    if rule.code.endswith(("-MISSING", "-REASON")):
        return begin + 1
    return (
        next(number for number in range(comment + 1, len(lines)) if lines[number].endswith((" ;", " ."))) + 1
    )


def changed(comment: str) -> bool:
    """Whether a comment is none of those that all examples have."""
    return comment.strip() not in COMMENTS


COMMENTS = {line.strip() for line in (EXAMPLES / "ok-final.ttl").read_text().split("\n")} | {
    "# A made-up issue paper. What is wrong is said where it is wrong."
}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_in_turtle_points_to_the_place(path: Path) -> None:
    text = path.read_text()
    finding = found("ttl", text, rule_of(path))
    assert finding.place == expected(text, rule_of(path))
    assert finding.line == text.split("\n")[finding.place.line - 1].strip()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_in_trig_points_to_the_place(path: Path) -> None:
    prefixes, graph, rest = path.read_text().partition("\ngraph:")
    text = f"{prefixes}\n<https://example.org/graph> {{\n{graph}{rest}\n}}\n"
    assert found("trig", text, rule_of(path)).place == expected(text, rule_of(path))


def in_json(triples: list[ox.Triple], marked: Terms, names: Names) -> list[dict[str, Any]]:
    """The triples as nodes of JSON-LD with compact names; the text that is marked begins with the mark."""

    def name(term: object, *here: object) -> str:
        iri = str(term) if isinstance(term, ox.BlankNode) else compact(getattr(term, "value", ""), names)
        return f"{HERE}{iri}" if here == marked else iri

    def value(one: ox.Triple) -> dict[str, str]:
        of = one.object
        if not isinstance(of, ox.Literal):
            return {compact("@id", names): name(of, *one)}
        kind = {"@language": of.language} if of.language else {compact("@type", names): name(of.datatype)}
        return {"@value": HERE + of.value if tuple(one) == marked else of.value} | kind

    nodes: dict[object, dict[str, Any]] = {}
    for one in triples:
        node = nodes.setdefault(one.subject, {compact("@id", names): name(one.subject, one.subject)})
        if one.predicate.value == RDF_TYPE_IRI:
            node.setdefault(compact("@type", names), []).append(name(one.object, *one))
        else:
            node.setdefault(name(one.predicate, one.subject, one.predicate), []).append(value(one))
    return [*nodes.values()]


def compact(iri: str, names: Names) -> str:
    """An IRI or keyword by the longest of the names that it begins with."""
    start = max((one for one in names.values() if iri.startswith(one)), key=len, default="")
    return next((name + iri.removeprefix(start) for name, one in names.items() if one == start), iri)


def in_graph(nodes: list[dict[str, Any]], names: Names) -> dict[str, Any]:
    return {"@context": {name.removesuffix(":"): iri for name, iri in names.items()}, "@graph": nodes}


# How JSON-LD is laid out: whether its names are compact, and how the JSON is written.
LAYOUTS: dict[str, tuple[bool, dict[str, Any]]] = {
    "one line": (False, {"separators": (",", ":")}),
    "indented": (False, {"indent": 2}),
    "context and graph": (True, {"indent": 1}),
    "context and graph on one line": (True, {}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_in_json_ld_points_to_the_place(path: Path, layout: str) -> None:
    rule, text = rule_of(path), path.read_text()
    shortened, options = LAYOUTS[layout]
    names = dict(PREFIX.findall(text)) | {"id": "@id", "type": "@type"} if shortened else {}
    terms = term_at(text, expected_line(text, rule))
    if rule.code == "WGIG-0-TERM-UNKNOWN":
        terms = terms[:2]
    triples = list(read_paper_document("", text.encode(), TURTLE).triples)
    nodes = in_json(triples, terms, names)
    marked = json.dumps(in_graph(nodes, names) if names else nodes, ensure_ascii=False, **options)
    before, _, after = marked.partition(f'"{HERE}')
    assert found("jsonld", f'{before}"{after}', rule).place == (
        before.count("\n") + 1,
        len(before.rpartition("\n")[2]) + 1,
    )


def test_a_finding_in_n_triples_points_to_the_line_of_its_triple() -> None:
    triples = read_paper_document("", (EXAMPLES / "bad-WGIG-1-ISSUE-TWICE.ttl").read_bytes(), TURTLE).triples
    text = "".join(f"{one} .\n" for one in triples)
    finding = found("nt", text, rules_by_code()["WGIG-1-ISSUE-TWICE"])
    assert finding.place
    line = text.split("\n")[finding.place.line - 1]
    assert line[finding.place.column - 1 :] == f"<{ID}issue/cybersecurity-cybercrime> ."


def term_at(text: str, line: int) -> Terms:
    """What stands at a line of Turtle: a subject alone, or subject, predicate and object."""
    lines = text.split("\n")
    prefixes = [one for one in lines if one.startswith("@prefix")]
    subject = max(number for number in range(line) if lines[number] and lines[number][0] not in " #")
    predicate = max(number for number in range(line) if not lines[number - 1].endswith(","))
    words = [lines[subject], lines[predicate].split()[0], lines[line - 1].split(None, 1)[-1]]
    if subject == line - 1:
        words = [lines[subject], "a", "<x:>"]
    elif predicate < line - 1:
        words[2] = lines[line - 1]
    one = next(iter(ox.parse("\n".join([*prefixes, *words]).rstrip(" ;,.") + " .", ox.RdfFormat.TURTLE)))
    return (one.subject,) if subject == line - 1 else (one.subject, one.predicate, one.object)


@pytest.mark.parametrize("blank", ['""', '" "', '"""\n \t"""'])
def test_a_text_of_white_space_is_where_the_finding_points(blank: str) -> None:
    good = (EXAMPLES / "ok-final.ttl").read_text()
    text, times = re.subn(r"(wgig:issueDescription +)\"[^\"]*\"", rf"\1{HERE}{blank}", good)
    assert times == 1
    line = next(number for number, line in enumerate(text.split("\n"), 1) if HERE in line)
    column = text.split("\n")[line - 1].index(HERE) + 1
    assert found("ttl", text.replace(HERE, ""), rules_by_code()["WGIG-1-BLANK"]).place == (line, column)


@pytest.mark.parametrize("end", ["\r", "\r\n"])
@pytest.mark.parametrize("code", ["WGIG-1-ISSUE-TWICE", "WGIG-7B-MISSING"])
def test_lines_are_counted_whatever_they_end_with(code: str, end: str) -> None:
    text, rule = (EXAMPLES / f"bad-{code}.ttl").read_text(), rules_by_code()[code]
    finding = found("ttl", text.replace("\n", end), rule)
    assert finding == found("ttl", text, rule)
    assert finding.place == expected(text, rule)

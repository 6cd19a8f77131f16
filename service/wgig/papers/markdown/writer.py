"""Writes a paper as Markdown, canonically: the same triples always give the same text.

What Markdown cannot hold raises UnheldError with the statements: those that the template has no place for,
and texts with headings or unclosed comments, which would not be read back as text.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyoxigraph as ox
import yaml

from ...problems import Problem
from ...text import TextLines
from .graph import Graph, below_id, native, number, short_name
from .outline import outline
from .reader import read
from .template import ACTORS, CRITERIA, FORUM, HEAD, MECHANISM, SECTIONS, SWOT, Heading
from .values import iri, segment, slug

MARKS = "#*- \t"  # what a line may begin or end with by being written


class UnheldError(ValueError):
    """Why a paper cannot be written, with the statements to blame; none where that cannot be told."""

    def __init__(self, message: str, statements: Sequence[ox.Triple]) -> None:
        """Take what is said, and the statements."""
        super().__init__(message)
        self.statements = statements


def suspects(triples: Iterable[ox.Triple], written: str, problem: Problem) -> list[ox.Triple]:
    """The statements whose texts are why what was written cannot be read.

    Those are to blame that are no plain text by themselves; else those with the line of the problem.
    """
    texts = [(one, one.object.value) for one in triples if isinstance(one.object, ox.Literal)]
    line = bare(TextLines(written).line(problem.members["line"]))
    outlines = [one for one, words in texts if is_outline(words)]
    return outlines or [one for one, words in texts if line and line in map(bare, words.splitlines())]


def is_outline(words: str) -> bool:
    """Whether a text has headings, or a comment without end."""
    try:
        return bool(outline(words, 0).children)
    except Problem:
        return True


def bare(line: str) -> str:
    """A line without the marks of a heading or list."""
    return line.strip(MARKS)


# What reading says by itself; triples that lack it lose nothing when it is added.
IMPLIED = {
    iri(one) for one in ("rdf:type", "rdfs:label", "dcterms:source", "wgig:illustrative", "wgig:round")
}
YES_NO = {"true": "yes", "false": "no"}


class Dumper(yaml.SafeDumper):
    """YAML whose lists are set in below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Set every list in."""
        del indentless
        super().increase_indent(flow, indentless=False)


def write(triples: Iterable[ox.Triple]) -> str:
    """The paper as Markdown. Raises UnheldError with what the form cannot hold."""
    given = list(triples)
    graph = Graph(given)
    sections = [text for heading in SECTIONS if (text := section(graph, heading))]
    text = "\n\n".join([f"---\n{dumped(head(graph))}---", *sections]) + "\n"
    try:
        kept = read(text)[0]
    except Problem as problem:
        cause = f"Markdown cannot hold a text of this paper. {problem.detail}"
        raise UnheldError(cause, suspects(given, text, problem)) from problem
    other = set(given).symmetric_difference(kept)
    lost = [one for one in given if one in other]
    added = [one for one in kept if one in other and one.predicate not in IMPLIED]
    if lost or added:
        raise UnheldError(f"Markdown cannot hold this of the paper: {(lost + added)[0]} .", lost or added)
    return text


def dumped(values: dict[str, Any]) -> str:
    """A mapping as YAML, one line a value."""
    text: str = yaml.dump(values, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    return text


def head(graph: Graph) -> dict[str, Any]:
    """The keys of the head that have a value, in the order of the form."""
    paper = graph.paper
    values = {
        "paper": short_name(paper, "paper"),
        "title": title(graph),
        "language": plain(graph, "schema:inLanguage"),
        "issue": single([short_name(one, "issue") for one in graph.all(paper, "wgig:issue")]),
        "drafters": [drafter(graph, one) for one in graph.all(paper, "wgig:drafter")],
        "posted": plain(graph, "wgig:posted"),
        "pages": plain(graph, "bibo:numPages"),
        "version": plain(graph, "schema:version"),
        "status": plain(graph, "schema:creativeWorkStatus"),
        "illustrative": plain(graph, "wgig:illustrative"),
        "source": single([below_id(one) for one in graph.all(paper, "dcterms:source")]),
        "cites": [below_id(one, "document/") for one in graph.all(paper, "cito:cites")],
        "waivers": waivers(graph),
    }
    return {key: values[key] for key in HEAD if values[key] not in ([], {})}


def plain(graph: Graph, name: str) -> Any:
    """The values of a property of the paper, as YAML has them."""
    return single([native(one) for one in graph.all(graph.paper, name)])


def single(values: list[Any]) -> Any:
    """The one value, or the list of those that there are."""
    return values[0] if len(values) == 1 else values


def title(graph: Graph) -> Any:
    """The titles: one text, or a map from language to text."""
    language = graph.one(graph.paper, "schema:inLanguage") or "en"
    found: dict[str, list[str]] = {}
    for one in graph.all(graph.paper, "dcterms:title"):
        found.setdefault(one.language or language, []).append(one.value)
    by_language = {key: single(values) for key, values in found.items()}
    return by_language[language] if list(by_language) == [language] else by_language


def drafter(graph: Graph, agent: ox.NamedNode) -> Any:
    """A drafter: the name in the graph, or what is said of somebody who is not there."""
    name = graph.one(agent, "foaf:name")
    if not name:
        return short_name(agent, "agent")
    seats = graph.with_value("org:member", agent)
    own = short_name(agent, "agent")
    implied = f"{short_name(graph.paper, 'paper')}-{slug(name)}"
    values = {
        "name": name,
        "group": single(
            [
                short_name(one, "group")
                for node in seats or [agent]
                for one in graph.all(node, "wgig:stakeholderGroup")
            ]
        ),
        "id": [] if own == implied and slug(name) else own,
        "member": True if seats else [],
    }
    return {key: value for key, value in values.items() if value != []}


def waivers(graph: Graph) -> dict[str, Any]:
    """The reasons of the waivers by the codes of their rules."""
    return {
        short_name(rule, "shape"): single(texts(graph, waiver, "wgig:reason"))
        for waiver in graph.parts("wgig:waiver")
        for rule in graph.all(waiver, "wgig:waives")
    }


def section(graph: Graph, heading: Heading) -> str:
    """A section with its heading, or an empty text where the paper says nothing in it."""
    blocks = list(WRITE[heading.key](graph))
    return "\n\n".join([f"## {heading.written}", *blocks]) if blocks else ""


def issue(graph: Graph) -> Iterator[str]:
    """Section 1."""
    yield from texts(graph, graph.paper, "wgig:issueDescription")


def categories(graph: Graph) -> Iterator[str]:
    """Section 2."""
    yield from listed([short_name(one, "category") for one in graph.all(graph.paper, "wgig:category")])


def swot(graph: Graph) -> Iterator[str]:
    """Section 3."""
    for node in graph.all(graph.paper, "wgig:swot"):
        for heading in SWOT:
            yield from below(3, heading.written, listed(texts(graph, node, heading.key)))


def actors(graph: Graph) -> Iterator[str]:
    """Section 4."""
    for heading in ACTORS:
        found = sorted(graph.all(graph.paper, heading.key), key=lambda one: later(graph, one))
        yield from below(3, heading.written, listed([actor(graph, one) for one in found]))


def later(graph: Graph, node: ox.NamedNode) -> int:
    """The number that keeps an actor apart from earlier ones with a like name, 1 without."""
    name = graph.one(node, "foaf:name")
    return number(node, f"-{slug(name) or 'actor'}" if name else node.value)


def actor(graph: Graph, node: ox.NamedNode) -> str:
    """An actor by name, with the stakeholder group that the paper gives."""
    name = graph.one(node, "foaf:name") or short_name(node, "agent")
    groups = [short_name(one, "group") for one in graph.all(node, "wgig:stakeholderGroup")]
    return f"{name} ({', '.join(groups)})" if groups else name


def forums(graph: Graph) -> Iterator[str]:
    """Section 5."""
    for forum in graph.parts("wgig:forum"):
        yield from described(graph, forum, FORUM)


def mechanisms(graph: Graph) -> Iterator[str]:
    """Section 6."""
    for mechanism in graph.parts("wgig:mechanism"):
        yield from described(graph, mechanism, MECHANISM)


def described(graph: Graph, node: ox.NamedNode, headings: Sequence[Heading]) -> Iterator[str]:
    """A forum or mechanism by its name, with what is said of it."""
    yield named(3, graph.one(node, "rdfs:label"))
    for heading in headings:
        said = texts(graph, node, heading.key)
        if heading.key == "wgig:makesDecisions":
            said = decisions(said)
        yield from below(4, heading.written, said)


def decisions(said: Sequence[str]) -> list[str]:
    """Whether a forum makes decisions; several answers, or a long one, are a list."""
    words = [YES_NO.get(one, one) for one in said]
    return words if len(words) == 1 and "\n" not in words[0] else listed(words)


def adequacy(graph: Graph) -> Iterator[str]:
    """Section 7: by criterion, then by mechanism where there are several."""
    found: dict[str, list[ox.NamedNode]] = {one.key: [] for one in CRITERIA if one.key}
    for one in graph.all(graph.paper, "wgig:assessment"):
        criterion = next(
            (short_name(principle, "principle") for principle in graph.all(one, "wgig:criterion")), ""
        )
        found.setdefault(criterion, []).append(one)
    written = {one.key: one.written for one in CRITERIA}
    other = written[""]
    for criterion, assessments in found.items():
        if assessments:
            yield f"### {written.get(criterion, f'{other}: {criterion}')}"
            name = f"/{segment(criterion)}"
            yield from judged(graph, sorted(assessments, key=lambda one: number(one, name)))


def judged(graph: Graph, assessments: Sequence[ox.NamedNode]) -> Iterator[str]:
    """The assessments by one criterion; several stand below the names of their mechanisms."""
    for one in assessments:
        names = [mechanism(graph, judged) for judged in graph.all(one, "wgig:judges")]
        fields = {"Verdict": [short_name(verdict, "verdict") for verdict in graph.all(one, "wgig:verdict")]}
        if len(assessments) > 1 and names:
            yield named(4, names.pop(0))
        fields["Mechanism"] = names
        fields["Cites"] = [", ".join(below_id(cited, "document/") for cited in graph.all(one, "cito:cites"))]
        lines = [f"{key}: {value}" for key, values in fields.items() for value in values if value]
        if lines:
            yield "  \n".join(lines)
        yield from texts(graph, one, "wgig:rationale")


def mechanism(graph: Graph, node: ox.NamedNode) -> str:
    """The name of a mechanism, or the end of the IRI of one that is not there."""
    return graph.one(node, "rdfs:label") or short_name(node, "paper").rpartition("/mechanism/")[2]


def comments(graph: Graph) -> Iterator[str]:
    """Section 8."""
    yield from texts(graph, graph.paper, "wgig:additionalComments")


def texts(graph: Graph, node: ox.NamedNode, name: str) -> list[str]:
    """The values of a property as text."""
    return [one.value for one in graph.all(node, name)]


def listed(values: Sequence[str]) -> list[str]:
    """A list of values, or nothing where there are none; further lines of a value are set in."""
    lines = [bullet(one) + one.replace("\n", "\n  ").replace("\n  \n", "\n\n") for one in values]
    return ["\n".join(lines)] if lines else []


def bullet(value: str) -> str:
    """What the item of a value begins with; a hyphen before hyphens alone would be a rule across the page."""
    return "- " if value.partition("\n")[0].strip("- \t") else "* "


def named(level: int, name: str) -> str:
    """A heading with a name of the author's; hashes at its end are kept from closing the heading."""
    closing = " #" if name.endswith("#") else ""
    return f"{'#' * level} {name}{closing}"


def below(level: int, words: str, blocks: Sequence[str]) -> Iterator[str]:
    """Blocks below a heading, or nothing where there are none."""
    if blocks:
        yield f"{'#' * level} {words}"
        yield from blocks


WRITE = {
    "issue": issue,
    "categories": categories,
    "swot": swot,
    "actors": actors,
    "forums": forums,
    "mechanisms": mechanisms,
    "adequacy": adequacy,
    "comments": comments,
}

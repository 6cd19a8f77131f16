"""The output of bulk jobs: one JSON line per paper, the quads of a file, totals and VoID statistics.

A line is an object: `path`; `number` of the paper in its file, from 1; `graph`, the named graph that says it
is a paper, and `iri`, null for none; `outcome`: `conforms`, `fails`, `unread` or `passed over` (Markdown that
looks like no paper). An unread file has its `problem`, a paper what the report in JSON says of it.

A file without a paper has one line. Blank node names are stable and unique to a file.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...graphs.description.statistics import Figures
from ...graphs.description.void import Void
from ...rdf import shipped
from ...rdf.formats import DATASETS, TURTLE, Format, format_of
from ...rdf.serialization import quad, rdf_format, serialize, term
from ...shacl.check import PAPER
from ...shacl.documents import BASE, Document, decoded
from ...shacl.findings import Outcome, Unread
from ...shacl.reports.json import of_paper
from ...shacl.reports.phrases import members
from ..check_workers import Task
from ..files import Candidate, content, mistake, opened, shown, size_of


def void(figures: Figures, base: str) -> bytes:
    """The figures in Turtle."""
    described = Void(base)
    _, come = described.turned(ox.Store(), figures)
    what = ox.Triple(described.dataset, term("rdf:type"), term("void:Dataset"))
    return serialize({*come, what}, TURTLE, base)


def stated(file: Candidate) -> Iterator[ox.Quad]:
    """The quads of a file that parses where its format has named graphs; else none."""
    format_ = format_of(file.path)
    if format_ in DATASETS:
        data = content(file.path, size_of(file)) if file.data is None else file.data
        yield from parsed(decoded(data), format_)


def quads(file: Candidate, task: Task) -> list[ox.Quad] | Unread:
    """The quads of a file, its blank nodes being its own; none of one that is passed over. Or why not."""
    try:
        document = opened(file, task.most_bytes, task.most_triples)
        if isinstance(document, Unread):
            return document
        store = ox.Store()  # which writes a number in one way only
        store.extend(apart(whole(document) if document else (), file.path))
        return list(store)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of an engine is no Exception
        return Unread(shown(file.path), mistake(error))


def whole(document: Document) -> Iterable[ox.Quad]:
    """The quads of a document."""
    if document.format in DATASETS:
        return parsed(document.text, document.format)
    return (quad(one, ox.DefaultGraph()) for one in document.triples)


def parsed(text: str, format_: Format) -> Iterable[ox.Quad]:
    """The quads of a text that is known to parse."""
    return ox.parse(text, rdf_format(format_.media_type), base_iri=BASE)


def apart(found: Iterable[ox.Quad], path: str) -> Iterator[ox.Quad]:
    """The quads, with names of blank nodes that no other file has, and that are the same at each reading."""
    file = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    names: dict[str, ox.BlankNode] = {}

    def own(node: Any) -> Any:
        if not isinstance(node, ox.BlankNode):
            return node
        return names.setdefault(node.value, ox.BlankNode(f"b{file}n{len(names)}"))

    return (ox.Quad(own(one.subject), one.predicate, own(one.object), own(one.graph_name)) for one in found)


CONFORMS, FAILS, UNREAD, PASSED_OVER = "conforms", "fails", "unread", "passed over"
FINE, NO, UNREADABLE, MISTAKEN = 0, 1, 2, 3  # exit codes, as of `wgig check`


Line = dict[str, Any]


def lines(file: Candidate, outcome: Outcome | None, language: str) -> Iterator[str]:
    """The lines about a file as they are written, from what was found in it; None where it is passed over."""
    return map(written, about(file, outcome, language))


def written(line: Line) -> str:
    """A line as JSON, half a character of a path being escaped."""
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def about(file: Candidate, outcome: Outcome | None, language: str) -> Iterator[Line]:
    """The lines about a file."""
    for number, one in enumerate(objects(file, outcome, language), 1):
        yield {"path": file.path, "number": number, "graph": None, "iri": None} | one


def objects(file: Candidate, outcome: Outcome | None, language: str) -> Iterator[Line]:
    """What the lines say beside where it is."""
    if outcome is None:
        yield {"outcome": PASSED_OVER}
    elif isinstance(outcome, Unread):
        yield {"outcome": UNREAD, "problem": members(outcome.problem)}
    else:
        graphs = homes(file)
        for paper in outcome.papers:
            how = {"graph": graphs.get(paper.iri), "outcome": CONFORMS if paper.conforms else FAILS}
            yield how | of_paper(paper, outcome.media_type, language)


def homes(file: Candidate) -> dict[str, str]:
    """The named graphs that say that something is a paper, by its IRI."""
    return {
        str(one.subject).strip("<>"): one.graph_name.value
        for one in stated(file)
        if one.predicate == shipped.TYPE and one.object == PAPER and isinstance(one.graph_name, ox.NamedNode)
    }


class Tally:
    """How many there are of what. Tallies of parts can be added."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        """Count the lines."""
        self.counts = Counter[tuple[str, str]]()
        for one in written:
            self.take(json.loads(one))

    def take(self, line: Line) -> None:
        """Count a line."""
        self.counts["files", ""] += line["number"] == 1
        self.counts["outcomes", line["outcome"]] += 1
        if "problem" in line:
            self.counts["problems", str(line["problem"]["status"])] += 1
        for code in {one["code"] for one in line.get("findings", ()) if not one["waived"]}:
            self.counts["rules", code] += 1

    def __add__(self, other: "Tally") -> "Tally":
        """Both as one."""
        whole = Tally()
        whole.counts = self.counts + other.counts
        return whole

    def of(self, kind: str) -> dict[str, int]:
        """How many there are of each of a kind."""
        return {name: count for (one, name), count in sorted(self.counts.items()) if one == kind and count}

    @property
    def files(self) -> int:
        """How many files there are."""
        return self.counts["files", ""]

    @property
    def code(self) -> int:
        """The exit code: that of the worst outcome."""
        if any(status >= "5" for status in self.of("problems")):
            return MISTAKEN
        outcomes = self.of("outcomes")
        return UNREADABLE if UNREAD in outcomes else NO if FAILS in outcomes else FINE

    def of_papers(self) -> "Done":
        """What a check came to: papers by outcome and broken rule, files by the status of a problem."""
        outcomes = self.of("outcomes")
        papers = outcomes.get(CONFORMS, 0) + outcomes.get(FAILS, 0)
        counts = {"outcomes": outcomes, "problems": self.of("problems"), "rules": self.of("rules")}
        return Done({"files": self.files, "papers": papers} | counts, self.code)

    def of_files(self, files: int) -> "Done":
        """What a description came to, these being the lines about the files that are unread."""
        return Done({"files": files, "unread": self.files, "problems": self.of("problems")}, self.code)


class Done(NamedTuple):
    """What a job came to: its summary, and the exit code."""

    summary: dict[str, Any]
    code: int

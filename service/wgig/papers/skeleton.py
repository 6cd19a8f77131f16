"""Skeleton of a new paper, as `wgig new paper` prints it: the Markdown form, filled in from the graph.

What the graph knows of the issue stands in it; what is left to write has hints in comments.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from textwrap import fill
from typing import Any

import pyoxigraph as ox

from ..problems import Problem
from ..rdf import shipped
from .markdown.graph import short_name
from .markdown.template import ACTORS, CRITERIA, FORUM, MECHANISM, SECTIONS, SWOT, Heading
from .markdown.values import NAMES, iri
from .markdown.writer import dumped

HINTS = {
    "wgig:strength": "What is good in the present system? One item a point.",
    "wgig:weakness": "What is bad in the present system?",
    "wgig:opportunity": "What from outside could make it better?",
    "wgig:threat": "What from outside could make it worse?",
    "wgig:mainActor": "One line: Name (group). Groups: governments, private-sector, civil-society, "
    "international-organizations.",
    "wgig:otherActor": "One line for each, in the same way.",
}
DECIDES = "Makes decisions: yes or no; if yes, say by which procedure."
ADEQUACY = (
    "Verdict: adequate, partly-adequate, inadequate or not-assessed. Mechanism: a name of section 6. Say why "
    "below. To judge several mechanisms, give each a heading #### Name of the mechanism."
)


def skeleton(issue: str) -> str:
    """The Markdown of a paper on an issue, to be filled in. Raises Problem 404 naming the near ones."""
    node = found(issue)
    categories = [short_name(one, "category") for one in values(node, "wgig:category")]
    passages = bearing(node)
    blocks = [
        head(issue, text(node, "skos:prefLabel"), passages),
        *section(
            "issue", "Say what the issue is. This is how the inventory has it:", text(node, "skos:definition")
        ),
        *section("categories", "The inventory lists the issue here. Keep what fits.", items(categories)),
        *section("swot"),
        *(block for one in SWOT for block in below(3, one, HINTS[one.key])),
        *section("actors"),
        *(block for one in ACTORS for block in below(3, one, HINTS[one.key])),
        *section("forums", given=copied("forum", FORUM, DECIDES)),
        *section("mechanisms", given=copied("mechanism", MECHANISM)),
        *section("adequacy", ADEQUACY),
        *(block for one in CRITERIA for block in criterion(one)),
        *section("comments", "Whatever else there is to say; or take this section out."),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def found(issue: str) -> ox.NamedNode:
    """The issue of the inventory with this name. Raises Problem 404 naming those that are near."""
    listed = {
        short_name(one.subject, "issue"): one.subject
        for one in shipped.facts()
        if one.predicate == iri("wgig:inventoryStatus") and one.object == ox.Literal("yes")
    }
    if issue in listed:
        return ox.NamedNode(NAMES["issue"] + issue)
    near = get_close_matches(issue, listed, 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"The issues are: {', '.join(sorted(listed))}."
    raise Problem(404, f"The inventory has no issue {issue}. {hint}")


def values(node: object, name: str) -> list[Any]:
    """The values of a property in the shipped facts."""
    return [one.object for one in shipped.facts() if one.subject == node and one.predicate == iri(name)]


def text(node: object, name: str) -> str:
    """The first value of a property as text."""
    return next((one.value for one in values(node, name)), "")


def bearing(node: object, name: str = "wgig:bearsOn") -> list[tuple[str, str]]:
    """The paragraphs of the Declaration that bear on a thing: the path of each, and what it says."""
    paragraphs = [
        one.subject
        for one in shipped.facts()
        if one.predicate == iri(name)
        and one.object == node
        and short_name(one.subject, "doc").startswith("declaration/")
    ]
    return [(short_name(one, "doc"), text(one, "dcterms:description")) for one in paragraphs]


def head(issue: str, title: str, passages: list[tuple[str, str]]) -> str:
    """The head: what is known, and what is to be filled in."""
    cited = "".join(f"\n  - {path}  # {said}" for path, said in passages)
    return f"""---
paper: my-{issue}  # the name of the paper in addresses
{dumped({"title": title})}language: en
issue: {issue}
drafters:  # members by their names in the graph, such as afonso
posted:  # year-month-day; papers were due on {text(iri("milestone:ms-papers"), "wgig:due")}
pages:  # three to five
cites:{cited}
---"""


def section(key: str, hint: str = "", given: str = "") -> Iterator[str]:
    """A section with a hint and what is known."""
    heading = next(one for one in SECTIONS if one.key == key)
    yield from below(2, heading, hint)
    yield given


def below(level: int, heading: Heading, hint: str) -> Iterator[str]:
    """A heading with a hint below it."""
    yield f"{'#' * level} {heading.written}"
    yield comment(hint) if hint else ""


def comment(hint: str) -> str:
    """A hint, which is no part of the text."""
    return fill(f"<!-- {hint} -->", 100, break_long_words=False, break_on_hyphens=False)


def items(values_: list[str]) -> str:
    """Values as a list."""
    return "\n".join(f"- {one}" for one in values_)


def copied(what: str, headings: tuple[Heading, ...], decides: str = "") -> str:
    """A comment with the headings below a name, to be copied out of it."""
    hint = f"For each {what}, copy these headings below this comment, and write below each. {decides}"
    lines = [fill(f"<!-- {hint}", 100)]
    lines += [f"### Name of the {what}", *(f"#### {one.written}" for one in headings), "-->"]
    return "\n\n".join(lines)


def criterion(heading: Heading) -> Iterator[str]:
    """A criterion of section 7, with the paragraphs of the Declaration that name it."""
    principle = heading.key or "development"
    node = iri(f"principle:{principle}")
    words = heading.written if heading.key else f"{heading.written}: {principle}"
    narrower = [
        one.subject for one in shipped.facts() if one.predicate == iri("skos:broader") and one.object == node
    ]
    paths = dict.fromkeys(
        path for one in [node, *narrower] for path, _ in bearing(one, "wgig:namesPrinciple")
    )
    yield f"### {words}"
    yield comment(f"Named in: {', '.join(paths)}") if paths else ""
    yield "Verdict:  \nMechanism:  \nCites:"

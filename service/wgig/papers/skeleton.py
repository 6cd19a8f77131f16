"""Skeleton of a new paper, as `wgig new paper` prints it: the Markdown form, filled in from the graph.

What the graph knows of the issue stands in it; what is left to write has hints in comments.
"""

from collections.abc import Iterator
from textwrap import fill
from typing import Any

import pyoxigraph as ox

from ..problems import Problem
from ..rdf import shipped
from ..rdf.namespaces import expand_curie
from ..text import find_near_names
from .markdown.template import (
    ACTOR_HEADINGS,
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
)
from .markdown.values import prefixed_short_name
from .markdown.writer import serialize_yaml

HEADING_HINTS = {
    "wgig:strength": "What is good in the present system? One item a point.",
    "wgig:weakness": "What is bad in the present system?",
    "wgig:opportunity": "What from outside could make it better?",
    "wgig:threat": "What from outside could make it worse?",
    "wgig:mainActor": "One line: Name (group). Groups: governments, private-sector, civil-society, "
    "international-organizations.",
    "wgig:otherActor": "One line for each, in the same way.",
}
DECISION_HINT = "Makes decisions: yes or no; if yes, say by which procedure."
ADEQUACY_HINT = (
    "Verdict: adequate, partly-adequate, inadequate or not-assessed. Mechanism: a name of section 6. Say why "
    "below. To judge several mechanisms, give each a heading #### Name of the mechanism."
)


def build_paper_skeleton(issue: str) -> str:
    """The Markdown of a paper on an issue, to be filled in. Raises Problem 404 naming the near ones."""
    node = get_inventory_issue(issue)
    categories = [prefixed_short_name(one, "category") for one in shipped_values(node, "wgig:category")]
    passages = list_bearing_passages(node)
    blocks = [
        format_skeleton_head(issue, first_shipped_text(node, "skos:prefLabel"), passages),
        *iter_section_skeleton(
            "issue",
            "Say what the issue is. This is how the inventory has it:",
            first_shipped_text(node, "skos:definition"),
        ),
        *iter_section_skeleton(
            "categories",
            "The inventory lists the issue here. Keep what fits.",
            format_skeleton_list(categories),
        ),
        *iter_section_skeleton("swot"),
        *(block for one in SWOT_HEADINGS for block in iter_hinted_heading(3, one, HEADING_HINTS[one.key])),
        *iter_section_skeleton("actors"),
        *(block for one in ACTOR_HEADINGS for block in iter_hinted_heading(3, one, HEADING_HINTS[one.key])),
        *iter_section_skeleton(
            "forums", given=format_copied_headings("forum", FORUM_HEADINGS, DECISION_HINT)
        ),
        *iter_section_skeleton("mechanisms", given=format_copied_headings("mechanism", MECHANISM_HEADINGS)),
        *iter_section_skeleton("adequacy", ADEQUACY_HINT),
        *(block for one in CRITERION_HEADINGS for block in iter_criterion_skeleton(one)),
        *iter_section_skeleton("comments", "Whatever else there is to say; or take this section out."),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def get_inventory_issue(issue: str) -> ox.NamedNode:
    """The issue of the inventory with this name. Raises Problem 404 naming those that are near."""
    listed = {
        prefixed_short_name(one.subject, "issue"): one.subject
        for one in shipped.shipped_facts()
        if one.predicate == expand_curie("wgig:inventoryStatus") and one.object == ox.Literal("yes")
    }
    if issue in listed:
        return expand_curie(f"issue:{issue}")
    near = find_near_names(issue, listed, 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"The issues are: {', '.join(sorted(listed))}."
    raise Problem(404, f"The inventory has no issue {issue}. {hint}")


def shipped_values(node: object, name: str) -> list[Any]:
    """The values of a property in the shipped facts."""
    return [
        one.object
        for one in shipped.shipped_facts()
        if one.subject == node and one.predicate == expand_curie(name)
    ]


def first_shipped_text(node: object, name: str) -> str:
    """The first value of a property as text."""
    return next((one.value for one in shipped_values(node, name)), "")


def list_bearing_passages(node: object, name: str = "wgig:bearsOn") -> list[tuple[str, str]]:
    """The paragraphs of the Declaration that bear on a thing: the path of each, and what it says."""
    paragraphs = [
        one.subject
        for one in shipped.shipped_facts()
        if one.predicate == expand_curie(name)
        and one.object == node
        and prefixed_short_name(one.subject, "doc").startswith("declaration/")
    ]
    return [
        (prefixed_short_name(one, "doc"), first_shipped_text(one, "dcterms:description"))
        for one in paragraphs
    ]


def format_skeleton_head(issue: str, title: str, passages: list[tuple[str, str]]) -> str:
    """The head: what is known, and what is to be filled in."""
    due = first_shipped_text(expand_curie("milestone:ms-papers"), "wgig:due")
    cited = "".join(f"\n  - {path}  # {said}" for path, said in passages)
    return f"""---
paper: my-{issue}  # the name of the paper in addresses
{serialize_yaml({"title": title})}language: en
issue: {issue}
drafters:  # members by their names in the graph, such as afonso
posted:  # year-month-day; papers were due on {due}
pages:  # three to five
cites:{cited}
---"""


def iter_section_skeleton(key: str, hint: str = "", given: str = "") -> Iterator[str]:
    """A section with a hint and what is known."""
    heading = next(one for one in SECTION_HEADINGS if one.key == key)
    yield from iter_hinted_heading(2, heading, hint)
    yield given


def iter_hinted_heading(level: int, heading: TemplateHeading, hint: str) -> Iterator[str]:
    """A heading with a hint below it."""
    yield f"{'#' * level} {heading.marked_title}"
    yield format_hint_comment(hint) if hint else ""


def format_hint_comment(hint: str) -> str:
    """A hint, which is no part of the text."""
    return fill(f"<!-- {hint} -->", 100, break_long_words=False, break_on_hyphens=False)


def format_skeleton_list(values_: list[str]) -> str:
    """Values as a list."""
    return "\n".join(f"- {one}" for one in values_)


def format_copied_headings(what: str, headings: tuple[TemplateHeading, ...], decides: str = "") -> str:
    """A comment with the headings below a name, to be copied out of it."""
    hint = f"For each {what}, copy these headings below this comment, and write below each. {decides}"
    lines = [fill(f"<!-- {hint}", 100)]
    lines += [f"### Name of the {what}", *(f"#### {one.marked_title}" for one in headings), "-->"]
    return "\n\n".join(lines)


def iter_criterion_skeleton(heading: TemplateHeading) -> Iterator[str]:
    """A criterion of section 7, with the paragraphs of the Declaration that name it."""
    principle = heading.key or "development"
    node = expand_curie(f"principle:{principle}")
    words = heading.marked_title if heading.key else f"{heading.marked_title}: {principle}"
    narrower = [
        one.subject
        for one in shipped.shipped_facts()
        if one.predicate == expand_curie("skos:broader") and one.object == node
    ]
    paths = dict.fromkeys(
        path for one in [node, *narrower] for path, _ in list_bearing_passages(one, "wgig:namesPrinciple")
    )
    yield f"### {words}"
    yield format_hint_comment(f"Named in: {', '.join(paths)}") if paths else ""
    yield "Verdict:  \nMechanism:  \nCites:"

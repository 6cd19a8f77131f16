"""The skeleton of a new paper for `wgig new paper`: the Markdown template with data on an issue.

The data is from the bundled facts. Comments explain what to write.
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
from .markdown.values import local_name
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
    """The Markdown of a paper on an issue, to be filled in. Raises Problem 404 for an unknown issue."""
    node = get_inventory_issue(issue)
    categories = [local_name(category, "category") for category in shipped_values(node, "wgig:category")]
    passages = list_declaration_passages(node, "wgig:bearsOn")
    blocks = [
        format_skeleton_front_matter(issue, first_shipped_text(node, "skos:prefLabel"), passages),
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
        *(
            block
            for heading in SWOT_HEADINGS
            for block in iter_hinted_heading(3, heading, HEADING_HINTS[heading.key])
        ),
        *iter_section_skeleton("actors"),
        *(
            block
            for heading in ACTOR_HEADINGS
            for block in iter_hinted_heading(3, heading, HEADING_HINTS[heading.key])
        ),
        *iter_section_skeleton(
            "forums", content=format_copied_headings("forum", FORUM_HEADINGS, DECISION_HINT)
        ),
        *iter_section_skeleton("mechanisms", content=format_copied_headings("mechanism", MECHANISM_HEADINGS)),
        *iter_section_skeleton("adequacy", ADEQUACY_HINT),
        *(block for heading in CRITERION_HEADINGS for block in iter_criterion_skeleton(heading)),
        *iter_section_skeleton("comments", "Whatever else there is to say; or remove this section."),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def get_inventory_issue(issue: str) -> ox.NamedNode:
    """The issue with this name in the inventory. Raises Problem 404, with similar names, if there is none."""
    issues = {
        local_name(triple.subject, "issue"): triple.subject
        for triple in shipped.shipped_facts()
        if triple.predicate == expand_curie("wgig:inventoryStatus") and triple.object == ox.Literal("yes")
    }
    if issue in issues:
        return expand_curie(f"issue:{issue}")
    similar = find_near_names(issue, issues, limit=3, similarity=0.5)
    hint = (
        f"Did you mean {' or '.join(similar)}?"
        if similar
        else f"The issues are: {', '.join(sorted(issues))}."
    )
    raise Problem(404, f"The inventory has no issue {issue}. {hint}")


def shipped_values(node: object, curie: str) -> list[Any]:
    """The values of a property of a node in the bundled facts."""
    return [
        triple.object
        for triple in shipped.shipped_facts()
        if triple.subject == node and triple.predicate == expand_curie(curie)
    ]


def first_shipped_text(node: object, curie: str) -> str:
    """The first value of a property of a node in the bundled facts as text, or an empty string."""
    return next((value.value for value in shipped_values(node, curie)), "")


def list_declaration_passages(node: object, curie: str) -> list[tuple[str, str]]:
    """The path and text of each paragraph of the Declaration whose property `curie` has the node as value."""
    paragraphs = [
        triple.subject
        for triple in shipped.shipped_facts()
        if triple.predicate == expand_curie(curie)
        and triple.object == node
        and local_name(triple.subject, "doc").startswith("declaration/")
    ]
    return [
        (local_name(paragraph, "doc"), first_shipped_text(paragraph, "dcterms:description"))
        for paragraph in paragraphs
    ]


def format_skeleton_front_matter(issue: str, title: str, passages: list[tuple[str, str]]) -> str:
    """The front matter, with the issue, title and cited passages filled in."""
    due_date = first_shipped_text(expand_curie("milestone:ms-papers"), "wgig:due")
    cited = "".join(f"\n  - {path}  # {description}" for path, description in passages)
    return f"""---
paper: my-{issue}  # the name of the paper in addresses
{serialize_yaml({"title": title})}language: en
issue: {issue}
drafters:  # members by their names in the graph, such as afonso
posted:  # year-month-day; papers were due on {due_date}
pages:  # three to five
cites:{cited}
---"""


def iter_section_skeleton(key: str, hint: str = "", content: str = "") -> Iterator[str]:
    """A section with a hint and content."""
    heading = next(section for section in SECTION_HEADINGS if section.key == key)
    yield from iter_hinted_heading(2, heading, hint)
    yield content


def iter_hinted_heading(level: int, heading: TemplateHeading, hint: str) -> Iterator[str]:
    """A heading with a hint below it."""
    yield f"{'#' * level} {heading.marked_title}"
    yield format_hint_comment(hint) if hint else ""


def format_hint_comment(hint: str) -> str:
    """A hint as an HTML comment."""
    return fill(f"<!-- {hint} -->", 100, break_long_words=False, break_on_hyphens=False)


def format_skeleton_list(values: list[str]) -> str:
    """Values as a Markdown list."""
    return "\n".join(f"- {value}" for value in values)


def format_copied_headings(
    part_kind: str, headings: tuple[TemplateHeading, ...], extra_hint: str = ""
) -> str:
    """A comment with headings to copy for each forum or mechanism."""
    hint = f"For each {part_kind}, copy these headings below this comment, and write below each. {extra_hint}"
    lines = [fill(f"<!-- {hint}", 100)]
    lines += [
        f"### Name of the {part_kind}",
        *(f"#### {heading.marked_title}" for heading in headings),
        "-->",
    ]
    return "\n\n".join(lines)


def iter_criterion_skeleton(heading: TemplateHeading) -> Iterator[str]:
    """A criterion of section 7, with a comment that lists the paragraphs of the Declaration that name it."""
    principle = heading.key or "development"  # an example for the heading `Other`
    node = expand_curie(f"principle:{principle}")
    title = heading.marked_title if heading.key else f"{heading.marked_title}: {principle}"
    narrower = [
        triple.subject
        for triple in shipped.shipped_facts()
        if triple.predicate == expand_curie("skos:broader") and triple.object == node
    ]
    paths = dict.fromkeys(
        path
        for principle_node in [node, *narrower]
        for path, _ in list_declaration_passages(principle_node, "wgig:namesPrinciple")
    )
    yield f"### {title}"
    yield format_hint_comment(f"Named in: {', '.join(paths)}") if paths else ""
    yield "Verdict:  \nMechanism:  \nCites:"

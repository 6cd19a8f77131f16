"""The skeleton of a new paper for `wgig new paper`: the Markdown template with data on an issue.

The data is from the bundled facts. Comments explain what to write, and say what the Background Report of June
2005 has on the issue.
"""

from collections.abc import Iterator, Sequence
from textwrap import fill

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.namespaces import expand_curie
from ..text import find_near_names
from .background import (
    BackgroundHint,
    BackgroundHints,
    english_text,
    list_background_hints,
    shipped_objects,
    subjects_by_object,
)
from .markdown.template import (
    ACTOR_HEADINGS,
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
)
from .markdown.values import local_name, resource_path
from .markdown.writer import serialize_yaml

HEADING_HINTS = {
    "wgig:strength": "What works well today? One point per list item.",
    "wgig:weakness": "What does not work well today?",
    "wgig:opportunity": "What outside developments could improve it?",
    "wgig:threat": "What outside developments could harm it?",
    "wgig:mainActor": "One line: Name (group). Groups: governments, private-sector, civil-society, "
    "international-organizations.",
    "wgig:otherActor": "One line for each, in the same form.",
}
DECISION_HINT = "Makes decisions: yes or no; if yes, say by what procedure."
ABOUT_HINT = (
    "If it is a body or instrument in the graph, add a line below its name, such as About: agent/icann"
)
ADEQUACY_HINT = (
    "Verdict: adequate, partly-adequate, inadequate or not-assessed. Mechanism: a name from "
    "section 6, or from the graph, such as agent/icann. Give the reasons below. To judge "
    "several mechanisms, give each a heading #### Name of the mechanism."
)
# The beginnings of the comments with hints from the Background Report.
FORUMS_NOTE = "The Background Report of June 2005 names these forums on the issue:"
MECHANISMS_NOTE = "The Background Report of June 2005 names these mechanisms that govern the issue:"
JUDGMENTS_NOTE = (
    "Judgments of the Background Report of June 2005, not of this paper, with the holder of the view:"
)
RECOMMENDATIONS_NOTE = (
    "Needs and proposals in the Background Report of June 2005, with the holder of the view:"
)
MAX_HINT_PASSAGES = 6  # of a mechanism, which the report may name in many


def build_paper_skeleton(issue: str) -> str:
    """The Markdown of a paper on an issue, to be filled in. Raises Problem 404 for an unknown issue."""
    node = get_inventory_issue(issue)
    categories = [local_name(category, "category") for category in shipped_objects(node, "wgig:category")]
    passages = list_declaration_passages(node, "wgig:bearsOn")
    hints = list_background_hints(node)
    blocks = [
        format_skeleton_front_matter(issue, english_text(node, "skos:prefLabel"), passages),
        *iter_section_skeleton(
            "issue",
            "Describe the issue. The inventory describes it as follows:",
            english_text(node, "skos:definition"),
        ),
        *iter_section_skeleton(
            "categories",
            "The inventory lists the issue under these categories. Keep those that apply.",
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
            "forums", content=format_background_comment(FORUMS_NOTE, hints.get("forums", []))
        ),
        format_copied_headings("forum", FORUM_HEADINGS, DECISION_HINT),
        *iter_section_skeleton(
            "mechanisms", content=format_background_comment(MECHANISMS_NOTE, hints.get("mechanisms", []))
        ),
        format_copied_headings("mechanism", MECHANISM_HEADINGS, ABOUT_HINT),
        *iter_section_skeleton(
            "adequacy", ADEQUACY_HINT, format_background_comment(JUDGMENTS_NOTE, hints.get("adequacy", []))
        ),
        *(block for heading in CRITERION_HEADINGS for block in iter_criterion_skeleton(heading, hints)),
        *iter_section_skeleton(
            "comments",
            "Any other comments. If there are none, remove this section.",
            format_background_comment(RECOMMENDATIONS_NOTE, hints.get("comments", [])),
        ),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def get_inventory_issue(issue: str) -> ox.NamedNode:
    """The issue with this name in the inventory. Raises Problem 404, with similar names, if there is none."""
    issues = {
        local_name(node, "issue"): node
        for node in subjects_by_object("wgig:inventoryStatus").get(ox.Literal("yes"), ())
    }
    if issue in issues:
        return expand_curie(f"issue:{issue}")
    similar = find_near_names(issue, issues, limit=3)
    hint = (
        f"Did you mean {' or '.join(similar)}?"
        if similar
        else f"The issues are: {', '.join(sorted(issues))}."
    )
    raise Problem(404, f"The inventory has no issue {issue}. {hint}")


def list_declaration_passages(node: object, curie: str) -> list[tuple[str, str]]:
    """The path and text of each paragraph of the Declaration whose property `curie` has the node as value."""
    paragraphs = [
        paragraph
        for paragraph in subjects_by_object(curie).get(node, ())
        if local_name(paragraph, "doc").startswith("declaration/")
    ]
    return [
        (local_name(paragraph, "doc"), english_text(paragraph, "dcterms:description"))
        for paragraph in paragraphs
    ]


def format_skeleton_front_matter(issue: str, title: str, passages: list[tuple[str, str]]) -> str:
    """The front matter, with the issue, title and cited passages filled in."""
    due_date = english_text(expand_curie("milestone:ms-papers"), "wgig:due")
    cited = "".join(f"\n  - {path}  # {description}" for path, description in passages)
    return f"""---
paper: my-{issue}  # the name of the paper in web addresses
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
    hint = (
        f"For each {part_kind}, copy these headings below this comment, and write below each "
        f"heading. {extra_hint}"
    )
    lines = [fill(f"<!-- {hint}", 100)]
    lines += [
        f"### Name of the {part_kind}",
        *(f"#### {heading.marked_title}" for heading in headings),
        "-->",
    ]
    return "\n\n".join(lines)


def iter_criterion_skeleton(heading: TemplateHeading, hints: BackgroundHints) -> Iterator[str]:
    """A criterion of section 7, with hints: the paragraphs of the Declaration that name it, and judgments."""
    principle = heading.key or "development"  # an example for the heading `Other`
    node = expand_curie(f"principle:{principle}")
    title = heading.marked_title if heading.key else f"{heading.marked_title}: {principle}"
    narrower = subjects_by_object("skos:broader").get(node, ())
    paths = dict.fromkeys(
        path
        for principle_node in [node, *narrower]
        for path, _ in list_declaration_passages(principle_node, "wgig:namesPrinciple")
    )
    yield f"### {title}"
    yield format_hint_comment(f"Named in: {', '.join(paths)}") if paths else ""
    yield format_background_comment(JUDGMENTS_NOTE, hints.get(heading.key, []), node)
    yield "Verdict:  \nMechanism:  \nCites:"


def format_background_comment(
    note: str, hints: Sequence[BackgroundHint], criterion: ox.NamedNode | None = None
) -> str:
    """A comment with hints from the Background Report; empty without any.

    A hint names its criterion unless it is `criterion`, that of the heading.
    """
    items = [
        fill(
            f"- {format_background_hint(hint, criterion)}".replace("-->", "→").replace("<!--", ""),
            100,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for hint in hints
    ]
    return "\n".join([f"<!-- {note}\n", *items, "-->"]) if items else ""


def format_background_hint(hint: BackgroundHint, criterion: ox.NamedNode | None) -> str:
    """A hint as text, such as `partly adequate, in the view of some members: ...`."""
    kind = english_text(hint.kind, "skos:prefLabel")
    passages = ", ".join(hint.passages[:MAX_HINT_PASSAGES])
    if len(hint.passages) > MAX_HINT_PASSAGES:
        passages += f" and {len(hint.passages) - MAX_HINT_PASSAGES} more"
    if hint.holder is None:  # a mechanism
        return f"{resource_path(hint.node)}: {hint.text}, {kind}; {hint.subject} ({passages})"
    other_criterion = hint.criterion if hint.criterion != criterion else None
    return "".join(
        [
            f"{english_text(other_criterion, 'skos:prefLabel')}: " if other_criterion else "",
            f"{kind}, in the view of {english_text(hint.holder, 'skos:prefLabel')}: {hint.text}. ",
            f"Judged: {judged}. " if (judged := format_judged(hint)) else "",
            f"“{hint.quotation}” " if hint.quotation else "",
            f"One side of the dispute: {hint.dispute}. " if hint.dispute else "",
            f"About the whole cluster “{hint.cluster}”. " if hint.cluster else "",
            f"({passages})",
        ]
    )


def format_judged(hint: BackgroundHint) -> str:
    """What a judgment judges, as named, with the names in the graph, such as `OECD (agent/oecd)`."""
    paths = ", ".join(map(resource_path, hint.mechanisms))
    return f"{hint.subject} ({paths})" if hint.subject and paths else hint.subject or paths

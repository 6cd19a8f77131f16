"""/compare: the passages of four texts on an issue, or on what a paragraph is about, side by side."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import pyoxigraph as ox
from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from wgig_client.namespaces import namespaces_by_prefix

from ..http.language import label_languages
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type, describe_parameter
from ..http.responses import respond_with_body
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem, build_sentence
from ..rdf.formats import HTML, JSON
from ..rdf.json_layout import serialize_json_body
from ..rdf.labels import label_or_words
from ..rdf.values import parse_parameter_term
from ..resources.existence import check_known_iri
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.service import QueryService, select_internal_rows
from ..store.labels import build_language_map, find_label, find_labels
from ..text import natural_sort_key, shorten_untrusted_text
from .comparison import (
    COMPARED_DOCUMENTS,
    DIRECT_RELATIONS,
    ComparedPassage,
    Comparison,
    build_issue_counts_query,
    build_judgment_count_query,
    build_parts_query,
    compare_passages,
    count_seen_paragraphs,
    list_compared_documents,
    read_passage_text,
)
from .schemas import ComparisonDocument

COMPARE_FORMATS = (JSON, HTML)
COMPARE_OPERATION = Operation(formats=COMPARE_FORMATS, json=ComparisonDocument)

NOTHING_MESSAGE = gettext_noop("Choose an issue or a paragraph.")
BOTH_MESSAGE = gettext_noop("Choose an issue or a paragraph, not both.")
UNKNOWN_MESSAGES = {
    "issue": gettext_noop("We do not know the issue “{value}”. Choose one from the list."),
    "paragraph": gettext_noop("We do not know the paragraph “{value}”. Choose one from the list."),
}
# By document, for the narrow columns of a table.
SHORT_NAMES = {
    "declaration": gettext_noop("Declaration (2003)"),
    "plan-of-action": gettext_noop("Plan (2003)"),
    "report": gettext_noop("Report (2005)"),
    "tunis-agenda": gettext_noop("Agenda (2005)"),
}

Rows = Sequence[Sequence[Any]]


class ComparisonParameters(ParameterModel):
    """Query parameters of /compare."""

    media_type: Text = describe_media_type(COMPARE_FORMATS)
    issue: Text = describe_parameter("The issue that the passages are about.", examples=["spam"])
    paragraph: Text = describe_parameter(
        "The paragraph to which the passages are related, by its document and number.",
        examples=["declaration/48"],
    )


class ComparedIssue(NamedTuple):
    """An issue: its IRI, its value in the query string, and its number of passages in each document."""

    iri: str
    value: str
    counts: Sequence[int]


class PartOption(NamedTuple):
    """A part of a document in the field of the page: its IRI, and its value in the query string."""

    iri: str
    value: str


class ChoiceError(NamedTuple):
    """What is wrong with a choice: the name of its field, the message, and the unknown value."""

    name: str
    message: str
    value: str = ""


class ComparisonExtras(NamedTuple):
    """What only the page has: parts of the documents, a number of judgments, and an error."""

    parts: Rows
    judgments: int
    error: ChoiceError | None


async def get_comparison(
    context: ContextDep, queries: QueriesDep, parameters: Annotated[ComparisonParameters, Query()]
) -> Response:
    """The passages of four texts on an issue, or on what a paragraph is about, side by side.

    Without an issue or paragraph, the issues with their numbers of passages. Raises Problem 400 for both, or
    for an unknown one; the page says so at its fields.
    """
    request, base = context.request, context.base
    format_ = choose_response_format(request, COMPARE_FORMATS, parameters.media_type)
    error, chosen = find_choice_error(parameters) if format_ is HTML else None, ""
    try:
        chosen = "" if error else await parse_chosen_thing(request, queries, parameters)
    except Problem:
        if format_ is not HTML:
            raise
        name = "issue" if parameters.issue else "paragraph"
        value = shorten_untrusted_text(getattr(parameters, name))
        error = ChoiceError(name, UNKNOWN_MESSAGES[name], value)
    comparison = await compare_passages(request, queries, chosen, is_paragraph=bool(parameters.paragraph))
    counts = await select_internal_rows(request, queries, build_issue_counts_query(base))
    issues = list_compared_issues(counts, base)
    if format_ is JSON:
        body = await run_in_threadpool(serialize_comparison_json, context, comparison, issues)
    else:
        parts = await select_internal_rows(request, queries, build_parts_query(base))
        judgments = 0
        if chosen and not parameters.paragraph:
            rows = await select_internal_rows(request, queries, build_judgment_count_query(chosen, base))
            judgments = int(rows[0][0].value)
        body = await run_in_threadpool(
            render_comparison_page, context, comparison, issues, ComparisonExtras(parts, judgments, error)
        )
    return respond_with_body(request, body, format_, status=400 if error else 200)


def find_choice_error(parameters: ComparisonParameters) -> ChoiceError | None:
    """What is wrong with the numbers of choices in a form that was sent; None if nothing is."""
    if parameters.issue and parameters.paragraph:
        return ChoiceError("issue", BOTH_MESSAGE)
    values = (parameters.issue, parameters.paragraph)
    return ChoiceError("issue", NOTHING_MESSAGE) if "" in values and not any(values) else None


async def parse_chosen_thing(
    request: Request, queries: QueryService, parameters: ComparisonParameters
) -> str:
    """The IRI of the issue or paragraph in the parameters; empty if there is none. Raises Problem 400."""
    given = [
        (name, type_, text)
        for name, type_, text in (
            ("issue", "issue", parameters.issue),
            ("paragraph", "doc", parameters.paragraph),
        )
        if text
    ]
    if len(given) > 1:
        raise Problem(400, [build_sentence(BOTH_MESSAGE)])
    for name, type_, text in given:
        iri: str = parse_parameter_term(name, type_, text, queries.settings.base).value
        await check_known_iri(request, queries, name, type_, iri)
        return iri
    return ""


def list_compared_issues(rows: Rows, base: str) -> list[ComparedIssue]:
    """The issues from the result rows of `build_issue_counts_query`."""
    documents, counts = list_compared_documents(base), dict[str, dict[str, int]]()
    for issue, document, passages in rows:
        by_document = counts.setdefault(issue.value, {})
        if isinstance(document, ox.NamedNode):
            by_document[document.value] = int(passages.value)
    namespace = namespaces_by_prefix(base)["issue"]
    return [
        ComparedIssue(
            iri, iri.removeprefix(namespace), [by_document.get(document, 0) for document in documents]
        )
        for iri, by_document in counts.items()
    ]


def render_comparison_page(
    context: RequestContext,
    comparison: Comparison,
    issues: Sequence[ComparedIssue],
    extras: ComparisonExtras,
) -> bytes:
    """The page with the passages, or with the issues to choose from."""
    store, base = context.store, context.base
    parts = extras.parts
    texts = {
        iri: read_passage_text(store, iri, base)
        for iri in filter(None, (comparison.chosen, *(passage.iri for passage in comparison.all_passages)))
    }
    shown = {
        *texts,
        *list_compared_documents(base),
        *(topic for passage in comparison.all_passages for topic in passage.topics),
        *(issue.iri for issue in issues),
        *(part.value for _, part, *_ in parts),
    }
    labels = find_labels(store, shown, label_languages())
    namespace = namespaces_by_prefix(base)["doc"]
    options = {
        document: [
            PartOption(part.value, part.value.removeprefix(namespace))
            for other, part, *_ in parts
            if other.value == document
        ]
        for document in list_compared_documents(base)
    }
    documents = list_compared_documents(base)
    issue_iris = {issue.iri for issue in issues}
    return render_site_page(
        context,
        "compare.html",
        comparison=comparison,
        documents=documents,
        short_names=dict(zip(documents, map(SHORT_NAMES.get, COMPARED_DOCUMENTS), strict=True)),
        seen={document: count_seen_paragraphs(parts, document, base) for document in documents},
        part_names={iri: labels[iri] if iri in issue_iris else name_part(labels[iri]) for iri in labels},
        error=extras.error,
        judgments=extras.judgments,
        texts=texts,
        issues=sorted(issues, key=lambda issue: natural_sort_key(label_or_words(labels, issue.iri).value)),
        parts=options,
        labels=labels,
        is_paragraph=comparison.chosen.startswith(namespace),
        is_in_document=comparison.chosen.startswith(
            tuple(f"{document}/" for document in list_compared_documents(base))
        ),
        relations={name: message for name, (_, message) in DIRECT_RELATIONS.items()},
    )


def name_part(label: ox.Literal) -> ox.Literal:
    """The label of a part without the name of its document, which comes before the first comma."""
    document, separator, name = label.value.partition(", ")
    if not separator or document.startswith("Action line"):
        return label
    return ox.Literal(name[:1].upper() + name[1:], language=label.language)


def serialize_comparison_json(
    context: RequestContext, comparison: Comparison, issues: Sequence[ComparedIssue]
) -> bytes:
    """The passages, or without a choice the issues to choose from, as JSON, with labels in English."""
    store, base = context.store, context.base

    def name_thing(iri: str) -> dict[str, Any]:
        label = find_label(store, iri)
        return {"id": iri, **({"label": build_language_map([label])} if label else {})}

    def describe_passage(passage: ComparedPassage) -> dict[str, Any]:
        text = read_passage_text(store, passage.iri, base)
        return {
            **name_thing(passage.iri),
            **({"summary": build_language_map([text.summary])} if text.summary else {}),
            **({"evidence": text.evidence.value} if text.evidence else {}),
            "relations": sorted(passage.direct),
            "topics": [name_thing(topic) for topic in sorted(passage.topics)],
            "sources": [source.iri for source in text.sources],
        }

    documents = list_compared_documents(base)
    return serialize_json_body(
        {
            "chosen": name_thing(comparison.chosen) if comparison.chosen else None,
            "documents": [
                {
                    **name_thing(document),
                    "total": comparison.totals[document],
                    "passages": [describe_passage(passage) for passage in comparison.passages[document]],
                }
                for document in documents
            ],
            "issues": [
                {**name_thing(issue.iri), "passages": dict(zip(documents, issue.counts, strict=True))}
                for issue in issues
                if not comparison.chosen
            ],
        }
    )

"""/search/suggestions: resources whose names match what is typed so far, as OpenSearch suggestions 1.1.

The search fields of pages show them (`service/web/src/page/suggest.ts`), and browsers in their address bar.
"""

from typing import Annotated, NamedTuple

from fastapi import Query, Response

from ..http.language import label_languages
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_parameter
from ..http.responses import respond_with_body, serialize_compact_json
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import localized_kind_name
from ..pages.rendering import find_href
from ..problems import Problem, build_sentence
from ..rdf.formats import Format
from ..rdf.labels import label_or_words
from ..store.labels import find_labels
from ..text import shorten_text
from .database import IndexRow, read_index_entries
from .dependencies import IndexDep, SearchesDep
from .entries import MACHINE_KINDS, VOCABULARY_VALUE_KINDS, IndexEntry
from .index import FullTextIndex
from .name_ranking import find_other_name
from .ranking import find_completed_names

MAX_SEARCH_SUGGESTIONS, MAX_SUGGESTION_CHARACTERS = 8, 200
SUGGESTIONS_FORMAT = Format("application/x-suggestions+json", "json", "OpenSearch suggestions")
SUGGESTION_HEADERS = {"Vary": "Accept-Encoding, Accept-Language"}


class SearchSuggestionParameters(ParameterModel):
    """Query parameters of /search/suggestions."""

    q: Text = describe_parameter("The text typed so far.", examples=["spa"])


SEARCH_SUGGESTIONS_OPERATION = Operation(formats=(SUGGESTIONS_FORMAT,))


class Suggestion(NamedTuple):
    """A resource: its label, its kind with the name that matches, and the path of its page."""

    label: str
    description: str
    path: str


async def get_search_suggestions(
    context: ContextDep,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[SearchSuggestionParameters, Query()],
) -> Response:
    """Resources whose names match a text that is being typed."""
    return await searches.run(answer_suggestions_request, context, index, parameters.q or "")


def answer_suggestions_request(context: RequestContext, index: FullTextIndex, text: str) -> Response:
    """The response with the suggestions: the text, and lists of labels, descriptions and URLs.

    Raises Problem 400 without a text.
    """
    if not text.strip():
        message = gettext_noop("Enter the words to search for: set the parameter q, as in /search?q=spam.")
        raise Problem(400, [build_sentence(message)])
    suggestions = suggest_resources(text, index)
    base_url = str(context.request.base_url)
    body = serialize_compact_json(
        [
            text,
            [suggestion.label for suggestion in suggestions],
            [suggestion.description for suggestion in suggestions],
            [base_url + suggestion.path.removeprefix("/") for suggestion in suggestions],
        ]
    )
    return respond_with_body(context.request, body, SUGGESTIONS_FORMAT, headers=SUGGESTION_HEADERS)


def suggest_resources(text: str, index: FullTextIndex) -> list[Suggestion]:
    """The resources with a page whose names match best, without records for programs."""
    rows = [row for row in index.query(find_completed_names, text) if row.kind not in MACHINE_KINDS]
    rows = rows[: 2 * MAX_SEARCH_SUGGESTIONS]  # as some may be left out
    labels = find_labels(index.store, (row.iri for row in rows), label_languages())
    entries = index.query(read_index_entries, rows)
    suggestions: dict[tuple[str, str], Suggestion] = {}
    for row in rows:
        label = label_or_words(labels, row.iri).value
        # Several vocabularies have the same value, which people do not tell apart.
        kind = "" if row.kind in VOCABULARY_VALUE_KINDS else row.kind
        if path := find_href(row.iri, index.base):
            suggestion = build_suggestion(row, label, entries.get(row.id), text, path)
            suggestions.setdefault((kind, label if not kind else row.iri), suggestion)
    return list(suggestions.values())[:MAX_SEARCH_SUGGESTIONS]


def build_suggestion(row: IndexRow, label: str, entry: IndexEntry | None, text: str, path: str) -> Suggestion:
    """The suggestion for a row, described by its kind, and by the name that matches if the label does not."""
    other_name = find_other_name(entry, row, text, label) if entry else ""
    description = " · ".join(filter(None, (localized_kind_name(row.kind), other_name)))
    return Suggestion(
        shorten_text(label, MAX_SUGGESTION_CHARACTERS),
        shorten_text(description, MAX_SUGGESTION_CHARACTERS),
        path,
    )

"""What a search requires of a resource, as a query of the index."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from .database import filter_token
from .terms import SearchTerm

MAX_SEARCH_MATCHES = 200  # resources, unless the criteria have another limit


@dataclass(frozen=True)
class SearchCriteria:
    """Search terms, of which all or any must match, and filters by language and kind (empty: any).

    With a language, texts without one do not match. At most `limit` resources are returned.
    """

    terms: Sequence[SearchTerm]
    language: str = ""
    kind: str = ""
    match_all: bool = True
    limit: int = MAX_SEARCH_MATCHES

    def __str__(self) -> str:
        """The criteria as an FTS5 query."""
        return self.add_filters((" AND " if self.match_all else " OR ").join(map(str, self.required_terms)))

    @property
    def required_terms(self) -> list[SearchTerm]:
        """The terms that are no stop words; if all are, all terms."""
        return [term for term in self.terms if not term.is_optional] or list(self.terms)

    def add_filters(self, expression: str) -> str:
        """An FTS5 expression, and the filters."""
        parts = [f"({expression})"]
        if self.language:
            parts.append(f'"{filter_token("l", self.language)}"')
        if self.kind:
            parts.append(f'"{filter_token("k", self.kind)}"')
        return " AND ".join(parts)


def count_text_matches(connection: sqlite3.Connection, query: SearchTerm | SearchCriteria, limit: int) -> int:
    """The number of index rows with matching texts, at most one more than `limit`."""
    subquery = f"SELECT 1 FROM texts WHERE texts MATCH ? LIMIT {limit + 1}"  # noqa: S608
    (count,) = connection.execute(f"SELECT count(*) FROM ({subquery})", (str(query),)).fetchone()  # noqa: S608
    return int(count)

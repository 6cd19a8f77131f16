"""The SPARQL protocol request: query, dataset, options and result format, validated before anything runs.

Validation takes time linear in the length of the request. Parameters of other SPARQL services (`format`,
`output`, `results`) are accepted as media type, as their clients expect. SPARQL versions are negotiated
(SPARQL 1.2 Protocol). The dataset of an update request is written into its text as USING clauses (SPARQL 1.1
Protocol, section 2.2.3), because the engine takes none beside it; `DELETE WHERE`, which takes no such clause,
becomes `DELETE ... WHERE`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..http.bodies import MOST_PAIRS, ContentType, Pairs, values
from ..http.negotiation import negotiate
from ..http.parameters import checked
from ..problems import Problem
from ..rdf.formats import Format, closeness, named
from ..rdf.sparql_lexer import absolute, fault, form, names_dataset, walk
from ..settings import Settings
from ..store.view import Dataset
from ..text import near
from .admission import ROOM, admit, form_of
from .language.diagnosis import diagnose


def with_using(text: str, graphs: Sequence[str], named: Sequence[str]) -> str:
    """The update with a USING clause for each graph before each WHERE (SPARQL 1.1 Protocol, section 2.2.3).

    `DELETE WHERE`, which takes no such clause, is written out as `DELETE … WHERE`. Raises Problem 400 where
    the text has USING or WITH itself.
    """
    if not graphs and not named:
        return text
    clauses = " ".join([*(f"USING <{iri}>" for iri in graphs), *(f"USING NAMED <{iri}>" for iri in named)])
    pieces: list[str] = []
    done = 0
    shorthand = -1  # where the pattern of a DELETE WHERE starts, once its keyword is met
    for step in walk(text):
        token = step.token
        if step.depth == 0 and token.word in ("USING", "WITH"):
            raise clash(text, token.start, token.word)
        if step.depth == 0 and token.word == "WHERE":
            pieces.append(text[done : token.start])
            done = token.start
            if step.previous.word == "DELETE":
                shorthand = done = token.start + len(token.text)
            else:
                pieces.append(f"{clauses} ")
        if step.depth == 0 and token.text == "}" and shorthand >= 0:
            pattern = text[shorthand : token.start + 1]
            pieces.append(f"{pattern} {clauses} WHERE{pattern}")
            shorthand, done = -1, token.start + 1
    return "".join([*pieces, text[done:]])


def clash(text: str, start: int, word: str) -> Problem:
    """The 400 for two datasets at once."""
    return fault(
        text,
        start,
        f"The update has {word}, and the request has using-graph-uri or using-named-graph-uri.",
        "Give the dataset in one of the two.",
    )


# What other services call `_mediatype`, so that clients made for them send it.
ALSO = ("format", "output", "results")
# The parameters of a query; with `ac` editors say that a program asks of itself, which changes nothing.
ONCE = ("query", "explain", "hints", "version", "_mediatype", "ac")
MANY = ("default-graph-uri", "named-graph-uri", *ALSO)
OURS = (*ONCE, *MANY, "example")
VERSIONS = ("1.0", "1.1", "1.2-basic", "1.2")  # of SPARQL, all of which the engine reads
LONG = 2_000  # characters that take some milliseconds, so that more are looked at elsewhere


@dataclass(frozen=True)
class Question:
    """A query that may run: its text as the engine gets it, its form, and the dataset it runs over."""

    text: str
    form: str
    dataset: Dataset
    strangers: tuple[str, ...] = ()  # parameters that mean nothing here
    hinted: bool = False  # whether the client wants to know what is probably not meant


def takes_long(pairs: Pairs, settings: Settings) -> bool:
    """Whether `question` has to look closely at much text."""
    lengths = [len(value) for _, value in pairs]
    if not sum(lengths) > LONG or max(lengths) > settings.query_length:  # which is refused at once
        return False
    return not any(form_of(text, settings.query_nesting) for text in values(pairs, "query"))


def question(pairs: Pairs, settings: Settings) -> Question:
    """The query of a request's pairs. Raises Problem 400, 403 and 413 before anything runs."""
    if values(pairs, "update"):
        raise Problem(400, "An update was sent to the query service. Send it by POST to /update.")
    texts = values(pairs, "query")
    if len(texts) != 1:
        raise Problem(
            400, f"Exactly one query is needed, and {len(texts)} were sent. Give the parameter query once."
        )
    strangers = strange_ones(pairs)
    checked([pair for pair in pairs if pair[0] not in strangers], ONCE, MANY, most=MOST_PAIRS)
    check_version(pairs)
    text = texts[0]
    if len(text) > settings.query_length:
        raise Problem(
            413, f"The query is longer than {settings.query_length} characters. Ask in smaller parts."
        )
    plain = form_of(text, settings.query_nesting)
    hinted = any(key == "hints" for key, _ in pairs)
    dataset = Dataset(
        tuple(absolute(iri, "default-graph-uri") for iri in values(pairs, "default-graph-uri")),
        tuple(absolute(iri, "named-graph-uri") for iri in values(pairs, "named-graph-uri")),
        union=settings.default_graph == "union" and (bool(plain) or not names_dataset(text)),
    )
    if plain:
        return Question(text + ROOM, plain, dataset, strangers, hinted)
    return Question(admit(text, settings), form(text), dataset, strangers, hinted)


def strange_ones(pairs: Pairs) -> tuple[str, ...]:
    """The parameters that are those of other services, as clients made for them send them with each query.

    One of ours that has no place beside a query is not among them, nor what is spelt nearly as one of ours
    that is not given: it is a slip, which may change the answer.
    """
    given = dict(pairs)
    missed = [one for one in OURS if one not in given]
    return tuple(key for key in given if key not in OURS and not near(key, missed))


def check_version(pairs: Pairs) -> None:
    """Raises Problem 400 for a text in a version of SPARQL that is not read (SPARQL 1.2 Protocol, 2.1)."""
    for version in values(pairs, "version"):
        if version not in VERSIONS:
            raise Problem(400, f"SPARQL {version!r} is not read here. Versions are: {', '.join(VERSIONS)}.")


def version_of(given: ContentType) -> Pairs:
    """The version that the type of a body names, as a parameter."""
    return [("version", given.parameters["version"])] if "version" in given.parameters else []


def picked(pairs: Pairs, accept: Iterable[str], offered: Sequence[Format]) -> Format:
    """The format of the answer: that of the pairs beats the Accept fields, `_mediatype` other names of it.

    Raises Problem 400 where they contradict each other, 406 for one that is not offered.
    """
    asked = values(pairs, "_mediatype") or [value for key, value in pairs if key in ALSO]
    if not asked:
        return negotiate(accept, offered)
    # Some clients send all the names that a format may have.
    meant = {one for value in asked for name in value.split(",") for one in called(name, offered)}
    if len(meant) > 1:
        raise Problem(400, f"{', '.join(ALSO)} name different formats. Name one, as _mediatype.")
    return meant.pop() if meant else named(asked[0], offered)


def called(name: str, offered: Sequence[Format]) -> list[Format]:
    """The offered format that a service calls so, or none."""
    return [one for one in offered if closeness(name, one)][:1]


def misspelt(text: str, said: str, settings: Settings) -> Problem:
    """The Problem of a text that does not parse, as the engine said of it."""
    text = text.removesuffix(ROOM)
    try:
        admit(text, settings)  # which knows of undeclared prefixes
    except Problem as problem:
        return problem
    return diagnose(text, SyntaxError(said))

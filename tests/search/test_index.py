"""The index finds what was written however it was typed, and is in line with the store after every write."""

import sqlite3
from concurrent.futures import Future
from io import BytesIO
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rdf.namespaces import kind_of_iri
from wgig.search import index as search_index
from wgig.search.database import INDEX_FORMAT, fill_index, list_distinct_values, read_index_entries
from wgig.search.entries import find_index_passage
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex, close_index_connections
from wgig.search.ranking import SearchCriteria
from wgig.search.ranking import find_search_matches as find_all
from wgig.search.snippets import build_snippet
from wgig.search.tokenizer import MAX_SEARCH_CHARACTERS, MAX_SEARCH_TERMS, parse_search_terms, tokenize_text
from wgig.settings import Settings
from wgig.store.recovery import get_index_mark
from wgig.store.store import Store

BASE = Settings.base
PREFIXES = f"""
PREFIX id: <{BASE}id/> PREFIX wgig: <{BASE}ontology#> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
DATA = """
<{0}id/issue/spam> <{1}prefLabel> "Spam"@en, "Pourriel"@fr ; <{1}definition> "Bulk unsolicited messages."@en .
<{0}id/issue/costs> <{1}prefLabel> "Cost of interconnection"@en ; <{1}note> "Who pays for spam filters."@en .
<{0}id/agent/kummer> <http://xmlns.com/foaf/0.1/name> "Markus Kummer" .
<{0}id/issue/access> <{1}prefLabel> "الوصول إلى الإنترنت"@ar, "互联网的普遍接入"@zh, "Accès à l’Internet"@fr .
"""


def write(store: Store, update: str) -> None:
    store.update(f"{PREFIXES} {update}")


@pytest.fixture
def store() -> Store:
    found = Store.in_memory()
    data = DATA.format(BASE, "http://www.w3.org/2004/02/skos/core#")
    found.update(f"INSERT DATA {{ {data} }}")
    return found


@pytest.fixture
def index(store: Store) -> FullTextIndex:
    return FullTextIndex(store, BASE)


def find(index: FullTextIndex, text: str, language: str = "", kind: str = "") -> list[str]:
    found = index.query(find_all, SearchCriteria(parse_search_terms(text), language, kind))
    return [row.iri.removeprefix(f"{BASE}id/") for row in found.rows]


def rows(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(
            "SELECT iri, language, kind, label, passages FROM things NATURAL JOIN entries ORDER BY 1, 2"
        ).fetchall()
    finally:
        connection.close()


# How texts become words.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("E-Commerce, 2005", ["e", "commerce", "2005"]),
        ("Éducation STRASSE straße", ["education", "strasse", "strasse"]),
        ("互联网 of ガバナンス", ["互", "联", "网", "of", "ガ", "バ", "ナ", "ン", "ス"]),
        ("الإنترنت والإنترنت إنترنت", ["انترنت", "انترنت", "انترنت"]),
        ("حَوْكَمة", ["حوكمه"]),
        ("한국 인터넷", ["한국", "인터넷"]),
        ("children's Geneva’s développement's 1990's", ["children", "geneva", "developpement", "1990"]),
        (
            "don't O'Connor l’Internet d'accès rock'n'roll",
            ["don", "connor", "internet", "acces", "rock", "roll"],
        ),
        ("'a' list of the states' rights", ["a", "list", "of", "the", "states", "rights"]),
        ("!§ _", []),
    ],
)
def test_words_are_compared_without_what_is_typed_in_many_ways(text: str, found: list[str]) -> None:
    assert tokenize_text(text) == found


@pytest.mark.parametrize("text", ["Geneva's", "l’geneva", "children's", "o'connor", "O’Connor’s"])
def test_an_apostrophe_neither_hides_a_word_nor_makes_one(
    store: Store, index: FullTextIndex, text: str
) -> None:
    write(store, """INSERT DATA { id:paper\\/x rdfs:label "Children of Geneva, by Connor" }""")
    write(store, """INSERT DATA { id:paper\\/y rdfs:label "A plan of type T, by O, in S" }""")
    assert find(index, text) == ["paper/x"]


def test_what_is_asked_for_is_words_phrases_and_begins_of_words() -> None:
    assert [str(one) for one in parse_search_terms('"root servers" gov* e-commerce')] == [
        '"root servers"',
        '"gov" *',
        '"e commerce"',
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "!?",
        '""',
        "x" * (MAX_SEARCH_CHARACTERS + 1),
        " ".join(f"w{n}" for n in range(MAX_SEARCH_TERMS + 1)),
    ],
)
def test_a_search_that_is_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_search_terms(text)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "text",
    [
        'spam" OR names:x',
        "NEAR(spam)",
        "spam AND",
        "spam'; DROP TABLE things",
        "§kissue",
        "-spam",
        "^spam",
        '"spam',
    ],
)
def test_no_text_is_syntax_of_the_index(index: FullTextIndex, text: str) -> None:
    found = index.query(find_all, SearchCriteria(parse_search_terms(text)))
    assert all(
        str(term).replace('"', "").replace(" *", "").replace(" ", "").isalnum()
        for term in found.criteria.terms
    )
    assert find(index, "spam")


# What is found, and in which order.


def test_names_come_before_texts(index: FullTextIndex) -> None:
    assert find(index, "spam") == ["issue/spam", "issue/costs"]


def test_the_nearest_name_comes_first(store: Store, index: FullTextIndex) -> None:
    write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "All about the spam of old"@en }')
    assert find(index, "spam")[:2] == ["issue/spam", "issue/a"]


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("unsolicited", "issue/spam"),
        ('"bulk unsolicited"', "issue/spam"),
        ("interconn*", "issue/costs"),
        ("kummer markus", "agent/kummer"),
        ("acces", "issue/access"),
        ("联网", "issue/access"),
        ("انترنت", "issue/access"),
    ],
)
def test_a_thing_is_found_by_words_phrases_and_begins_in_any_script(
    index: FullTextIndex, text: str, iri: str
) -> None:
    assert find(index, text) == [iri]


def test_a_phrase_stands_in_one_text(index: FullTextIndex) -> None:
    assert (
        index.query(find_all, SearchCriteria(parse_search_terms('"spam bulk"'))).rows == []
        or not index.query(find_all, SearchCriteria(parse_search_terms('"spam bulk"'))).criteria.match_all
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [("spma", "spam"), ("interconection", "interconnection"), ("unsolisited bulk", "unsolicited")],
)
def test_a_misspelt_word_is_found_as_what_it_means(index: FullTextIndex, text: str, meant: str) -> None:
    found = index.query(find_all, SearchCriteria(parse_search_terms(text)))
    assert found.rows
    assert meant in found.replacements.values()


def test_what_has_any_of_the_words_is_found_where_nothing_has_all(index: FullTextIndex) -> None:
    found = index.query(find_all, SearchCriteria(parse_search_terms("spam kummer")))
    assert not found.criteria.match_all
    assert {row.iri for row in found.rows} >= {f"{BASE}id/issue/spam", f"{BASE}id/agent/kummer"}


@pytest.mark.parametrize(
    ("text", "iri", "meant"),
    [
        ("messages/bulk", "issue/spam", []),
        ("kummer-markus", "agent/kummer", []),
        ("Inter-connection", "issue/costs", ["interconnection"]),
        ("inter-connec*", "issue/costs", ["interconnec"]),
        ("spam/filtres", "issue/costs", ["filters"]),
        ("bulk-mesages unsolicited", "issue/spam", ["messages"]),
    ],
)
def test_words_that_are_joined_are_found_as_parts_or_as_one(
    index: FullTextIndex, text: str, iri: str, meant: list[str]
) -> None:
    found = index.query(find_all, SearchCriteria(parse_search_terms(text)))
    assert [row.iri for row in found.rows] == [f"{BASE}id/{iri}"]
    assert list(found.replacements.values()) == meant
    assert found.criteria.match_all


def test_words_side_by_side_come_before_those_apart(index: FullTextIndex, store: Store) -> None:
    write(store, 'INSERT DATA { id:issue\\/mail skos:prefLabel "Mail spam, or spam mail"@en }')
    write(store, 'INSERT DATA { id:issue\\/apart skos:prefLabel "Spam of mail"@en }')
    assert find(index, "spam-mail") == ["issue/mail"]
    assert find(index, "mail/of") == ["issue/apart"]


def test_of_words_that_are_joined_any_is_found_where_nothing_has_all(index: FullTextIndex) -> None:
    assert set(find(index, "spam/kummer")) == {"issue/spam", "issue/costs", "agent/kummer"}


def test_words_that_are_joined_are_one_word_where_the_language_has_just_that(
    index: FullTextIndex, store: Store
) -> None:
    write(store, 'INSERT DATA { id:issue\\/other skos:note "Riel, pour"@en }')
    assert find(index, "pour-riel") == ["issue/other"]
    assert find(index, "pour-riel", "fr") == ["issue/spam"]


@pytest.mark.parametrize("text", ["zzzzz", "zzzzz/qqqqq", '"bulk spam"'])
def test_where_nothing_is_found_not_every_word_is(index: FullTextIndex, text: str) -> None:
    found = index.query(find_all, SearchCriteria(parse_search_terms(text)))
    assert not found.rows
    assert not found.criteria.match_all
    assert not found.replacements


def test_a_language_and_a_kind_narrow_what_is_found(index: FullTextIndex) -> None:
    assert find(index, "pourriel", "fr") == ["issue/spam"]
    assert find(index, "pourriel", "en") == []
    assert find(index, "kummer", "fr") == ["agent/kummer"]  # a name of no language is in each
    assert find(index, "kummer", "", "issue") == []
    assert index.query(list_distinct_values, "kind") == ["agent", "issue"]
    assert index.query(list_distinct_values, "language") == ["", "ar", "en", "fr", "zh"]


def test_the_passage_with_most_words_is_shown_with_marks(store: Store, index: FullTextIndex) -> None:
    write(store, 'INSERT DATA { id:issue\\/spam skos:note "No word of it."@en, "Spam, bulk and «SPAM»."@en }')
    (row, *_) = index.query(find_all, SearchCriteria(parse_search_terms("bulk spam"))).rows
    shown = build_snippet(index.query(read_index_entries, [row])[row.id], parse_search_terms("bulk spam"))
    assert [text for text, is_hit in shown.pieces if is_hit] == ["Spam", "bulk", "SPAM"]
    assert shown.text == "Spam, bulk and «SPAM»."


def test_a_long_passage_is_cut_around_the_word(store: Store, index: FullTextIndex) -> None:
    write(store, f'INSERT DATA {{ id:issue\\/a skos:note "{"before " * 80}needle{" after" * 80}"@en }}')
    (row,) = index.query(find_all, SearchCriteria(parse_search_terms("needle"))).rows
    shown = build_snippet(index.query(read_index_entries, [row])[row.id], parse_search_terms("needle"))
    assert len(shown.text) < 260
    assert ("needle", True) in shown.pieces
    assert shown.text.startswith("… before")
    assert shown.text.endswith("after …")


@pytest.mark.parametrize(
    ("iri", "kind"),
    [
        ("id/issue/spam", "issue"),
        ("id/document/report", "document"),
        ("id/document/report/18", "paragraph"),
        ("id/paper/wp-spam", "paper"),
        ("ontology#Issue", "term"),
        ("shapes#X", "shape"),
        ("elsewhere", "other"),
    ],
)
def test_the_kind_of_a_thing_is_told_by_its_iri(iri: str, kind: str) -> None:
    assert kind_of_iri(BASE + iri, BASE) == kind


@pytest.mark.parametrize(
    "statement",
    [
        f"<{BASE}id/issue/spam> <http://www.w3.org/2004/02/skos/core#prefLabel> 5",
        f"<{BASE}id/issue/spam> <http://purl.org/dc/terms/source> 'x'",
        f"<{BASE}id/test-result/x> <http://purl.org/dc/terms/title> 'x'",
        "[] <http://purl.org/dc/terms/title> 'x'",
    ],
)
def test_what_is_no_text_of_a_thing_is_not_in_the_index(statement: str) -> None:
    (quad,) = ox.parse(f"{statement} .", ox.RdfFormat.TURTLE)
    assert find_index_passage(quad, BASE) is None


# In line with the store.


@pytest.mark.parametrize(
    "update",
    [
        'INSERT DATA { id:issue\\/new skos:prefLabel "New"@en }',
        "DELETE WHERE { id:issue\\/spam ?p ?o }",
        'DELETE { ?s skos:definition ?o } INSERT { ?s skos:definition "Other words."@en } '
        "WHERE { ?s skos:definition ?o }",
        'INSERT DATA { GRAPH id:g { id:issue\\/spam skos:prefLabel "Spam"@en } }; '
        'DELETE DATA { id:issue\\/spam skos:prefLabel "Spam"@en }',
        'INSERT DATA { <https://w3id.org/wgig/id/paper/a/forum/1> wgig:nature "Talks"@en . '
        'id:paper\\/a dcterms:title "A paper"@en }; '
        "DELETE WHERE { <https://w3id.org/wgig/id/paper/a/forum/1> ?p ?o }",
        "CLEAR ALL",
    ],
)
def test_the_index_that_followed_a_write_is_the_one_that_is_made_anew(
    store: Store, index: FullTextIndex, tmp_path: Path, update: str
) -> None:
    index.query(find_all, SearchCriteria(parse_search_terms("spam")))
    write(store, update)
    fill_index(tmp_path / "new.db", store, BASE, lambda *_: None)
    assert index.path
    assert rows(index.path) == rows(tmp_path / "new.db")
    checked = sqlite3.connect(index.path, isolation_level=None)
    for table in ("names", "texts"):
        checked.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 0)")
    checked.close()


def test_a_text_that_stands_in_another_graph_stays(store: Store, index: FullTextIndex) -> None:
    write(store, 'INSERT DATA { GRAPH id:g { id:issue\\/spam skos:prefLabel "Spam"@en } }')
    assert "issue/spam" in find(index, "spam")
    write(store, 'DELETE DATA { id:issue\\/spam skos:prefLabel "Spam"@en }')
    assert "issue/spam" in find(index, "spam")
    write(store, "DROP GRAPH id:g")
    assert "issue/spam" not in find(index, "spam")


def test_a_paper_is_found_by_the_words_of_its_parts(store: Store, index: FullTextIndex) -> None:
    find(index, "spam")
    write(store, f'INSERT DATA {{ <{BASE}id/paper/a/swot> wgig:strength "Sturdy bridges."@en }}')
    assert find(index, "sturdy") == ["paper/a"]
    write(store, f"DELETE WHERE {{ <{BASE}id/paper/a/swot> ?p ?o }}")
    assert find(index, "sturdy") == []


def test_a_word_that_is_gone_is_not_meant_any_more(store: Store, index: FullTextIndex) -> None:
    assert find(index, "kumer") == ["agent/kummer"]
    write(store, "DELETE WHERE { id:agent\\/kummer ?p ?o }")
    assert find(index, "kumer") == []


def test_a_write_that_is_too_large_to_be_told_makes_the_index_anew(
    store: Store, index: FullTextIndex
) -> None:
    find(index, "spam")
    file = BytesIO(b'<x:y> <http://purl.org/dc/terms/title> "Loaded" .')
    store.bulk_load(file, ox.RdfFormat.N_QUADS, None)
    store.infer()
    assert find(index, "loaded") == ["x:y"]


# Across openings.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def opened(folder: Path) -> tuple[Store, FullTextIndex]:
    store = Store.open(folder)
    return store, FullTextIndex(store, BASE)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are made anew from now on."""
    found: list[Path] = []

    def filled(path: Path, *rest: object) -> None:
        found.append(path)
        fill_index(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(search_index, "fill_index", filled)
    return found


def closed(store: Store, index: FullTextIndex) -> None:
    """Let the store be opened again, as after the end of the process."""
    close_index_connections(index.writers, index.free_readers)
    store._quads = ox.Store()


def test_an_index_in_line_is_taken_as_it_is(folder: Path, made: list[Path]) -> None:
    store, index = opened(folder)
    write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    assert find(index, "first")
    write(store, 'INSERT DATA { id:issue\\/b skos:prefLabel "Second"@en }')
    closed(store, index)
    store, index = opened(folder)
    assert find(index, "second") == ["issue/b"]
    assert len(made) == 1
    closed(store, index)


def test_what_was_written_without_the_index_is_in_it_afterwards(folder: Path, made: list[Path]) -> None:
    store, index = opened(folder)
    write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    find(index, "first")
    store.projections.clear()  # as after a crash between the two, or in a program without an index
    write(store, 'INSERT DATA { id:issue\\/b skos:prefLabel "Second"@en }')
    closed(store, index)
    store, index = opened(folder)
    assert find(index, "second") == ["issue/b"]
    assert len(made) == 2
    closed(store, index)


def test_an_index_that_lost_its_last_write_is_made_anew(folder: Path, made: list[Path]) -> None:
    store, index = opened(folder)
    index.query(find_all, SearchCriteria(parse_search_terms("any")))
    get_index_mark(folder).write("the token of a write that a power cut took")
    closed(store, index)
    store, index = opened(folder)
    index.query(find_all, SearchCriteria(parse_search_terms("any")))
    assert len(made) == 2
    closed(store, index)


@pytest.mark.parametrize("damage", ["older", "no database", "gone"])
def test_an_index_that_cannot_be_used_is_made_anew(
    folder: Path, made: list[Path], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, index = opened(folder)
    write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    find(index, "first")
    closed(store, index)
    match damage:
        case "older":
            monkeypatch.setattr(search_index, "INDEX_FORMAT", INDEX_FORMAT + 1)
        case "no database":
            (folder / SEARCH_INDEX_PATH).write_bytes(b"no database at all" * 1000)
        case _:
            (folder / SEARCH_INDEX_PATH).unlink()
    store, index = opened(folder)
    assert find(index, "first") == ["issue/a"]
    assert len(made) == 2
    closed(store, index)


def test_a_write_that_changes_nothing_leaves_the_mark(folder: Path) -> None:
    store, index = opened(folder)
    write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    find(index, "first")
    token = get_index_mark(folder).read()
    assert token
    write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    with pytest.raises(SyntaxError):
        store.update("INSERT")
    assert get_index_mark(folder).read() == token
    closed(store, index)


def test_where_the_index_fails_the_write_holds_and_the_index_is_made_anew(
    store: Store, index: FullTextIndex, monkeypatch: pytest.MonkeyPatch, made: list[Path]
) -> None:
    find(index, "spam")

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as failing:
        failing.setattr(search_index, "update_index_entry", full)
        write(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "Anyway"@en }')
    assert find(index, "anyway") == ["issue/a"]
    assert len(made) == 2


def test_while_the_index_is_made_that_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    index = FullTextIndex(store, BASE)
    monkeypatch.setattr(search_index, "INDEX_WAIT_SECONDS", 0)
    monkeypatch.setattr(FullTextIndex, "start_build", lambda _: Future[None]())
    index.progress = 200, 50
    with pytest.raises(Problem) as refused:
        find(index, "spam")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
    assert "50 of 200 texts are indexed" in refused.value.detail


def test_what_is_written_while_the_index_is_made_is_in_it(
    store: Store, index: FullTextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(path: Path, *rest: object) -> None:
        fill_index(path, *rest)  # type: ignore[arg-type]
        write(
            store,
            'INSERT DATA { id:issue\\/late skos:prefLabel "Meanwhile"@en }; '
            "DELETE WHERE { id:issue\\/spam ?p ?o }",
        )

    monkeypatch.setattr(search_index, "fill_index", meanwhile)
    assert find(index, "meanwhile") == ["issue/late"]
    assert find(index, "unsolicited") == []


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take its time."""
    monkeypatch.setattr(search_index, "INDEX_WAIT_SECONDS", 60)


def test_a_write_that_the_index_cannot_take_in_is_done_and_found(
    store: Store, index: FullTextIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def slip(*_: object) -> None:
        raise KeyError("unforeseen")

    assert find(index, "spam")
    with monkeypatch.context() as patch:
        patch.setattr(FullTextIndex, "update_entry", slip)
        write(store, 'INSERT DATA { id:agent rdfs:label "Unheard" }')
    assert "KeyError: 'unforeseen'" in caplog.text
    assert find(index, "unheard") == ["agent"]

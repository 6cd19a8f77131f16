"""The full-text index: tokens, matches, ranking, and updates after every write."""

import os
import re
import shutil
import sqlite3
from concurrent.futures import Future
from io import BytesIO
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rdf.namespaces import kind_of_iri
from wgig.search import index as search_index
from wgig.search.criteria import SearchCriteria
from wgig.search.database import (
    INDEX_FORMAT,
    IndexRow,
    fill_index,
    list_distinct_values,
    read_index_entries,
    write_index_properties,
)
from wgig.search.entries import find_index_passage
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex, close_index_connections
from wgig.search.ranking import SearchMatches, find_search_matches
from wgig.search.snippets import Snippet, build_snippet
from wgig.search.terms import MAX_SEARCH_CHARACTERS, MAX_SEARCH_TERMS, parse_search_terms
from wgig.search.tokenizer import tokenize_text
from wgig.settings import Settings
from wgig.store import projection
from wgig.store.errors import StoreError
from wgig.store.files import ASIDE_FOLDER
from wgig.store.resource_versions import rescan
from wgig.store.store import Store

BASE = Settings.base
PREFIXES = f"""
PREFIX id: <{BASE}id/> PREFIX wgig: <{BASE}ontology#> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
DATA_TURTLE = """
<{0}id/issue/spam> <{1}prefLabel> "Spam"@en, "Pourriel"@fr ; <{1}definition> "Bulk unsolicited messages."@en .
<{0}id/issue/costs> <{1}prefLabel> "Cost of interconnection"@en ; <{1}note> "Who pays for spam filters."@en .
<{0}id/agent/kummer> <http://xmlns.com/foaf/0.1/name> "Markus Kummer" .
<{0}id/issue/access> <{1}prefLabel> "الوصول إلى الإنترنت"@ar, "互联网的普遍接入"@zh, "Accès à l’Internet"@fr .
"""


def run_update(store: Store, update: str) -> None:
    """Run an update, and wait until it is applied to the index."""
    store.update(f"{PREFIXES} {update}")
    assert store.runner.wait_until_applied(store.runner.published_count, 60)


@pytest.fixture
def store() -> Store:
    store = Store.in_memory()
    data = DATA_TURTLE.format(BASE, "http://www.w3.org/2004/02/skos/core#")
    store.update(f"INSERT DATA {{ {data} }}")
    return store


@pytest.fixture
def index(store: Store) -> FullTextIndex:
    return FullTextIndex(store, BASE)


def search(index: FullTextIndex, text: str, language: str = "", kind: str = "") -> SearchMatches:
    return index.query(find_search_matches, SearchCriteria(parse_search_terms(text), language, kind))


def find_ids(index: FullTextIndex, text: str, language: str = "", kind: str = "") -> list[str]:
    """The identifiers of the matching resources, such as issue/spam."""
    rows = search(index, text, language, kind).rows
    return [row.iri.removeprefix(f"{BASE}id/") for row in rows]


def read_index_rows(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(
            "SELECT iri, language, kind, label, passages FROM things NATURAL JOIN entries ORDER BY 1, 2"
        ).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("E-Commerce, 2005", ["e", "commerce", "2005"]),
        ("Éducation STRASSE straße", ["education", "strasse", "strasse"]),
        ("互联网 of ガバナンス", ["互", "联", "网", "of", "ガ", "バ", "ナ", "ン", "ス"]),
        ("الإنترنت والإنترنت للإنترنت إنترنت", ["انترنت"] * 4),
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
def test_text_is_tokenized_to_folded_words(text: str, words: list[str]) -> None:
    assert tokenize_text(text) == words


@pytest.mark.parametrize("text", ["Geneva's", "l’geneva", "children's", "o'connor", "O’Connor’s"])
def test_single_letter_at_an_apostrophe_is_not_a_word(store: Store, index: FullTextIndex, text: str) -> None:
    run_update(store, """INSERT DATA { id:paper\\/x rdfs:label "Children of Geneva, by Connor" }""")
    run_update(store, """INSERT DATA { id:paper\\/y rdfs:label "A plan of type T, by O, in S" }""")
    assert find_ids(index, text) == ["paper/x"]


def test_search_is_parsed_to_words_phrases_and_prefixes() -> None:
    assert [str(term) for term in parse_search_terms('"root servers" gov* e-commerce ITU')] == [
        'words : "root servers"',
        'words : "gov" *',
        'words : "e commerce"',
        '("itu")',
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "!?",
        '""',
        "x" * (MAX_SEARCH_CHARACTERS + 1),
        " ".join(f"w{number}" for number in range(MAX_SEARCH_TERMS + 1)),
    ],
)
def test_empty_or_too_long_search_is_refused(text: str) -> None:
    with pytest.raises(Problem) as error:
        parse_search_terms(text)
    assert error.value.status == 400


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
def test_fts5_syntax_in_a_search_is_text(index: FullTextIndex, text: str) -> None:
    for term in search(index, text).criteria.terms:
        assert all(words.replace(" ", "").isalnum() for words in re.findall(r'"([^"]*)"', str(term)))
        assert re.sub(r'"[^"]*"| ', "", str(term)) in ("", "words:", "words:*", "()") or term.written
    assert find_ids(index, "spam")


def test_name_matches_rank_before_text_matches(index: FullTextIndex) -> None:
    assert find_ids(index, "spam") == ["issue/spam", "issue/costs"]


def test_closest_name_ranks_first(store: Store, index: FullTextIndex) -> None:
    run_update(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "All about the spam of old"@en }')
    assert find_ids(index, "spam")[:2] == ["issue/spam", "issue/a"]


def test_names_of_issues_rank_before_others_and_statements_after_them(
    store: Store, index: FullTextIndex
) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:judgment\\/a rdfs:label "Root server contract is good"@en .
            id:issue\\/a rdfs:label "All of the root server system"@en .
            id:mechanism\\/a rdfs:label "Root server operators"@en .
            id:agent\\/a rdfs:label "Root server"@en }""",
    )
    assert find_ids(index, "root server") == ["agent/a", "issue/a", "mechanism/a", "judgment/a"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ('"Root server"@en', "root servers"),
        ('"Naming of hosts"@en', "names of a host"),
        ('"Serveurs racines"@fr', "serveur racine"),
        ('"Gouvernance mondiale"@fr', "gouverner"),
        ('"Gobernación"@es', "gobernaciones"),
        ('"Gobernación"@es', "gobernacion"),
        ('"Управление российской сетью"@ru', "управления российская"),
        ('"International standards body"', "standard bodies"),
        ('"إدارة المعلومات"@ar', "ادارات للمعلومات"),
        ('"Network (IPRs)"@en', "IPR"),
    ],
)
def test_word_is_found_in_another_inflection(
    store: Store, index: FullTextIndex, name: str, text: str
) -> None:
    run_update(store, f"INSERT DATA {{ id:agent\\/x rdfs:label {name} }}")
    matches = search(index, text)
    assert [row.iri for row in matches.rows] == [f"{BASE}id/agent/x"]
    assert (matches.replacements, matches.criteria.match_all) == ({}, True)


def test_word_as_it_is_typed_ranks_before_its_inflections(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:agent\\/a rdfs:label "Server farm"@en .
            id:agent\\/b rdfs:label "Servers farm"@en .
            id:mechanism\\/a skos:note "Serving server."@en .
            id:mechanism\\/b skos:note "Serving servers."@en }""",
    )
    assert find_ids(index, "servers") == ["agent/b", "agent/a", "mechanism/b", "mechanism/a"]
    assert find_ids(index, "server") == ["agent/a", "agent/b", "mechanism/a", "mechanism/b"]
    assert find_ids(index, '"servers"') == ["agent/b", "mechanism/b"]


def test_stem_in_one_language_is_no_name_in_another(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:issue\\/a skos:prefLabel "Multilingüismo"@es .
            id:agent\\/b skos:prefLabel "Multilingualism of names"@en }""",
    )
    assert find_ids(index, "multilingualism")[0] == "agent/b"


def test_abbreviation_in_brackets_is_a_name(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:mechanism\\/a rdfs:label "GAC principles"@en .
            id:mechanism\\/b rdfs:label "Committee of governments (GAC)"@en .
            id:mechanism\\/c rdfs:label "Principles (of GAC)"@en }""",
    )
    assert find_ids(index, "gac")[0] == "mechanism/b"
    assert find_ids(index, "committee of governments")[0] == "mechanism/b"


def test_alternative_label_is_a_name_but_not_the_label(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:agent\\/a <http://xmlns.com/foaf/0.1/name> "Telecommunication Union" ; skos:altLabel "ITU"@en .
            id:agent\\/b rdfs:label "ITU workshop"@en }""",
    )
    matches = search(index, "ITU")
    assert [(row.iri.rpartition("/")[2], row.label) for row in matches.rows] == [
        ("a", ""),
        ("b", "ITU workshop"),
    ]


def test_issue_ranks_before_a_paper_with_exactly_the_name(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:paper\\/a dcterms:title "Root servers"@en .
            id:issue\\/a skos:prefLabel "Administration of the root server system"@en .
            id:verdict\\/a skos:prefLabel "Fair price"@en . id:issue\\/b skos:prefLabel "Fair prices"@en }""",
    )
    assert find_ids(index, "root servers") == ["issue/a", "paper/a"]
    assert find_ids(index, "fair price") == ["issue/b", "verdict/a"]


def test_records_for_programs_come_last(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            wgig:Zebra rdfs:label "zebra"@en .
            <x:download> dcterms:title "zebra"@en .
            id:agent\\/a skos:note "A zebra."@en }""",
    )
    kinds = [row.kind for row in search(index, "zebra").rows]
    assert kinds == ["agent", "term", "other"]


def test_exact_name_is_first_among_very_many_names(store: Store, index: FullTextIndex) -> None:
    longer_names = [f'id:agent\\/n{number} rdfs:label "A common name"@en .' for number in range(600)]
    run_update(store, f'INSERT DATA {{ {" ".join(longer_names)} id:place\\/z rdfs:label "Common"@en }}')
    assert find_ids(index, "common")[0] == "place/z"


def test_labels_and_identifiers_are_not_found(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA {
            id:label\\/a rdfs:label "Gouvernance"@fr .
            id:identifier\\/a rdfs:label "Gouvernance"@fr .
            id:concept\\/a skos:prefLabel "Gouvernance"@fr }""",
    )
    assert find_ids(index, "gouvernance") == ["concept/a"]


@pytest.mark.parametrize("name", ["quotation", "judgedAsNamed", "mechanismRole"])
def test_words_of_the_report_are_found(store: Store, index: FullTextIndex, name: str) -> None:
    run_update(store, f'INSERT DATA {{ id:judgment\\/a wgig:{name} "a level playing field"@en }}')
    assert find_ids(index, '"level playing field"') == ["judgment/a"]


def test_closest_name_ranks_first_at_any_limit(store: Store, index: FullTextIndex) -> None:
    longer_names = [f'id:issue\\/n{number} skos:prefLabel "A common name"@en .' for number in range(300)]
    run_update(store, f'INSERT DATA {{ {" ".join(longer_names)} id:issue\\/z skos:prefLabel "Common"@en }}')
    for limit in (1, 200, 500):
        criteria = SearchCriteria(parse_search_terms("common"), limit=limit)
        matches = index.query(find_search_matches, criteria)
        assert matches.rows[0].iri == f"{BASE}id/issue/z"
        assert (len(matches.rows), matches.has_more) == (min(limit, 301), limit < 301)


@pytest.mark.parametrize(
    ("text", "id_"),
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
def test_resource_is_found_by_words_phrases_and_prefixes_in_any_script(
    index: FullTextIndex, text: str, id_: str
) -> None:
    assert find_ids(index, text) == [id_]


def test_phrase_does_not_match_across_texts(index: FullTextIndex) -> None:
    matches = search(index, '"spam bulk"')  # the end of a name and the start of the definition
    assert matches.rows == [] or not matches.criteria.match_all


@pytest.mark.parametrize(
    ("text", "correction"),
    [("spma", "spam"), ("interconection", "interconnection"), ("unsolisited bulk", "unsolicited")],
)
def test_misspelled_word_is_corrected(index: FullTextIndex, text: str, correction: str) -> None:
    matches = search(index, text)
    assert matches.rows
    assert correction in matches.replacements.values()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("VeriSpam", "an inner capital"),
        ("sp4m", "a digit"),
        ("spamelectronics", "more than two typing errors"),
        ("sam", "too short"),
        ("filters spem", "a word that occurs"),
    ],
)
def test_name_is_never_corrected_to_another_word(
    store: Store, index: FullTextIndex, text: str, reason: str
) -> None:
    run_update(store, 'INSERT DATA { id:agent\\/s skos:note "Verispem, version, spem."@en }')
    matches = search(index, text)
    assert matches.replacements == {}, reason


@pytest.mark.parametrize(
    ("text", "id_", "meant"),
    [
        ("pourr", "issue/spam", "pourr*"),
        ("markus kumm", "agent/kummer", "kumm*"),
        ("KuMM", "agent/kummer", "kumm*"),
        ("cots of intercon", "issue/costs", "intercon*"),
    ],
)
def test_last_word_may_be_incomplete(index: FullTextIndex, text: str, id_: str, meant: str) -> None:
    matches = search(index, text)
    assert [row.iri for row in matches.rows] == [f"{BASE}id/{id_}"]
    assert matches.criteria.match_all
    assert meant in matches.replacements.values()


def test_stop_word_need_not_match(store: Store, index: FullTextIndex) -> None:
    run_update(store, 'INSERT DATA { id:paper\\/a dcterms:title "Paper: Spam"@en }')
    assert find_ids(index, "a paper about spam") != ["paper/a"]
    assert find_ids(index, "the paper on spam") == ["paper/a"]
    run_update(store, 'INSERT DATA { id:agent\\/w rdfs:label "On the"@en }')
    assert find_ids(index, "on the")[0] == "agent/w"  # nothing but stop words


def test_pairs_of_chinese_signs_match_if_the_whole_does_not(index: FullTextIndex) -> None:
    assert find_ids(index, "互联网普遍") == ["issue/access"]
    assert find_ids(index, '"互联网普遍"') == []


def test_any_word_matches_if_no_resource_has_all_words(index: FullTextIndex) -> None:
    matches = search(index, "spam kummer")
    assert not matches.criteria.match_all
    assert {row.iri for row in matches.rows} >= {f"{BASE}id/issue/spam", f"{BASE}id/agent/kummer"}


@pytest.mark.parametrize(
    ("text", "id_", "corrections"),
    [
        ("messages/bulk", "issue/spam", []),
        ("kummer-markus", "agent/kummer", []),
        ("Inter-connection", "issue/costs", ["interconnection"]),
        ("inter-connec*", "issue/costs", ["interconnec"]),
        ("spam/filtres", "issue/costs", ["filters"]),
        ("bulk-mesages unsolicited", "issue/spam", ["messages"]),
    ],
)
def test_compound_matches_as_separate_words_or_one_word(
    index: FullTextIndex, text: str, id_: str, corrections: list[str]
) -> None:
    matches = search(index, text)
    assert [row.iri for row in matches.rows] == [f"{BASE}id/{id_}"]
    assert list(matches.replacements.values()) == corrections
    assert matches.criteria.match_all


def test_compound_matches_adjacent_words_first(index: FullTextIndex, store: Store) -> None:
    run_update(store, 'INSERT DATA { id:issue\\/mail skos:prefLabel "Mail spam, or spam mail"@en }')
    run_update(store, 'INSERT DATA { id:issue\\/apart skos:prefLabel "Spam of mail"@en }')
    assert find_ids(index, "spam-mail") == ["issue/mail"]
    assert find_ids(index, "mail/of") == ["issue/apart"]


def test_any_part_of_a_compound_matches_if_no_resource_has_all_parts(index: FullTextIndex) -> None:
    assert set(find_ids(index, "spam/kummer")) == {"issue/spam", "issue/costs", "agent/kummer"}


def test_compound_is_joined_if_only_that_matches_in_the_language(index: FullTextIndex, store: Store) -> None:
    run_update(store, 'INSERT DATA { id:issue\\/other skos:note "Riel, pour"@en }')
    assert find_ids(index, "pour-riel") == ["issue/other"]
    assert find_ids(index, "pour-riel", "fr") == ["issue/spam"]


@pytest.mark.parametrize("text", ["zzzzz", "zzzzz/qqqqq", '"bulk spam"'])
def test_search_without_matches_has_match_all_false(index: FullTextIndex, text: str) -> None:
    matches = search(index, text)
    assert not matches.rows
    assert not matches.criteria.match_all
    assert not matches.replacements


def test_language_and_kind_filter_the_matches(index: FullTextIndex) -> None:
    assert find_ids(index, "pourriel", "fr") == ["issue/spam"]
    assert find_ids(index, "pourriel", "en") == []
    assert find_ids(index, "kummer", "fr") == []  # a name without a language
    assert find_ids(index, "kummer", "", "issue") == []
    assert index.query(list_distinct_values, "kind") == ["agent", "issue"]
    assert index.query(list_distinct_values, "language") == ["", "ar", "en", "fr", "zh"]


def build_row_snippet(index: FullTextIndex, row: IndexRow, text: str) -> Snippet:
    entry = index.query(read_index_entries, [row])[row.id]
    return build_snippet(entry, parse_search_terms(text), row.language, row.label)


def test_snippet_marks_words_in_other_inflections(store: Store, index: FullTextIndex) -> None:
    run_update(store, 'INSERT DATA { id:agent\\/a skos:definition "Naming of the root server."@en }')
    (row,) = search(index, "names servers").rows
    snippet = build_row_snippet(index, row, "names servers")
    assert [text for text, is_match in snippet.chunks if is_match] == ["Naming", "server"]


def test_snippet_does_not_repeat_the_label(store: Store, index: FullTextIndex) -> None:
    run_update(
        store,
        """INSERT DATA { id:paper\\/a rdfs:label "Issue paper: Root servers"@en ;
            dcterms:title "Root Servers"@en ; dcterms:description "Who runs them."@en }""",
    )
    (row,) = search(index, "root servers").rows
    assert build_row_snippet(index, row, "root servers").text == "Who runs them."


def test_snippet_is_the_passage_with_the_most_words(store: Store, index: FullTextIndex) -> None:
    run_update(
        store, 'INSERT DATA { id:issue\\/spam rdfs:comment "No word of it."@en, "Spam, bulk and «SPAM»."@en }'
    )
    (row, *_) = search(index, "bulk spam").rows
    snippet = build_row_snippet(index, row, "bulk spam")
    assert [text for text, is_match in snippet.chunks if is_match] == ["Spam", "bulk", "SPAM"]
    assert snippet.text == "Spam, bulk and «SPAM»."


def test_long_passage_is_shortened_around_the_match(store: Store, index: FullTextIndex) -> None:
    run_update(
        store, f'INSERT DATA {{ id:issue\\/a rdfs:comment "{"before " * 80}needle{" after" * 80}"@en }}'
    )
    (row,) = search(index, "needle").rows
    snippet = build_row_snippet(index, row, "needle")
    assert len(snippet.text) < 260
    assert ("needle", True) in snippet.chunks
    assert snippet.text.startswith("… before")
    assert snippet.text.endswith("after …")


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
def test_kind_of_a_resource_depends_on_its_iri(iri: str, kind: str) -> None:
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
def test_statement_without_an_indexed_text_is_not_indexed(statement: str) -> None:
    (quad,) = ox.parse(f"{statement} .", ox.RdfFormat.TURTLE)
    assert find_index_passage(quad, BASE) is None


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
def test_updated_index_equals_a_rebuilt_index(
    store: Store, index: FullTextIndex, tmp_path: Path, update: str
) -> None:
    search(index, "spam")
    run_update(store, update)
    fill_index(tmp_path / "new.db", store, BASE, lambda *_: None)
    assert index.path
    assert read_index_rows(index.path) == read_index_rows(tmp_path / "new.db")
    connection = sqlite3.connect(index.path, isolation_level=None)
    for table in ("names", "texts"):
        connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 0)")
    connection.close()


def test_deleted_text_is_kept_if_another_graph_has_it(store: Store, index: FullTextIndex) -> None:
    run_update(store, 'INSERT DATA { GRAPH id:g { id:issue\\/spam skos:prefLabel "Spam"@en } }')
    assert "issue/spam" in find_ids(index, "spam")
    run_update(store, 'DELETE DATA { id:issue\\/spam skos:prefLabel "Spam"@en }')
    assert "issue/spam" in find_ids(index, "spam")
    run_update(store, "DROP GRAPH id:g")
    assert "issue/spam" not in find_ids(index, "spam")


def test_paper_is_found_by_texts_of_its_parts(store: Store, index: FullTextIndex) -> None:
    find_ids(index, "spam")
    run_update(store, f'INSERT DATA {{ <{BASE}id/paper/a/swot> wgig:strength "Sturdy bridges."@en }}')
    assert find_ids(index, "sturdy") == ["paper/a"]
    run_update(store, f"DELETE WHERE {{ <{BASE}id/paper/a/swot> ?p ?o }}")
    assert find_ids(index, "sturdy") == []


def test_deleted_word_is_not_a_correction(store: Store, index: FullTextIndex) -> None:
    assert find_ids(index, "kumer") == ["agent/kummer"]
    run_update(store, "DELETE WHERE { id:agent\\/kummer ?p ?o }")
    assert find_ids(index, "kumer") == []


def test_bulk_load_rebuilds_the_index(store: Store, index: FullTextIndex) -> None:
    find_ids(index, "spam")
    file = BytesIO(b'<x:y> <http://purl.org/dc/terms/title> "Loaded" .')
    store.bulk_load(file, ox.RdfFormat.N_QUADS, None)
    store.finish_load()
    assert find_ids(index, "loaded") == ["x:y"]


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def open_store(store_folder: Path) -> tuple[Store, FullTextIndex]:
    store = Store.open(store_folder)
    return store, FullTextIndex(store, BASE)


@pytest.fixture
def built_paths(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths of index files that are built during the test."""
    paths: list[Path] = []

    def record_and_fill_index(path: Path, *args: object) -> None:
        paths.append(path)
        fill_index(path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(search_index, "fill_index", record_and_fill_index)
    return paths


def close_store(store: Store, index: FullTextIndex) -> None:
    """Close the files of the store, but without a clean shutdown, so that it can be opened again."""
    close_index_connections(index.writers, index.free_readers)
    store._quads = ox.Store()


def test_current_index_is_not_rebuilt(store_folder: Path, built_paths: list[Path]) -> None:
    store, index = open_store(store_folder)
    run_update(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    assert find_ids(index, "first")
    run_update(store, 'INSERT DATA { id:issue\\/b skos:prefLabel "Second"@en }')
    close_store(store, index)
    store, index = open_store(store_folder)
    assert find_ids(index, "second") == ["issue/b"]
    assert len(built_paths) == 1
    close_store(store, index)


def test_index_that_missed_a_write_is_rebuilt(store_folder: Path, built_paths: list[Path]) -> None:
    store, index = open_store(store_folder)
    run_update(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    find_ids(index, "first")
    store.runner.subscribers.clear()  # as after a crash, or in a program without an index
    run_update(store, 'INSERT DATA { id:issue\\/b skos:prefLabel "Second"@en }')
    close_store(store, index)
    store, index = open_store(store_folder)
    assert find_ids(index, "second") == ["issue/b"]
    assert len(built_paths) == 2
    close_store(store, index)


def test_index_that_lost_its_last_write_is_rebuilt(store_folder: Path, built_paths: list[Path]) -> None:
    store, index = open_store(store_folder)
    search(index, "any")
    write_index_properties(index.writers[0], position="99")  # of a write that was lost in a power failure
    close_store(store, index)
    store, index = open_store(store_folder)
    search(index, "any")
    assert len(built_paths) == 2
    close_store(store, index)


@pytest.mark.parametrize("damage", ["older", "no database", "folder", "gone"])
def test_unusable_index_is_rebuilt(
    store_folder: Path, built_paths: list[Path], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, index = open_store(store_folder)
    run_update(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "First"@en }')
    find_ids(index, "first")
    close_store(store, index)
    match damage:
        case "older":
            monkeypatch.setattr(search_index, "INDEX_FORMAT", f"next after {INDEX_FORMAT}")
        case "no database":
            (store_folder / SEARCH_INDEX_PATH).write_bytes(b"no database at all" * 1000)
        case "folder":
            (store_folder / SEARCH_INDEX_PATH).unlink()
            (store_folder / SEARCH_INDEX_PATH / "folder").mkdir(parents=True)
        case _:
            (store_folder / SEARCH_INDEX_PATH).unlink()
    store, index = open_store(store_folder)
    assert find_ids(index, "first") == ["issue/a"]
    assert len(built_paths) == 2
    close_store(store, index)


def test_failed_index_update_keeps_the_write_and_rebuilds_the_index(
    store: Store, index: FullTextIndex, monkeypatch: pytest.MonkeyPatch, built_paths: list[Path]
) -> None:
    find_ids(index, "spam")

    def raise_disk_full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(search_index, "update_index_entry", raise_disk_full)
        run_update(store, 'INSERT DATA { id:issue\\/a skos:prefLabel "Anyway"@en }')
    assert find_ids(index, "anyway") == ["issue/a"]
    assert len(built_paths) == 2


def test_an_index_on_a_full_disk_is_rebuilt_and_the_log_names_the_disk(
    store: Store, index: FullTextIndex, built_paths: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    find_ids(index, "spam")
    writer = index.writers[0]
    (page_count,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {page_count}")
    texts = " ".join(f'"{"word" * number} a{number}"@en' for number in range(200)).replace(" ", ", ")
    run_update(store, f"INSERT DATA {{ id:issue\\/a skos:note {texts} }}")
    assert find_ids(index, "a199") == ["issue/a"]
    assert "database or disk is full" in caplog.text
    assert len(built_paths) == 2


def test_an_index_that_could_not_be_built_is_tried_again_without_a_write(
    index: FullTextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_disk_full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(search_index, "fill_index", raise_disk_full)
        with pytest.raises(Problem, match="cannot be built"):
            find_ids(index, "spam")
    with pytest.raises(Problem, match="cannot be built") as error:
        find_ids(index, "spam")
    assert error.value.headers == {"Retry-After": str(projection.BUILD_RETRY_SECONDS)}
    index.retry_time = 0
    assert find_ids(index, "spam filters") == ["issue/costs"]


def test_search_during_a_build_is_refused_with_its_progress(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = FullTextIndex(store, BASE)
    monkeypatch.setattr(search_index, "INDEX_WAIT_SECONDS", 0)
    monkeypatch.setattr(FullTextIndex, "start_build", lambda _: Future[None]())
    index.progress = 200, 50
    with pytest.raises(Problem) as error:
        find_ids(index, "spam")
    assert (error.value.status, error.value.headers) == (503, {"Retry-After": "5"})
    assert "50 of 200 texts are indexed" in error.value.detail


def test_write_during_a_build_is_indexed(
    store: Store, index: FullTextIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_index_and_write(path: Path, *args: object) -> None:
        fill_index(path, *args)  # type: ignore[arg-type]
        run_update(
            store,
            'INSERT DATA { id:issue\\/late skos:prefLabel "Meanwhile"@en }; '
            "DELETE WHERE { id:issue\\/spam ?p ?o }",
        )

    monkeypatch.setattr(search_index, "fill_index", fill_index_and_write)
    assert find_ids(index, "meanwhile") == ["issue/late"]
    assert find_ids(index, "unsolicited") == []


@pytest.fixture(autouse=True)
def long_index_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait 60 seconds for a build, as the machine may be busy."""
    monkeypatch.setattr(search_index, "INDEX_WAIT_SECONDS", 60)


def test_unexpected_error_in_an_index_update_keeps_the_write(
    store: Store, index: FullTextIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_key_error(*_: object) -> None:
        raise KeyError("unforeseen")

    assert find_ids(index, "spam")
    with monkeypatch.context() as patch:
        patch.setattr(FullTextIndex, "update_entry", raise_key_error)
        run_update(store, 'INSERT DATA { id:agent rdfs:label "Unheard" }')
    assert "KeyError: 'unforeseen'" in caplog.text
    assert find_ids(index, "unheard") == ["agent"]


@pytest.mark.slow
def test_a_separate_process_indexes_a_large_store(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescan, "LARGE_STORE_BYTES", 0)
    monkeypatch.setattr(search_index, "fill_index", None)  # a build in this process would fail
    store, index = open_store(store_folder)
    store.update(f'INSERT DATA {{ <{BASE}id/issue/spam> <http://purl.org/dc/terms/title> "Spam" }}')
    assert find_ids(index, "spam") == ["issue/spam"]
    assert index.progress[0] == 1


@pytest.mark.slow
def test_the_death_of_a_process_that_indexes_is_an_error(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescan, "LARGE_STORE_BYTES", 0)
    monkeypatch.setattr(search_index, "fill_from_snapshot", os.abort)
    _, index = open_store(store_folder)
    with pytest.raises(StoreError, match="was killed"):
        index.ensure_current()


def test_lost_index_folder_is_rebuilt(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update(f"INSERT DATA {{ {DATA_TURTLE.format(BASE, 'http://www.w3.org/2004/02/skos/core#')} }}")
    index = FullTextIndex(store, BASE)
    index.ensure_current()
    assert "spam" in index.query(lambda connection: str(list_distinct_values(connection, "label"))).lower()
    shutil.rmtree(tmp_path / "store" / ASIDE_FOLDER)
    with pytest.raises(Problem, match="is being rebuilt"):
        index.query(lambda _: None)
    index.ensure_current()
    assert "spam" in index.query(lambda connection: str(list_distinct_values(connection, "label"))).lower()

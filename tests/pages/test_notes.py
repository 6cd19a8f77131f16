"""Notes of the editors are shown as sentences."""

from pyoxigraph import Literal
from wgig.pages.notes import read_note_sentences, write_note_sentences
from wgig.rdf.namespaces import expand_curie
from wgig.store.store import Store


def test_parts_of_a_note_become_sentences() -> None:
    assert write_note_sentences("text cut; seen in French") == (
        "We have seen only part of the text. We have seen it in French."
    )
    assert write_note_sentences("something else; and more…") == "Something else. And more…"
    assert write_note_sentences("Background Report, section III.A.2") == (
        "The Background Report covers it in section III.A.2."
    )


def test_every_sentence_is_for_a_text_of_the_graph(filled_store: Store) -> None:
    names = ("skos:note", "wgig:deliveryBasis", "wgig:stakeholderGroupBasis", "wgig:countryBasis")
    notes = [quad.object for name in names for quad in filled_store.match(None, expand_curie(name))]
    parts = {
        part.removeprefix("derived: ")
        for note in notes
        if isinstance(note, Literal)
        for part in note.value.split("; ")
    }
    assert [part for part in read_note_sentences() if part not in parts] == []

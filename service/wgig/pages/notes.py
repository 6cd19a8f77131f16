"""Notes of the editors as sentences.

The notes in the data are short, such as "text cut; seen in French". note_sentences.tsv has a sentence for
each of the usual parts. Another part gets a capital letter and a period.
"""

import csv
import re
from functools import cache
from pathlib import Path

SECTION_PATTERN = re.compile(r"(?P<is_cluster>cluster from the )?Background Report, (?P<section>section .*)")
PART_SEPARATOR = "; "
NOTE_SENTENCES_FILE = Path(__file__).with_name("note_sentences.tsv")
CLOSING_CHARACTERS = (")", '"', "”", "’")


@cache
def read_note_sentences() -> dict[str, str]:
    """The sentences of note_sentences.tsv, by part of a note."""
    with NOTE_SENTENCES_FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["part"]: row["sentence"] for row in rows}


def write_note_sentences(note: str) -> str:
    """A note as sentences."""
    sentences = read_note_sentences()
    parts = filter(None, note.split(PART_SEPARATOR))
    return " ".join(sentences.get(part) or make_sentence(part) for part in parts)


def make_sentence(part: str) -> str:
    """A part of a note as a sentence: about a section, or with a capital letter and a period."""
    if match := SECTION_PATTERN.fullmatch(part):
        verb = "puts it in this cluster" if match["is_cluster"] else "covers it"
        return f"The Background Report {verb} in {match['section']}."
    end = "." if part[-1:].isalnum() or part.endswith(CLOSING_CHARACTERS) else ""
    return f"{part[:1].upper()}{part[1:]}{end}"

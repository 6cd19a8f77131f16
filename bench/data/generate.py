"""Generate papers as test data: `python -m bench.data.generate --papers 1000 --seed 1 -o FILE`.

Each paper is a named graph of about 100 triples, made from the template `paper.ttl` and marked
`wgig:illustrative`. It refers to shipped issues, categories, principles, members and Declaration paragraphs.
The same seed and shipped data give the same bytes, and a shorter file is the beginning of a longer one.
"""

import argparse
import gzip
import itertools
import random
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox
from wgig.rdf.namespaces import SKOS_NAMESPACE
from wgig.settings import SHIPPED_FOLDER
from wgig_client.namespaces import EXTERNAL_NAMESPACES

BASE = "https://w3id.org/wgig/"
TEMPLATE = Path(__file__).with_name("paper.ttl")
# A slot: a name in the template that is replaced by a value, such as `slot:ISSUE`.
SLOT = re.compile(
    r"\b(?:slot:)?(PAPER|NUMBER|ISSUE|CATEGORY|TEXT|DAY|DRAFTER|COAUTHOR|GROUP|DECLARATION|VERDICT)\b"
)

# Parts that some papers lack, so that the coverage matrix has empty cells, and the probability of each.
OPTIONAL_PART = re.compile(r"/PAPER/((?:forum|mechanism)/2|assessment/[a-z-]+)")
PART_PROBABILITY = {"forum": 0.5, "mechanism": 0.3, "assessment": 0.99}

# Slots that are filled once for each paper, together, from one solution of a graph pattern.
PATTERNS_BY_SLOTS_OF_PAPER = {
    ("ISSUE", "CATEGORY"): """
        ?ISSUE a wgig:Issue ; wgig:inventoryStatus "yes" ; wgig:category ?CATEGORY .
        ?CATEGORY skos:inScheme <id/scheme/categories-2004>""",
    ("DRAFTER", "COAUTHOR"): """
        ?one org:member ?DRAFTER ; org:organization <id/agent/wgig> ; wgig:stakeholderGroup ?group .
        ?other org:member ?COAUTHOR ; org:organization <id/agent/wgig> ; wgig:stakeholderGroup ?another .
        FILTER(?group != ?another)""",
}
# Slots that are filled again at each place, from the solutions of a graph pattern.
PATTERNS_BY_SLOT = {
    "GROUP": "?GROUP a wgig:StakeholderGroup",
    "VERDICT": "?VERDICT a wgig:Verdict ; skos:inScheme <id/scheme/verdicts>",
    "DECLARATION": "?DECLARATION a wgig:Paragraph ; wgig:partOf+ <id/document/declaration>",
}

SUBJECTS = (
    "Small providers", "National regulators", "Rural networks", "Standards bodies", "Registries of names",
    "Users of public terminals", "Carriers of transit traffic", "Ministries of education", "Local courts",
    "Operators of exchange points", "Consumer associations", "Regional offices",
)  # fmt: skip
VERBS = (
    "seldom see", "have long asked for", "cannot yet rely on", "pay most of", "are left out of", "gain from",
    "disagree about", "have published", "depend on", "hope to widen", "have no say in", "share",
)  # fmt: skip
OBJECTS = (
    "the rules for allocation", "a common procedure for appeals", "the cost of international links",
    "open records of decisions", "training for their staff", "the reports of incidents",
    "agreements on peering", "content in local languages", "a forum for all parties",
    "the timetable of the reform", "statistics on access", "the protection of personal data",
)  # fmt: skip
ADVERBIALS = (
    "in most regions", "where competition is weak", "since the first phase", "without a clear mandate",
    "under several jurisdictions", "at the national level", "as far as known", "beyond the larger cities",
    "for want of funds", "in spite of two reviews", "by mutual agreement", "within the present system",
)  # fmt: skip


def query_shipped_data(slots: Sequence[str], pattern: str) -> list[tuple[str, ...]]:
    """The IRIs of these variables in the solutions of a graph pattern over the shipped data, sorted."""
    store = ox.Store()
    for path in sorted((SHIPPED_FOLDER / "data").glob("*.ttl")):
        store.load(path=str(path))
    prefixes = {
        "wgig": f"{BASE}ontology#",
        "org": EXTERNAL_NAMESPACES["org"],
        "skos": SKOS_NAMESPACE,
    }
    query = f"SELECT DISTINCT {' '.join(f'?{slot}' for slot in slots)} WHERE {{ {pattern} }}"
    solutions = cast(ox.QuerySolutions, store.query(query, base_iri=BASE, prefixes=prefixes))
    rows = sorted(tuple(cast(ox.NamedNode, term).value for term in solution) for solution in solutions)
    if not rows:
        raise SystemExit(f"The shipped data has no resources for papers to refer to. The pattern: {pattern}")
    return rows


def list_slot_values() -> dict[str, list[str]]:
    """The possible values of each slot that is filled again at each place."""
    sentences = [f"{' '.join(parts)}." for parts in itertools.product(SUBJECTS, VERBS, OBJECTS, ADVERBIALS)]
    days = [(date(2005, 1, 1) + timedelta(days)).isoformat() for days in range(25)]
    from_data = {
        slot: [value for (value,) in query_shipped_data([slot], pattern)]
        for slot, pattern in PATTERNS_BY_SLOT.items()
    }
    return from_data | {"TEXT": sentences, "DAY": days}


def read_template_parts() -> list[tuple[float, list[str]]]:
    """The parts of the template: probability, and N-Quads split at the slots, with the slots in between."""
    graph = ox.NamedNode(f"{BASE}graph/paper/PAPER")
    text_by_part: dict[str, str] = {}
    for triple in ox.parse(path=str(TEMPLATE)):
        line = f"{triple} {graph} .\n"
        optional = OPTIONAL_PART.search(line)
        part = optional[1] if optional else ""  # "": the lines that all papers have
        text_by_part[part] = text_by_part.get(part, "") + line
    return [
        (PART_PROBABILITY.get(part.split("/")[0], 1.0), SLOT.split(text))
        for part, text in text_by_part.items()
    ]


def generate_papers(count: int, seed: int) -> Iterator[str]:
    """`count` papers, each as the N-Quads of its graph."""
    parts, values_by_slot = read_template_parts(), list_slot_values()
    rows_by_slots = {
        slots: query_shipped_data(slots, pattern) for slots, pattern in PATTERNS_BY_SLOTS_OF_PAPER.items()
    }
    draw = random.Random(seed).random
    for number in range(1, count + 1):
        values_of_paper = {"PAPER": f"made-up-{seed}-{number}", "NUMBER": str(number)}
        for slots, rows in rows_by_slots.items():
            values_of_paper.update(zip(slots, rows[int(draw() * len(rows))], strict=True))
        text: list[str] = []
        for probability, fragments in parts:
            if draw() < probability:
                filled = fragments.copy()
                filled[1::2] = [  # each second fragment is a slot
                    values_of_paper[slot]
                    if slot in values_of_paper
                    else values_by_slot[slot][int(draw() * len(values_by_slot[slot]))]
                    for slot in fragments[1::2]
                ]
                text += filled
        yield "".join(text)


def write_papers(path: Path, count: int, seed: int) -> None:
    """Write `count` papers to a file of N-Quads, compressed if its name ends in `.gz`."""
    with path.open("wb") as file, open_gzip_writer(file) if path.suffix == ".gz" else file as out:
        out.writelines(paper.encode() for paper in generate_papers(count, seed))


def open_gzip_writer(file: IO[bytes]) -> IO[bytes]:
    """A writer that compresses into `file`, without name and time, so that the bytes are reproducible."""
    return cast(IO[bytes], gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0))


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.data.generate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--papers", type=int, default=1000, help="number of papers (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random generator (default: 1)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="FILE.nq or FILE.nq.gz")
    options = parser.parse_args()
    write_papers(options.output, options.papers, options.seed)


if __name__ == "__main__":
    main()

"""Large data of the shape of the papers: `python -m bench.data.generate --papers 1000 --seed 1 -o FILE`.

Each paper is a named graph of about 100 triples after the pattern `paper.ttl`, marked `wgig:illustrative`,
and ties in with the shipped issues, categories, principles, members and Declaration paragraphs. The same seed
and shipped data give the same bytes, and a shorter file is the beginning of a longer one.
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
from wgig.rdf.namespaces import EXTERNAL_NAMESPACES, SKOS_NAMESPACE
from wgig.settings import SHIPPED_FOLDER

BASE = "https://w3id.org/wgig/"
PATTERN = Path(__file__).with_name("paper.ttl")
SLOT = re.compile(
    r"\b(?:slot:)?(PAPER|NUMBER|ISSUE|CATEGORY|TEXT|DAY|DRAFTER|COAUTHOR|GROUP|DECLARATION|VERDICT)\b"
)

# Papers miss parts, so that the empty cells of the coverage matrix are there to be found.
OPTIONAL = re.compile(r"/PAPER/((?:forum|mechanism)/2|assessment/[a-z-]+)")
CHANCE = {"forum": 0.5, "mechanism": 0.3, "assessment": 0.99}

# What is drawn together, once for a paper; each line names the slots, and where their values are found.
TOGETHER = {
    ("ISSUE", "CATEGORY"): """
        ?ISSUE a wgig:Issue ; wgig:inventoryStatus "yes" ; wgig:category ?CATEGORY .
        ?CATEGORY skos:inScheme <id/scheme/categories-2004>""",
    ("DRAFTER", "COAUTHOR"): """
        ?one org:member ?DRAFTER ; org:organization <id/agent/wgig> ; wgig:stakeholderGroup ?group .
        ?other org:member ?COAUTHOR ; org:organization <id/agent/wgig> ; wgig:stakeholderGroup ?another .
        FILTER(?group != ?another)""",
}
# What is drawn anew at every place.
DRAWN = {
    "GROUP": "?GROUP a wgig:StakeholderGroup",
    "VERDICT": "?VERDICT a wgig:Verdict ; skos:inScheme <id/scheme/verdicts>",
    "DECLARATION": "?DECLARATION a wgig:Paragraph ; wgig:partOf+ <id/document/declaration>",
}

WHO = (
    "Small providers", "National regulators", "Rural networks", "Standards bodies", "Registries of names",
    "Users of public terminals", "Carriers of transit traffic", "Ministries of education", "Local courts",
    "Operators of exchange points", "Consumer associations", "Regional offices",
)  # fmt: skip
DOES = (
    "seldom see", "have long asked for", "cannot yet rely on", "pay most of", "are left out of", "gain from",
    "disagree about", "have published", "depend on", "hope to widen", "have no say in", "share",
)  # fmt: skip
WHAT = (
    "the rules for allocation", "a common procedure for appeals", "the cost of international links",
    "open records of decisions", "training for their staff", "the reports of incidents",
    "agreements on peering", "content in local languages", "a forum for all parties",
    "the timetable of the reform", "statistics on access", "the protection of personal data",
)  # fmt: skip
WHERE = (
    "in most regions", "where competition is weak", "since the first phase", "without a clear mandate",
    "under several jurisdictions", "at the national level", "as far as known", "beyond the larger cities",
    "for want of funds", "in spite of two reviews", "by mutual agreement", "within the present system",
)  # fmt: skip


def shipped(slots: Sequence[str], where: str) -> list[tuple[str, ...]]:
    """What may stand in the slots together: their values in the shipped data by a graph pattern, sorted."""
    store = ox.Store()
    for path in sorted((SHIPPED_FOLDER / "data").glob("*.ttl")):
        store.load(path=str(path))
    prefixes = {
        "wgig": f"{BASE}ontology#",
        "org": EXTERNAL_NAMESPACES["org"],
        "skos": SKOS_NAMESPACE,
    }
    query = f"SELECT DISTINCT {' '.join(f'?{slot}' for slot in slots)} WHERE {{ {where} }}"
    solutions = cast(ox.QuerySolutions, store.query(query, base_iri=BASE, prefixes=prefixes))
    found = sorted(tuple(cast(ox.NamedNode, term).value for term in solution) for solution in solutions)
    if not found:
        raise SystemExit(f"The shipped data has nothing that papers can refer to by: {where}")
    return found


def drawn() -> dict[str, list[str]]:
    """What may stand in each slot that is filled anew at every place."""
    sentences = [f"{' '.join(words)}." for words in itertools.product(WHO, DOES, WHAT, WHERE)]
    days = [(date(2005, 1, 1) + timedelta(days)).isoformat() for days in range(25)]
    from_data = {slot: [one for (one,) in shipped([slot], where)] for slot, where in DRAWN.items()}
    return from_data | {"TEXT": sentences, "DAY": days}


def parts() -> list[tuple[float, list[str]]]:
    """The pattern as N-Quads in parts: the chance of each, and its text cut at the slots, names between."""
    graph = ox.NamedNode(f"{BASE}graph/paper/PAPER")
    lines: dict[str, str] = {}
    for triple in ox.parse(path=str(PATTERN)):
        line = f"{triple} {graph} .\n"
        optional = OPTIONAL.search(line)
        name = optional[1] if optional else ""
        lines[name] = lines.get(name, "") + line
    return [(CHANCE.get(name.split("/")[0], 1.0), SLOT.split(text)) for name, text in lines.items()]


def papers(count: int, seed: int) -> Iterator[str]:
    """`count` papers, each as the N-Quads of its graph."""
    pattern, pools = parts(), drawn()
    together = {slots: shipped(slots, where) for slots, where in TOGETHER.items()}
    chance = random.Random(seed).random
    for number in range(1, count + 1):
        same = {"PAPER": f"made-up-{seed}-{number}", "NUMBER": str(number)}
        for slots, values in together.items():
            same.update(zip(slots, values[int(chance() * len(values))], strict=True))
        text: list[str] = []
        for likelihood, pieces in pattern:
            if chance() < likelihood:
                filled = pieces.copy()
                filled[1::2] = [
                    same[slot] if slot in same else pools[slot][int(chance() * len(pools[slot]))]
                    for slot in pieces[1::2]
                ]
                text += filled
        yield "".join(text)


def write(path: Path, count: int, seed: int) -> None:
    """Write `count` papers to a file of N-Quads, compressed where its name ends in `.gz`."""
    with path.open("wb") as file, compressed(file) if path.suffix == ".gz" else file as out:
        out.writelines(paper.encode() for paper in papers(count, seed))


def compressed(file: IO[bytes]) -> IO[bytes]:
    """A writer that compresses into `file`, without name and time: same papers, same bytes."""
    return cast(IO[bytes], gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0))


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.data.generate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--papers", type=int, default=1000, help="how many papers (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other papers (default: 1)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="FILE.nq or FILE.nq.gz")
    asked = parser.parse_args()
    write(asked.output, asked.papers, asked.seed)


if __name__ == "__main__":
    main()

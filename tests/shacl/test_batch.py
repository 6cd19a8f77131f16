"""Papers checked together are found to be what each is found to be alone."""

import pickle
import random
from collections.abc import Sequence

import pytest
from wgig.papers import readers
from wgig.problems import Problem
from wgig.rdf import formats
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl import batch as shacl_batch
from wgig.shacl import rules
from wgig.shacl.check import check_document
from wgig.shacl.documents import Document
from wgig.shacl.engines import Engine, get_shacl_engine
from wgig.shacl.findings import CheckOutcome, UncheckedFile

pytestmark = pytest.mark.slow

TURTLE = formats.FORMATS_BY_SUFFIX["ttl"]
EXAMPLE = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_text(encoding="utf-8")
PREFIXES = "".join(line for line in EXAMPLE.splitlines(keepends=True) if line.startswith("@prefix"))
BROKEN = sorted((SHIPPED_FOLDER / "shapes/examples/issue-paper").glob("*.ttl"))


def document(name: str, text: str) -> Document:
    return readers.read_paper_document(name, text.encode(), TURTLE)


def whole(name: str) -> Document:
    """The example under another name, with actors and drafters of its own."""
    text = EXAMPLE.replace("example-community-networks", name).replace(":example-", f":{name}-")
    return document(name, text.replace("graph/example/community-networks", f"graph/example/{name}"))


def part(name: str, said: str) -> Document:
    """A paper that says little, and a few things that it should not say."""
    return document(name, f"{PREFIXES} paper:{name} a wgig:IssuePaper ; {said}")


HOSTILE = [
    # Two that point to the same things, which neither describes.
    part(
        "dangling-1",
        "wgig:forum paper:nowhere ; wgig:mainActor agent:nobody .",
    ),
    part(
        "dangling-2",
        "wgig:forum paper:nowhere ; wgig:otherActor agent:nobody .",
    ),
    *(
        part(
            f"judges-{number}",
            "wgig:mechanism paper:nothing ; wgig:assessment "
            "[ wgig:judges paper:nothing ; wgig:criterion principle:transparency ] .",
        )
        for number in (1, 2)
    ),
    # Words in place of things, the same in two.
    part(
        "words-1", 'wgig:forum "talk" ; wgig:assessment "good" ; wgig:mechanism "law" ; wgig:drafter "me" .'
    ),
    part(
        "words-2", 'wgig:forum "talk" ; wgig:assessment "good" ; wgig:mechanism "law" ; wgig:drafter "me" .'
    ),
    # Known actors, of whom the rules find the same in each.
    part("known-1", "wgig:mainActor agent:wgig ; wgig:drafter agent:afonso ."),
    part("known-2", "wgig:otherActor agent:wgig ; wgig:drafter agent:afonso ."),
    # One says what another one lacks.
    part("lacks", "wgig:mainActor agent:somebody ."),
    part("says", 'wgig:round 1 . agent:somebody foaf:name "S" ; wgig:stakeholderGroup group:governments .'),
    # What is known is told otherwise, to the good of others or to their harm.
    part("member", "wgig:drafter agent:nobody . [] org:member agent:nobody ; org:organization agent:wgig ."),
    part("kind", "wgig:round 1 . <urn:kind> rdfs:subClassOf wgig:Forum . paper:it a <urn:kind> ."),
    part("of-kind", "wgig:forum <urn:forum> . <urn:forum> a <urn:kind> ."),
    part("verdict", 'wgig:round 1 . verdict:adequate wgig:partOf "what" ; a wgig:IssuePaper .'),
    part("joins", "wgig:round 1 . membership:afonso wgig:stakeholderGroup group:governments ."),
    part("one-group", "wgig:drafter agent:afonso ."),
    part("steals", "wgig:mechanism <paper-1/mechanism/1> ."),
    # Blank nodes of one name.
    part("blank-1", "wgig:swot _:a . _:a a wgig:Swot ."),
    part("blank-2", 'wgig:forum _:a . _:a wgig:strength "s"@en .'),
    document("no-paper", f"{PREFIXES} <urn:a> wgig:forum paper:nowhere ."),
    document("empty", ""),
]


def found(outcomes: Sequence[CheckOutcome]) -> list[object]:
    return [(one.name, one.problem.detail) if isinstance(one, UncheckedFile) else one for one in outcomes]


def alone(document: Document, profile: str) -> CheckOutcome:
    try:
        return check_document(document, profile)
    except Problem as problem:
        return UncheckedFile(document.name, problem)


@pytest.mark.parametrize("profile", rules.CHECK_PROFILES)
def test_checked_together_is_checked_alone(profile: str) -> None:
    papers = [whole(f"paper-{number}") for number in range(5)]
    broken = [document(path.name, path.read_text(encoding="utf-8")) for path in BROKEN]
    every = [*papers, *HOSTILE, papers[0], HOSTILE[0], *broken]
    expected = dict(zip(map(id, every), found([alone(one, profile) for one in every]), strict=True))
    chance = random.Random(1)
    for size in (len(every), 40, 3):
        chance.shuffle(every)
        batches = [every[start : start + size] for start in range(0, len(every), size)]
        outcomes = [one for batch in batches for one in shacl_batch.check_documents(batch, profile)]
        assert found(outcomes) == [expected[id(one)] for one in every]


def test_papers_that_share_nothing_are_checked_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counting(name: str) -> Engine:
        calls.append(name)
        return get_shacl_engine(name)

    monkeypatch.setattr(shacl_batch, "get_shacl_engine", counting)
    outcomes = shacl_batch.check_documents([whole(f"paper-{number}") for number in range(5)])
    assert calls == ["shifty"]
    assert all(not isinstance(one, UncheckedFile) and one.conforms for one in outcomes)


def test_what_is_known_breaks_no_rule_by_itself() -> None:
    assert not get_shacl_engine("shifty")([])


def test_outcomes_travel_between_processes() -> None:
    bad = check_document(HOSTILE[0])
    assert pickle.loads(pickle.dumps(bad)) == bad
    problem = Problem(400, "No.", slug="syntax", line=3, excerpt="x")
    again = pickle.loads(pickle.dumps(problem))
    assert vars(again) == vars(problem)

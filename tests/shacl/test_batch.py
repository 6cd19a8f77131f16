"""Documents that are checked together have the same outcomes as in single checks."""

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

EXAMPLE_TEXT = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_text(encoding="utf-8")
PREFIXES = "".join(line for line in EXAMPLE_TEXT.splitlines(keepends=True) if line.startswith("@prefix"))
RULE_EXAMPLE_PATHS = sorted((SHIPPED_FOLDER / "shapes/examples/issue-paper").glob("*.ttl"))


def read_turtle_document(name: str, text: str) -> Document:
    return readers.read_paper_document(name, text.encode(), formats.TURTLE)


def build_complete_document(name: str) -> Document:
    """The example paper with other IRIs of paper, actors and drafters."""
    text = EXAMPLE_TEXT.replace("example-community-networks", name).replace(":example-", f":{name}-")
    return read_turtle_document(
        name, text.replace("graph/example/community-networks", f"graph/example/{name}")
    )


def build_document(name: str, statements: str) -> Document:
    """A paper with these statements."""
    return read_turtle_document(name, f"{PREFIXES} paper:{name} a wgig:IssuePaper ; {statements}")


UNUSUAL_DOCUMENTS = [
    # Two papers refer to the same resources, which neither describes.
    build_document(
        "dangling-1",
        "wgig:forum paper:nowhere ; wgig:mainActor agent:nobody .",
    ),
    build_document(
        "dangling-2",
        "wgig:forum paper:nowhere ; wgig:otherActor agent:nobody .",
    ),
    # Two papers assess the same resource as a mechanism.
    *(
        build_document(
            f"judges-{number}",
            "wgig:mechanism paper:nothing ; wgig:assessment "
            "[ wgig:judges paper:nothing ; wgig:criterion principle:transparency ] .",
        )
        for number in (1, 2)
    ),
    # Two papers have the same texts in place of resources.
    build_document(
        "words-1", 'wgig:forum "talk" ; wgig:assessment "good" ; wgig:mechanism "law" ; wgig:drafter "me" .'
    ),
    build_document(
        "words-2", 'wgig:forum "talk" ; wgig:assessment "good" ; wgig:mechanism "law" ; wgig:drafter "me" .'
    ),
    # Two papers refer to the same known actors.
    build_document("known-1", "wgig:mainActor agent:wgig ; wgig:drafter agent:afonso ."),
    build_document("known-2", "wgig:otherActor agent:wgig ; wgig:drafter agent:afonso ."),
    # One paper has the statements that another one lacks.
    build_document("lacks", "wgig:mainActor agent:somebody ."),
    build_document(
        "states", 'wgig:round 1 . agent:somebody foaf:name "S" ; wgig:stakeholderGroup group:governments .'
    ),
    # Papers make statements that would change the results of other papers: about members, classes, known
    # resources, and a mechanism of the complete document paper-1.
    build_document(
        "member", "wgig:drafter agent:nobody . [] org:member agent:nobody ; org:organization agent:wgig ."
    ),
    build_document("kind", "wgig:round 1 . <urn:kind> rdfs:subClassOf wgig:Forum . paper:it a <urn:kind> ."),
    build_document("of-kind", "wgig:forum <urn:forum> . <urn:forum> a <urn:kind> ."),
    build_document("verdict", 'wgig:round 1 . verdict:adequate wgig:partOf "what" ; a wgig:IssuePaper .'),
    build_document("joins", "wgig:round 1 . membership:afonso wgig:stakeholderGroup group:governments ."),
    build_document("one-group", "wgig:drafter agent:afonso ."),
    build_document("steals", "wgig:mechanism <paper-1/mechanism/1> ."),
    # Blank nodes in two papers have the same label.
    build_document("blank-1", "wgig:swot _:a . _:a a wgig:Swot ."),
    build_document("blank-2", 'wgig:forum _:a . _:a wgig:strength "s"@en .'),
    read_turtle_document("no-paper", f"{PREFIXES} <urn:a> wgig:forum paper:nowhere ."),
    read_turtle_document("empty", ""),
]


def list_comparable_outcomes(outcomes: Sequence[CheckOutcome]) -> list[object]:
    return [
        (outcome.name, outcome.problem.detail) if isinstance(outcome, UncheckedFile) else outcome
        for outcome in outcomes
    ]


def check_alone(document: Document, profile: str) -> CheckOutcome:
    try:
        return check_document(document, profile)
    except Problem as problem:
        return UncheckedFile(document.name, problem)


@pytest.mark.parametrize("profile", rules.CHECK_PROFILES)
def test_documents_checked_together_have_the_outcomes_of_single_checks(profile: str) -> None:
    complete_papers = [build_complete_document(f"paper-{number}") for number in range(5)]
    rule_examples = [
        read_turtle_document(path.name, path.read_text(encoding="utf-8")) for path in RULE_EXAMPLE_PATHS
    ]
    documents = [
        *complete_papers,
        *UNUSUAL_DOCUMENTS,
        complete_papers[0],  # a second time
        UNUSUAL_DOCUMENTS[0],
        *rule_examples,
    ]
    expected_by_id = dict(
        zip(
            map(id, documents),
            list_comparable_outcomes([check_alone(document, profile) for document in documents]),
            strict=True,
        )
    )
    random_numbers = random.Random(1)
    for batch_size in (len(documents), 40, 3):
        random_numbers.shuffle(documents)
        batches = [documents[start : start + batch_size] for start in range(0, len(documents), batch_size)]
        outcomes = [outcome for batch in batches for outcome in shacl_batch.check_documents(batch, profile)]
        assert list_comparable_outcomes(outcomes) == [expected_by_id[id(document)] for document in documents]


def test_independent_papers_are_checked_in_one_engine_call(monkeypatch: pytest.MonkeyPatch) -> None:
    engine_names: list[str] = []

    def get_counted_engine(name: str) -> Engine:
        engine_names.append(name)
        return get_shacl_engine(name)

    monkeypatch.setattr(shacl_batch, "get_shacl_engine", get_counted_engine)
    outcomes = shacl_batch.check_documents(
        [build_complete_document(f"paper-{number}") for number in range(5)]
    )
    assert engine_names == ["shifty"]
    assert all(not isinstance(outcome, UncheckedFile) and outcome.conforms for outcome in outcomes)


def test_the_vocabulary_alone_breaks_no_rule() -> None:
    assert not get_shacl_engine("shifty")([])  # an engine adds the vocabulary


def test_outcomes_can_be_pickled() -> None:
    report = check_document(UNUSUAL_DOCUMENTS[0])
    assert pickle.loads(pickle.dumps(report)) == report
    problem = Problem(400, "No.", slug="syntax", line=3, excerpt="x")
    unpickled_problem = pickle.loads(pickle.dumps(problem))
    assert vars(unpickled_problem) == vars(problem)

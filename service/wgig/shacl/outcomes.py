"""The outcomes for a paper, its sections and its parts, as the conformance graph states them.

An assertion on a paper names what did not pass; a section or part that it does not name passed. If the text
of the paper was not seen, the result is that nobody can tell, and the assertion names no section or part.
"""

from collections.abc import Iterable

import pyoxigraph as ox

from ..rdf.namespaces import DEFAULT_NAMESPACES, EARL_RESULT, expand_curie
from .findings import STATE_DONE, STATE_FAULTY, STATE_MISSING, STATE_NOT_CHECKED, STATE_WAIVED
from .results import Term
from .rules import TEMPLATE_SECTIONS

ASSERTION_NAMESPACE = DEFAULT_NAMESPACES["assertion"]
ISSUE_PAPER_FORM_NAMESPACE = DEFAULT_NAMESPACES["form-issue-paper"]
CHECKER_NODE = ox.NamedNode(f"{DEFAULT_NAMESPACES['software']}checker")
WGIG_BREAKS = expand_curie("wgig:breaks")

# The outcomes for a paper, as names of test results, and for a section.
OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_CANNOT_TELL = "passed", "failed", "cannot-tell"
OUTCOME_UNTESTED, OUTCOME_UNSEEN = "untested", "unseen"
EARL_OUTCOMES = {
    OUTCOME_PASSED: expand_curie("earl:passed"),
    OUTCOME_FAILED: expand_curie("earl:failed"),
    OUTCOME_CANNOT_TELL: expand_curie("earl:cantTell"),
}
TEST_RESULT_LABELS = {
    OUTCOME_PASSED: "passed",
    OUTCOME_FAILED: "failed",
    OUTCOME_CANNOT_TELL: "text not seen",
}
TEST_RESULT_NAMESPACE = DEFAULT_NAMESPACES["test-result"]
CANNOT_TELL_NODE = ox.NamedNode(TEST_RESULT_NAMESPACE + OUTCOME_CANNOT_TELL)
OUTCOMES_BY_STATE = {STATE_DONE: OUTCOME_PASSED, STATE_NOT_CHECKED: OUTCOME_UNTESTED} | {
    state: state for state in (STATE_MISSING, STATE_FAULTY, STATE_WAIVED)
}
# The properties of an assertion whose values are the sections and parts with an outcome other than passed.
PROPERTIES_BY_OUTCOME = {
    STATE_MISSING: expand_curie("wgig:partMissing"),
    STATE_FAULTY: expand_curie("wgig:partFaulty"),
    STATE_WAIVED: expand_curie("wgig:partWaived"),
    OUTCOME_UNTESTED: expand_curie("wgig:partUntested"),
}
OUTCOMES_BY_PROPERTY = {property_: outcome for outcome, property_ in PROPERTIES_BY_OUTCOME.items()}


def list_section_outcomes(statements: Iterable[tuple[ox.NamedNode, Term]]) -> list[str]:
    """The outcome for each section of the template, from pairs of property and value of an assertion.

    It is `passed`, `missing`, `faulty`, `waived` or `untested`, or for all sections `unseen`.
    """
    pairs = list(statements)
    if (EARL_RESULT, CANNOT_TELL_NODE) in pairs:
        return [OUTCOME_UNSEEN] * len(TEMPLATE_SECTIONS)
    outcomes = {
        value.value: OUTCOMES_BY_PROPERTY[property_]
        for property_, value in pairs
        if property_ in OUTCOMES_BY_PROPERTY
    }
    return [
        outcomes.get(f"{ISSUE_PAPER_FORM_NAMESPACE}{number}", OUTCOME_PASSED) for number in TEMPLATE_SECTIONS
    ]

"""The outcomes for a paper, its sections and its parts, as the conformance graph states them.

An assertion on a paper names what did not pass; a section or part that it does not name passed.
"""

from collections.abc import Iterable

import pyoxigraph as ox

from ..rdf.namespaces import DEFAULT_NAMESPACES, expand_curie
from .findings import STATE_DONE, STATE_FAULTY, STATE_MISSING, STATE_NOT_CHECKED, STATE_WAIVED
from .results import Term
from .rules import TEMPLATE_SECTIONS

ASSERTION_NAMESPACE = DEFAULT_NAMESPACES["assertion"]
ISSUE_PAPER_FORM_NAMESPACE = DEFAULT_NAMESPACES["form-issue-paper"]
CHECKER_NODE = ox.NamedNode(f"{DEFAULT_NAMESPACES['software']}checker")
WGIG_BREAKS = expand_curie("wgig:breaks")

# The outcomes for a paper, and by the state of a section or part.
OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_UNTESTED = "passed", "failed", "untested"
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

    It is `passed`, `missing`, `faulty`, `waived` or `untested`.
    """
    outcomes = {
        value.value: OUTCOMES_BY_PROPERTY[property_]
        for property_, value in statements
        if property_ in OUTCOMES_BY_PROPERTY
    }
    return [
        outcomes.get(f"{ISSUE_PAPER_FORM_NAMESPACE}{number}", OUTCOME_PASSED) for number in TEMPLATE_SECTIONS
    ]

"""Validation results (SHACL, section 3.6), identified by the codes of this project's rules."""

from typing import Any, NamedTuple

# A term of RDF 1.1: NamedNode, BlankNode or Literal. Documents with triple terms (RDF 1.2) are refused.
Term = Any


class ValidationResult(NamedTuple):
    """A validation result: the code of the rule, the focus node, and the value if the rule reports one."""

    code: str
    focus: Term
    value: Term | None

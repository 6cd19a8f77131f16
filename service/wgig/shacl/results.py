"""What an engine finds: validation results (SHACL, section 3.6), in which this project's rules have codes."""

from typing import Any, NamedTuple

# A term of RDF 1.1: a NamedNode, a BlankNode or a Literal. Documents with triple terms are refused.
Term = Any


class ValidationResult(NamedTuple):
    """A validation result: the code of the rule, the focus node, and the value where the rule names one."""

    code: str
    focus: Term
    value: Term | None

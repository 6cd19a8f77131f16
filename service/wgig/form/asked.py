"""What the shapes ask of a property: its name, its reason, whether it must be there, what its values are."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyoxigraph as ox

from ..namespaces import OUTSIDE
from ..rules import BASE, SH, Rule, path_text, rules, subjects

NAMING = ("-MISSING", "-VALUE")  # the rules that name a property best, by the ends of their codes


@dataclass(frozen=True)
class Asked:
    """What the rules on one property of the paper or of a kind of its parts ask together."""

    rules: tuple[Rule, ...]

    @property
    def naming(self) -> Rule:
        """The rule whose name is that of the property."""
        early = [one for one in self.rules if one.profile != "final"]
        named = (one for end in NAMING for one in early if one.code.endswith(end))
        return next(named, self.rules[0])

    @property
    def required(self) -> bool:
        """Whether the template asks for it."""
        return any(one.required and one.path for one in self.rules)

    @property
    def once(self) -> bool:
        """Whether there may be one value only."""
        return any(one.component == "MaxCount" for one in self.rules)

    @property
    def datatype(self) -> str:
        """The local name of the datatype of the values: `langString` for any text, empty for none."""
        found = [str(end.value) for end in self.ends("datatype")]
        if not found and any(self.ends("nodeKind")):
            return "langString"
        return found[0].rpartition("#")[2] if found else ""

    @property
    def things(self) -> str:
        """The pattern of SPARQL that the values `?thing` fit, empty where they may be anything."""
        for end in self.ends("class"):
            return f"?thing a/<{OUTSIDE['rdfs']}subClassOf>* {end}"
        for path, end in self.with_value():
            return f"?thing {path} {end}"
        return ""

    def ends(self, name: str) -> Iterator[Any]:
        """The values of a property of SHACL in the shapes, and in those that they name by sh:node."""
        said = subjects()
        for one in self.rules:
            of = said[ox.NamedNode(one.iri)]
            yield from of.get(f"{SH}{name}", [])
            for inner in of.get(f"{SH}node", []):
                yield from said[inner].get(f"{SH}{name}", [])

    def with_value(self) -> Iterator[tuple[str, Any]]:
        """The paths that must lead from a value to a thing, with that thing."""
        said = subjects()
        for inner in self.ends("property"):
            for end in said[inner].get(f"{SH}hasValue", []):
                yield path_text(said[inner][f"{SH}path"][0], said), end


@cache
def asked(step: str, property_: str) -> Asked | None:
    """What is asked of a property of the paper, or of what its property `step` leads to; None: nothing."""
    found = [
        one
        for one in rules().values()
        if not one.counted.startswith(f"{BASE}id/principle/")  # which is asked for part by part
        and property_ in one.predicates
        and (step in one.steps if step else not one.steps)
        and (one.path == f"<{property_}>" or one.component != "QualifiedMinCount")
    ]
    return Asked(tuple(found)) if found else None

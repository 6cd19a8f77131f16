"""Namespaces by prefix: those of the web that the graph uses, and its own below the base IRI."""

import re

OUTSIDE = {
    "bibo": "http://purl.org/ontology/bibo/",
    "cito": "http://purl.org/spar/cito/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vann": "http://purl.org/vocab/vann/",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
OURS = {
    "wgig": "ontology#",
    "shape": "shapes#",
    "graph": "graph/",
    "agent": "id/agent/",
    "agreement": "id/agreement/",
    "category": "id/category/",
    "claim": "id/claim/",
    "concept": "id/concept/",
    "contribution": "id/contribution/",
    "disagreement": "id/disagreement/",
    "doc": "id/document/",
    "group": "id/stakeholder-group/",
    "identifier": "id/identifier/",
    "issue": "id/issue/",
    "meeting": "id/meeting/",
    "membership": "id/membership/",
    "milestone": "id/milestone/",
    "paper": "id/paper/",
    "place": "id/place/",
    "principle": "id/principle/",
    "scheme": "id/scheme/",
    "session": "id/session/",
}
LOCAL = re.compile(r"[^\W\d_](?:[\w.-]*[\w-])?")


def namespaces(base: str) -> dict[str, str]:
    """All namespaces by prefix, those of our own below the base IRI `base`."""
    return OUTSIDE | {prefix: base + rest for prefix, rest in OURS.items()}


def shorten(iri: str, known: dict[str, str]) -> str:
    """`prefix:local` for an IRI in a `known` namespace, else the IRI as it is."""
    for prefix, namespace in known.items():
        local = iri.removeprefix(namespace)
        if local != iri and LOCAL.fullmatch(local):
            return f"{prefix}:{local}"
    return iri

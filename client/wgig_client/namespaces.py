"""Namespaces by prefix: of external vocabularies, and below the base IRI of the graph; names of resources."""

import re
from collections.abc import Collection
from functools import lru_cache

BASE_IRI = "https://w3id.org/wgig/"  # of the graph; an operator can set another one
EXTERNAL_NAMESPACES = {
    "altr": "http://www.w3.org/ns/dx/conneg/altr#",
    "bibo": "http://purl.org/ontology/bibo/",
    "cito": "http://purl.org/spar/cito/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "earl": "http://www.w3.org/ns/earl#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prof": "http://www.w3.org/ns/dx/prof/",
    "prof-role": "http://www.w3.org/ns/dx/prof/role/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vann": "http://purl.org/vocab/vann/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "void": "http://rdfs.org/ns/void#",
    "void-ext": "http://ldf.fi/void-ext#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
# Paths below the base IRI.
LOCAL_NAMESPACE_PATHS = {
    "wgig": "ontology#",
    "shape": "shapes#",
    "graph": "graph/",
    "agent": "id/agent/",
    "agreement": "id/agreement/",
    "agreement-kind": "id/agreement-kind/",
    "assertion": "id/assertion/",
    "audience": "id/audience/",
    "author-type": "id/author-type/",
    "bg": "id/document/background-report/",
    "category": "id/category/",
    "citation": "id/citation/",
    "claim": "id/claim/",
    "claim-kind": "id/claim-kind/",
    "concept": "id/concept/",
    "confidence": "id/confidence/",
    "contribution": "id/contribution/",
    "contribution-kind": "id/contribution-kind/",
    "contributor-type": "id/contributor-type/",
    "criterion": "id/criterion/",
    "declaration": "id/document/declaration/",
    "definition": "id/definition/",
    "disagreement": "id/disagreement/",
    "dispute": "id/dispute/",
    "doc": "id/document/",
    "form-assessment-criteria": "id/document/form/assessment-criteria/",
    "form-assessment-paper": "id/document/form/assessment-paper/",
    "form-comment-form": "id/document/form/comment-form/",
    "form-issue-paper": "id/document/form/issue-paper/",
    "form-issue-paper-as-written": "id/document/form/issue-paper-as-written/",
    "form-questionnaire-june-2005": "id/document/form/questionnaire-june-2005/",
    "group": "id/stakeholder-group/",
    "identifier": "id/identifier/",
    "inventory": "id/document/inventory/",
    "issue": "id/issue/",
    "judged-kind": "id/judged-kind/",
    "judgment": "id/judgment/",
    "label": "id/label/",
    "mechanism": "id/mechanism/",
    "mechanism-kind": "id/mechanism-kind/",
    "meeting": "id/meeting/",
    "membership": "id/membership/",
    "milestone": "id/milestone/",
    "milestone-kind": "id/milestone-kind/",
    "outcome": "id/outcome/",
    "outcome-kind": "id/outcome-kind/",
    "outline": "id/document/outline/",
    "paper": "id/paper/",
    "part-kind": "id/part-kind/",
    "participation": "id/participation/",
    "place": "id/place/",
    "plan": "id/document/plan-of-action/",
    "principle": "id/principle/",
    "profile": "id/profile/",
    "recommendation": "id/recommendation/",
    "recommendation-kind": "id/recommendation-kind/",
    "report": "id/document/report/",
    "role": "id/role/",
    "scheme": "id/scheme/",
    "session": "id/session/",
    "session-kind": "id/session-kind/",
    "software": "id/software/",
    "summary": "id/document/summary/",
    "test-result": "id/test-result/",
    "timeliness": "id/timeliness/",
    "tunis": "id/document/tunis-agenda/",
    "verdict": "id/verdict/",
    "view-holder": "id/view-holder/",
    "write": "id/write/",
    "writer": "id/writer/",
}
XSD_NAMESPACE = EXTERNAL_NAMESPACES["xsd"]
# Of the event stream; no prefixes of queries.
TREE_NAMESPACE = "https://w3id.org/tree#"
ACTIVITY_STREAMS_NAMESPACE = "https://www.w3.org/ns/activitystreams#"
DCTERMS_NAMESPACE = EXTERNAL_NAMESPACES["dcterms"]
# The first path segments below /id/.
ID_PATH_KINDS = frozenset(
    path.split("/")[1] for path in LOCAL_NAMESPACE_PATHS.values() if path.startswith("id/")
)
RESOURCE_NAME_PATTERN = re.compile(r"\w(?:[\w./-]*\w)?")  # of a resource, below the namespace of its type
IRI_SCHEME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@lru_cache(100)  # any IRI can be a base
def namespaces_by_prefix(base: str) -> dict[str, str]:
    """All namespaces by prefix; the local ones are below the base IRI `base`. Do not change the result."""
    return EXTERNAL_NAMESPACES | {prefix: base + path for prefix, path in LOCAL_NAMESPACE_PATHS.items()}


def resolve_resource_name(text: str, base: str = BASE_IRI, kinds: Collection[str] = ID_PATH_KINDS) -> str:
    """The IRI for a name of a resource; empty if the text has none of these forms.

    The text is an IRI, with or without angle brackets, a prefixed name such as `issue:spam`, or the part
    after `/id/`, such as `issue/spam`, whose first segment is one of `kinds`. An IRI is not checked.
    """
    if text.startswith("<") and text.endswith(">") and IRI_SCHEME_PATTERN.match(text[1:]):
        text = text[1:-1]
    prefix, _, local = text.partition(":")
    namespaces = namespaces_by_prefix(base)
    if prefix in namespaces and RESOURCE_NAME_PATTERN.fullmatch(local):
        return namespaces[prefix] + local
    if text.partition("/")[0] in kinds:
        return f"{base}id/{text}"
    return text if IRI_SCHEME_PATTERN.match(text) else ""

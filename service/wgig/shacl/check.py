"""The completeness check of papers by the rules of a profile, behind the CLI, the service and the tests.

Extra rules that shapes cannot express find undeclared terms of our namespace, waivers of unknown rules,
resources that are no part of the paper, and papers under the name of another known paper.

White space alone counts as no text. Where findings are limited, each paper gets an equal share, and the first
finding of each rule comes before the second of any. Findings are ordered by section, rule and position.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import ceil

import pyoxigraph as ox

from ..problems import Problem
from ..rdf import shipped
from ..rdf.namespaces import (
    DCTERMS_TITLE,
    ID_NAMESPACE,
    PAPER_NAMESPACE,
    RDF_TYPE,
    WGIG_ISSUE_PAPER,
    WGIG_NAMESPACE,
    WGIG_WAIVES,
)
from ..rdf.serialization import reword_literal
from ..settings import Settings
from ..text import shorten_untrusted_text
from . import suggestions, vocabulary
from .documents import Document
from .engines import get_shacl_engine
from .findings import Finding, PaperReport, Report
from .locations import find_result_offset, locate_offset, shown_line_text
from .results import Term, ValidationResult
from .rules import SHAPES_NAMESPACE, check_profile_name, rules_by_code
from .summary import PaperSummary, ResultsByNode

# What a file may describe beside its papers and their parts.
ACTOR_IRI_PREFIXES = (f"{ID_NAMESPACE}agent/", f"{ID_NAMESPACE}membership/")


def results_beyond_shapes(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """What these rules find in a document with these papers."""
    yield from find_unknown_terms(document)
    yield from find_unknown_waivers(document)
    yield from find_foreign_resources(document, papers)
    yield from find_name_conflicts(document, papers)


def find_unknown_terms(document: Document) -> Iterator[ValidationResult]:
    """A result for each term of our namespace that the ontology does not declare, by subject.

    The value is the term, or the literal whose datatype it is.
    """
    named = document.object_nodes.union(document.triples_by_property, document.numbers_by_subject)
    unknown = {one for one in named if is_undeclared_term(one)}
    for triple in document.triples:
        for term in unknown.intersection(triple) if unknown else ():
            yield ValidationResult("WGIG-0-TERM-UNKNOWN", triple.subject, term)
        if isinstance(triple.object, ox.Literal) and is_undeclared_term(triple.object.datatype):
            yield ValidationResult("WGIG-0-TERM-UNKNOWN", triple.subject, triple.object)


def is_undeclared_term(term: Term) -> bool:
    """Whether a node is a term of our namespace that the ontology does not declare."""
    return term.value.startswith(WGIG_NAMESPACE) and term.value not in shipped.declared_terms()


def find_unknown_waivers(document: Document) -> Iterator[ValidationResult]:
    """A result for each waiver whose rule has the form of a code, but does not exist."""
    for one in document.iter_property_triples([WGIG_WAIVES]):
        rule = one.object
        if (
            isinstance(rule, ox.NamedNode)
            and rule.value.removeprefix(SHAPES_NAMESPACE) not in rules_by_code()
        ):
            yield ValidationResult("WGIG-0-WAIVER-UNKNOWN", one.subject, rule)


def find_foreign_resources(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """A result for each thing of the graph that is described, though it is no part of a paper."""
    named = {one.value for one in papers if one.value.startswith(PAPER_NAMESPACE)}
    own = (*(f"{one}/" for one in named), *ACTOR_IRI_PREFIXES)
    for subject in document.numbers_by_subject:
        if (
            isinstance(subject, ox.NamedNode)
            and subject.value.startswith(ID_NAMESPACE)
            and subject.value not in named
            and not subject.value.startswith(own)
        ):
            yield ValidationResult("WGIG-0-FOREIGN", subject, subject)


def find_name_conflicts(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """A result, with a title, for each paper under the name of a known one that has none of its titles."""
    for paper in papers:
        theirs = shipped.shipped_paper_titles().get(paper.value, frozenset())
        own = [
            one.object
            for one in document.triples_about(paper)
            if one.predicate == DCTERMS_TITLE and isinstance(one.object, ox.Literal)
        ]
        if theirs and own and theirs.isdisjoint(one.value for one in own):
            yield ValidationResult("WGIG-0-NAME-TAKEN", paper, own[0])


MAX_SHOWN_FINDINGS = 1000  # findings of one file that are shown


def check_document(document: Document, profile: str = "complete", by: str = Settings.shacl) -> Report:
    """What the rules of a profile find in a document, checked by one of the engines.

    Raises Problem 400 for a profile that there is none of, 422 where no issue paper is in the document.
    """
    check_profile_name(profile)
    get_issue_papers(document)
    return build_check_report(document, profile, find_document_results(document, by))


def find_document_results(document: Document, by: str) -> set[ValidationResult]:
    """What the rules of all profiles find in a document, checked by one of the engines."""
    return get_shacl_engine(by)(engine_input_triples(document))


def get_issue_papers(document: Document) -> list[Term]:
    """The issue papers of a document, in its order. Raises Problem 422 where there is none."""
    found = [
        one.subject for one in document.iter_property_triples([RDF_TYPE]) if one.object == WGIG_ISSUE_PAPER
    ]
    if not found:
        reason = suggestions.explain_missing_paper(document)
        raise Problem(422, f"No paper found in this file, so nothing was checked. {reason}", slug="no-paper")
    return list(dict.fromkeys(found))


def engine_input_triples(document: Document) -> Iterator[ox.Triple]:
    """What an engine is asked about: the triples that a rule may look along, blank texts being emptied.

    What the vocabulary alone may say is left out.
    """
    yield from map(normalize_blank_text, document.iter_property_triples(vocabulary.checked_properties()))
    yield from (
        one
        for one in document.iter_property_triples([RDF_TYPE])
        if one.object in vocabulary.PAPER_PART_CLASSES
    )


def normalize_blank_text(triple: ox.Triple) -> ox.Triple:
    """The triple as an engine gets it: a text of nothing but white space says nothing."""
    text = triple.object
    if not isinstance(text, ox.Literal) or not text.value.isspace():
        return triple
    return ox.Triple(triple.subject, triple.predicate, reword_literal(text, ""))


def build_check_report(document: Document, profile: str, results: Iterable[ValidationResult]) -> Report:
    """The report on a document, from what an engine found in it."""
    found = build_paper_summaries(document, results)
    counts = [one.count_results(profile) for one in found]
    shown = [
        choose_shown_results(one, profile, share)
        for one, share in zip(found, divide_finding_limit(counts, MAX_SHOWN_FINDINGS), strict=True)
    ]
    looked = suggestions.find_suggestions(document, chain.from_iterable(shown))
    papers = [
        build_paper_report(summary, profile, [build_finding(one, summary, looked) for one in results])
        for summary, results in zip(found, shown, strict=True)
    ]
    return Report(document.name, document.format.media_type, profile, papers)


def divide_finding_limit(counts: Sequence[int], most: int) -> list[int]:
    """How many findings of each paper are shown: all, or an equal share of what those with few leave."""
    shown = [0] * len(counts)
    waiting = sorted(range(len(counts)), key=lambda number: counts[number])
    for before, number in enumerate(waiting):
        shown[number] = min(counts[number], ceil(most / (len(counts) - before)))
        most -= shown[number]
    return shown


def choose_shown_results(summary: PaperSummary, profile: str, most: int) -> list[ValidationResult]:
    """At most so many results about a paper, the first of each rule before the second of any."""
    inside = sorted(
        (one for one in summary.results if rules_by_code()[one.code].is_in_profile(profile)),
        key=result_sort_key,
    )
    seen = Counter[str]()
    turns = []
    for one in inside:
        turns.append(seen[one.code])
        seen[one.code] += 1
    first = sorted(range(len(inside)), key=turns.__getitem__)[:most]
    return [inside[number] for number in sorted(first)]


def build_paper_summaries(document: Document, results: Iterable[ValidationResult]) -> list[PaperSummary]:
    """What was found in a document, paper by paper."""
    papers = get_issue_papers(document)
    found: ResultsByNode = {}
    for result in {*results, *results_beyond_shapes(document, papers)}:
        found.setdefault(result.focus, {}).setdefault(result.code, []).append(result)
    nodes: dict[Term, set[Term]] = (
        assign_nodes_to_papers(document, papers) if papers[1:] else {papers[0]: set()}
    )
    nodes[papers[0]] |= found.keys() - set[Term]().union(*nodes.values())
    return [PaperSummary(paper, nodes[paper] & found.keys(), document, found) for paper in papers]


def assign_nodes_to_papers(document: Document, papers: Sequence[Term]) -> dict[Term, set[Term]]:
    """The nodes of each paper: itself, all that it names, and what that leads to unless a paper before does.

    So papers share an actor, and yet the time for all of them grows with the file alone.
    """
    others = set(papers)
    seen, nodes = others.copy(), dict[Term, set[Term]]()
    for paper in papers:
        named = document.find_object_nodes(paper) - others
        waiting = list(named - seen)
        seen |= named
        for node in waiting:
            new = document.find_object_nodes(node) - seen
            seen |= new
            waiting += new
        nodes[paper] = {paper, *named, *waiting}
    return nodes


def build_paper_report(summary: PaperSummary, profile: str, findings: Sequence[Finding]) -> PaperReport:
    """What was found of one paper, with the findings that are shown."""
    return PaperReport(
        iri=str(summary.paper.value),
        title=summary.title,
        findings=sorted(findings, key=finding_sort_key),
        left_out=summary.count_results(profile) - len(findings),
        sections=summary.sections(profile),
        met=summary.met,
        waived=len(summary.waived_rules),
        parts=len(summary.required),
        conforms=summary.conforms(profile),
    )


def result_sort_key(result: ValidationResult) -> tuple[int, int, str, str]:
    """The order of results: section by section, rule by rule, of long names by how they begin."""
    rule = rules_by_code()[result.code]
    return (
        rule.section,
        rule.order,
        shorten_untrusted_text(str(result.focus)),
        shorten_untrusted_text(str(result.value)),
    )


def finding_sort_key(finding: Finding) -> tuple[int, int, tuple[int, ...]]:
    """The order in which findings are shown: section by section, rule by rule, and as they are written."""
    return finding.rule.section, finding.rule.order, finding.place or ()


def build_finding(
    result: ValidationResult, summary: PaperSummary, looked: suggestions.SuggestionsByValue
) -> Finding:
    """A result as a finding, with its place in the document and what was probably meant."""
    rule = rules_by_code()[result.code]
    document = summary.document
    place = locate_offset(document, find_result_offset(document, rule, result))
    return Finding(
        rule=rule,
        focus=result.focus,
        value=result.value,
        place=place,
        line=shown_line_text(document, place),
        suggestion=looked.get((result.code, result.value), ""),
        waiver=summary.waiver_reasons.get(rule.code, ""),
    )

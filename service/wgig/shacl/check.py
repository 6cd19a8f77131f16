"""Check papers by the rules of a profile, for the CLI, the service and the tests.

Rules that shapes cannot express are checked here: undeclared terms of the namespace `wgig:`, waivers of
unknown rules, resources that are not part of the paper, papers under the name of another known paper, and two
assessments of one body of the graph by one criterion, which a shape would also count across papers. By a
waiver, an author states the reason why a rule should not count.

Text of only white space counts as empty. If a file has more than MAX_SHOWN_FINDINGS findings, each paper gets
an equal share, and the first finding of each rule is shown before the second of any rule. Findings are
ordered by section, rule and position.
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
    expand_curie,
)
from ..rdf.serialization import replace_literal_text
from ..settings import Settings
from ..text import shorten_untrusted_text
from . import suggestions, vocabulary
from .corrections import find_correction
from .documents import EMPTY_FILE_MESSAGE, Document
from .engines import get_shacl_engine
from .findings import Finding, PaperReport, Report
from .locations import WGIG_CRITERION_IRI, find_result_offset, find_text_position, shown_line_text
from .misspellings import correct_document, find_misspellings
from .paper_scope import ACTOR_IRI_PREFIXES
from .results import Term, ValidationResult
from .rules import SHAPES_NAMESPACE, required_rules, rules_by_code, validate_profile_name
from .summary import PaperSummary, ResultsByNode

WGIG_ASSESSMENT_IRI, WGIG_JUDGES_IRI, WGIG_MECHANISM_IRI = (
    f"{WGIG_NAMESPACE}{name}" for name in ("assessment", "judges", "mechanism")
)


def find_non_shape_results(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """The results of the rules that are not shapes, for a document with these papers."""
    yield from find_unknown_terms(document)
    yield from find_unknown_waivers(document)
    yield from find_foreign_resources(document, papers)
    yield from find_name_conflicts(document, papers)
    yield from find_repeated_assessments(document, papers)


def find_unknown_terms(document: Document) -> Iterator[ValidationResult]:
    """A result for each use of a term of the namespace `wgig:` that the ontology does not declare.

    The focus node is the subject of the triple. The value is the term, or the literal with that datatype.
    """
    nodes = document.object_nodes.union(document.triples_by_property, document.numbers_by_subject)
    unknown_terms = {node for node in nodes if is_undeclared_term(node)}
    for triple in document.triples:
        for term in unknown_terms.intersection(triple) if unknown_terms else ():
            yield ValidationResult(suggestions.UNKNOWN_TERM_CODE, triple.subject, term)
        if isinstance(triple.object, ox.Literal) and is_undeclared_term(triple.object.datatype):
            yield ValidationResult(suggestions.UNKNOWN_TERM_CODE, triple.subject, triple.object)


def is_undeclared_term(term: Term) -> bool:
    """Whether a node is a term of the namespace `wgig:` that the ontology does not declare."""
    return term.value.startswith(WGIG_NAMESPACE) and term.value not in shipped.declared_terms()


def find_unknown_waivers(document: Document) -> Iterator[ValidationResult]:
    """A result for each waiver of an IRI that is not a rule."""
    for triple in document.iter_property_triples([WGIG_WAIVES]):
        rule = triple.object
        if (
            isinstance(rule, ox.NamedNode)
            and rule.value.removeprefix(SHAPES_NAMESPACE) not in rules_by_code()
        ):
            yield ValidationResult("WGIG-0-WAIVER-UNKNOWN", triple.subject, rule)


def find_foreign_resources(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """A result for each described resource below /id/ that is not part of a paper, agent or membership."""
    paper_iris = {paper.value for paper in papers if paper.value.startswith(PAPER_NAMESPACE)}
    allowed_prefixes = (*(f"{iri}/" for iri in paper_iris), *ACTOR_IRI_PREFIXES)
    for subject in document.numbers_by_subject:
        if (
            isinstance(subject, ox.NamedNode)
            and subject.value.startswith(ID_NAMESPACE)
            and subject.value not in paper_iris
            and not subject.value.startswith(allowed_prefixes)
        ):
            yield ValidationResult("WGIG-0-FOREIGN", subject, subject)


def find_name_conflicts(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """A result for each paper with the IRI of a known paper but none of its titles. The value is a title."""
    for paper in papers:
        known_titles = shipped.shipped_paper_titles().get(paper.value, frozenset())
        titles = [
            triple.object
            for triple in document.triples_about(paper)
            if triple.predicate == DCTERMS_TITLE and isinstance(triple.object, ox.Literal)
        ]
        if known_titles and titles and known_titles.isdisjoint(title.value for title in titles):
            yield ValidationResult("WGIG-0-NAME-TAKEN", paper, titles[0])


def find_repeated_assessments(document: Document, papers: Sequence[Term]) -> Iterator[ValidationResult]:
    """A result for each further assessment of a mechanism by a criterion in a paper.

    The value is the mechanism. Mechanisms of the paper itself are left out: shapes count their assessments.
    """
    for paper in papers:
        own_mechanisms = set(document.find_objects(paper, WGIG_MECHANISM_IRI))
        seen: set[tuple[Term, Term]] = set()
        for assessment in document.find_objects(paper, WGIG_ASSESSMENT_IRI):
            criteria = document.find_objects(assessment, WGIG_CRITERION_IRI)
            for mechanism in set(document.find_objects(assessment, WGIG_JUDGES_IRI)) - own_mechanisms:
                pairs = {(criterion, mechanism) for criterion in criteria}
                if not seen.isdisjoint(pairs):
                    yield ValidationResult("WGIG-7-JUDGED-TWICE", assessment, mechanism)
                seen |= pairs


MAX_SHOWN_FINDINGS = 1000  # per file


def check_document(
    document: Document, profile: str = "complete", engine_name: str = Settings.shacl
) -> Report:
    """The report on a document by the rules of a profile, from the engine of this name.

    Raises Problem 400 for an unknown profile, 422 if the document has no issue paper.
    """
    validate_profile_name(profile)
    get_issue_papers(document)
    return build_check_report(document, profile, find_document_results(document, engine_name), engine_name)


def find_document_results(document: Document, engine_name: str) -> set[ValidationResult]:
    """The results for a document by the rules of all profiles, from the engine of this name."""
    return get_shacl_engine(engine_name)(engine_input_triples(document))


def get_issue_papers(document: Document) -> list[Term]:
    """The issue papers of a document, in document order. Raises Problem 422 if there is none."""
    papers = [
        triple.subject
        for triple in document.iter_property_triples([RDF_TYPE])
        if triple.object == WGIG_ISSUE_PAPER
    ]
    if not papers and not document.text.strip():
        raise Problem(422, EMPTY_FILE_MESSAGE, slug="no-paper")
    if not papers:
        reason = suggestions.explain_missing_paper(document)
        raise Problem(422, f"No paper found in this file, so nothing was checked. {reason}", slug="no-paper")
    return list(dict.fromkeys(papers))


def engine_input_triples(document: Document) -> Iterator[ox.Triple]:
    """The triples that an engine checks: those with properties or types that rules use in a paper.

    Texts of only white space are replaced by empty texts.
    """
    yield from map(normalize_blank_text, document.iter_property_triples(vocabulary.checked_properties()))
    yield from (
        triple
        for triple in document.iter_property_triples([RDF_TYPE])
        if triple.object in vocabulary.PAPER_PART_CLASSES
    )


def normalize_blank_text(triple: ox.Triple) -> ox.Triple:
    """The triple; a literal of only white space becomes an empty one."""
    literal = triple.object
    if not isinstance(literal, ox.Literal) or not literal.value.isspace():
        return triple
    return ox.Triple(triple.subject, triple.predicate, replace_literal_text(literal, ""))


def build_check_report(
    document: Document, profile: str, results: Iterable[ValidationResult], engine_name: str
) -> Report:
    """The report on a document, from the results of the engine of this name."""
    summaries = build_paper_summaries(document, results)
    link_corrected_summaries(document, summaries, engine_name)
    counts = [summary.count_results(profile) for summary in summaries]
    shown_results = [
        choose_shown_results(summary, profile, share)
        for summary, share in zip(summaries, divide_finding_limit(counts, MAX_SHOWN_FINDINGS), strict=True)
    ]
    suggestions_by_value = suggestions.find_suggestions(document, chain.from_iterable(shown_results))
    papers = [
        build_paper_report(
            summary,
            profile,
            [build_finding(result, summary, suggestions_by_value) for result in paper_results],
        )
        for summary, paper_results in zip(summaries, shown_results, strict=True)
    ]
    return Report(document.name, document.format.media_type, profile, papers)


def link_corrected_summaries(document: Document, summaries: Sequence[PaperSummary], engine_name: str) -> None:
    """Link each summary to that of the paper with its misspelled names corrected, if there are any.

    The corrected document is checked again, which is done only if a result may follow from such a name.
    """
    misspellings = find_misspellings(document, summaries)
    if not misspellings or all(
        result.value in misspellings for summary in summaries for result in summary.results
    ):
        return
    corrected = correct_document(document, misspellings)
    corrected_summaries = {
        summary.paper: summary
        for summary in build_paper_summaries(corrected, find_document_results(corrected, engine_name))
    }
    for summary in summaries:
        summary.corrected = corrected_summaries.get(summary.paper, summary)
        remaining = {*summary.corrected.results}
        summary.explained = {
            result
            for result in summary.results
            if result.value not in misspellings and result not in remaining
        }


def divide_finding_limit(counts: Sequence[int], remaining: int) -> list[int]:
    """The number of findings of each paper to show, at most `remaining` in all.

    A paper with fewer findings than its equal share leaves the difference to the other papers.
    """
    shown_counts = [0] * len(counts)
    by_count = sorted(range(len(counts)), key=lambda index: counts[index])
    for position, index in enumerate(by_count):
        shown_counts[index] = min(counts[index], ceil(remaining / (len(counts) - position)))
        remaining -= shown_counts[index]
    return shown_counts


def choose_shown_results(summary: PaperSummary, profile: str, limit: int) -> list[ValidationResult]:
    """At most `limit` results about a paper: the first of each rule before the second of any rule."""
    candidates = sorted(
        (result for result in summary.results if rules_by_code()[result.code].is_in_profile(profile)),
        key=result_sort_key,
    )
    seen = Counter[str]()
    ranks = []
    for result in candidates:
        ranks.append(seen[result.code])
        seen[result.code] += 1
    chosen = sorted(range(len(candidates)), key=ranks.__getitem__)[:limit]
    return [candidates[index] for index in sorted(chosen)]


def build_paper_summaries(document: Document, results: Iterable[ValidationResult]) -> list[PaperSummary]:
    """A summary of the results for each paper of a document."""
    papers = get_issue_papers(document)
    results_by_node: ResultsByNode = {}
    for result in {*results, *find_non_shape_results(document, papers)}:
        results_by_node.setdefault(result.focus, {}).setdefault(result.code, []).append(result)
    nodes_by_paper: dict[Term, set[Term]] = (
        assign_nodes_to_papers(document, papers) if papers[1:] else {papers[0]: set()}
    )
    nodes_by_paper[papers[0]] |= results_by_node.keys() - set[Term]().union(*nodes_by_paper.values())
    return [
        PaperSummary(paper, nodes_by_paper[paper] & results_by_node.keys(), document, results_by_node)
        for paper in papers
    ]


def assign_nodes_to_papers(document: Document, papers: Sequence[Term]) -> dict[Term, set[Term]]:
    """The nodes of each paper: itself, the nodes that it refers to, and all nodes that these lead to.

    Several papers may share a node that they refer to directly, such as an actor. Nodes further away belong
    to the first paper that reaches them, so that each triple is visited once.
    """
    paper_nodes = set(papers)
    seen, nodes_by_paper = paper_nodes.copy(), dict[Term, set[Term]]()
    for paper in papers:
        direct_nodes = document.find_object_nodes(paper) - paper_nodes
        queue = list(direct_nodes - seen)
        seen |= direct_nodes
        for node in queue:
            new_nodes = document.find_object_nodes(node) - seen
            seen |= new_nodes
            queue += new_nodes
        nodes_by_paper[paper] = {paper, *direct_nodes, *queue}
    return nodes_by_paper


def build_paper_report(summary: PaperSummary, profile: str, findings: Sequence[Finding]) -> PaperReport:
    """The report on one paper, with the findings to show."""
    return PaperReport(
        iri=str(summary.paper.value),
        title=summary.title,
        findings=sorted(findings, key=finding_sort_key),
        left_out=summary.count_results(profile) - len(findings),
        left_out_counts=summary.count_severities(profile)
        - Counter(finding.rule.severity for finding in findings if not finding.waiver),
        sections=summary.sections(profile, findings),
        met=summary.corrected.met,
        waived=len(summary.corrected.waived_rules),
        parts=len(summary.required),
        conforms=summary.conforms(profile),
    )


def result_sort_key(result: ValidationResult) -> tuple[int, int, str, str]:
    """The sort key of a result: section, rule, then focus node and value, each cut if long."""
    rule = rules_by_code()[result.code]
    return (
        rule.section,
        rule.order,
        shorten_untrusted_text(str(result.focus)),
        shorten_untrusted_text(str(result.value)),
    )


def finding_sort_key(finding: Finding) -> tuple[int, int, int, tuple[int, ...]]:
    """The sort key of a finding: section, rule, position in the file. Misspelled names are first."""
    return finding.section, finding.rule.section, finding.rule.order, finding.position or ()


def build_finding(
    result: ValidationResult, summary: PaperSummary, suggestions_by_value: suggestions.SuggestionsByValue
) -> Finding:
    """A finding from a result, with its position in the document, a suggestion and the change it leads to."""
    rule = rules_by_code()[result.code]
    document = summary.document
    offset = find_result_offset(document, rule, result)
    position = find_text_position(document, offset)
    suggestion = suggestions_by_value.get((result.code, result.value), "")
    return Finding(
        rule=rule,
        focus=result.focus,
        value=result.value,
        position=position,
        line=shown_line_text(document, position),
        suggestion=suggestion,
        waiver=summary.waiver_reasons.get(rule.code, ""),
        correction=find_correction(document, offset, result.value, suggestion),
        misspelled_section=find_misspelled_section(result, suggestion),
    )


def find_misspelled_section(result: ValidationResult, suggestion: str) -> int | None:
    """The section that requires the property that an unknown term was probably meant to be, or None."""
    is_term = result.code == suggestions.UNKNOWN_TERM_CODE and isinstance(result.value, ox.NamedNode)
    if not is_term or not suggestion:
        return None
    property_iri = expand_curie(suggestion).value
    return next((rule.section for rule in required_rules() if property_iri in rule.predicates), None)

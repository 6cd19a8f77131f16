"""The kinds of resources that /build offers, in groups and with the names that people look for."""

from ..i18n import gettext_noop

OTHER_KINDS = gettext_noop("Other")
# By group, in the order of the page: the classes with their names in the plural. Each kind is offered once:
# of a class of the ontology and the equal one of another vocabulary, just one is here.
BUILDER_KINDS = {
    gettext_noop("Issues and papers"): {
        "wgig:Issue": gettext_noop("issues"),
        "wgig:Category": gettext_noop("groups of issues"),
        "wgig:InventoryEntry": gettext_noop("lines of the inventory of issues"),
        "wgig:Paper": gettext_noop("papers"),
        "wgig:IssuePaper": gettext_noop("papers on issues"),
        "wgig:AssessmentPaper": gettext_noop("assessment papers"),
        "wgig:Contribution": gettext_noop("contributions"),
        "wgig:GovernanceMechanism": gettext_noop("bodies, treaties and forums that govern"),
    },
    gettext_noop("People"): {
        "foaf:Person": gettext_noop("people"),
        "org:Membership": gettext_noop("seats and posts"),
        "org:Organization": gettext_noop("organizations"),
        "org:Role": gettext_noop("roles"),
        "wgig:StakeholderGroup": gettext_noop("stakeholder groups"),
        "wgig:Country": gettext_noop("countries"),
    },
    gettext_noop("Meetings"): {
        "wgig:Meeting": gettext_noop("meetings"),
        "wgig:WorkingMeeting": gettext_noop("closed meetings of the group"),
        "wgig:OpenConsultation": gettext_noop("open consultations"),
        "wgig:PlenaryMeeting": gettext_noop("plenary meetings"),
        "wgig:Session": gettext_noop("sessions"),
        "wgig:SessionKind": gettext_noop("kinds of sessions"),
        "wgig:Agreement": gettext_noop("agreements"),
        "wgig:AgreementOutcome": gettext_noop("outcomes of agreements"),
        "wgig:Milestone": gettext_noop("deadlines and events"),
    },
    gettext_noop("Texts"): {
        "wgig:Document": gettext_noop("documents"),
        "wgig:Section": gettext_noop("sections"),
        "wgig:Paragraph": gettext_noop("paragraphs"),
        "cito:Citation": gettext_noop("citations"),
        "wgig:Definition": gettext_noop("definitions"),
        "wgig:Recommendation": gettext_noop("recommendations"),
    },
    gettext_noop("Judgments"): {
        "wgig:Judgment": gettext_noop("judgments"),
        "wgig:Assessment": gettext_noop("assessments in papers"),
        "wgig:Dispute": gettext_noop("disputes"),
        "wgig:Principle": gettext_noop("principles"),
        "wgig:CrosscuttingPriority": gettext_noop("cross-cutting priorities"),
        "wgig:Verdict": gettext_noop("verdicts"),
    },
    OTHER_KINDS: {
        "wgig:Claim": gettext_noop("statements by sources"),
        "wgig:Disagreement": gettext_noop("questions on which sources differ"),
        "wgig:Identifier": gettext_noop("identifiers elsewhere"),
        "dcterms:Location": gettext_noop("places"),
    },
}
# Classes with the same resources as those above: they are not offered, but an address may have them.
REPEATED_KINDS = frozenset(
    (
        "bibo:Document",
        "bibo:DocumentPart",
        "foaf:Group",
        "schema:Claim",
        "schema:Event",
        "skos:Collection",
        "skos:Concept",
        "skos:ConceptScheme",
        "wgig:Appraisal",
    )
)
# The names of columns whose labels do not say enough next to others.
COLUMN_NAMES = {
    "dcterms:type": gettext_noop("kind"),
    "rdf:type": gettext_noop("class"),
    "wgig:issueOf": gettext_noop("papers, inventory lines, judgments and recommendations on it"),
    "wgig:treatedIn": gettext_noop("sections and paragraphs that cover it"),
}

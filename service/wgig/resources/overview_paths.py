"""What the overview of a resource shows, by class: the paths to its facts and to its lists of records."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from .property_path import PropertyPath


class RecordPaths(NamedTuple):
    """The path to the resources of a list in an overview, and the paths to the values of each, by name.

    The list is sorted by the values named `sorted_by`, in natural order. `in_sentence`: a sentence lists the
    resources, but not all if there are many.
    """

    path: PropertyPath
    value_paths: Mapping[str, PropertyPath]
    sorted_by: str = ""
    in_sentence: bool = False


class OverviewPaths(NamedTuple):
    """What an overview shows: the macro of gist.html, its paths by name, and its lists of records by name.

    `omitted_properties` are properties whose values the title, the kind or another sentence says. `unlinked`
    are the names of paths and lists whose resources are only counted or described, without a link to each.
    """

    macro: str
    paths: Mapping[str, PropertyPath]
    record_paths: Mapping[str, RecordPaths] = {}
    omitted_properties: Collection[str] = ()
    unlinked: Collection[str] = ()

    def links_neighbors(self, name: str) -> bool:
        """Whether the overview links to each resource of this path or list, and each is one step away."""
        path = self.paths[name] if name in self.paths else self.record_paths[name].path
        return path.is_single_step and name not in self.unlinked


# Records state a paragraph of a document of the graph as their source.
SOURCE_PARAGRAPH = PropertyPath("dcterms:source", "doc:")
JUDGMENT_VALUES = {
    "text": PropertyPath("dcterms:description"),
    "criterion": PropertyPath("wgig:criterion"),
    "verdict": PropertyPath("wgig:verdict"),
    "holder": PropertyPath("wgig:viewHolder"),
    "quotation": PropertyPath("wgig:quotation"),
    "paragraph": SOURCE_PARAGRAPH,
    "locator": PropertyPath("bibo:locator"),
    "dispute": PropertyPath("wgig:dispute"),
    "cluster": PropertyPath("wgig:cluster"),
}
RECOMMENDATION_VALUES = {
    "text": PropertyPath("dcterms:description"),
    "kind": PropertyPath("dcterms:type"),
    "holder": PropertyPath("wgig:viewHolder"),
    "paragraph": SOURCE_PARAGRAPH,
}
MECHANISM_VALUES = {"kind": PropertyPath("dcterms:type")}
OUTCOME_VALUES = {
    "kind": PropertyPath("dcterms:type"),
    "evidence": PropertyPath("wgig:evidence"),
    "paragraph": SOURCE_PARAGRAPH,
    "confidence": PropertyPath("wgig:confidence"),
    "note": PropertyPath("skos:note"),
}
SOURCE_VALUES = {"sources": PropertyPath("dcterms:source")}
DELIVERY_VALUES = {
    "due": PropertyPath("wgig:due"),
    "delivered": PropertyPath("wgig:delivered"),
    "timeliness": PropertyPath("wgig:timeliness"),
    "late": PropertyPath("wgig:daysLate"),
}
AGREEMENT_VALUES = {"kind": PropertyPath("dcterms:type"), "paragraph": SOURCE_PARAGRAPH}
SESSION_VALUES = {
    "day": PropertyPath("schema:startDate"),
    "kind": PropertyPath("wgig:actualKind"),
    "open_to": PropertyPath("wgig:actualKind/wgig:openTo"),
}
MEMBERSHIP_VALUES = {
    "organization": PropertyPath("org:organization"),
    "role": PropertyPath("org:role"),
    "title": PropertyPath("wgig:postTitle"),
}


def build_agreement_paths(path: str) -> RecordPaths:
    """The paths to the agreements at the end of a path, in the order of their IRIs."""
    return RecordPaths(PropertyPath(path, "agreement:"), AGREEMENT_VALUES)


def build_judgment_paths(path: str) -> RecordPaths:
    """The paths to the judgments at the end of a path, in the order of their paragraphs."""
    return RecordPaths(PropertyPath(path, "judgment:"), JUDGMENT_VALUES, "paragraph")


def build_side_paths(path: str) -> RecordPaths:
    """The paths to the judgments at the end of a path, those by the same criterion beside each other."""
    return RecordPaths(PropertyPath(path, "judgment:"), JUDGMENT_VALUES, "criterion")


def build_recommendation_paths(path: str) -> RecordPaths:
    """The paths to the recommendations at the end of a path, in the order of their paragraphs."""
    return RecordPaths(PropertyPath(path, "recommendation:"), RECOMMENDATION_VALUES, "paragraph")


PARAGRAPH_PATHS = {
    "document": PropertyPath("wgig:partOf"),
    "principles": PropertyPath("wgig:namesPrinciple"),
    "bears_on": PropertyPath("wgig:bearsOn"),
    "citing": PropertyPath("^cito:cites"),
    "answered_by": PropertyPath("wgig:answeredBy"),
    "answered_bases": PropertyPath("wgig:answeredBy/wgig:responseBasis"),
    "answers": PropertyPath("wgig:respondsTo"),
    "answer_bases": PropertyPath("wgig:responseBasis"),
    "settled": PropertyPath("wgig:concernOf", "agreement:"),
    "section_basis": PropertyPath("wgig:sectionBasis"),
    "topic": PropertyPath("wgig:topic"),
    "evidence": PropertyPath("wgig:evidence"),
    "notes": PropertyPath("skos:note"),
}
CITATION_VALUES = {"citing": PropertyPath("cito:hasCitingEntity")}
PARAGRAPH_OVERVIEW = OverviewPaths(
    "paragraph",
    PARAGRAPH_PATHS,
    {
        "judgments": build_judgment_paths("^dcterms:source"),
        "recommendations": build_recommendation_paths("^dcterms:source"),
        "mechanisms": RecordPaths(PropertyPath("^dcterms:isReferencedBy"), MECHANISM_VALUES),
        "citations": RecordPaths(
            PropertyPath("^cito:hasCitedEntity"), CITATION_VALUES, "citing", in_sentence=True
        ),
    },
    omitted_properties=("dcterms:type", "wgig:number"),
)
PARAGRAPH_RANGE = ("wgig:firstParagraph", "wgig:lastParagraph")  # its number or title says the same
PAPER_DATE_VALUES = {  # the day tells papers of the same name apart
    "posted": PropertyPath("wgig:posted"),
    "date_basis": PropertyPath("wgig:dateBasis"),
}
PAPER_PATHS = PAPER_DATE_VALUES | {
    "series": PropertyPath("wgig:partOf"),  # of the papers of 2005
    "issue": PropertyPath("wgig:issue"),
    "category": PropertyPath("wgig:category"),
    "category_basis": PropertyPath("wgig:categoryBasis"),
    "round": PropertyPath("wgig:round"),
    "drafter": PropertyPath("wgig:drafter"),
    "date_basis": PropertyPath("wgig:dateBasis"),
    "evidence": PropertyPath("wgig:evidence"),
    "comments": PropertyPath("^wgig:concerns", "contribution:"),
    "criteria": PropertyPath("wgig:assessment/wgig:criterion"),
    "cites": PropertyPath("cito:cites"),
}
PRINCIPLE_PATHS = {
    "texts": PropertyPath("^wgig:namesPrinciple", "doc:"),
    "background_texts": PropertyPath("^wgig:namesPrinciple", "bg:"),
    "measured": PropertyPath("^wgig:measuredAgainst"),
    "agreements": PropertyPath("^wgig:concerns", "agreement:"),
    "broader": PropertyPath("skos:broader"),
    "narrower": PropertyPath("^skos:broader"),
    "judgments": PropertyPath("^wgig:criterion", "judgment:"),
    "judged": PropertyPath("^wgig:criterion/wgig:issue", "issue:"),
}
PRINCIPLE_UNLINKED = ("background_texts", "judgments")
MEETING_PATHS = {
    "starts": PropertyPath("schema:startDate"),
    "ends": PropertyPath("schema:endDate"),
    "place": PropertyPath("wgig:place"),
    "venue": PropertyPath("wgig:venue"),
    "part_of": PropertyPath("wgig:partOf"),
    "kind": PropertyPath("wgig:actualKind"),
    "planned": PropertyPath("wgig:plannedKind"),
    "open_to": PropertyPath("wgig:actualKind/wgig:openTo"),
    "speak": PropertyPath("wgig:actualKind/wgig:observersMaySpeak"),
    "remote": PropertyPath("wgig:remoteParticipation"),
    "documents": PropertyPath("^wgig:about", "doc:"),
    "texts": PropertyPath("^dcterms:subject", "doc:"),
}
MEETING_RECORDS = {
    "sessions": RecordPaths(PropertyPath("^wgig:partOf", "session:"), SESSION_VALUES),
    "agreements": build_agreement_paths("^wgig:settledAt"),
}
OVERVIEW_PATHS_BY_CLASS = {
    "wgig:Issue": OverviewPaths(
        "issue",
        {
            "categories": PropertyPath("wgig:category"),
            "cluster": PropertyPath("wgig:cluster"),
            "measured": PropertyPath("wgig:measuredAgainst"),
            "broader": PropertyPath("skos:broader"),
            "narrower": PropertyPath("^skos:broader"),
            "notes": PropertyPath("skos:note"),
            "background": PropertyPath("wgig:treatedIn", "bg:"),
            "report": PropertyPath("wgig:treatedIn", "report:"),
            "tunis": PropertyPath("wgig:treatedIn/wgig:answeredBy", "tunis:"),
            "tunis_bases": PropertyPath("wgig:treatedIn/wgig:answeredBy/wgig:responseBasis"),
            "tunis_treated": PropertyPath("wgig:treatedIn", "tunis:"),
        },
        {
            "papers": RecordPaths(
                PropertyPath("^wgig:issue", "paper:"), PAPER_DATE_VALUES, "posted", in_sentence=True
            ),
            "judgments": build_judgment_paths("^wgig:issue"),
            "mechanisms": RecordPaths(PropertyPath("^wgig:governs"), MECHANISM_VALUES),
            "recommendations": build_recommendation_paths("^wgig:issue"),
        },
        unlinked=("background",),
    ),
    "wgig:IssuePaper": OverviewPaths("paper", PAPER_PATHS, unlinked=("series",)),
    "wgig:AssessmentPaper": OverviewPaths("paper", PAPER_PATHS, unlinked=("series",)),
    "wgig:Principle": OverviewPaths("principle", PRINCIPLE_PATHS, unlinked=PRINCIPLE_UNLINKED),
    "wgig:CrosscuttingPriority": OverviewPaths("principle", PRINCIPLE_PATHS, unlinked=PRINCIPLE_UNLINKED),
    "wgig:Paragraph": PARAGRAPH_OVERVIEW._replace(
        omitted_properties=(*PARAGRAPH_OVERVIEW.omitted_properties, *PARAGRAPH_RANGE)
    ),
    "wgig:Section": PARAGRAPH_OVERVIEW,
    "wgig:Meeting": OverviewPaths("meeting", MEETING_PATHS, MEETING_RECORDS),
    "wgig:Session": OverviewPaths("meeting", MEETING_PATHS, MEETING_RECORDS),
    "wgig:Agreement": OverviewPaths(
        "agreement",
        {
            "kind": PropertyPath("dcterms:type"),
            "verb": PropertyPath("wgig:verb"),
            "at": PropertyPath("wgig:settledAt"),
            "by": PropertyPath("wgig:settledBy"),
            "topic": PropertyPath("wgig:topic"),
            "concerns": PropertyPath("wgig:concerns"),
            "outcome": PropertyPath("wgig:outcome"),
            "basis": PropertyPath("wgig:outcomeBasis"),
            "confidence": PropertyPath("wgig:confidence"),
        },
        {
            "outcomes": RecordPaths(
                PropertyPath("wgig:outcome", "outcome:"),
                OUTCOME_VALUES | SOURCE_VALUES | {"text": PropertyPath("dcterms:description")},
            ),
            "milestones": RecordPaths(
                PropertyPath("wgig:outcome", "milestone:"), DELIVERY_VALUES | SOURCE_VALUES, "due"
            ),
        },
    ),
    "wgig:Milestone": OverviewPaths(
        "milestone",
        DELIVERY_VALUES
        | {
            "basis": PropertyPath("wgig:deliveryBasis"),
            "by": PropertyPath("wgig:responsible"),
            "about": PropertyPath("wgig:about"),
            "agreed": PropertyPath("^wgig:outcome"),
        },
    ),
    "wgig:Category": OverviewPaths(
        "category",
        {
            "scheme": PropertyPath("skos:inScheme"),
            "issues": PropertyPath("^wgig:category", "issue:"),
            "clustered": PropertyPath("^wgig:cluster", "issue:"),
            "papers": PropertyPath("^wgig:category", "paper:"),
            "treated": PropertyPath("wgig:treatedIn"),
        },
        unlinked=("papers",),
    ),
    "wgig:StakeholderGroup": OverviewPaths(
        "group", {"members": PropertyPath("^wgig:stakeholderGroup/org:member")}
    ),
    "wgig:Contribution": OverviewPaths(
        "contribution",
        {
            "by": PropertyPath("wgig:contributor"),
            "speaker": PropertyPath("wgig:speaker"),
            "capacity": PropertyPath("wgig:capacity"),
            "about": PropertyPath("wgig:concerns"),
        },
    ),
    "foaf:Person": OverviewPaths(
        "agent",
        {
            "groups": PropertyPath("^org:member/wgig:stakeholderGroup"),
            "group_basis": PropertyPath("^org:member/wgig:stakeholderGroupBasis"),
            "countries": PropertyPath("^org:member/wgig:country"),
            "country_basis": PropertyPath("^org:member/wgig:countryBasis"),
            "job": PropertyPath("schema:jobTitle"),
            "papers": PropertyPath("^wgig:drafter"),
            "spoke": PropertyPath("^wgig:speaker"),
            "sent": PropertyPath("^wgig:contributor"),
        },
        {
            "memberships": RecordPaths(PropertyPath("^org:member", "membership:"), MEMBERSHIP_VALUES),
            "agreements": build_agreement_paths("^wgig:settledBy"),
        },
        unlinked=("memberships",),
    ),
    "wgig:GovernanceMechanism": OverviewPaths(
        "mechanism",
        {
            "kind": PropertyPath("dcterms:type", "mechanism-kind:"),
            "mechanism_role": PropertyPath("wgig:mechanismRole"),
            "governs": PropertyPath("wgig:governs"),
            "named_in": PropertyPath("dcterms:isReferencedBy"),
        },
        {"judgments": build_judgment_paths("^wgig:judges")},
    ),
    "org:Organization": OverviewPaths(
        "body",
        {
            "members": PropertyPath("^org:organization/org:member"),
            "due": PropertyPath("^wgig:responsible"),
            "sent": PropertyPath("^wgig:contributor"),
        },
        {"agreements": build_agreement_paths("^wgig:settledBy")},
    ),
    "wgig:Judgment": OverviewPaths(
        "judgment",
        JUDGMENT_VALUES
        | {
            "issues": PropertyPath("wgig:issue"),
            "named": PropertyPath("wgig:judgedAsNamed"),
            "judges": PropertyPath("wgig:judges"),
            "aims": PropertyPath("wgig:aim"),
            "confidence": PropertyPath("wgig:confidence"),
            "second_reading": PropertyPath("wgig:secondReading"),
            "dispute_note": PropertyPath("wgig:dispute/skos:note"),
        },
        {"sides": build_side_paths("wgig:dispute/^wgig:dispute")},
    ),
    "wgig:Dispute": OverviewPaths(
        "dispute",
        {
            "paragraph": SOURCE_PARAGRAPH,
            "issues": PropertyPath("^wgig:dispute/wgig:issue"),
            "note": PropertyPath("skos:note"),
        },
        {"sides": build_side_paths("^wgig:dispute")},
    ),
    "wgig:Recommendation": OverviewPaths(
        "recommendation",
        RECOMMENDATION_VALUES
        | {
            "number": PropertyPath("wgig:number"),
            "issues": PropertyPath("wgig:issue"),
            "principles": PropertyPath("wgig:namesPrinciple"),
            "confidence": PropertyPath("wgig:confidence"),
        },
    ),
    "wgig:Definition": OverviewPaths(
        "definition",
        {
            "term": PropertyPath("wgig:definedTerm"),
            "creator": PropertyPath("dcterms:creator"),
            "author_type": PropertyPath("wgig:authorType"),
            "by_member": PropertyPath("wgig:byMember"),
            "day": PropertyPath("dcterms:date"),
            "occasion": PropertyPath("wgig:occasion"),
            "names_actors": PropertyPath("wgig:namesActors"),
            "scope": PropertyPath("wgig:namesScope"),
            "item": PropertyPath("wgig:number"),
        },
    ),
    "wgig:AgreementOutcome": OverviewPaths(
        "agreement_outcome",
        OUTCOME_VALUES
        | {
            "agreement": PropertyPath("^wgig:outcome"),
            "outcome": PropertyPath("^wgig:outcome/wgig:outcome"),
        },
        {
            "milestones": RecordPaths(
                PropertyPath("^wgig:outcome/wgig:outcome", "milestone:"), DELIVERY_VALUES, "due"
            )
        },
    ),
}

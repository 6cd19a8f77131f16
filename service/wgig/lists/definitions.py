"""The definitions of all lists: classes, fields, types and labels.

Query, JSON, JSON schema, CSV and page of a list are made from its definition. A field has the name of its
property in the JSON-LD context.
"""

from ..i18n import marked
from .fields import LABEL, TYPE, Field, List

TITLE = Field("dcterms:title", "text", marked("Its title, by language."))
DEFINITION = Field("skos:definition", "text", marked("What is meant by it, by language."))
NOTE = Field("skos:note", "text", marked("A note on it, by language."), many=True)
ORDER = Field("order", "integer", marked("Its place among its neighbors."))
NUMBER = Field("number", "string", marked("Its number in the text."))
STARTS = Field("schema:startDate", "date", marked("Its first day."))
ENDS = Field("schema:endDate", "date", marked("Its last day."))
DUE = Field("due", "date", marked("When it was due."))
DELIVERED = Field("delivered", "date", marked("When it came."))
POSTED = Field("posted", "date", marked("When it was posted."))
TIMELINESS = Field("timeliness", "timeliness", marked("Whether it came in time, where both days are known."))
SOURCE = Field("dcterms:source", "thing", marked("The pages and paragraphs that say so."), many=True)

LISTS = {
    one.name: one
    for one in (
        List(
            "papers",
            marked("Papers"),
            marked("The issue papers and assessment papers of the group, without those made up as examples."),
            ("IssuePaper", "AssessmentPaper"),
            (
                TYPE,
                LABEL,
                TITLE,
                Field("issue", "issue", marked("The issue that it treats."), many=True),
                Field("category", "category", marked("The categories that it stands under."), many=True),
                Field("round", "integer", marked("The round of writing.")),
                POSTED,
                Field(
                    "schema:creativeWorkStatus",
                    "name",
                    marked("Where it stands in the making, as it says."),
                    many=True,
                ),
                Field(
                    "conformance",
                    "test-result",
                    marked("Whether it is complete by the template; papers of other forms are not tested."),
                    many=True,
                    pattern="?value_whole earl:subject ?id ; wgig:partsMet ?value_met ; earl:result ?value .",
                ),
                Field("drafter", "agent", marked("Who wrote it."), many=True),
                Field("mainActor", "agent", marked("The main actor (section 4).")),
                Field(
                    "stakeholderGroup",
                    "group",
                    marked("The groups of its actors and drafters."),
                    many=True,
                    path="(wgig:mainActor|wgig:otherActor|wgig:drafter)/"
                    "(wgig:stakeholderGroup|^org:member/wgig:stakeholderGroup)",
                ),
                Field(
                    "criterion",
                    "principle",
                    marked("The criteria that it assesses (section 7)."),
                    many=True,
                    path="wgig:assessment/wgig:criterion",
                ),
                Field(
                    "verdict",
                    "verdict",
                    marked("The verdicts in it."),
                    many=True,
                    path="wgig:assessment/wgig:verdict",
                ),
                Field("cito:cites", "thing", marked("The paragraphs that it cites."), many=True),
                SOURCE,
            ),
            without="?id wgig:illustrative true",
            when=("posted",),
        ),
        List(
            "issues",
            marked("Issues"),
            marked("The issues of Internet governance that the group dealt with."),
            ("Issue",),
            (
                TYPE,
                LABEL,
                DEFINITION,
                Field("category", "category", marked("The categories that it stands under."), many=True),
                Field("cluster", "category", marked("Its cluster of 2005."), many=True),
                Field("skos:broader", "issue", marked("The issue that it was split from."), many=True),
                Field("inventoryStatus", "name", marked("Whether the inventory lists it.")),
                Field("priorityHint", "string", marked("What is known of its priority.")),
                Field(
                    "measuredAgainst",
                    "principle",
                    marked("The criteria that papers assess it by."),
                    many=True,
                ),
                NOTE,
                SOURCE,
            ),
        ),
        List(
            "categories",
            marked("Categories"),
            marked("The headings that issues were sorted under, in three schemes."),
            ("Category",),
            (
                TYPE,
                LABEL,
                DEFINITION,
                Field("skos:inScheme", "scheme", marked("The scheme that it belongs to."), many=True),
                Field("skos:notation", "string", marked("Its sign in the scheme.")),
                ORDER,
                Field("skos:broader", "category", marked("The category that it is a part of."), many=True),
                Field("skos:closeMatch", "thing", marked("What nearly means the same."), many=True),
                Field(
                    "skos:relatedMatch",
                    "category",
                    marked("Categories that share an issue with it."),
                    many=True,
                ),
                SOURCE,
            ),
            sort=("skos:inScheme", "order"),
        ),
        List(
            "principles",
            marked("Principles"),
            marked("The principles by which issues are measured, and the cross-cutting priority."),
            ("Principle", "CrosscuttingPriority"),
            (
                TYPE,
                LABEL,
                Field("skos:altLabel", "text", marked("What else it is called, by language."), many=True),
                DEFINITION,
                Field("skos:broader", "principle", marked("The principle that it is a part of."), many=True),
                Field("skos:exactMatch", "thing", marked("What means the same elsewhere."), many=True),
                SOURCE,
            ),
        ),
        List(
            "stakeholders",
            marked("Stakeholders"),
            marked(
                "The people and bodies that took part or are named, with groups and regions as far as known."
            ),
            ("foaf:Person", "org:Organization", "foaf:Group"),
            (
                TYPE,
                LABEL,
                Field(
                    "stakeholderGroup",
                    "group",
                    marked("The groups that it is counted under, by itself or by its seats."),
                    many=True,
                    path="wgig:stakeholderGroup|^org:member/wgig:stakeholderGroup",
                ),
                Field(
                    "org:role",
                    "role",
                    marked("The roles of its seats."),
                    many=True,
                    path="^org:member/org:role",
                ),
                Field(
                    "country",
                    "place",
                    marked("Its countries, by itself or by its seats."),
                    many=True,
                    path="wgig:country|^org:member/wgig:country",
                ),
                Field(
                    "region",
                    "name",
                    marked("The regions of UN M49 of its countries, as far as the crosswalk has them."),
                    many=True,
                    pattern="?id wgig:country|^org:member/wgig:country ?value_in . "
                    "?value_code wgig:identifies ?value_in ; "
                    'wgig:identifierScheme "UN M49" ; skos:note ?value_note . '
                    "BIND (STRBEFORE(STR(?value_note), ' /') AS ?value)",
                ),
                Field(
                    "developingCountry",
                    "boolean",
                    marked("Whether its seats count for a developing country."),
                    many=True,
                    path="^org:member/wgig:developingCountry",
                ),
                Field("org:memberOf", "agent", marked("The bodies that it belongs to."), many=True),
                SOURCE,
            ),
            without="?id wgig:illustrative true",
        ),
        List(
            "meetings",
            marked("Meetings"),
            marked("The meetings of the group and the events around them, with their sessions."),
            ("Meeting", "Session"),
            (
                TYPE,
                LABEL,
                Field("partOf", "meeting", marked("The meeting that a session belongs to."), many=True),
                STARTS,
                ENDS,
                Field("plannedKind", "session-kind", marked("What it was planned to be.")),
                Field("actualKind", "session-kind", marked("What it was.")),
                Field(
                    "openTo",
                    "audience",
                    marked("Whom it was open to."),
                    many=True,
                    path="wgig:actualKind/wgig:openTo",
                ),
                Field(
                    "remoteParticipation",
                    "participation",
                    marked("How one could take part from afar."),
                    many=True,
                ),
                Field("place", "place", marked("Where it was."), many=True),
                Field("venue", "string", marked("The building.")),
                NOTE,
                SOURCE,
            ),
            sort=("schema:startDate", "label"),
            when=("schema:startDate", "schema:endDate"),
        ),
        List(
            "milestones",
            marked("Milestones"),
            marked("What was due when, and what came."),
            ("Milestone",),
            (
                TYPE,
                LABEL,
                Field("dcterms:type", "milestone-kind", marked("What kind of milestone it is.")),
                ORDER,
                Field("about", "thing", marked("What it is about."), many=True),
                Field("responsible", "agent", marked("Who was to deliver."), many=True),
                Field("dueFrom", "date", marked("From when on it was due.")),
                DUE,
                DELIVERED,
                TIMELINESS,
                Field("daysLate", "integer", marked("By how many days it came late.")),
                Field("deliveryBasis", "string", marked("What the day of delivery rests on.")),
                NOTE,
                SOURCE,
            ),
            sort=("order",),
            when=("due", "delivered"),
        ),
        List(
            "agreements",
            marked("Agreements"),
            marked("What the first meeting settled, and what came of it."),
            ("Agreement",),
            (
                TYPE,
                LABEL,
                Field("dcterms:description", "text", marked("What was settled, by language.")),
                Field("dcterms:type", "agreement-kind", marked("What kind of agreement it is.")),
                ORDER,
                Field("topic", "name", marked("What it is on.")),
                Field("settledAt", "meeting", marked("Where it was settled.")),
                Field("settledBy", "agent", marked("Who settled it."), many=True),
                Field("concerns", "thing", marked("What it concerns."), many=True),
                Field("outcome", "thing", marked("What came of it."), many=True),
                Field("outcomeBasis", "string", marked("What that rests on.")),
                Field("confidence", "confidence", marked("How sure that is.")),
                SOURCE,
            ),
            sort=("order",),
        ),
        List(
            "declaration",
            marked("Declaration"),
            marked("The Geneva Declaration of Principles, part by part, as far as its text was seen."),
            ("Section", "Paragraph"),
            (
                TYPE,
                LABEL,
                NUMBER,
                ORDER,
                TITLE,
                Field("dcterms:description", "text", marked("What it says, by language.")),
                Field("partOf", "thing", marked("The part that it belongs to."), many=True),
                Field("namesPrinciple", "principle", marked("The principles that it names."), many=True),
                Field("bearsOn", "thing", marked("The issues and categories that it bears on."), many=True),
                Field("evidence", "string", marked("How much of it was seen.")),
                SOURCE,
            ),
            sort=("order",),
            only="?id wgig:partOf+ doc:declaration .",
        ),
        List(
            "timeline",
            marked("Timeline"),
            marked("What happened when: meetings, sessions, milestones due and delivered, papers."),
            ("Meeting", "Session", "Milestone", "IssuePaper", "AssessmentPaper"),
            (
                TYPE,
                LABEL,
                Field(
                    "when",
                    "date",
                    marked("Its dates: of its begin, when it was due, came or was posted."),
                    many=True,
                    path="schema:startDate|wgig:due|wgig:delivered|wgig:posted",
                ),
                STARTS,
                ENDS,
                DUE,
                DELIVERED,
                POSTED,
                TIMELINESS,
                SOURCE,
            ),
            sort=("when", "label"),
            only="?id schema:startDate|wgig:due|wgig:delivered|wgig:posted ?day .",
            without="?id wgig:illustrative true",
            when=("when", "schema:endDate"),
        ),
        List(
            "conformance",
            marked("Conformance"),
            marked("How each issue paper stands by the template, as far as the graph knows it."),
            ("earl:Assertion",),
            (
                LABEL,
                Field("earl:subject", "paper", marked("The paper.")),
                Field("earl:result", "test-result", marked("Whether it is complete.")),
                Field("partsMet", "integer", marked("How many parts of the template it has.")),
                Field("partsAsked", "integer", marked("How many the template asks for.")),
                Field(
                    "missing",
                    "doc",
                    marked("The sections and parts that it misses."),
                    many=True,
                    pattern="?value_part dcterms:isPartOf ?id ; earl:test ?value ; "
                    "earl:result test-result:missing .",
                ),
                SOURCE,
            ),
            sort=("partsMet", "label"),
            only="?id wgig:partsMet ?met .",
            without="?id wgig:illustrative true",
        ),
    )
}

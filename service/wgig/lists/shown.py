"""Which lists there are, and what each says of its things."""

from .table import LABEL, TYPE, Field, List

TITLE = Field("dcterms:title", "text", "Its title, by language.")
DEFINITION = Field("skos:definition", "text", "What is meant by it, by language.")
NOTE = Field("skos:note", "text", "A note on it, by language.", many=True)
ORDER = Field("order", "integer", "Its place among its neighbors.")
NUMBER = Field("number", "string", "Its number in the text.")
STARTS = Field("schema:startDate", "date", "Its first day.")
ENDS = Field("schema:endDate", "date", "Its last day.")
DUE = Field("due", "date", "When it was due.")
DELIVERED = Field("delivered", "date", "When it came.")
POSTED = Field("posted", "date", "When it was posted.")
TIMELINESS = Field("timeliness", "timeliness", "Whether it came in time, where both days are known.")
SOURCE = Field("dcterms:source", "thing", "The pages and paragraphs that say so.", many=True)

LISTS = {
    one.name: one
    for one in (
        List(
            "papers",
            "Papers",
            "The issue papers and assessment papers of the group, without those made up as examples.",
            ("IssuePaper", "AssessmentPaper"),
            (
                TYPE,
                LABEL,
                TITLE,
                Field("issue", "issue", "The issue that it treats.", many=True),
                Field("category", "category", "The categories that it stands under.", many=True),
                Field("round", "integer", "The round of writing."),
                POSTED,
                Field("drafter", "agent", "Who wrote it.", many=True),
                Field("mainActor", "agent", "The main actor (section 4)."),
                Field(
                    "stakeholderGroup",
                    "group",
                    "The groups of its actors and drafters.",
                    many=True,
                    path="(wgig:mainActor|wgig:otherActor|wgig:drafter)/"
                    "(wgig:stakeholderGroup|^org:member/wgig:stakeholderGroup)",
                ),
                Field(
                    "criterion",
                    "principle",
                    "The criteria that it assesses (section 7).",
                    many=True,
                    path="wgig:assessment/wgig:criterion",
                ),
                Field(
                    "verdict",
                    "verdict",
                    "The verdicts in it.",
                    many=True,
                    path="wgig:assessment/wgig:verdict",
                ),
                Field("cito:cites", "thing", "The paragraphs that it cites.", many=True),
                SOURCE,
            ),
            only="MINUS { ?id wgig:illustrative true }",
            when=("posted",),
        ),
        List(
            "issues",
            "Issues",
            "The issues of Internet governance that the group dealt with.",
            ("Issue",),
            (
                TYPE,
                LABEL,
                DEFINITION,
                Field("category", "category", "The categories that it stands under.", many=True),
                Field("cluster", "category", "Its cluster of 2005.", many=True),
                Field("skos:broader", "issue", "The issue that it was split from.", many=True),
                Field("inventoryStatus", "name", "Whether the inventory lists it."),
                Field("priorityHint", "string", "What is known of its priority."),
                Field("measuredAgainst", "principle", "The criteria that papers assess it by.", many=True),
                NOTE,
                SOURCE,
            ),
        ),
        List(
            "categories",
            "Categories",
            "The headings that issues were sorted under, in three schemes.",
            ("Category",),
            (
                TYPE,
                LABEL,
                DEFINITION,
                Field("skos:inScheme", "scheme", "The scheme that it belongs to.", many=True),
                Field("skos:notation", "string", "Its sign in the scheme."),
                ORDER,
                Field("skos:broader", "category", "The category that it is a part of.", many=True),
                Field("skos:closeMatch", "thing", "What nearly means the same.", many=True),
                Field("skos:relatedMatch", "category", "Categories that share an issue with it.", many=True),
                SOURCE,
            ),
            sort=("skos:inScheme", "order"),
        ),
        List(
            "principles",
            "Principles",
            "The principles by which issues are measured, and the cross-cutting priority.",
            ("Principle", "CrosscuttingPriority"),
            (
                TYPE,
                LABEL,
                Field("skos:altLabel", "text", "What else it is called, by language.", many=True),
                DEFINITION,
                Field("skos:broader", "principle", "The principle that it is a part of.", many=True),
                Field("skos:exactMatch", "thing", "What means the same elsewhere.", many=True),
                SOURCE,
            ),
        ),
        List(
            "stakeholders",
            "Stakeholders",
            "The people and bodies that took part or are named, with groups and regions as far as known.",
            ("foaf:Person", "org:Organization", "foaf:Group"),
            (
                TYPE,
                LABEL,
                Field(
                    "stakeholderGroup",
                    "group",
                    "The groups that it is counted under, by itself or by its seats.",
                    many=True,
                    path="wgig:stakeholderGroup|^org:member/wgig:stakeholderGroup",
                ),
                Field("org:role", "role", "The roles of its seats.", many=True, path="^org:member/org:role"),
                Field(
                    "country",
                    "place",
                    "Its countries, by itself or by its seats.",
                    many=True,
                    path="wgig:country|^org:member/wgig:country",
                ),
                Field(
                    "region",
                    "name",
                    "The regions of UN M49 of its countries, as far as the crosswalk has them.",
                    many=True,
                    pattern="?id wgig:country|^org:member/wgig:country ?value_in . "
                    "?value_code wgig:identifies ?value_in ; "
                    'wgig:identifierScheme "UN M49" ; skos:note ?value_note . '
                    "BIND (STRBEFORE(STR(?value_note), ' /') AS ?value)",
                ),
                Field(
                    "developingCountry",
                    "boolean",
                    "Whether its seats count for a developing country.",
                    many=True,
                    path="^org:member/wgig:developingCountry",
                ),
                Field("org:memberOf", "agent", "The bodies that it belongs to.", many=True),
                SOURCE,
            ),
            only="MINUS { ?id wgig:illustrative true }",
        ),
        List(
            "meetings",
            "Meetings",
            "The meetings of the group and the events around them, with their sessions.",
            ("Meeting", "Session"),
            (
                TYPE,
                LABEL,
                Field("partOf", "meeting", "The meeting that a session belongs to.", many=True),
                STARTS,
                ENDS,
                Field("plannedKind", "session-kind", "What it was planned to be."),
                Field("actualKind", "session-kind", "What it was."),
                Field(
                    "openTo",
                    "audience",
                    "Whom it was open to.",
                    many=True,
                    path="wgig:actualKind/wgig:openTo",
                ),
                Field(
                    "remoteParticipation", "participation", "How one could take part from afar.", many=True
                ),
                Field("place", "place", "Where it was.", many=True),
                Field("venue", "string", "The building."),
                NOTE,
                SOURCE,
            ),
            sort=("schema:startDate", "label"),
            when=("schema:startDate", "schema:endDate"),
        ),
        List(
            "milestones",
            "Milestones",
            "What was due when, and what came.",
            ("Milestone",),
            (
                TYPE,
                LABEL,
                Field("dcterms:type", "milestone-kind", "What kind of milestone it is."),
                ORDER,
                Field("about", "thing", "What it is about.", many=True),
                Field("responsible", "agent", "Who was to deliver.", many=True),
                Field("dueFrom", "date", "From when on it was due."),
                DUE,
                DELIVERED,
                TIMELINESS,
                Field("daysLate", "integer", "By how many days it came late."),
                Field("deliveryBasis", "string", "What the day of delivery rests on."),
                NOTE,
                SOURCE,
            ),
            sort=("order",),
            when=("due", "delivered"),
        ),
        List(
            "agreements",
            "Agreements",
            "What the first meeting settled, and what came of it.",
            ("Agreement",),
            (
                TYPE,
                LABEL,
                Field("dcterms:description", "text", "What was settled, by language."),
                Field("dcterms:type", "agreement-kind", "What kind of agreement it is."),
                ORDER,
                Field("topic", "name", "What it is on."),
                Field("settledAt", "meeting", "Where it was settled."),
                Field("settledBy", "agent", "Who settled it.", many=True),
                Field("concerns", "thing", "What it concerns.", many=True),
                Field("outcome", "thing", "What came of it.", many=True),
                Field("outcomeBasis", "string", "What that rests on."),
                Field("confidence", "confidence", "How sure that is."),
                SOURCE,
            ),
            sort=("order",),
        ),
        List(
            "declaration",
            "Declaration",
            "The Geneva Declaration of Principles, part by part, as far as its text was seen.",
            ("Section", "Paragraph"),
            (
                TYPE,
                LABEL,
                NUMBER,
                ORDER,
                TITLE,
                Field("dcterms:description", "text", "What it says, by language."),
                Field("partOf", "thing", "The part that it belongs to.", many=True),
                Field("namesPrinciple", "principle", "The principles that it names.", many=True),
                Field("bearsOn", "thing", "The issues and categories that it bears on.", many=True),
                Field("evidence", "string", "How much of it was seen."),
                SOURCE,
            ),
            sort=("order",),
            only="?id wgig:partOf+ doc:declaration .",
        ),
        List(
            "timeline",
            "Timeline",
            "What happened when: meetings, sessions, milestones due and delivered, papers.",
            ("Meeting", "Session", "Milestone", "IssuePaper", "AssessmentPaper"),
            (
                TYPE,
                LABEL,
                Field(
                    "when",
                    "date",
                    "Its dates: of its begin, when it was due, came or was posted.",
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
            only="?id schema:startDate|wgig:due|wgig:delivered|wgig:posted ?day . "
            "MINUS { ?id wgig:illustrative true }",
            when=("when", "schema:endDate"),
        ),
        List(
            "conformance",
            "Conformance",
            "How each issue paper stands by the template, as far as the graph knows it.",
            ("earl:Assertion",),
            (
                LABEL,
                Field("earl:subject", "paper", "The paper."),
                Field("earl:result", "test-result", "Whether it is complete."),
                Field("partsMet", "integer", "How many parts of the template it has."),
                Field("partsAsked", "integer", "How many the template asks for."),
                Field(
                    "missing",
                    "doc",
                    "The sections and parts that it misses.",
                    many=True,
                    pattern="?value_part dcterms:isPartOf ?id ; earl:test ?value ; "
                    "earl:result test-result:missing .",
                ),
                SOURCE,
            ),
            sort=("partsMet", "label"),
            only="?id wgig:partsMet ?met . MINUS { ?id wgig:illustrative true }",
        ),
    )
}

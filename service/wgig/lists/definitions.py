"""The definitions of all lists: classes, fields, types and labels.

The query, JSON, JSON schema, CSV and page of a list are made from its definition. `ListField` explains the
types, such as `name` and `thing`. Most fields are named after their property in the JSON-LD context; the
values of others are those of a `path` or a `pattern`.
"""

from ..i18n import gettext_noop
from .fields import COUNT_TYPE, ILLUSTRATIVE_PATTERN, LABEL_FIELD, TYPE_FIELD, ListDefinition, ListField

TITLE_FIELD = ListField("dcterms:title", "text", gettext_noop("Its title, by language."))
DEFINITION_FIELD = ListField("skos:definition", "text", gettext_noop("Its definition, by language."))
NOTE_FIELD = ListField("skos:note", "text", gettext_noop("A note about it, by language."), many=True)
PART_KIND_FIELD = ListField("dcterms:type", "part-kind", gettext_noop("What kind of part it is."))
ORDER_FIELD = ListField("order", "integer", gettext_noop("Its position among its siblings."))
NUMBER_FIELD = ListField("number", "string", gettext_noop("Its number in the text."))
START_DATE_FIELD = ListField("schema:startDate", "date", gettext_noop("Its first day."))
END_DATE_FIELD = ListField("schema:endDate", "date", gettext_noop("Its last day."))
DUE_FIELD = ListField("due", "date", gettext_noop("When it was due."))
DELIVERED_FIELD = ListField("delivered", "date", gettext_noop("When it was delivered."))
POSTED_FIELD = ListField("posted", "date", gettext_noop("When it was posted."))
TIMELINESS_FIELD = ListField(
    "timeliness", "timeliness", gettext_noop("Whether it was delivered on time, if both days are known.")
)
SOURCE_FIELD = ListField(
    "dcterms:source", "thing", gettext_noop("The pages and paragraphs that it is taken from."), many=True
)
IDENTIFIER_FIELD = ListField("dcterms:identifier", "string", gettext_noop("Its identifier in the tables."))
VIEW_HOLDER_FIELD = ListField("viewHolder", "view-holder", gettext_noop("Whose view it is."))
# Of the sources of a resource, only parts of documents have wgig:partOf and wgig:order.
PARAGRAPH_FIELD = ListField(
    "paragraph",
    "bg",
    gettext_noop("The parts of the Background Report that it is taken from."),
    many=True,
    pattern="?id dcterms:source ?value . ?value wgig:partOf ?value_whole .",
)
POSITION_FIELD = ListField(
    "position",
    "integer",
    gettext_noop("The position of these parts in the report."),
    many=True,
    path="dcterms:source/wgig:order",
)
PAPER_COUNT_FIELD = ListField("papers", COUNT_TYPE, gettext_noop("The number of papers on it."))
JUDGMENT_COUNT_FIELD = ListField(
    "judgments", COUNT_TYPE, gettext_noop("The number of judgments on it in the Background Report.")
)

LIST_DEFINITIONS = {
    definition.name: definition
    for definition in (
        ListDefinition(
            "papers",
            gettext_noop("Papers"),
            gettext_noop("The issue papers and assessment papers of the group, without invented examples."),
            ("IssuePaper", "AssessmentPaper"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                TITLE_FIELD,
                ListField("issue", "issue", gettext_noop("The issue that it is about."), many=True),
                ListField(
                    "category", "category", gettext_noop("The categories that it belongs to."), many=True
                ),
                ListField("round", "integer", gettext_noop("The round in which it was written.")),
                POSTED_FIELD,
                ListField(
                    "schema:creativeWorkStatus",
                    "name",
                    gettext_noop("Its status, as the paper states it."),
                    many=True,
                ),
                ListField(
                    "conformance",
                    "test-result",
                    gettext_noop("Whether it has all parts of the template. Only issue papers are checked."),
                    many=True,
                    path="^earl:subject/earl:result",
                ),
                ListField(
                    "evidence",
                    "name",
                    gettext_noop(
                        "How much of its text we have seen; empty if the whole text is in the graph."
                    ),
                    many=True,
                ),
                ListField(
                    "partsMet",
                    "integer",
                    gettext_noop("The number of parts of the template that it has, if it was checked."),
                    path="^earl:subject/wgig:partsMet",
                ),
                ListField("drafter", "agent", gettext_noop("Who wrote it."), many=True),
                ListField("mainActor", "agent", gettext_noop("The main actor (section 4).")),
                ListField(
                    "stakeholderGroup",
                    "group",
                    gettext_noop("The stakeholder groups of its actors and authors."),
                    many=True,
                    path="(wgig:mainActor|wgig:otherActor|wgig:drafter)/"
                    "(wgig:stakeholderGroup|^org:member/wgig:stakeholderGroup)",
                ),
                ListField(
                    "criterion",
                    "principle",
                    gettext_noop("The criteria against which it assesses the issue (section 7)."),
                    many=True,
                    path="wgig:assessment/wgig:criterion",
                ),
                ListField(
                    "verdict",
                    "verdict",
                    gettext_noop("Its verdicts."),
                    many=True,
                    path="wgig:assessment/wgig:verdict",
                ),
                ListField("cito:cites", "thing", gettext_noop("The paragraphs that it cites."), many=True),
                SOURCE_FIELD,
            ),
            excluded_pattern=ILLUSTRATIVE_PATTERN,
            is_indexed=True,
            date_fields=("posted",),
        ),
        ListDefinition(
            "issues",
            gettext_noop("Issues"),
            gettext_noop(
                "The issues of Internet governance that the group dealt with, defined in our own words."
            ),
            ("Issue",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                DEFINITION_FIELD,
                ListField(
                    "category", "category", gettext_noop("The categories that it belongs to."), many=True
                ),
                ListField("cluster", "category", gettext_noop("Its cluster of 2005."), many=True),
                ListField(
                    "skos:broader", "issue", gettext_noop("The issue that it was split from."), many=True
                ),
                ListField("inventoryStatus", "name", gettext_noop("Whether the inventory lists it.")),
                ListField("priorityHint", "string", gettext_noop("What we know about its priority.")),
                ListField(
                    "measuredAgainst",
                    "principle",
                    gettext_noop("The criteria against which papers assess it."),
                    many=True,
                ),
                NOTE_FIELD,
                SOURCE_FIELD,
                PAPER_COUNT_FIELD,
                JUDGMENT_COUNT_FIELD,
            ),
        ),
        ListDefinition(
            "categories",
            gettext_noop("Categories"),
            gettext_noop("The headings under which issues were sorted, in three schemes."),
            ("Category",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                DEFINITION_FIELD,
                ListField(
                    "skos:inScheme", "scheme", gettext_noop("The scheme that it belongs to."), many=True
                ),
                ListField("skos:notation", "string", gettext_noop("Its notation in the scheme.")),
                ORDER_FIELD,
                ListField(
                    "skos:broader", "category", gettext_noop("The category that it is part of."), many=True
                ),
                ListField(
                    "skos:closeMatch",
                    "thing",
                    gettext_noop("Concepts with nearly the same meaning."),
                    many=True,
                ),
                ListField(
                    "skos:relatedMatch",
                    "category",
                    gettext_noop("Categories that share an issue with it."),
                    many=True,
                ),
                SOURCE_FIELD,
                ListField("issues", COUNT_TYPE, gettext_noop("The number of issues in it.")),
                PAPER_COUNT_FIELD,
            ),
            sort=("skos:inScheme", "order"),
        ),
        ListDefinition(
            "principles",
            gettext_noop("Principles"),
            gettext_noop("The principles against which issues are measured, and the cross-cutting priority."),
            ("Principle", "CrosscuttingPriority"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField("skos:altLabel", "text", gettext_noop("Its other names, by language."), many=True),
                DEFINITION_FIELD,
                ListField(
                    "skos:broader",
                    "principle",
                    gettext_noop("The principle that it is part of."),
                    many=True,
                ),
                ListField(
                    "skos:exactMatch",
                    "thing",
                    gettext_noop("Concepts elsewhere with the same meaning."),
                    many=True,
                ),
                SOURCE_FIELD,
                ListField(
                    "texts", COUNT_TYPE, gettext_noop("The number of passages and other texts that name it.")
                ),
                ListField(
                    "measured",
                    COUNT_TYPE,
                    gettext_noop("The number of issues that papers assess against it."),
                ),
                JUDGMENT_COUNT_FIELD,
            ),
        ),
        ListDefinition(
            "stakeholders",
            gettext_noop("People and organizations"),
            gettext_noop(
                "People and organizations that took part or are named, with their groups and regions "
                "if known."
            ),
            ("foaf:Person", "org:Organization", "foaf:Group"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField(
                    "stakeholderGroup",
                    "group",
                    gettext_noop("Its stakeholder groups, or those of its seats."),
                    many=True,
                    path="wgig:stakeholderGroup|^org:member/wgig:stakeholderGroup",
                ),
                ListField(
                    "org:role",
                    "role",
                    gettext_noop("The roles of its seats."),
                    many=True,
                    path="^org:member/org:role",
                ),
                ListField(
                    "country",
                    "place",
                    gettext_noop("Its countries, or those of its seats."),
                    many=True,
                    path="wgig:country|^org:member/wgig:country",
                ),
                ListField(
                    "region",
                    "name",
                    gettext_noop("The UN M49 regions of its countries."),
                    many=True,
                    path="(wgig:country|^org:member/wgig:country)/dcterms:isPartOf/rdfs:label",
                    language="en",
                ),
                ListField(
                    "developingCountry",
                    "boolean",
                    gettext_noop("Whether its seats count as those of a developing country."),
                    many=True,
                    path="^org:member/wgig:developingCountry",
                ),
                ListField(
                    "org:memberOf", "agent", gettext_noop("The organizations that it belongs to."), many=True
                ),
                SOURCE_FIELD,
            ),
            excluded_pattern=ILLUSTRATIVE_PATTERN,
            is_indexed=True,
        ),
        ListDefinition(
            "meetings",
            gettext_noop("Meetings"),
            gettext_noop("The meetings of the group and the events around them, with their sessions."),
            ("Meeting", "Session"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField(
                    "partOf", "meeting", gettext_noop("The meeting that a session belongs to."), many=True
                ),
                START_DATE_FIELD,
                END_DATE_FIELD,
                ListField(
                    "plannedKind", "session-kind", gettext_noop("The type of session that was planned.")
                ),
                ListField("actualKind", "session-kind", gettext_noop("The actual type of session.")),
                ListField(
                    "openTo",
                    "audience",
                    gettext_noop("Who could attend."),
                    many=True,
                    path="wgig:actualKind/wgig:openTo",
                ),
                ListField(
                    "remoteParticipation",
                    "participation",
                    gettext_noop("The means of remote participation."),
                    many=True,
                ),
                ListField("place", "place", gettext_noop("Where it was held."), many=True),
                ListField("venue", "string", gettext_noop("The venue.")),
                NOTE_FIELD,
                SOURCE_FIELD,
            ),
            sort=("schema:startDate", "label"),
            date_fields=("schema:startDate", "schema:endDate"),
        ),
        ListDefinition(
            "milestones",
            gettext_noop("Milestones"),
            gettext_noop("What was due when, and what was delivered."),
            ("Milestone",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField("dcterms:type", "milestone-kind", gettext_noop("What kind of milestone it is.")),
                ORDER_FIELD,
                ListField("about", "thing", gettext_noop("What it is about."), many=True),
                ListField("responsible", "agent", gettext_noop("Who was responsible for it."), many=True),
                ListField(
                    "dueFrom", "date", gettext_noop("The first day of the period in which it was due.")
                ),
                DUE_FIELD,
                DELIVERED_FIELD,
                TIMELINESS_FIELD,
                ListField("daysLate", "integer", gettext_noop("The number of days by which it was late.")),
                ListField("deliveryBasis", "string", gettext_noop("The evidence for the day of delivery.")),
                NOTE_FIELD,
                SOURCE_FIELD,
            ),
            sort=("order",),
            date_fields=("due", "delivered"),
        ),
        ListDefinition(
            "agreements",
            gettext_noop("Agreements"),
            gettext_noop("What the first meeting agreed on, and what came of it."),
            ("Agreement",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField("dcterms:description", "text", gettext_noop("What was agreed, by language.")),
                ListField("dcterms:type", "agreement-kind", gettext_noop("What kind of agreement it is.")),
                ORDER_FIELD,
                ListField("topic", "name", gettext_noop("Its topic.")),
                ListField("settledAt", "meeting", gettext_noop("The meeting at which it was agreed.")),
                ListField("settledBy", "agent", gettext_noop("Who agreed to it."), many=True),
                ListField("concerns", "thing", gettext_noop("What it concerns."), many=True),
                ListField("outcome", "thing", gettext_noop("Its outcome."), many=True),
                ListField("outcomeBasis", "string", gettext_noop("The evidence for the outcome.")),
                ListField("confidence", "confidence", gettext_noop("How certain the outcome is.")),
                SOURCE_FIELD,
            ),
            sort=("order",),
        ),
        ListDefinition(
            "declaration",
            gettext_noop("Geneva Declaration of Principles, paragraph by paragraph"),
            gettext_noop("What each paragraph says, in our summaries."),
            ("Section", "Paragraph"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                PART_KIND_FIELD,
                NUMBER_FIELD,
                ORDER_FIELD,
                TITLE_FIELD,
                ListField("dcterms:description", "text", gettext_noop("Its text, by language.")),
                ListField("partOf", "thing", gettext_noop("The part that it belongs to."), many=True),
                ListField(
                    "namesPrinciple", "principle", gettext_noop("The principles that it names."), many=True
                ),
                ListField(
                    "bearsOn",
                    "thing",
                    gettext_noop("The issues and categories to which it is relevant."),
                    many=True,
                ),
                ListField("evidence", "name", gettext_noop("How much of its text we have seen.")),
                SOURCE_FIELD,
                ListField("citing", COUNT_TYPE, gettext_noop("The number of texts that cite it.")),
            ),
            sort=("order",),
            required_pattern="?id wgig:partOf+ doc:declaration .",
        ),
        ListDefinition(
            "background-report",
            gettext_noop("Background Report, paragraph by paragraph"),
            gettext_noop("What each paragraph of the report of June 2005 says, in our summaries."),
            ("Section", "Paragraph"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                PART_KIND_FIELD,
                NUMBER_FIELD,
                ORDER_FIELD,
                TITLE_FIELD,
                ListField("dcterms:description", "text", gettext_noop("Its summary, by language.")),
                ListField("partOf", "thing", gettext_noop("The part that it belongs to."), many=True),
                ListField(
                    "namesPrinciple", "principle", gettext_noop("The principles that it names."), many=True
                ),
                ListField(
                    "bearsOn",
                    "thing",
                    gettext_noop("The issues and categories to which it is relevant."),
                    many=True,
                ),
                ListField("confidence", "confidence", gettext_noop("How certain its number is.")),
                NOTE_FIELD,
                SOURCE_FIELD,
                JUDGMENT_COUNT_FIELD,
                ListField("recommendations", COUNT_TYPE, gettext_noop("The number of its recommendations.")),
            ),
            sort=("order",),
            required_pattern="?id wgig:partOf+ doc:background-report .",
        ),
        ListDefinition(
            "judgments",
            gettext_noop("Judgments"),
            gettext_noop(
                "How far the governance of issues meets the criteria according to the Background Report, "
                "and whose view that is."
            ),
            ("Judgment",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                IDENTIFIER_FIELD,
                ListField("dcterms:description", "text", gettext_noop("Its summary, by language.")),
                ListField("quotation", "text", gettext_noop("The words of the report that it is based on.")),
                ListField(
                    "dcterms:type",
                    "judged-kind",
                    gettext_noop("Whether it judges an issue, mechanism or actor."),
                ),
                ListField("issue", "issue", gettext_noop("The issues that it is about."), many=True),
                ListField(
                    "cluster", "category", gettext_noop("The cluster that it judges as a whole."), many=True
                ),
                ListField(
                    "judges", "thing", gettext_noop("The mechanisms and actors that it judges."), many=True
                ),
                ListField(
                    "judgedAsNamed", "text", gettext_noop("What it judges, in its own words, by language.")
                ),
                ListField("criterion", "criterion", gettext_noop("The criterion that it judges by.")),
                ListField("verdict", "verdict", gettext_noop("Its verdict.")),
                VIEW_HOLDER_FIELD,
                ListField(
                    "dispute", "dispute", gettext_noop("The dispute in which it is a side."), many=True
                ),
                ListField(
                    "aim",
                    "category",
                    gettext_noop("The aims of the Declaration by which it judges an outcome."),
                    many=True,
                ),
                PARAGRAPH_FIELD,
                POSITION_FIELD,
                ListField("confidence", "confidence", gettext_noop("How certain the reading is.")),
                ListField(
                    "secondReading",
                    "name",
                    gettext_noop("The result of a second reading, such as agree or changed."),
                ),
                SOURCE_FIELD,
            ),
            sort=("position", "dcterms:identifier"),
        ),
        ListDefinition(
            "disputes",
            gettext_noop("Disputes"),
            gettext_noop(
                "The questions on which the Background Report has opposing views, with their sides."
            ),
            ("Dispute",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField("side", "judgment", gettext_noop("The judgments that are its sides."), many=True),
                ListField(
                    "issue",
                    "issue",
                    gettext_noop("The issues of its sides."),
                    many=True,
                    path="wgig:side/wgig:issue",
                ),
                ListField(
                    "criterion",
                    "criterion",
                    gettext_noop("The criteria of its sides."),
                    many=True,
                    path="wgig:side/wgig:criterion",
                ),
                ListField(
                    "verdict",
                    "verdict",
                    gettext_noop("The verdicts of its sides."),
                    many=True,
                    path="wgig:side/wgig:verdict",
                ),
                ListField(
                    "viewHolder",
                    "view-holder",
                    gettext_noop("Whose views its sides express."),
                    many=True,
                    path="wgig:side/wgig:viewHolder",
                ),
                PARAGRAPH_FIELD,
                NOTE_FIELD,
                SOURCE_FIELD,
                JUDGMENT_COUNT_FIELD,
            ),
        ),
        ListDefinition(
            "mechanisms",
            gettext_noop("Mechanisms"),
            gettext_noop(
                "The organizations, treaties, forums, programs and other arrangements that govern issues."
            ),
            ("GovernanceMechanism",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField("skos:altLabel", "text", gettext_noop("Its other names, by language."), many=True),
                IDENTIFIER_FIELD,
                ListField("dcterms:type", "mechanism-kind", gettext_noop("What kind of mechanism it is.")),
                ListField("mechanismRole", "text", gettext_noop("What it does, by language.")),
                ListField("governs", "issue", gettext_noop("The issues that it governs."), many=True),
                ListField(
                    "dcterms:isReferencedBy",
                    "bg",
                    gettext_noop("The parts of the Background Report that name it."),
                    many=True,
                ),
                NOTE_FIELD,
                SOURCE_FIELD,
                JUDGMENT_COUNT_FIELD,
            ),
        ),
        ListDefinition(
            "recommendations",
            gettext_noop("Recommendations"),
            gettext_noop("What the Background Report says is needed, lacking or proposed."),
            ("Recommendation",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                IDENTIFIER_FIELD,
                ListField("dcterms:description", "text", gettext_noop("Its summary, by language.")),
                ListField(
                    "dcterms:type",
                    "recommendation-kind",
                    gettext_noop("Whether it is a need, barrier, proposal or direction."),
                ),
                ListField("issue", "issue", gettext_noop("The issues that it is about."), many=True),
                ListField(
                    "namesPrinciple", "principle", gettext_noop("The principles that it names."), many=True
                ),
                VIEW_HOLDER_FIELD,
                ListField("number", "string", gettext_noop("Its number in a list in the paragraph.")),
                PARAGRAPH_FIELD,
                POSITION_FIELD,
                ListField("confidence", "confidence", gettext_noop("How certain the reading is.")),
                SOURCE_FIELD,
            ),
            sort=("position", "dcterms:identifier"),
        ),
        ListDefinition(
            "definitions",
            gettext_noop("Definitions"),
            gettext_noop(
                "The definitions of Internet governance: the working definition of the group first, then "
                "those that competed with it."
            ),
            ("Definition",),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField(
                    "number",
                    "integer",
                    gettext_noop(
                        "Its number in Box 1 of the Background Report; the working definition has none."
                    ),
                ),
                ListField("dcterms:description", "text", gettext_noop("Its text or a summary, by language.")),
                ListField("dcterms:creator", "agent", gettext_noop("Who proposed it."), many=True),
                ListField("authorType", "author-type", gettext_noop("What kind of author proposed it.")),
                ListField("dcterms:date", "date", gettext_noop("When it was proposed or adopted.")),
                ListField("occasion", "text", gettext_noop("Where it was proposed or adopted, by language.")),
                ListField("namesActors", "boolean", gettext_noop("Whether it says who governs.")),
                ListField("namesScope", "text", gettext_noop("What it says is being governed, by language.")),
                ListField(
                    "byMember", "boolean", gettext_noop("Whether its author was a member of the group.")
                ),
                ListField("definedTerm", "thing", gettext_noop("The term that it defines."), many=True),
                NOTE_FIELD,
                SOURCE_FIELD,
            ),
            sort=("number",),
            date_fields=("dcterms:date",),
        ),
        ListDefinition(
            "timeline",
            gettext_noop("Timeline"),
            gettext_noop("What happened when: meetings, sessions, milestones due and delivered, papers."),
            ("Meeting", "Session", "Milestone", "IssuePaper", "AssessmentPaper"),
            (
                TYPE_FIELD,
                LABEL_FIELD,
                ListField(
                    "when",
                    "date",
                    gettext_noop("Its dates: when it began, was due, was delivered or was posted."),
                    many=True,
                    path="schema:startDate|wgig:due|wgig:delivered|wgig:posted",
                ),
                START_DATE_FIELD,
                END_DATE_FIELD,
                DUE_FIELD,
                DELIVERED_FIELD,
                POSTED_FIELD,
                TIMELINESS_FIELD,
                SOURCE_FIELD,
            ),
            sort=("when", "label"),
            required_field="when",
            excluded_pattern=ILLUSTRATIVE_PATTERN,
            is_indexed=True,
            date_fields=("when", "schema:endDate"),
        ),
        ListDefinition(
            "conformance",
            gettext_noop("Conformance"),
            gettext_noop("How far each issue paper follows the template, where the graph records it."),
            ("earl:Assertion",),
            (
                LABEL_FIELD,
                ListField("earl:subject", "paper", gettext_noop("The paper.")),
                ListField("earl:result", "test-result", gettext_noop("Whether it is complete.")),
                ListField(
                    "partsMet",
                    "integer",
                    gettext_noop(
                        "The number of parts that the paper has; not known if its text was not seen."
                    ),
                ),
                ListField(
                    "partsAsked", "integer", gettext_noop("The number of parts that the template requires.")
                ),
                ListField(
                    "missing",
                    "doc",
                    gettext_noop("The sections and parts that are missing."),
                    many=True,
                    path="wgig:partMissing",
                ),
                SOURCE_FIELD,
            ),
            sort=("partsMet", "label"),
            required_field="partsAsked",
            excluded_pattern=ILLUSTRATIVE_PATTERN,
            is_indexed=True,
        ),
    )
}

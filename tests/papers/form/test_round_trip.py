"""Papers written in the form, downloaded as Markdown and read again, have the statements of the form."""

from collections.abc import Callable, Iterator
from itertools import product

import pyoxigraph as ox
import pytest
from wgig.papers import markdown
from wgig.papers.form.check import FormCheckJob, convert_form_to_graph
from wgig.papers.form.fields import FormField
from wgig.papers.form.original import OriginalPaper
from wgig.papers.form.request import remove_form_item, replace_form_row
from wgig.papers.form.routes import build_new_paper_form
from wgig.papers.form.state import FieldValue, FormRow, FormState
from wgig.papers.markdown.graph import PaperGraph
from wgig.rdf.namespaces import expand_curie
from wgig.rdf.serialization import serialize_n_triples
from wgig.settings import Settings

from tests.fixtures.paper_form import EXAMPLE_TURTLE, PAPER_NAME

FormRows = dict[str, list[FormRow]]
NEW_PAPER = build_new_paper_form("spam")


def make_row(number: int, **values: str | list[str]) -> FormRow:
    """A row of a part with values by field key; the values of checkboxes are a list."""
    return FormRow(
        number,
        {
            key: [
                FieldValue(position, text)
                for position, text in enumerate([value] if isinstance(value, str) else value, 1)
            ]
            for key, value in values.items()
        },
    )


def convert_rows(rows: FormRows) -> list[ox.Triple]:
    """The statements of a new paper on spam with these rows."""
    form_state = FormState("on-spam", NEW_PAPER.form_state.rows | rows)
    job = FormCheckJob(form_state, NEW_PAPER.original_n_triples.encode(), "complete", "en", Settings())
    # As the form does: the check serializes the statements, which changes their order.
    lines = serialize_n_triples(convert_form_to_graph(job).triples)
    return [quad.triple for quad in ox.parse(lines, ox.RdfFormat.N_TRIPLES)]


def find_differences(rows: FormRows) -> set[ox.Triple]:
    """The statements that are lost or added when a paper is written as Markdown and read again."""
    triples = convert_rows(rows)
    text = markdown.serialize_markdown_paper(triples)
    return set(triples) ^ set(markdown.parse_paper_triples(text)[0])


CRITERIA = [choice.value for choice in FormField("wgig:assessment", "wgig:criterion").choices("en")]


@pytest.mark.parametrize("criterion", [*CRITERIA, ""])
def test_assessments_by_every_criterion_are_kept(criterion: str) -> None:
    mechanisms = [make_row(1, label="Filters"), make_row(3, label="Laws")]
    first = make_row(1, criterion=criterion, verdict="adequate", rationale="All were asked.")
    assert find_differences({"assessment": [first]}) == set()
    judged = [
        make_row(1, criterion=criterion, verdict="adequate", judges=["mechanism-1"], cites="declaration/48"),
        make_row(7, criterion=criterion, verdict="inadequate", judges=["mechanism-3", "agent/icann"]),
    ]
    assert find_differences({"mechanism": mechanisms, "assessment": judged}) == set()


# Somebody only the paper knows, one person and one organization of the facts, a name without ASCII letters,
# and a name that is still missing.
NAMES = ("Jane Doe", "Carlos A. Afonso", "unesco", "坂巻政明", "")
GROUPS: tuple[list[str], ...] = ([], ["governments"], ["governments", "civil-society"])


def iter_people_rows() -> Iterator[FormRows]:
    """A drafter and an actor, each with every name and group, also the same name for both."""
    for drafter, groups, member, actor, actor_groups in product(NAMES, GROUPS, ("", "yes"), NAMES, GROUPS):
        people = [make_row(1, who=actor, stakeholderGroup=actor_groups)]
        for part in ("mainActor", "otherActor"):
            yield {
                "drafter": [make_row(1, who=drafter, stakeholderGroup=groups, member=member)],
                part: people,
            }


def test_drafters_and_actors_are_kept_also_if_they_are_the_same() -> None:
    assert [rows for rows in iter_people_rows() if find_differences(rows)] == []


def test_people_without_names_are_kept_apart() -> None:
    groups = enumerate(GROUPS[1:], 1)
    people = [make_row(number, who="", stakeholderGroup=names) for number, names in groups]
    assert find_differences({"drafter": people, "mainActor": people[:1], "otherActor": people}) == set()


def test_drafter_who_is_also_the_main_actor_is_no_organization() -> None:
    rows = {"drafter": [make_row(1, who="Jane Doe")], "mainActor": [make_row(1, who="Jane Doe")]}
    text = markdown.serialize_markdown_paper(convert_rows(rows))
    graph = PaperGraph(markdown.parse_paper_triples(text)[0])
    assert graph.values(expand_curie("agent:on-spam-jane-doe"), "rdf:type") == [expand_curie("foaf:Person")]


@pytest.mark.parametrize(
    "rows",
    [
        # The first row is blank or was removed, so the numbers of rows are not those of the parts.
        {"forum": [make_row(1), make_row(2, label="Round table", makesDecisions="no", nature="A talk.")]},
        {"forum": [make_row(4, label="Round table"), make_row(5, nature="A forum without a name.")]},
        {"mechanism": [make_row(2, label="Laws", about=["icann", "GAC"]), make_row(3, objectives="None.")]},
        {
            "waiver": [
                make_row(2, waives="WGIG-0-LATE", reason="Sorry."),
                make_row(3, waives="WGIG-7B-MISSING"),
            ]
        },
        {"swot": [make_row(1, threat=["War.", "Apathy."], strength="- a list\n- of two")]},
    ],
    ids=lambda rows: next(iter(rows)),
)
def test_parts_are_kept_whatever_the_numbers_of_their_rows(rows: FormRows) -> None:
    assert find_differences(rows) == set()


@pytest.mark.parametrize("titles", [{"en": "One"}, {"fr": "Zéro", "de": "Eins"}, {}], ids=",".join)
@pytest.mark.parametrize("illustrative", ["yes", "no", ""])
@pytest.mark.parametrize("source", ["https://example.org/p", "document/declaration", ""])
def test_values_of_the_paper_itself_are_kept(titles: dict[str, str], illustrative: str, source: str) -> None:
    paper = make_row(
        1, illustrative=illustrative, source=source, posted="2005-01-20", numPages="4", cites="declaration/48"
    )
    values = NEW_PAPER.form_state.paper.values | paper.values
    values |= {"title": [FieldValue(n, text, tag) for n, (tag, text) in enumerate(titles.items(), 1)]}
    swot = [make_row(1, threat="War.")]  # its label has the title
    people = [make_row(1, who="Jane Doe", member="yes")]
    assert find_differences({"": [FormRow(1, values)], "swot": swot, "drafter": people}) == set()


def read_stored_paper(edit: Callable[[FormState], FormState], turtle: str = EXAMPLE_TURTLE) -> PaperGraph:
    """The Markdown, read again, of a stored paper that was opened in the form and changed by `edit`."""
    original = OriginalPaper([quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE)])
    n_triples = serialize_n_triples(original.triples)
    job = FormCheckJob(edit(original.form_state), n_triples, "complete", "en", Settings())
    text = markdown.serialize_markdown_paper(convert_form_to_graph(job).triples)
    return PaperGraph(markdown.parse_paper_triples(text)[0])


def test_stored_paper_with_labels_of_an_earlier_version_is_written() -> None:
    turtle = EXAMPLE_TURTLE.replace(': transparent"@en', ': transparency"@en')
    assert turtle != EXAMPLE_TURTLE
    graph = read_stored_paper(lambda form_state: form_state, turtle)
    assessment = expand_curie(f"paper:{PAPER_NAME}/assessment/transparency")
    assert graph.first_text(assessment, "rdfs:label").endswith(": transparent")


def test_label_that_somebody_wrote_is_not_lost_silently() -> None:
    turtle = EXAMPLE_TURTLE.replace(': transparent"@en', ' is transparent"@en').replace("Calls", "All")
    with pytest.raises(markdown.UnsupportedStatementError, match="is transparent"):
        read_stored_paper(lambda form_state: form_state, turtle)


def test_stored_paper_is_written_after_a_part_was_removed() -> None:
    graph = read_stored_paper(lambda form_state: remove_form_item(form_state, "mechanism-1")[0])
    assert [node.value.rpartition("/")[2] for node in graph.parts("wgig:mechanism")] == ["1"]
    original = PaperGraph([quad.triple for quad in ox.parse(EXAMPLE_TURTLE, ox.RdfFormat.TURTLE)])
    second_mechanism = original.parts("wgig:mechanism")[1]
    (mechanism,) = graph.parts("wgig:mechanism")
    assert graph.values(mechanism, "rdfs:label") == original.values(second_mechanism, "rdfs:label")


@pytest.mark.parametrize("part", ["drafter", "mainActor", "otherActor"])
def test_stored_paper_is_written_after_everybody_was_renamed(part: str) -> None:
    def rename_people(form_state: FormState) -> FormState:
        for row in form_state.rows[part]:
            who = [FieldValue(1, f"New name {row.number}")]
            form_state = replace_form_row(form_state, part, FormRow(row.number, row.values | {"who": who}))
        return form_state

    graph = read_stored_paper(rename_people)
    people = graph.values(graph.paper, f"wgig:{part}")
    names = {graph.first_text(agent, "foaf:name") for agent in people}
    assert names == {f"New name {number}" for number in range(1, len(people) + 1)}


def test_stored_paper_is_written_under_another_name() -> None:
    graph = read_stored_paper(lambda form_state: FormState("other", form_state.rows))
    assert graph.paper == expand_curie("paper:other")
    assert all("/agent/other-" in actor.value for actor in graph.values(graph.paper, "wgig:mainActor"))

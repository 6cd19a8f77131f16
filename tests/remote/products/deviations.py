"""What is other over an engine, by words of the names of tests, and why; each must fail.

A name with a slash is that of a test of ../shared/accept.
"""

NO_BLANK_NODES = "a shared store holds IRIs in the place of blank nodes"
WITH_BLANK_NODES = (
    *(f"sparql10/construct/construct-{number}" for number in range(1, 5)),
    *(
        "sparql10/dataset/dawg-dataset-11",
        "sparql10/dataset/dawg-dataset-12b",
        "sparql10/graph/dawg-graph-11",
    ),
    *(f"sparql11/csv-tsv-res/{name}" for name in ("csv01", "csv02", "tsv01", "tsv02")),
    *("sparql11/json-res/jsonres01", "sparql11/json-res/jsonres02"),
)
DEVIATIONS = {
    "test_a_blank_node_is_one_to_a_query oxigraph": NO_BLANK_NODES,
    "test_a_blank_node_is_one_to_a_query virtuoso": NO_BLANK_NODES,
    "test_the_unnamed_graph_has_no_name oxigraph": "a shared store holds a named graph in its place",
    "test_the_unnamed_graph_has_no_name virtuoso": "a shared store holds a named graph in its place",
    "test_all_that_is_stored_is_counted oxigraph": "the ledger is a graph as well, which no query leaves out",
    "test_the_description_says_what_is_counted oxigraph": "the ledger is a graph as well, which is counted",
    **{
        f"test_an_example virtuoso {name}": why
        for why, names in {
            "GROUP_CONCAT of nothing is an empty text to it, and not unbound": (
                *("comments-on-papers", "declaration-citations", "open-sessions"),
            ),
            "OPTIONAL within OPTIONAL binds too much in it": ("from-inventory-to-tunis",),
            "GROUP_CONCAT has no language to it": ("papers-missing-an-assessment",),
        }.items()
        for name in names
    },
    **{
        f"{name} {engine}": NO_BLANK_NODES for name in WITH_BLANK_NODES for engine in ("oxigraph", "virtuoso")
    },
    "sparql10/graph/graph-empty virtuoso": "GRAPH ?g {} finds no graph in it",
    **{
        f"sparql10/graph/{name} virtuoso": "SELECT * of a pattern without variables has one in it, _star_fake"
        for name in ("graph-exist", "graph-not-exist")
    },
    "test_equal_numbers_of_several_types_are_several virtuoso": (
        "it takes equal numbers for one, so that they are refused"
    ),
    "test_a_sum_of_nothing_is_zero virtuoso": "SUM of nothing is unbound in it, and not 0",
    "test_a_graph_that_a_dataset_does_not_name_is_not_asked virtuoso": (
        "ASK of a graph by name that is not in the dataset of the query says yes"
    ),
    "test_terms_of_rdf_1_2_are_stored virtuoso": "it has no terms of RDF 1.2",
    "test_every_literal_that_rdf_allows_is_stored virtuoso": (
        "it takes no durations, no large integers and no infinite numbers"
    ),
}

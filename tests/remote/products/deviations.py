"""Tests that fail with an engine, with the reason.

A key is words: the name of the test, the engine and other words, all of which occur in the ID of the test. A
name with a slash is that of a test in the suites of tests/accept. A listed test that passes is an error. The
ledger is the graph in which a shared store records its version and its last changes.
"""

NO_BLANK_NODES = "a shared store contains IRIs instead of blank nodes"
BLANK_NODE_TESTS = (
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
    "test_blank_nodes_are_blank_in_queries oxigraph": NO_BLANK_NODES,
    "test_blank_nodes_are_blank_in_queries virtuoso": NO_BLANK_NODES,
    "test_unnamed_graph_has_no_name oxigraph": "in a shared store a named graph replaces the unnamed one",
    "test_unnamed_graph_has_no_name virtuoso": "in a shared store a named graph replaces the unnamed one",
    "test_query_counts_all_stored_quads oxigraph": "queries also find the graph of the ledger",
    "test_statistics_equal_the_content oxigraph": "statistics also count the graph of the ledger",
    **{
        f"test_example_query virtuoso {name}": reason
        for reason, names in {
            "GROUP_CONCAT of no values is an empty string, not unbound": (
                *("comments-on-papers", "declaration-citations", "open-sessions"),
            ),
            "OPTIONAL within OPTIONAL binds too many variables": ("from-inventory-to-tunis",),
            "the result of GROUP_CONCAT has no language": ("papers-missing-an-assessment", "definitions"),
            "FILTER NOT EXISTS within OPTIONAL is not applied": ("agreements-and-outcomes",),
            # The subqueries keep the results from multiplying if a statement is in several graphs.
            "the result of joined subqueries is incomplete": (
                *("judgments", "mechanisms-and-judgments", "needs-and-answers"),
            ),
        }.items()
        for name in names
    },
    **{
        f"{name} {engine}": NO_BLANK_NODES for name in BLANK_NODE_TESTS for engine in ("oxigraph", "virtuoso")
    },
    "sparql10/graph/graph-empty virtuoso": "GRAPH ?g {} finds no graph",
    **{
        f"sparql10/graph/{name} virtuoso": "SELECT * of a pattern without variables returns _star_fake"
        for name in ("graph-exist", "graph-not-exist")
    },
    "test_equal_numbers_of_different_types_are_different virtuoso": (
        "equal numbers of different types would become one, so they are refused"
    ),
    "test_sum_of_no_values_is_zero virtuoso": "SUM of no values is unbound, not 0",
    "test_ask_does_not_see_graphs_outside_its_dataset virtuoso": (
        "ASK about a named graph outside the dataset of the query returns true"
    ),
    "test_rdf_12_terms_are_stored virtuoso": "terms of RDF 1.2 cannot be stored",
    "test_all_valid_literals_are_stored virtuoso": (
        "durations, large integers and infinite numbers cannot be stored"
    ),
}

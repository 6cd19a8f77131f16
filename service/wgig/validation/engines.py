"""The engines on data and shapes of a sender: the complete validation results, the same from both.

No engine infers or fetches anything. For the limits on time and memory, run them in a process that can be
killed: some shapes need hours, and some end the process, as the engines recurse.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.namespaces import RDF_TYPE, SH_NAMESPACE, expand_curie
from ..rdf.serialization import serialize_n_triples
from ..rdf.vocabulary import ObjectsBySubject, group_objects_by_subject
from ..text import shorten_untrusted_text
from .shapes_graph import MAX_SHAPE_NESTING, ShapesGraph

if TYPE_CHECKING:
    import shifty


class ShapeResult(NamedTuple):
    """A validation result (SHACL, section 3.6.2); `path` and `value` are None if it has none.

    `path` is an IRI, or a blank node of the shapes. `messages` are from the shapes or the engine.
    """

    focus: Any
    value: Any
    path: Any
    component: str
    severity: str
    shape: Any
    messages: tuple[ox.Literal, ...]


ShapesEngine = Callable[[Sequence[ox.Triple], ShapesGraph], list[ShapeResult]]


def get_shapes_engine(name: str) -> ShapesEngine:
    """The function that returns the results of triples by shapes, from the engine of this name.

    It raises Problem 400 for shapes that the engine cannot use, MemoryError if they are nested too deeply.
    """
    return validate_with_pyshacl if name == "pyshacl" else validate_with_shifty


def validate_with_shifty(triples: Sequence[ox.Triple], shapes: ShapesGraph) -> list[ShapeResult]:
    """The results of shifty. Raises Problem 400 for shapes that it cannot use."""
    data = serialize_n_triples(triples)
    # The function around this one parses the report with rdflib, which takes longer than the validation, and
    # gives blank nodes new labels.
    try:
        result = prepare_shifty_validator(shapes)._inner.validate_w3c(
            data, None, "nt", "data", None, False, "info", False, "ignore", False
        )
    except ValueError as error:
        raise build_engine_problem(error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust, which is no Exception
            raise build_engine_problem(error) from error
        raise
    report = ox.parse(result._report_ntriples, ox.RdfFormat.N_TRIPLES)
    return list(parse_report(group_objects_by_subject(report), shapes))


@lru_cache(maxsize=1)  # for many files with the same shapes
def prepare_shifty_validator(shapes: ShapesGraph) -> "shifty.PreparedValidator":
    """The validator of shifty with these shapes. Raises ValueError if it cannot use them."""
    import shifty  # noqa: PLC0415  takes 20 ms

    return shifty.PreparedValidator(serialize_n_triples(shapes.triples))


def validate_with_pyshacl(triples: Sequence[ox.Triple], shapes: ShapesGraph) -> list[ShapeResult]:
    """The results of pySHACL. Raises Problem 400 for shapes that it cannot use."""
    import pyshacl  # noqa: PLC0415  takes 0.1 s
    import rdflib  # noqa: PLC0415
    from rdflib.plugins import sparql  # noqa: PLC0415

    from ..shacl.pyshacl_engine import (  # noqa: PLC0415
        build_rdflib_graph,
        convert_from_rdflib,
        restore_normalization,
    )

    sparql.SPARQL_LOAD_GRAPHS = False  # a second defense: no admitted query has FROM
    with restore_normalization(), silence_logs():  # rdflib logs each ill-typed literal
        rdflib.NORMALIZE_LITERALS = False
        try:
            _, report, _ = pyshacl.validate(
                build_rdflib_graph(triples),
                shacl_graph=build_rdflib_graph(shapes.triples),
                inference="none",
                advanced=False,
                max_validation_depth=2 * MAX_SHAPE_NESTING,
            )
        except MemoryError:
            raise
        except RecursionError as error:
            raise MemoryError from error
        except Exception as error:  # rdflib raises Exception itself for an undeclared prefix
            raise build_engine_problem(error) from error
    if not isinstance(report, rdflib.Graph):  # pySHACL returns some errors instead of raising them
        raise build_engine_problem(report)
    objects: ObjectsBySubject = {}
    for subject, predicate, object_ in report:
        objects.setdefault(convert_from_rdflib(subject), {}).setdefault(str(predicate), []).append(
            convert_from_rdflib(object_)
        )
    return list(parse_report(objects, shapes))


@contextmanager
def silence_logs() -> Iterator[None]:
    """Log nothing in the block."""
    previous_level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(previous_level)


def build_engine_problem(error: object) -> Problem:
    """The Problem 400 for shapes that an engine cannot use, with its reason."""
    reason = shorten_untrusted_text(str(getattr(error, "message", error)).strip(), 500)
    return Problem(400, f"The shapes cannot be used: {reason.rstrip('.')}.")


def parse_report(objects: ObjectsBySubject, shapes: ShapesGraph) -> Iterator[ShapeResult]:
    """The results of a validation report, without those inside other results (sh:detail)."""
    report_type, result_property = expand_curie("sh:ValidationReport"), f"{SH_NAMESPACE}result"
    for properties in list(objects.values()):
        if report_type not in properties.get(RDF_TYPE.value, ()):
            continue
        for result in properties.get(result_property, ()):
            yield parse_result(objects[result], shapes)


def parse_result(properties: dict[str, list[Any]], shapes: ShapesGraph) -> ShapeResult:
    """A result from its objects by property. Paths that are no IRI are those of the shape."""

    def first_object(name: str) -> Any:
        return next(iter(properties.get(SH_NAMESPACE + name, ())), None)

    path, shape = first_object("resultPath"), first_object("sourceShape")
    if isinstance(path, ox.BlankNode):
        path = next(iter(shapes.objects(shape, f"{SH_NAMESPACE}path")), None)
    messages = sorted(properties.get(f"{SH_NAMESPACE}resultMessage", ()), key=str)
    return ShapeResult(
        first_object("focusNode"),
        first_object("value"),
        path,
        first_object("sourceConstraintComponent").value,
        first_object("resultSeverity").value,
        shape,
        tuple(messages),
    )

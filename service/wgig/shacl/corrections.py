"""Corrections: where and how a suggestion replaces the wrong name in the text of a paper.

The new name is written like the old one: as an IRI or prefixed name in RDF, a string in JSON-LD, or a plain
name in Markdown. There is no correction if the text does not have the old name at its place.
"""

import json
import re

import pyoxigraph as ox
from wgig_client.namespaces import LOCAL_NAMESPACE_PATHS

from ..rdf.formats import JSON_LD, TRIG, TURTLE
from ..rdf.namespaces import ID_NAMESPACE, LOCAL_NAME_PATTERN, expand_curie
from ..text import TextEdit, slugify_words
from .documents import Document
from .findings import Correction
from .results import Term
from .suggestions import has_plain_names, iri_local_part

IRI_REFERENCE_PATTERN = re.compile(r"<[^<>\s]*>")
PREFIXED_NAME_PATTERN = re.compile(r"[\w.-]*:(?:[\w:%-]|\\.|\.(?=[\w:%\\-]))*")
JSON_STRING_PATTERN = re.compile(r'"(?:[^"\\\n]|\\.)*"')
QUOTED_NAME_PATTERN = re.compile(r"""(["'])([^\\"'\n]+)\1(?:@[A-Za-z-]+)?(?![\w^])""")
PLAIN_TITLE_PATTERN = re.compile(r"""\w[^:#\\'"\n]*""")  # needs neither quotes in YAML nor escapes
PLAIN_LABEL_PATTERN = re.compile(r"[^,;\n]*[^,;\s]")  # of a mechanism, in a line of a Markdown text


def find_correction(
    document: Document, offset: int | None, value: Term | None, suggestion: str
) -> Correction | None:
    """The correction that replaces `value`, which is written at `offset` or later in its line."""
    edit = None
    if offset is not None and offset >= 0 and suggestion:
        if isinstance(value, ox.Literal):
            edit = edit_quoted_name(document, offset, value.value, suggestion) or edit_title(
                document.text, offset, value.value, suggestion
            )
        elif isinstance(value, ox.NamedNode) and has_plain_names(document):
            edit = edit_plain_name(document.text, offset, value.value, suggestion)
        elif isinstance(value, ox.NamedNode):
            edit = edit_rdf_name(document, offset, value.value, suggestion)
    if edit is None:
        return None
    position = document.text_lines.locate(edit.start)
    return Correction(position, document.text[edit.start : edit.end], edit.text)


def edit_title(text: str, offset: int, title: str, new_title: str) -> TextEdit | None:
    """The change of a title, which may be in quotes."""
    start = offset + (text[offset : offset + 1] in ("'", '"'))
    if not text.startswith(title, start) or not PLAIN_TITLE_PATTERN.fullmatch(new_title):
        return None
    return TextEdit(start, start + len(title), new_title)


def edit_quoted_name(document: Document, offset: int, name: str, suggestion: str) -> TextEdit | None:
    """The change of a string in Turtle into a boolean, or an IRI if `suggestion` is a prefixed name."""
    text, token = document.text, QUOTED_NAME_PATTERN.match(document.text, offset)
    is_prefixed = ":" in suggestion and suggestion.partition(":")[0] in LOCAL_NAMESPACE_PATHS
    if document.format not in (TURTLE, TRIG) or not token or token[2] != name:
        return None
    if suggestion in ("true", "false"):
        return TextEdit(token.start(), token.end(), suggestion)
    if not is_prefixed:
        return None
    iri = expand_curie(suggestion).value
    new_name = suggestion if declares_prefix(text[:offset], suggestion, iri) else f"<{iri}>"
    return TextEdit(token.start(), token.end(), new_name)


def edit_plain_name(text: str, offset: int, iri: str, new_name: str) -> TextEdit | None:
    """The change of a name, or of a label that stands for a mechanism, in a line of a Markdown text."""
    line_end = text.find("\n", offset)
    line = text[offset : line_end if line_end >= 0 else None]
    for name in (iri.removeprefix(ID_NAMESPACE), iri_local_part(iri)):
        found = [*re.finditer(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])", line)]
        if len(found) == 1:
            return TextEdit(offset + found[0].start(), offset + found[0].end(), new_name)
    label = PLAIN_LABEL_PATTERN.match(line)
    if label and slugify_words(label[0]) == iri.rpartition("/")[2]:
        return TextEdit(offset, offset + label.end(), new_name)
    return None


def edit_rdf_name(document: Document, offset: int, iri: str, suggestion: str) -> TextEdit | None:
    """The change of an IRI or prefixed name; `suggestion` is one as in Turtle."""
    new_iri = (
        suggestion[1:-1] if suggestion.startswith("<") else expand_curie(suggestion.replace("\\", "")).value
    )
    text = document.text
    if document.format == JSON_LD:  # not `is`: a worker process has a copy
        if token := JSON_STRING_PATTERN.match(text, offset):
            new_name = rename_local_part(json.loads(token[0]), iri, new_iri) or new_iri
            return TextEdit(token.start(), token.end(), json.dumps(new_name))
    elif token := IRI_REFERENCE_PATTERN.match(text, offset):
        return TextEdit(token.start(), token.end(), f"<{new_iri}>")
    elif token := PREFIXED_NAME_PATTERN.match(text, offset):
        new_name = rename_local_part(token[0].replace("\\", ""), iri, new_iri)
        if not LOCAL_NAME_PATTERN.fullmatch(new_name.partition(":")[2]):
            new_name = suggestion if declares_prefix(text[:offset], suggestion, new_iri) else f"<{new_iri}>"
        return TextEdit(token.start(), token.end(), new_name)
    return None


def rename_local_part(name: str, iri: str, new_iri: str) -> str:
    """The name, which stands for `iri`, with the local part of `new_iri`; empty in another namespace."""
    prefix = name[: name.find(":") + 1]
    local = name.removeprefix(prefix)
    namespace = iri.removesuffix(local)
    if namespace == iri or not new_iri.startswith(namespace):
        return ""
    return prefix + new_iri.removeprefix(namespace)


def declares_prefix(text: str, name: str, iri: str) -> bool:
    """Whether a Turtle text declares the prefix of a name, which needs no escapes, for a part of the IRI."""
    prefix = name.partition(":")[0]
    namespaces = re.findall(rf"(?i)\bprefix\s+{re.escape(prefix)}:\s*<([^<>\s]+)>", text)
    return (
        bool(namespaces)
        and iri == namespaces[-1] + name.partition(":")[2]
        and PREFIXED_NAME_PATTERN.fullmatch(name) is not None
    )

"""XML that is well-formed, whatever the texts in it hold."""

import re
from xml.etree import ElementTree as ET

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
STAND_IN = "\ufffd"


def add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A new last child of an element; U+FFFD stands for what XML cannot hold (1.0, section 2.2)."""
    given = {key: clean(value) for key, value in attributes.items()}
    child = ET.SubElement(parent, name, given)
    child.text = None if text is None else clean(text)
    return child


def clean(text: str) -> str:
    """A text without what XML cannot hold."""
    return NOT_IN_XML.sub(STAND_IN, text)


def document(root: ET.Element) -> bytes:
    """The bytes of a document."""
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"

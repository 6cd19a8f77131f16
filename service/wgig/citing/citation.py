"""A citation as text, as BibTeX and as CSL-JSON."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from ..formats import TEXT, Format

AUTHOR = "Contributors to the WGIG knowledge graph"
CONTAINER = "WGIG knowledge graph"

BIBTEX = Format("application/x-bibtex", "bib", "BibTeX")
CSL = Format("application/vnd.citationstyles.csl+json", "json", "CSL-JSON", "", ("application/json",))

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "{": r"\textbraceleft{}",  # BibTeX counts braces, also those that TeX does not
        "}": r"\textbraceright{}",
        **{sign: f"\\{sign}" for sign in "$&#%_"},
    }
)
NOT_IN_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Citation:
    """What a citation says.

    `url` is the lasting name of what is cited, or `again` where it has none. `again` is the address at which
    the same bytes are given or refused; they have the SHA-256 `digest`, in hexadecimal. `version` is that of
    the graph as a whole, and `issued` its day.
    """

    name: str
    title: str
    url: str
    again: str
    version: str
    issued: date
    digest: str

    @property
    def key(self) -> str:
        """What BibTeX and CSL call it."""
        return f"wgig-{NOT_IN_KEY.sub('-', self.name.lower()).strip('-')}-{self.digest[:8]}"

    @property
    def note(self) -> str:
        """The digest and where the bytes are that have it."""
        return f"SHA-256 {self.digest}. The same bytes: {self.again}"


def as_text(one: Citation) -> bytes:
    """One line; addresses stand in angle brackets (RFC 3986, appendix C)."""
    where = f"{CONTAINER}, version {one.version}, {one.issued:%Y-%m-%d}. <{one.url}>"
    same = f", the same bytes at <{one.again}>" if one.again != one.url else ""
    return f"{AUTHOR}. “{' '.join(one.title.split())}”. {where}. SHA-256 {one.digest}{same}.\n".encode()


def as_bibtex(one: Citation) -> bytes:
    """An entry that classic BibTeX reads as well as biblatex; texts are escaped, addresses are not."""
    fields = {
        "author": f"{{{AUTHOR}}}",
        "title": f"{{{' '.join(one.title.split()).translate(LATEX)}}}",
        "howpublished": CONTAINER,
        "version": one.version.translate(LATEX),
        "year": str(one.issued.year),
        "month": MONTHS[one.issued.month - 1],
        "url": one.url,
        "note": rf"SHA-256 {one.digest}. The same bytes: \url{{{one.again}}}",
    }
    lines = [f"  {name} = {said if name == 'month' else f'{{{said}}}'}" for name, said in fields.items()]
    return "@misc{{{},\n{}\n}}\n".format(one.key, ",\n".join(lines)).encode()


def as_csl(one: Citation) -> bytes:
    """The list of one item that citation styles take (https://docs.citationstyles.org)."""
    item = {
        "id": one.key,
        "type": "dataset",
        "title": one.title,
        "author": [{"literal": AUTHOR}],
        "container-title": CONTAINER,
        "version": one.version,
        "issued": {"date-parts": [[one.issued.year, one.issued.month, one.issued.day]]},
        "URL": one.url,
        "note": one.note,
    }
    return f"{json.dumps([item], ensure_ascii=False, indent=2)}\n".encode()


# The first is what a client gets that does not care.
WRITERS: Mapping[Format, Callable[[Citation], bytes]] = {TEXT: as_text, BIBTEX: as_bibtex, CSL: as_csl}

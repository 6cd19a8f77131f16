"""Papers in Word: headings by style or by words, a head as table or lines, and files that are none."""

import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

import pyoxigraph as ox
import pytest
from wgig.papers import markdown
from wgig.papers import word as papers_word
from wgig.papers.markdown import reader
from wgig.papers.word import convert_word_to_markdown, read_word_paper
from wgig.problems import Problem
from wgig.settings import SHIPPED_FOLDER

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = f"""<Types xmlns="{PACKAGE}/content-types">
<Default Extension="xml" ContentType="application/xml"/></Types>"""
LINKS = f"""<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>"""
NUMBERING = f"""<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">
<w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>"""

SECTION, NAME, PART = "Heading1", "Heading2", "Heading3"
Line = tuple[str, str]


def paragraph(style: str, text: str) -> str:
    """A paragraph: by a style of Word, `bullet`, `bold`, or plain."""
    looks = {"bullet": '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>', "bold": "", "": ""}
    properties = looks.get(style, f'<w:pStyle w:val="{style}"/>')
    bold = "<w:rPr><w:b/></w:rPr>" if style == "bold" else ""
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in text.split("\n"))
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r>{bold}{lines}</w:r></w:p>"


def table(rows: Sequence[Line]) -> str:
    cells = ("".join(f"<w:tc>{paragraph('', cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def packed(document: str | bytes, **more: str | bytes) -> bytes:
    """A Word file with this main part; `more` replaces or adds parts by their names."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": LINKS,
        "word/numbering.xml": NUMBERING,
        "word/document.xml": document,
        **more,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packing:
        for name, content in parts.items():
            packing.writestr(name, content)
    return file.getvalue()


def document(body: str) -> str:
    return f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'


def word(lines: Sequence[Line], head: Sequence[Line] = ()) -> bytes:
    above = table(head) if head else ""
    return packed(document(above + "".join(paragraph(*line) for line in lines)))


def written(data: bytes) -> str:
    """The paper in a Word file, in the one way in which Markdown is written."""
    return markdown.serialize_markdown_paper(read_word_paper(data)[1])


def as_word(text: str) -> list[Line]:
    """The body of a paper in Markdown as lines of Word with its styles."""
    styles = {"##": SECTION, "###": NAME, "####": PART, "-": "bullet"}
    blocks = [line for line in text.split("\n\n") if line]
    return [
        (styles.get(mark, ""), rest if mark in styles else one.replace("  \n", "\n"))
        for block in blocks
        for one in (block.split("\n") if block.startswith("- ") else [block])
        for mark, _, rest in [one.partition(" ")]
    ]


HEAD = [
    ("Paper", "example-community-networks"),
    ("Title", "Community networks (an example)"),
    ("Language", "en"),
    ("Issue", "affordable-universal-access"),
    ("Posted", "2005-01-20"),
    ("Pages", "3"),
    ("Illustrative", "true"),
    ("Source", "document/form/issue-paper"),
    ("Cites", "declaration/21, declaration/48\ndeclaration/49; declaration/50"),
]


def example() -> tuple[str, str]:
    """The first example in Markdown without its drafters: the whole, and the body."""
    text = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text()
    text = re.sub(r"drafters:\n(?: .*\n)+", "", text)
    return text, text.split("---\n\n", 1)[1]


def test_a_paper_in_the_styles_of_word_is_the_paper_in_markdown() -> None:
    text, body = example()
    assert written(word(as_word(body), HEAD)) == text


def test_the_head_may_be_lines() -> None:
    text, body = example()
    lines = [("", f"{key}: {value}") for key, value in HEAD if key != "Title"]
    assert written(word([("Title", HEAD[1][1]), *lines, *as_word(body)])) == text


def test_headings_may_be_plain_titles_and_names_bold() -> None:
    text, body = example()
    plain = {SECTION: "", PART: "", "": "", "bullet": "bullet"}
    lines = [(plain.get(style, "bold" if words[1] != "." else ""), words) for style, words in as_word(body)]
    assert written(word(lines, HEAD)) == text


def test_drafters_and_waivers_are_written_in_one_cell() -> None:
    head = [
        ("Paper", "mine"),
        ("Drafters", "afonso, Ann Example (private-sector, member)"),
        ("Waivers", "WGIG-0-LATE: The chair: a week more."),
    ]
    text = written(word([(SECTION, "1. Issue"), ("", "Mail.")], head))
    assert "  - afonso\n  - name: Ann Example\n    group: private-sector\n    member: true\n" in text
    assert "WGIG-0-LATE: 'The chair: a week more.'" in text


def test_commas_are_between_values_but_not_in_brackets() -> None:
    text = convert_word_to_markdown(
        word([], [("Cites", "a, b (c, d), e (f, g; h) i\nj)"), ("Source", "(," * 50_000)])
    )
    assert "cites:\n  - a\n  - b (c, d)\n  - e (f\n  - g\n  - h) i\n  - j)\n" in text
    assert text.count("  - (\n") == 50_000


def test_a_drafter_may_have_several_groups() -> None:
    head = [("Paper", "mine"), ("Drafters", "Ann Example (private-sector, civil-society, member)")]
    text = written(word([(SECTION, "1. Issue"), ("", "Mail.")], head))
    assert "    group:\n      - private-sector\n      - civil-society\n    member: true\n" in text


def test_marks_of_markdown_in_the_text_stay_text() -> None:
    text = convert_word_to_markdown(
        word([(SECTION, "8. Additional comments"), ("", "# no heading"), ("", "<!-- no comment -->")])
    )
    body = markdown.parse_paper_triples(text.replace("---\n---", "---\npaper: mine\n---"))[0]
    said = [str(one.object) for one in body if "additionalComments" in str(one.predicate)]
    assert said == [str(ox.Literal("\\# no heading\n\n\\<!-- no comment --\\>", language="en"))]


def test_loose_words_and_unknown_keys_are_refused_not_dropped() -> None:
    with pytest.raises(Problem, match="before section 1") as caught:
        read_word_paper(word([("", "Loose words")], [("Paper", "mine")]))
    assert caught.value.members == {"excerpt": "Loose words"}
    with pytest.raises(Problem, match="Did you mean posted"):
        written(word([], [("Postd", "2005-01-20")]))


def refused(data: bytes, status: int) -> str:
    with pytest.raises(Problem) as caught:
        convert_word_to_markdown(data)
    assert caught.value.status == status
    return caught.value.detail


def test_what_is_no_word_file_is_refused() -> None:
    whole = word([(SECTION, "1. Issue")])
    assert "not a Word file" in refused(b"PK, but no zip", 400)
    assert "not a Word file" in refused(whole[: len(whole) // 2], 400)
    assert "no text" in refused(
        packed("", **{"word/document.xml": ""}).replace(b"word/document", b"word/documint"), 400
    )
    assert "damaged" in refused(packed("<w:document"), 400)
    assert "cannot be read" in refused(packed("<x/>"), 400)
    assert "cannot be read" in refused(packed(document("<w:p><w:r><w:sym/></w:r></w:p>")), 400)


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    assert "20 MiB" in refused(
        packed(document(""), **{"word/media/zeros.bin": b"0" * (papers_word.MAX_UNPACKED_BYTES + 1)}), 413
    )
    assert "20 MiB" in refused(
        packed(document(""), **{f"part{number}": "" for number in range(papers_word.MAX_ARCHIVE_ENTRIES)}),
        413,
    )


def test_too_many_elements_or_characters_are_refused_before_they_are_converted() -> None:
    assert "elements" in refused(packed(document("<w:p/>" * papers_word.MAX_XML_ELEMENTS)), 413)
    long = paragraph("", "a" * reader.MAX_PAPER_CHARACTERS)
    assert "characters" in refused(packed(document(long)), 413)


def test_an_entry_that_declares_less_than_it_holds_is_refused() -> None:
    content = b"0" * 4_000_000
    data = packed(document(""), **{"word/media/liar.bin": content})
    assert "not a Word file" in refused(
        data.replace(len(content).to_bytes(4, "little"), (9).to_bytes(4, "little")), 400
    )


def test_entries_may_not_be_more_than_what_is_left_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(document("")))) as file:
        entry = file.getinfo("word/document.xml")
        assert papers_word.unpack_archive_entry(file, entry, entry.file_size)
        monkeypatch.setattr(papers_word, "UNPACK_CHUNK_BYTES", 16)
        with pytest.raises(Problem, match="20 MiB"):
            papers_word.unpack_archive_entry(file, entry, entry.file_size - 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_and_deep_nesting_are_refused(encoding: str) -> None:
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert "DOCTYPE" in refused(packed(bomb.encode(encoding)), 400)
    assert "DOCTYPE" in refused(packed(document(""), **{"docProps/app.xml": bomb.encode(encoding)}), 400)
    assert "deep" in refused(packed(document("<w:p>" * 200 + "</w:p>" * 200)), 400)


def test_a_picture_or_other_file_that_the_text_points_to_is_not_opened() -> None:
    picture = '<w:p><w:r><w:pict><v:imagedata r:id="x" xmlns:v="urn:schemas-microsoft-com:vml" '
    picture += f'xmlns:r="{OFFICE}"/></w:pict></w:r></w:p>'
    links = f"""<Relationships xmlns="{PACKAGE}/relationships">
    <Relationship Id="x" Type="{OFFICE}/image" Target="file:///etc/hostname" TargetMode="External"/>
    </Relationships>"""
    body = paragraph(SECTION, "1. Issue") + picture + paragraph("", "Mail.")
    text = convert_word_to_markdown(packed(document(body), **{"word/_rels/document.xml.rels": links}))
    assert text == "---\n---\n\n## 1. Issue (what?)\n\nMail.\n"

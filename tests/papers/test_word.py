"""Papers in Word: headings by style or text, front matter as table or lines, and invalid files."""

import io
import re
import zipfile

import pyoxigraph as ox
import pytest
from wgig.papers import markdown
from wgig.papers import word as papers_word
from wgig.papers.markdown import reader
from wgig.papers.word import convert_word_to_markdown, read_word_paper
from wgig.problems import Problem
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.word_file import (
    NAME_STYLE,
    OFFICE_NAMESPACE,
    PACKAGE_NAMESPACE,
    PART_STYLE,
    SECTION_STYLE,
    StyledText,
    build_archive,
    build_word_file,
    format_document,
    format_paragraph,
)


def convert_to_canonical_markdown(data: bytes) -> str:
    """The paper in a Word file as canonical Markdown."""
    _, triples = read_word_paper(data)
    return markdown.serialize_markdown_paper(triples)


def convert_to_paragraphs(text: str) -> list[StyledText]:
    """The body of a paper in Markdown as paragraphs with Word styles."""
    styles = {"##": SECTION_STYLE, "###": NAME_STYLE, "####": PART_STYLE, "-": "bullet"}
    blocks = [line for line in text.split("\n\n") if line]
    return [
        (styles.get(mark, ""), marked_text if mark in styles else line.replace("  \n", "\n"))
        for block in blocks
        for line in (block.split("\n") if block.startswith("- ") else [block])
        for mark, _, marked_text in [line.partition(" ")]
    ]


FRONT_MATTER_ROWS = [
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


def read_example() -> tuple[str, str]:
    """An example in Markdown, without its drafters: the text with front matter, and the body alone."""
    text = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text()
    text = re.sub(r"drafters:\n(?: .*\n)+", "", text)
    return text, text.split("---\n\n", 1)[1]


def test_paper_with_word_styles_converts_to_markdown() -> None:
    text, body = read_example()
    assert (
        convert_to_canonical_markdown(build_word_file(convert_to_paragraphs(body), FRONT_MATTER_ROWS)) == text
    )


def test_front_matter_may_be_paragraphs() -> None:
    text, body = read_example()
    lines = [("", f"{key}: {value}") for key, value in FRONT_MATTER_ROWS if key != "Title"]
    assert (
        convert_to_canonical_markdown(
            build_word_file([("Title", FRONT_MATTER_ROWS[1][1]), *lines, *convert_to_paragraphs(body)])
        )
        == text
    )


def test_headings_may_be_plain_titles_and_bold_names() -> None:
    text, body = read_example()
    # Names of parts are bold; headings such as "a. Objectives" are not.
    plain_styles = {SECTION_STYLE: "", PART_STYLE: "", "": "", "bullet": "bullet"}
    paragraphs = [
        (plain_styles.get(style, "bold" if paragraph_text[1] != "." else ""), paragraph_text)
        for style, paragraph_text in convert_to_paragraphs(body)
    ]
    assert convert_to_canonical_markdown(build_word_file(paragraphs, FRONT_MATTER_ROWS)) == text


def test_cell_may_have_several_drafters_or_waivers() -> None:
    front_matter = [
        ("Paper", "mine"),
        ("Drafters", "afonso, Ann Example (private-sector, member)"),
        ("Waivers", "WGIG-0-LATE: The chair: a week more."),
    ]
    text = convert_to_canonical_markdown(
        build_word_file([(SECTION_STYLE, "1. Issue"), ("", "Mail.")], front_matter)
    )
    assert "  - afonso\n  - name: Ann Example\n    group: private-sector\n    member: true\n" in text
    assert "WGIG-0-LATE: 'The chair: a week more.'" in text


def test_commas_in_parentheses_do_not_separate_values() -> None:
    text = convert_word_to_markdown(
        build_word_file([], [("Cites", "a, b (c, d), e (f, g; h) i\nj)"), ("Source", "(," * 50_000)])
    )
    assert "cites:\n  - a\n  - b (c, d)\n  - e (f\n  - g\n  - h) i\n  - j)\n" in text
    assert text.count("  - (\n") == 50_000


def test_drafter_may_have_several_groups() -> None:
    front_matter = [("Paper", "mine"), ("Drafters", "Ann Example (private-sector, civil-society, member)")]
    text = convert_to_canonical_markdown(
        build_word_file([(SECTION_STYLE, "1. Issue"), ("", "Mail.")], front_matter)
    )
    assert "    group:\n      - private-sector\n      - civil-society\n    member: true\n" in text


def test_markdown_marks_in_a_text_are_escaped() -> None:
    text = convert_word_to_markdown(
        build_word_file(
            [(SECTION_STYLE, "8. Additional comments"), ("", "# no heading"), ("", "<!-- no comment -->")]
        )
    )
    triples = markdown.parse_paper_triples(text.replace("---\n---", "---\npaper: mine\n---"))[0]
    comments = [str(triple.object) for triple in triples if "additionalComments" in str(triple.predicate)]
    assert comments == [str(ox.Literal("\\# no heading\n\n\\<!-- no comment --\\>", language="en"))]


def test_text_before_section_1_and_unknown_keys_are_refused() -> None:
    with pytest.raises(Problem, match="before section 1") as error:
        read_word_paper(build_word_file([("", "Loose words")], [("Paper", "mine")]))
    assert error.value.members == {"excerpt": "Loose words"}
    with pytest.raises(Problem, match="Did you mean `posted`"):
        convert_to_canonical_markdown(build_word_file([], [("Postd", "2005-01-20")]))


def get_problem_detail(data: bytes, status: int) -> str:
    with pytest.raises(Problem) as error:
        convert_word_to_markdown(data)
    assert error.value.status == status
    return error.value.detail


@pytest.mark.parametrize("fence", ["---", "—-", "–––"])
def test_front_matter_may_be_copied_from_markdown(fence: str) -> None:
    head = [
        "paper: mine  # in addresses",
        "title: On spam",
        "drafters:",
        "  - name: Ann",
        "    group: governments",
    ]
    lines = [*head, "cites:", ("bullet", "declaration/48")]
    paragraphs = [line if isinstance(line, tuple) else ("", line) for line in [fence, *lines, fence]]
    text = convert_word_to_markdown(
        build_word_file([*paragraphs, (SECTION_STYLE, "1. Issue"), ("", "Mail.")])
    )
    yaml = "\n".join([*head, "cites:", "  - declaration/48"])
    assert text == f"---\n{yaml}\n---\n\n## 1. Issue (what?)\n\nMail.\n"
    one_paragraph = ("", "\n".join([fence, *head, fence]))
    assert "group: governments\n---" in convert_word_to_markdown(build_word_file([one_paragraph]))


def test_single_line_of_hyphens_is_left_out() -> None:
    paragraphs = [("Title", "On spam"), ("", "---"), ("", "Paper: mine"), ("", "---")]
    text = convert_word_to_markdown(build_word_file(paragraphs))
    assert text == "---\npaper: mine\ntitle: On spam\n---\n"


def test_file_that_is_not_word_is_refused() -> None:
    data = build_word_file([(SECTION_STYLE, "1. Issue")])
    assert "not a Word file" in get_problem_detail(b"PK, but no zip", 400)
    assert "not a Word file" in get_problem_detail(data[: len(data) // 2], 400)
    # An archive without an entry word/document.xml.
    assert "no text" in get_problem_detail(
        build_archive("", **{"word/document.xml": ""}).replace(b"word/document", b"word/documint"),
        400,
    )
    assert "damaged" in get_problem_detail(build_archive("<w:document"), 400)
    assert "cannot be read" in get_problem_detail(build_archive("<x/>"), 400)
    assert "cannot be read" in get_problem_detail(
        build_archive(format_document("<w:p><w:r><w:sym/></w:r></w:p>")), 400
    )


def test_zip_bomb_is_refused() -> None:
    assert "20 MiB" in get_problem_detail(
        build_archive(
            format_document(""),
            **{"word/media/zeros.bin": b"0" * (papers_word.MAX_UNPACKED_BYTES + 1)},
        ),
        413,
    )
    assert "20 MiB" in get_problem_detail(
        build_archive(
            format_document(""), **{f"part{number}": "" for number in range(papers_word.MAX_ARCHIVE_ENTRIES)}
        ),
        413,
    )


def test_too_many_elements_or_characters_are_refused() -> None:
    assert "elements" in get_problem_detail(
        build_archive(format_document("<w:p/>" * papers_word.MAX_XML_ELEMENTS)), 413
    )
    long_paragraph = format_paragraph("", "a" * reader.MAX_PAPER_CHARACTERS)
    assert "characters" in get_problem_detail(build_archive(format_document(long_paragraph)), 413)


def test_entry_with_a_wrong_size_is_refused() -> None:
    content = b"0" * 4_000_000
    data = build_archive(format_document(""), **{"word/media/liar.bin": content})
    # The archive states that the entry has 9 bytes when unpacked.
    assert "not a Word file" in get_problem_detail(
        data.replace(len(content).to_bytes(4, "little"), (9).to_bytes(4, "little")), 400
    )


def test_entry_larger_than_the_remaining_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(io.BytesIO(build_archive(format_document("")))) as file:
        entry = file.getinfo("word/document.xml")
        assert papers_word.unpack_archive_entry(file, entry, entry.file_size)
        monkeypatch.setattr(papers_word, "UNPACK_CHUNK_BYTES", 16)
        with pytest.raises(Problem, match="20 MiB"):
            papers_word.unpack_archive_entry(file, entry, entry.file_size - 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_and_deep_nesting_are_refused(encoding: str) -> None:
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert "DOCTYPE" in get_problem_detail(build_archive(bomb.encode(encoding)), 400)
    assert "DOCTYPE" in get_problem_detail(
        build_archive(format_document(""), **{"docProps/app.xml": bomb.encode(encoding)}), 400
    )
    assert "deep" in get_problem_detail(build_archive(format_document("<w:p>" * 200 + "</w:p>" * 200)), 400)


def test_external_picture_is_not_opened() -> None:
    picture = '<w:p><w:r><w:pict><v:imagedata r:id="x" xmlns:v="urn:schemas-microsoft-com:vml" '
    picture += f'xmlns:r="{OFFICE_NAMESPACE}"/></w:pict></w:r></w:p>'
    relationships = f"""<Relationships xmlns="{PACKAGE_NAMESPACE}/relationships">
    <Relationship Id="x" Type="{OFFICE_NAMESPACE}/image" Target="file:///etc/hostname" TargetMode="External"/>
    </Relationships>"""
    body = format_paragraph(SECTION_STYLE, "1. Issue") + picture + format_paragraph("", "Mail.")
    text = convert_word_to_markdown(
        build_archive(format_document(body), **{"word/_rels/document.xml.rels": relationships})
    )
    assert text == "---\n---\n\n## 1. Issue (what?)\n\nMail.\n"

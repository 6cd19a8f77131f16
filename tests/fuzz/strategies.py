"""Strategies for fuzzed texts and bytes: valid seeds, altered, spliced and mixed with unusual strings."""

from collections.abc import Sequence

from hypothesis import strategies as st

UNUSUAL_STRINGS = [
    "", " ", "\t", "\r\n", "\n", "\x00", "\x1b", "\x7f", "\u0085", "\u00a0", "\u200b", "\u2028",
    "\u202e", "\ufeff",
    "\ud800", "\U0010ffff", "é", "e\u0301", "𝟙", "٤", "İ", "ß", "<", ">", '"', "'", "`", "\\", "/",
    "//", "..", ";", ",",
    "=", "&", "?", "#", "%", "%00", "%ff", "%zz", "*", "+", "-", "--", "0", "-1", "9" * 30, "1e999",
    "NaN", "inf",
    "true", "null", "[]", "{}", "()", "[", "]", "{", "}", "(", ")", "{{7*7}}", "$1", "_:", "_",
    "@", "^^", "|", "~",
    "q=0", ";q=", ";q=1.0000", "a" * 300, "(" * 150, "[" * 150, "{" * 150,
]  # fmt: skip


def fuzz_texts(seeds: Sequence[str]) -> st.SearchStrategy[str]:
    """Texts from seeds: unchanged, with unusual strings in them, or only an unusual string."""
    seed = st.sampled_from(seeds)
    insertion = st.one_of(st.sampled_from(UNUSUAL_STRINGS), st.text(max_size=8))
    changes = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), insertion), max_size=4)
    return st.one_of(seed, st.builds(alter_text, seed, changes), insertion)


def alter_text(text: str, changes: Sequence[tuple[float, int, str]]) -> str:
    """A text with changes: a position (0 to 1), the number of characters to remove, and the insertion."""
    for position, removed_count, insertion in changes:
        offset = int(position * len(text))
        text = text[:offset] + insertion + text[offset + removed_count :]
    return text


def fuzz_bytes(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes from seeds: unchanged, altered, or the start of a seed with the end of another."""
    seed = st.sampled_from(seeds)
    insertion = st.one_of(
        st.binary(max_size=6),
        st.sampled_from([text.encode("utf-8", "surrogatepass") for text in UNUSUAL_STRINGS]),
    )
    changes = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), insertion), max_size=4)
    return st.one_of(
        seed, st.builds(alter_bytes, seed, changes), st.builds(splice_bytes, seed, seed, st.floats(0, 1))
    )


def alter_bytes(data: bytes, changes: Sequence[tuple[float, int, bytes]]) -> bytes:
    """Like `alter_text`, for bytes."""
    text_changes = [
        (position, removed_count, insertion.decode("latin-1"))
        for position, removed_count, insertion in changes
    ]
    return alter_text(data.decode("latin-1"), text_changes).encode("latin-1")


def splice_bytes(first: bytes, second: bytes, position: float) -> bytes:
    """The start of `first` and the end of `second`, both cut at a position from 0 to 1."""
    return first[: int(position * len(first))] + second[int(position * len(second)) :]

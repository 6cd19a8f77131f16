"""What fuzzed texts are made of: what is well formed, cut, doubled and mixed with what is not."""

from collections.abc import Sequence

from hypothesis import strategies as st

STRANGE = [
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


def mixed(seeds: Sequence[str]) -> st.SearchStrategy[str]:
    """Texts from seeds: as they are, with strange pieces in them, or strange alone."""
    seed = st.sampled_from(seeds)
    piece = st.one_of(st.sampled_from(STRANGE), st.text(max_size=8))
    return st.one_of(
        seed,
        st.builds(altered, seed, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), piece), max_size=4)),
        piece,
    )


def altered(text: str, changes: Sequence[tuple[float, int, str]]) -> str:
    """A text in which some places hold other pieces, so many characters being gone."""
    for where, gone, piece in changes:
        place = int(where * len(text))
        text = text[:place] + piece + text[place + gone :]
    return text


def spliced(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes from seeds: as they are, altered, or the begin of one with the end of another."""
    seed = st.sampled_from(seeds)
    piece = st.one_of(
        st.binary(max_size=6), st.sampled_from([one.encode("utf-8", "surrogatepass") for one in STRANGE])
    )
    changes = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), piece), max_size=4)
    return st.one_of(
        seed, st.builds(altered_bytes, seed, changes), st.builds(joined, seed, seed, st.floats(0, 1))
    )


def altered_bytes(data: bytes, changes: Sequence[tuple[float, int, bytes]]) -> bytes:
    """The same with bytes."""
    text = altered(
        data.decode("latin-1"), [(where, gone, piece.decode("latin-1")) for where, gone, piece in changes]
    )
    return text.encode("latin-1")


def joined(first: bytes, second: bytes, where: float) -> bytes:
    """The begin of one and the end of the other."""
    return first[: int(where * len(first))] + second[int(where * len(second)) :]

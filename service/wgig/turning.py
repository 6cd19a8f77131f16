"""No text turns the letters of what stands around it: what it opens it closes, and nothing else.

An element that isolates its text does not hold a control that closes the isolation from within (Unicode
Bidirectional Algorithm, X6a), as browsers isolate by such controls themselves.
"""

import re

POP_EMBEDDING, POP_ISOLATE = "\u202c", "\u2069"
CLOSED_BY = dict.fromkeys("\u202a\u202b\u202d\u202e", POP_EMBEDDING) | dict.fromkeys(
    "\u2066\u2067\u2068", POP_ISOLATE
)
CONTROL = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
# What stays as it is: tags, and what a form sends back or a program reads.
KEPT = re.compile(r"(<textarea\b.*?</textarea>|<script\b.*?</script>|<[^>]*>)", re.DOTALL)


def contained(page: bytes) -> bytes:
    """The page with every text between two tags balanced."""
    if not CONTROL.search(page):
        return page
    parts = KEPT.split(page.decode())
    parts[::2] = map(balanced, parts[::2])
    return "".join(parts).encode()


def balanced(text: str) -> str:
    """The text with all that it opens closed, at its end at the latest, and without what closes nothing."""
    found: list[str] = []
    closing: list[str] = []
    for one in text:
        if one in CLOSED_BY:
            closing.append(CLOSED_BY[one])
        elif one == POP_ISOLATE and one in closing:
            while closing[-1] != one:  # an isolate ends what is open in it
                found.append(closing.pop())
            closing.pop()
        elif one == POP_EMBEDDING and closing[-1:] == [one]:
            closing.pop()
        elif one in (POP_EMBEDDING, POP_ISOLATE):
            continue
        found.append(one)
    return "".join([*found, *reversed(closing)])

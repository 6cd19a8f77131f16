"""Texts that would be more than values where something takes them for its own language."""

import json

MARK = "zqinjected"  # what no answer has unless somebody sent it

ATTACKS = {
    "breaks out of a group": f'"}} DROP ALL # {MARK}',
    "breaks out of an IRI": f"x> <urn:{MARK}",
    "breaks out of an IRI and a group": f"urn:x> }} UNION {{ ?s ?p ?o }} # {MARK}",
    "begins an update": f"; INSERT DATA {{ <urn:{MARK}> a <urn:{MARK}> }}",
    "quotes": "\"'`\"\"\"'''",
    "backslashes": '\\" \\u0022 \\\\',
    "lines": f"a\r\nSet-Cookie: {MARK}=1\r\n\r\n<html>",
    "lines of Unicode": f"a\u2028{MARK}\u0085b\x0bc",
    "NUL": f"a\0{MARK}",
    "a path upwards": "../../../../etc/passwd",
    "the IRI of another": f"https://{MARK}.example/",
    "an address without scheme": f"//{MARK}.example/",
    "a script as an address": f"javascript:alert('{MARK}')",
    "markup": f"<script>{MARK}</script><img src=x onerror={MARK}>",
    "breaks out of an attribute": f"\" onmouseover='{MARK}' x=\"</textarea><{MARK}>",
    "breaks out of JSON": f'</script><{MARK}>","{MARK}":{{',
    "breaks out of XML": f"]]><{MARK}/>&{MARK};<!ENTITY {MARK} SYSTEM 'file:///etc/passwd'>",
    "a template": f"{{{{7*7}}}}${{{MARK}}}%(x)s{{0.__class__}}",
    "full-text search": f'{MARK}" OR NEAR(a b, 2) NOT {{x y}}: ^z* -col : "',
    "SQL": f"' OR 1=1; DROP TABLE entries; -- {MARK}",
    "a formula": f'=HYPERLINK("http://{MARK}")',
    "an object": json.dumps({"q": {"query": {"__proto__": {MARK: [1e308]}}, "constructor": None}}),
    "nested arrays": "[" * 3_000 + "]" * 3_000,
    "a member of all objects": "__proto__",
    "a long one": MARK * 2_000,
    "a number out of range": "9" * 400,
    "a negative number": "-1",
    "a number that is none": "NaN",
    "a power": "1e999",
    "digits of elsewhere": "\u0661\u00b2\uff11",
    "another direction": f"\u202e{MARK}\u2066\u200f",
    "no characters": "\U0010ffff\ufffe\ud7ff",
    "nothing": "",
    "a space": " ",
}

# What is no text even before anybody reads it, as it stands in an address.
UNREADABLE = ("%00", "%FF", "%C3%28", "%ED%A0%80", "%F5%80%80%80", "%zz", "%", "%0d%0a%00")

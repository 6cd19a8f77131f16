"""Texts that would do harm if a parser or page took them for code instead of values."""

import json

ATTACK_MARK = "zqinjected"  # occurs in no response unless it was sent

ATTACKS = {
    "breaks out of a group": f'"}} DROP ALL # {ATTACK_MARK}',
    "breaks out of an IRI": f"x> <urn:{ATTACK_MARK}",
    "breaks out of an IRI and a group": f"urn:x> }} UNION {{ ?s ?p ?o }} # {ATTACK_MARK}",
    "starts an update": f"; INSERT DATA {{ <urn:{ATTACK_MARK}> a <urn:{ATTACK_MARK}> }}",
    "quotes": "\"'`\"\"\"'''",
    "backslashes": '\\" \\u0022 \\\\',
    "lines": f"a\r\nSet-Cookie: {ATTACK_MARK}=1\r\n\r\n<html>",
    "lines of Unicode": f"a\u2028{ATTACK_MARK}\u0085b\x0bc",
    "NUL": f"a\0{ATTACK_MARK}",
    "a path upwards": "../../../../etc/passwd",
    "a foreign IRI": f"https://{ATTACK_MARK}.example/",
    "a URL without scheme": f"//{ATTACK_MARK}.example/",
    "a script as a URL": f"javascript:alert('{ATTACK_MARK}')",
    "markup": f"<script>{ATTACK_MARK}</script><img src=x onerror={ATTACK_MARK}>",
    "breaks out of an attribute": f"\" onmouseover='{ATTACK_MARK}' x=\"</textarea><{ATTACK_MARK}>",
    "breaks out of JSON": f'</script><{ATTACK_MARK}>","{ATTACK_MARK}":{{',
    "breaks out of XML": f"]]><{ATTACK_MARK}/>&{ATTACK_MARK};<!ENTITY {ATTACK_MARK} SYSTEM 'file:///etc/passwd'>",
    "a template": f"{{{{7*7}}}}${{{ATTACK_MARK}}}%(x)s{{0.__class__}}",
    "full-text search": f'{ATTACK_MARK}" OR NEAR(a b, 2) NOT {{x y}}: ^z* -col : "',
    "SQL": f"' OR 1=1; DROP TABLE entries; -- {ATTACK_MARK}",
    "a formula": f'=HYPERLINK("http://{ATTACK_MARK}")',
    "an object": json.dumps({"q": {"query": {"__proto__": {ATTACK_MARK: [1e308]}}, "constructor": None}}),
    "nested arrays": "[" * 3_000 + "]" * 3_000,
    "a property of all JavaScript objects": "__proto__",
    "a long text": ATTACK_MARK * 2_000,
    "a number out of range": "9" * 400,
    "a negative number": "-1",
    "not a number": "NaN",
    "an exponent": "1e999",
    "digits of other scripts": "\u0661\u00b2\uff11",
    "control characters for text direction": f"\u202e{ATTACK_MARK}\u2066\u200f",
    "noncharacters": "\U0010ffff\ufffe\ud7ff",
    "an empty text": "",
    "a space": " ",
}

# Percent-encoded values that are not valid text.
INVALID_ENCODINGS = ("%00", "%FF", "%C3%28", "%ED%A0%80", "%F5%80%80%80", "%zz", "%", "%0d%0a%00")

"""The grammar of SPARQL as a table: 1.1 Query and Update, and of 1.2 what the engine has.

Each line is a rule. Names in capitals are keywords, quoted strings are punctuation, names after @ are kinds
of tokens, and `a` is the keyword for rdf:type. All other names are rules; those that begin with a capital
become nodes of the tree. The next token decides between alternatives (the grammar is LL(1), like that of the
standard: SPARQL 1.1 Query, section 19.8).

It accepts a little more than the standard where that keeps it short. The engine decides what runs; this
grammar only explains errors.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

SPARQL_GRAMMAR = """
text        : prologue ( query | update )?
prologue    : ( Base | Prefix | VERSION @string )*
Base        : BASE @iri
Prefix      : PREFIX @prefix @iri
query       : ( Select | Construct | Describe | Ask ) Values?

Select      : SELECT ( DISTINCT | REDUCED )? Projection Dataset* Where modifiers
Projection  : '*' | ( @variable | As )+
As          : '(' Expression AS @variable ')'
Construct   : CONSTRUCT ( Template Dataset* Where modifiers | Dataset* WHERE Template modifiers )
Template    : '{' triples? '}'
Describe    : DESCRIBE ( '*' | ( @variable | iri )+ ) Dataset* Where? modifiers
Ask         : ASK Dataset* Where modifiers
Dataset     : FROM ( iri | NAMED iri )
Where       : WHERE? Group

modifiers   : GroupBy? Having? OrderBy? ( Limit Offset? | Offset Limit? )?
GroupBy     : GROUP BY ( @variable | call | Function | Key )+
Key         : '(' Expression ( AS @variable )? ')'
Having      : HAVING constraint+
OrderBy     : ORDER BY ( ( ASC | DESC ) bracketed | constraint | @variable )+
Limit       : LIMIT @integer
Offset      : OFFSET @integer

Group       : '{' ( SubSelect | body ) '}'
SubSelect   : Select Values?
body        : triples? ( pattern '.'? triples? )*
pattern     : Filter | Bind | Values | Optional | Minus | Graph | Service | Union | Lateral
Filter      : FILTER constraint
Bind        : BIND '(' Expression AS @variable ')'
Values      : VALUES ( Name '{' value* '}' | Names '{' Row* '}' )
Name        : @variable
Names       : '(' @variable* ')'
Row         : '(' value* ')'
value       : Fixed | UNDEF | Quoted
Fixed       : iri | literal
Optional    : OPTIONAL Group
Minus       : MINUS Group
Graph       : GRAPH Term Group
Service     : SERVICE SILENT? Term Group
Union       : Group ( UNION Group )*
Lateral     : LATERAL Group

triples     : Triples ( '.' triples? )?
Triples     : Term Properties | ( Square | List | Quoted ) Properties?
Properties  : Verb Objects ( ';' ( Verb Objects )? )*
Verb        : @variable | Path
Objects     : Object ( ',' Object )*
Object      : node annotation*
annotation  : '~' Term? | '{|' Properties '|}'
node        : Term | Square | List | Quoted
Term        : @variable | @blank | iri | literal
Square      : '[' Properties? ']'
List        : '(' node* ')'
Quoted      : '<<' ( '(' node Verb node ')' | quoted Verb quoted ( '~' Term? )? ) '>>'
quoted      : Term | Square | Quoted
iri         : @iri | @name
literal     : @string ( @language | '^^' iri )? | @sign? @number | TRUE | FALSE

Path        : way ( '|' way )*
way         : Step ( '/' Step )*
Step        : '^'? ( iri | a | '(' Path ')' | '!' ( other | '(' ( other ( '|' other )* )? ')' ) ) repeat?
repeat      : '?' | '*' | '+'
other       : '^'? ( iri | a )

Expression  : both ( '||' both )*
both        : relation ( '&&' relation )*
relation    : sum ( ( '=' | '!=' | '<' | '>' | '<=' | '>=' ) sum | NOT? IN Arguments )?
sum         : product ( ( '+' | '-' | @sign ) product )*
product     : factor ( ( '*' | '/' ) factor )*
factor      : ( '!' | '+' | '-' | @sign )* ( bracketed | call | Aggregate | Function | value_ )
value_      : @variable | @string ( @language | '^^' iri )? | @number | TRUE | FALSE | Quoted
bracketed   : '(' Expression ')'
constraint  : bracketed | call | Aggregate | Function
Function    : iri Arguments?
Arguments   : '(' ( DISTINCT? Expression ( ',' Expression )* )? ')'

call        : One | Two | Three | None | Substr | Replace | Bnode | Bound | Many | Exists
One         : one '(' Expression ')'
Two         : two '(' Expression ',' Expression ')'
Three       : ( IF | TRIPLE | STRLANGDIR ) '(' Expression ',' Expression ',' Expression ')'
None        : ( RAND | NOW | UUID | STRUUID ) '(' ')'
Substr      : ( SUBSTR | REGEX ) '(' Expression ',' Expression ( ',' Expression )? ')'
Replace     : REPLACE '(' Expression ',' Expression ',' Expression ( ',' Expression )? ')'
Bnode       : BNODE '(' Expression? ')'
Bound       : BOUND '(' @variable ')'
Many        : ( CONCAT | COALESCE ) '(' ( Expression ( ',' Expression )* )? ')'
Exists      : NOT? EXISTS Group
one         : ABS | CEIL | FLOOR | ROUND | STRLEN | LCASE | UCASE | hash | date | of | is
of          : STR | LANG | DATATYPE | IRI | URI
hash        : ENCODE_FOR_URI | MD5 | SHA1 | SHA256 | SHA384 | SHA512
date        : YEAR | MONTH | DAY | HOURS | MINUTES | SECONDS | TIMEZONE | TZ
is          : ISIRI | ISURI | ISBLANK | ISLITERAL | ISNUMERIC | ISTRIPLE | part
part        : HASLANG | HASLANGDIR | LANGDIR | SUBJECT | PREDICATE | OBJECT
two         : CONTAINS | STRSTARTS | STRENDS | STRBEFORE | STRAFTER | STRLANG | STRDT | LANGMATCHES | pair
pair        : SAMETERM | ADJUST
Aggregate   : COUNT '(' DISTINCT? ( '*' | Expression ) ')' | plain '(' DISTINCT? Expression ')' | Joined
plain       : SUM | MIN | MAX | AVG | SAMPLE
Joined      : GROUP_CONCAT '(' DISTINCT? Expression ( ';' SEPARATOR '=' @string )? ')'

update      : operation ( ';' prologue operation? )*
operation   : Load | Clear | Create | Copy | Insert | Delete | With
Load        : LOAD SILENT? iri ( INTO GRAPH iri )?
Clear       : ( CLEAR | DROP ) SILENT? ( GRAPH iri | DEFAULT | NAMED | ALL )
Create      : CREATE SILENT? GRAPH iri
Copy        : ( COPY | MOVE | ADD ) SILENT? place TO place
place       : DEFAULT | GRAPH? iri
With        : WITH iri ( DELETE Quads ( INSERT Quads )? | INSERT Quads ) using
Insert      : INSERT ( DATA Quads | Quads using )
Delete      : DELETE ( DATA Quads | WHERE Quads | Quads ( INSERT Quads )? using )
using       : ( USING ( iri | NAMED iri ) )* WHERE Group
Quads       : '{' triples? ( QuadGraph '.'? triples? )* '}'
QuadGraph   : GRAPH Term Template
"""

_GRAMMAR_PIECE_PATTERN = re.compile(r"'(?P<sign>[^']+)'|(?P<kind>@\w+)|(?P<word>\w+)|(?P<mark>[()|*+?])")


@dataclass(frozen=True, eq=False, slots=True)
class GrammarItem:
    """An item of the grammar, compared by identity.

    `kind` is `token`, `rule`, `sequence`, `one` (of the parts), `maybe` (optional), `repeat` (any number),
    or `close_node` (the end of a rule with a node). `name` is that of a token or rule.
    """

    kind: str
    name: str = ""
    parts: tuple["GrammarItem", ...] = ()


@cache
def parse_grammar_rules() -> dict[str, GrammarItem]:
    """The rules by name."""
    lines = (line.split(":", 1) for line in SPARQL_GRAMMAR.splitlines() if line)
    return {
        name.strip(): parse_grammar_alternatives(list(_GRAMMAR_PIECE_PATTERN.finditer(rest))[::-1])
        for name, rest in lines
    }


def parse_grammar_alternatives(pieces: list[re.Match[str]]) -> GrammarItem:
    """Parse alternatives from the end of `pieces`, a reversed list, up to a closing parenthesis."""
    alternatives: list[list[GrammarItem]] = [[]]
    while pieces and pieces[-1]["mark"] != ")":
        piece = pieces.pop()
        mark = piece["mark"]
        if mark == "|":
            alternatives.append([])
        elif mark == "(":
            alternatives[-1].append(parse_grammar_alternatives(pieces))
            pieces.pop()
        elif mark:
            alternatives[-1].extend(repeat_grammar_item(mark, alternatives[-1].pop()))
        else:
            alternatives[-1].append(parse_grammar_name(piece))
    parts = [row[0] if len(row) == 1 else GrammarItem("sequence", parts=tuple(row)) for row in alternatives]
    return parts[0] if len(parts) == 1 else GrammarItem("one", parts=tuple(parts))


def repeat_grammar_item(mark: str, item: GrammarItem) -> list[GrammarItem]:
    """The item with the quantifier ?, * or +."""
    many = GrammarItem("repeat", parts=(item,))
    return {"?": [GrammarItem("maybe", parts=(item,))], "*": [many], "+": [item, many]}[mark]


def parse_grammar_name(piece: re.Match[str]) -> GrammarItem:
    """A token or a rule."""
    word = piece["word"]
    if word and word != "a" and not word.isupper() and not word.replace("_", "").isdigit():
        return GrammarItem("token" if re.fullmatch(r"[A-Z0-9_]+", word) else "rule", word)
    return GrammarItem("token", piece["sign"] or piece["kind"] or word)


class FirstSet(NamedTuple):
    """The tokens that an item may begin with, and whether it may be empty."""

    tokens: frozenset[str]
    is_nullable: bool


@cache
def compute_first_set(item: GrammarItem) -> FirstSet:
    """The first set of an item. No rule of the table is left-recursive, so the recursion ends."""
    if item.kind == "token":
        return FirstSet(frozenset([item.name]), is_nullable=False)
    if item.kind == "rule":
        return compute_first_set(parse_grammar_rules()[item.name])
    if item.kind == "close_node":
        return FirstSet(frozenset(), is_nullable=True)
    tokens: frozenset[str] = frozenset()
    for part in item.parts:
        first_set = compute_first_set(part)
        tokens |= first_set.tokens
        if item.kind == "sequence" and not first_set.is_nullable:
            return FirstSet(tokens, is_nullable=False)
    return FirstSet(
        tokens,
        is_nullable=item.kind != "one" or any(compute_first_set(part).is_nullable for part in item.parts),
    )


SPARQL_KEYWORDS = frozenset(re.findall(r"\b[A-Z][A-Z0-9_]+\b", SPARQL_GRAMMAR))
GRAMMAR_TOKENS = (
    SPARQL_KEYWORDS
    | {"a"}
    | frozenset(re.findall(r"'([^']+)'", SPARQL_GRAMMAR))
    | frozenset(re.findall(r"@\w+", SPARQL_GRAMMAR))
)

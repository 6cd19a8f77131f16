"""The grammar of SPARQL 1.1 Query and Update, with the features of SPARQL 1.2 that the engine supports.

Each line is a rule. Names in capitals are keywords, quoted strings are punctuation, names after @ are kinds
of tokens, and `a` is the keyword for rdf:type. All other names are rules; a rule whose name begins with a
capital becomes a node of the syntax tree. The next token decides between alternatives: the grammar is LL(1),
like the grammar of the standard (SPARQL 1.1 Query, section 19.8).

To be short, the grammar accepts some texts that the standard does not. The engine decides which texts run;
this grammar only explains errors.
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

Path        : sequence ( '|' sequence )*
sequence    : Step ( '/' Step )*
Step        : '^'? ( iri | a | '(' Path ')' | '!' negated_set ) repeat?
negated_set : negated | '(' ( negated ( '|' negated )* )? ')'
repeat      : '?' | '*' | '+'
negated     : '^'? ( iri | a )

Expression  : conjunction ( '||' conjunction )*
conjunction : relation ( '&&' relation )*
relation    : sum ( ( '=' | '!=' | '<' | '>' | '<=' | '>=' ) sum | NOT? IN Arguments )?
sum         : product ( ( '+' | '-' | @sign ) product )*
product     : factor ( ( '*' | '/' ) factor )*
factor      : ( '!' | '+' | '-' | @sign )* ( bracketed | call | Aggregate | Function | primary )
primary     : @variable | @string ( @language | '^^' iri )? | @number | TRUE | FALSE | Quoted
bracketed   : '(' Expression ')'
constraint  : bracketed | call | Aggregate | Function
Function    : iri Arguments?
Arguments   : '(' ( DISTINCT? Expression ( ',' Expression )* )? ')'

call        : Unary | Binary | Ternary | Nullary | Substr | Replace | Bnode | Bound | Variadic | Exists
Unary       : unary '(' Expression ')'
Binary      : binary '(' Expression ',' Expression ')'
Ternary     : ( IF | TRIPLE | STRLANGDIR ) '(' Expression ',' Expression ',' Expression ')'
Nullary     : ( RAND | NOW | UUID | STRUUID ) '(' ')'
Substr      : ( SUBSTR | REGEX ) '(' Expression ',' Expression ( ',' Expression )? ')'
Replace     : REPLACE '(' Expression ',' Expression ',' Expression ( ',' Expression )? ')'
Bnode       : BNODE '(' Expression? ')'
Bound       : BOUND '(' @variable ')'
Variadic    : ( CONCAT | COALESCE ) '(' ( Expression ( ',' Expression )* )? ')'
Exists      : NOT? EXISTS Group
unary       : ABS | CEIL | FLOOR | ROUND | STRLEN | LCASE | UCASE | hash | date | of_term | term_test
of_term     : STR | LANG | DATATYPE | IRI | URI
hash        : ENCODE_FOR_URI | MD5 | SHA1 | SHA256 | SHA384 | SHA512
date        : YEAR | MONTH | DAY | HOURS | MINUTES | SECONDS | TIMEZONE | TZ
term_test   : ISIRI | ISURI | ISBLANK | ISLITERAL | ISNUMERIC | ISTRIPLE | component
component   : HASLANG | HASLANGDIR | LANGDIR | SUBJECT | PREDICATE | OBJECT
binary      : CONTAINS | STRSTARTS | STRENDS | STRBEFORE | STRAFTER | STRLANG | STRDT | more_binary
more_binary : LANGMATCHES | SAMETERM | ADJUST
Aggregate   : COUNT '(' DISTINCT? ( '*' | Expression ) ')' | summary '(' DISTINCT? Expression ')' | Concat
summary     : SUM | MIN | MAX | AVG | SAMPLE
Concat      : GROUP_CONCAT '(' DISTINCT? Expression ( ';' SEPARATOR '=' @string )? ')'

update      : operation ( ';' prologue operation? )*
operation   : Load | Clear | Create | Copy | Insert | Delete | With
Load        : LOAD SILENT? iri ( INTO GRAPH iri )?
Clear       : ( CLEAR | DROP ) SILENT? ( GRAPH iri | DEFAULT | NAMED | ALL )
Create      : CREATE SILENT? GRAPH iri
Copy        : ( COPY | MOVE | ADD ) SILENT? graph_ref TO graph_ref
graph_ref   : DEFAULT | GRAPH? iri
With        : WITH iri ( DELETE Quads ( INSERT Quads )? | INSERT Quads ) using_where
Insert      : INSERT ( DATA Quads | Quads using_where )
Delete      : DELETE ( DATA Quads | WHERE Quads | Quads ( INSERT Quads )? using_where )
using_where : ( USING ( iri | NAMED iri ) )* WHERE Group
Quads       : '{' triples? ( QuadGraph '.'? triples? )* '}'
QuadGraph   : GRAPH Term Template
"""

_GRAMMAR_TOKEN_PATTERN = re.compile(
    r"'(?P<punctuation>[^']+)'|(?P<kind>@\w+)|(?P<word>\w+)|(?P<operator>[()|*+?])"
)


@dataclass(frozen=True, eq=False, slots=True)
class GrammarItem:
    """An item of the grammar, compared by identity.

    `kind` is `token`, `rule`, `sequence`, `choice`, `optional`, `repeat` (zero or more times), or
    `close_node` (the end of a rule that has a node). `name` is the name of a token or rule.
    """

    kind: str
    name: str = ""
    parts: tuple["GrammarItem", ...] = ()


@cache
def parse_grammar_rules() -> dict[str, GrammarItem]:
    """The grammar rules by name."""
    lines = (line.split(":", 1) for line in SPARQL_GRAMMAR.splitlines() if line)
    return {
        name.strip(): parse_grammar_alternatives(list(_GRAMMAR_TOKEN_PATTERN.finditer(definition))[::-1])
        for name, definition in lines
    }


def parse_grammar_alternatives(tokens: list[re.Match[str]]) -> GrammarItem:
    """Parse alternatives up to a closing parenthesis.

    `tokens` are the matches of _GRAMMAR_TOKEN_PATTERN in reverse order; parsed ones are removed from the end.
    """
    alternatives: list[list[GrammarItem]] = [[]]
    while tokens and tokens[-1]["operator"] != ")":
        token = tokens.pop()
        operator = token["operator"]
        if operator == "|":
            alternatives.append([])
        elif operator == "(":
            alternatives[-1].append(parse_grammar_alternatives(tokens))
            tokens.pop()
        elif operator:
            alternatives[-1].extend(repeat_grammar_item(operator, alternatives[-1].pop()))
        else:
            alternatives[-1].append(parse_grammar_name(token))
    parts = [
        items[0] if len(items) == 1 else GrammarItem("sequence", parts=tuple(items)) for items in alternatives
    ]
    return parts[0] if len(parts) == 1 else GrammarItem("choice", parts=tuple(parts))


def repeat_grammar_item(quantifier: str, item: GrammarItem) -> list[GrammarItem]:
    """The items for an item with the quantifier ?, * or +."""
    repeated = GrammarItem("repeat", parts=(item,))
    return {"?": [GrammarItem("optional", parts=(item,))], "*": [repeated], "+": [item, repeated]}[quantifier]


def parse_grammar_name(token: re.Match[str]) -> GrammarItem:
    """The item for a name or a quoted string in the grammar: a token or a rule."""
    word = token["word"]
    if word and word != "a" and not word.isupper():
        return GrammarItem("rule", word)
    return GrammarItem("token", token["punctuation"] or token["kind"] or word)


class FirstSet(NamedTuple):
    """The tokens that an item may begin with, and whether it may be empty."""

    tokens: frozenset[str]
    is_nullable: bool


@cache
def compute_first_set(item: GrammarItem) -> FirstSet:
    """The first set of an item. No rule of the grammar is left-recursive, so the recursion ends."""
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
        tokens,  # a sequence that gets here has only nullable parts
        is_nullable=item.kind != "choice" or any(compute_first_set(part).is_nullable for part in item.parts),
    )


SPARQL_KEYWORDS = frozenset(re.findall(r"\b[A-Z][A-Z0-9_]+\b", SPARQL_GRAMMAR))
GRAMMAR_TOKENS = (
    SPARQL_KEYWORDS
    | {"a"}
    | frozenset(re.findall(r"'([^']+)'", SPARQL_GRAMMAR))
    | frozenset(re.findall(r"@\w+", SPARQL_GRAMMAR))
)

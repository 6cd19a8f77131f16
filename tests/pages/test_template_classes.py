"""Templates: messages with escaped values, and macros of other templates in the language of the page."""

import pytest
from jinja2 import DictLoader, UndefinedError
from markupsafe import Markup, escape
from wgig.http.language import use_language
from wgig.pages.rendering import make_template_environment, render_site_part
from wgig.settings import Settings

MACROS = """{% macro greet(name, mark="!") -%}
{% trans name=name %}Search for {{ name }}{% endtrans %}{{ mark }}{% endmacro %}
{% macro wrap() %}({{ caller() }}){% endmacro %}
{% macro count(number) -%}
{% trans count=number %}{{ count }} paper{% pluralize %}{{ count }} papers{% endtrans %}
{%- endmacro %}
{% macro show() %}{{ hidden }}{% endmacro %}"""


def render(text: str, language: str = "en", **values: object) -> str:
    """A template that imports the macros, rendered in a language."""
    environment = make_template_environment(Settings.base).overlay(
        loader=DictLoader({"macros": MACROS, "page": f'{{% import "macros" as macros %}}{text}'})
    )
    with use_language(language):
        return environment.get_template("page").render(**values)


def test_values_in_messages_are_escaped_unless_they_are_markup() -> None:
    assert render("{{ macros.greet(name) }}", name="<b>%s%") == "Search for &lt;b&gt;%s%!"
    assert render("{% set name %}<b>{% endset %}{{ macros.greet(name, mark='?') }}") == "Search for <b>?"
    assert render("{% call macros.wrap() %}<i>{% endcall %}") == "(<i>)"


@pytest.mark.parametrize(
    "value", ["", "a & b", "<b> & &lt;", "\"'", "émeute ’“", Markup("<i>"), 12.5, None, ["'"]]
)
def test_output_is_escaped_like_by_the_library(value: object) -> None:
    assert render("{{ value }}|{% set x %}{{ value }}{% endset %}{{ x }}", value=value) == "|".join(
        2 * [escape(value)]
    )


def test_a_message_without_values_may_have_a_percent_sign() -> None:
    assert render("{{ _('100%% of <it>') }}") == "100% of <it>"


def test_messages_are_in_the_language_of_the_page() -> None:
    assert [render("{{ _('Search') }}", language) for language in ("en", "fr", "en")] == [
        "Search",
        "Recherche",
        "Search",
    ]


def test_menus_are_in_the_language_of_the_page_and_mark_its_path() -> None:
    for page_language, name in (("en", "Papers"), ("fr", "Documents de travail"), ("en", "Papers")):
        with use_language(page_language):
            menu = render_site_part("site-header.html", "/papers", Settings.base, page_language)
        assert f'<a href="/papers" aria-current="page">{name}</a>' in menu
        assert menu.count("aria-current") == 1


def test_plurals_depend_on_the_number() -> None:
    assert [render("{{ macros.count(n) }}", n=n) for n in (1, 2)] == ["1 paper", "2 papers"]


def test_macros_do_not_see_the_values_of_the_page() -> None:
    with pytest.raises(UndefinedError, match="hidden"):
        render("{{ macros.show() }}", hidden="x")


def test_calls_in_loops_and_of_methods_work() -> None:
    assert render("{% for n in 'abc' %}{{ loop.cycle('x', 'y') }}{{ n.upper() }}{% endfor %}") == "xAyBxC"

"""Tables in Markdown, and the formats of figures and goals in them."""

from collections.abc import Iterable, Sequence


def format_table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the titles in `header` are separated by ` | `."""
    rule = " | ".join("---" for _ in header.split(" | "))
    return "\n".join(f"| {line} |" for line in (header, rule, *(" | ".join(row) for row in rows)))


def format_ms(seconds: float) -> str:
    """Seconds as milliseconds, to three digits."""
    return format_number(seconds * 1000)


def format_number(value: float | None) -> str:
    """A number to three digits; empty for None."""
    if value is None:
        return ""
    return (
        f"{value:,.0f}"
        if abs(value) >= 100
        else f"{value:.1f}"
        if abs(value) >= 10
        else f"{value:.2f}"
        if abs(value) >= 1
        else f"{value:.3f}"
    )


def format_minimum(goal: float | None) -> str:
    """A goal that is a minimum; empty for None."""
    return "" if goal is None else f">= {goal:g}"


def format_minimum_met(value: float, goal: float | None) -> str:
    """Whether a value reaches its goal: yes, no, or empty without a goal."""
    return "" if goal is None else "yes" if value >= goal else "**no**"


def format_maximum(goal: float | None, unit: str = "", scale: float = 1) -> str:
    """A goal that is a maximum, multiplied by `scale` and with its unit; empty for None."""
    return "" if goal is None else f"<= {goal * scale:g} {unit}".strip()


def format_maximum_met(value: float, goal: float | None) -> str:
    """Whether a value does not exceed its goal: yes, no, or empty without a goal."""
    return "" if goal is None else "yes" if value <= goal else "**no**"

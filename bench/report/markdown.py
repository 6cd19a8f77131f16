"""Tables in Markdown, and how figures and goals are written in them."""

from collections.abc import Iterable, Sequence


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    rule = " | ".join("---" for _ in header.split(" | "))
    return "\n".join(f"| {line} |" for line in (header, rule, *(" | ".join(row) for row in rows)))


def ms(seconds: float) -> str:
    """Milliseconds to three digits."""
    return number(seconds * 1000)


def number(value: float | None) -> str:
    """A number to three digits, nothing for None."""
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


def least(goal: float | None) -> str:
    """A goal that is a least ratio."""
    return "" if goal is None else f">= {goal:g}"


def most(goal: float | None, unit: str = "", scale: float = 1) -> str:
    """A goal that is a most."""
    return "" if goal is None else f"<= {goal * scale:g} {unit}".strip()


def kept(value: float, goal: float | None) -> str:
    """Whether a value is within its goal."""
    return "" if goal is None else "yes" if value <= goal else "**no**"

"""Growth as a picture: a line a question, accounts to the right and milliseconds upwards, both by powers of ten."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ("#2b7a4b", "#c98a1b", "#b3372f", "#2f6fb3", "#7a4bb3", "#8a5a2b", "#3a8f93")
STYLE = """
.ground { fill: #ffffff } text { fill: #1f2933 } .small { fill: #52606d } .grid { stroke: #d2d6dc }
@media (prefers-color-scheme: dark) {
.ground { fill: #14181d } text { fill: #e4e7eb } .small { fill: #9aa5b1 } .grid { stroke: #3e4c59 }
}
"""
WIDTH, HEIGHT, PANEL, LEFT, TOP, BOTTOM = 1180, 520, 400, 80, 90, 440
LOWEST, HIGHEST = 0.01, 1000.0


@dataclass(frozen=True)
class Timed:
    """A question on so many accounts: the median of its database (or server) time, in milliseconds."""

    database: str
    accounts: int
    question: str
    milliseconds: float


def growth_chart(points: Sequence[Timed], title: str) -> str:
    """Return an SVG: one panel a database, one line a question, and the bound of 10 ms."""
    databases = list(dict.fromkeys(point.database for point in points))
    names = list(dict.fromkeys(point.question for point in points))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        '<rect width="100%" height="100%" class="ground"/>',
        f'<text x="16" y="28" font-size="17" font-weight="bold">{escape(title)}</text>',
        '<text x="16" y="50" class="small">Median time of the database in milliseconds by number of accounts;'
        " the dashed line is the bound of 10 ms.</text>",
    ]
    for number, database in enumerate(databases):
        parts += _panel(database, [point for point in points if point.database == database], names, number)
    for number, name in enumerate(names):
        y = TOP + 20 + 22 * number
        x = LEFT + 2 * (PANEL + 60) - 20
        parts.append(f'<rect x="{x}" y="{y - 10}" width="14" height="4" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(f'<text x="{x + 22}" y="{y - 3}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(database: str, points: Sequence[Timed], names: Sequence[str], number: int) -> list[str]:
    left = LEFT + number * (PANEL + 60)
    sizes = sorted({point.accounts for point in points})

    def x_of(accounts: int) -> float:
        low, high = math.log10(sizes[0]), math.log10(sizes[-1])
        return left + (PANEL - 20) * ((math.log10(accounts) - low) / (high - low) if high > low else 0.5)

    parts = [f'<text x="{left}" y="{TOP - 10}" font-weight="bold">{escape(database)}</text>']
    for power in range(round(math.log10(LOWEST)), round(math.log10(HIGHEST)) + 1):
        y = _y_of(10.0**power)
        dashes = ' stroke-dasharray="5 4" stroke="#b3372f"' if power == 1 else ' class="grid"'
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + PANEL - 20}" y2="{y:.1f}"{dashes}/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" class="small">{10.0**power:g}</text>')
    parts += [
        f'<text x="{x_of(size):.1f}" y="{BOTTOM + 22}" text-anchor="middle" class="small">{size:,}</text>'
        for size in sizes
    ]
    for place, name in enumerate(names):
        of_one = sorted((p.accounts, p.milliseconds) for p in points if p.question == name)
        line = " ".join(f"{x_of(accounts):.1f},{_y_of(value):.1f}" for accounts, value in of_one)
        colour = COLOURS[place % len(COLOURS)]
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x_of(accounts):.1f}" cy="{_y_of(value):.1f}" r="3" fill="{colour}"/>'
            for accounts, value in of_one
        ]
    return parts


def _y_of(milliseconds: float) -> float:
    value = min(max(milliseconds, LOWEST), HIGHEST)
    share = (math.log10(value) - math.log10(LOWEST)) / (math.log10(HIGHEST) - math.log10(LOWEST))
    return BOTTOM - (BOTTOM - TOP) * share

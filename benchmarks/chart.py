"""The table as one picture: a bar a row, all on one scale, for a reader who looks before reading."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from benchmarks.goals import Row

COLOURS = {"goal met": "#2b7a4b", "above the floor": "#c98a1b", "under the floor": "#b3372f"}
# By the reader's own choice of light or dark.
STYLE = """
.ground { fill: #ffffff } text { fill: #1f2933 } .small { fill: #52606d } line { stroke: #1f2933 }
@media (prefers-color-scheme: dark) {
.ground { fill: #14181d } text { fill: #e4e7eb } .small { fill: #9aa5b1 } line { stroke: #e4e7eb }
}
"""
ROW, TOP, LEFT, WIDTH, RIGHT = 24, 84, 440, 420, 400
# The scale ends at twice the goal; longer bars are cut there, their figure tells.
LONGEST = 2.0


def reach(row: Row) -> float:
    """Return how far a figure comes: 1 is the goal, more is better for every row. 0 without a figure."""
    if row.figure is None or row.figure.value <= 0:
        return 0.0
    value, goal = row.figure.value, row.goal.goal
    return goal / value if row.goal.less else value / goal


def chart(rows: Iterable[Row], title: str) -> str:
    """Return an SVG: bars of figures by their goals, a mark at each floor, one line where all goals are."""
    shown = [row for row in rows if row.figure is not None]
    height = TOP + ROW * len(shown) + 24
    goal_at = LEFT + WIDTH / LONGEST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}"'
        f' viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        '<rect width="100%" height="100%" class="ground"/>',
        f'<text x="16" y="28" font-size="17" font-weight="bold">{escape(title)}</text>',
        '<text x="16" y="50" class="small">Bars end at figure ÷ goal (goal ÷ figure where less is better), at most '
        f"{LONGEST:g}; the mark is the floor.</text>",
        f'<text x="{goal_at:g}" y="{TOP - 8}" text-anchor="middle">goal</text>',
    ]
    for number, row in enumerate(shown):
        parts += _bar(row, TOP + ROW * number)
    parts.append(f'<line x1="{goal_at:g}" y1="{TOP - 4}" x2="{goal_at:g}" y2="{height - 20}" stroke-dasharray="4 3"/>')
    return "\n".join([*parts, "</svg>", ""])


def _bar(row: Row, y: float) -> list[str]:
    assert row.figure is not None
    goal = row.goal
    length = min(reach(row), LONGEST) * WIDTH / LONGEST
    floor = goal.goal / goal.floor if goal.less else goal.floor / goal.goal
    floor_at = LEFT + floor * WIDTH / LONGEST
    name = " · ".join(part for part in (goal.database, goal.what) if part)
    bounds = f"floor {goal.floor:g}, goal {goal.goal:g}"
    told = f"{row.told} – {row.verdict} ({bounds})"
    return [
        f'<text x="{LEFT - 8}" y="{y + 15:g}" text-anchor="end">{escape(name)}</text>',
        f'<rect x="{LEFT}" y="{y + 4:g}" width="{length:.1f}" height="15" fill="{COLOURS[row.verdict]}"/>',
        f'<line x1="{floor_at:.1f}" y1="{y + 2:g}" x2="{floor_at:.1f}" y2="{y + 21:g}" stroke-width="2"/>',
        f'<text x="{LEFT + WIDTH + 8}" y="{y + 15:g}">{escape(told)}</text>',
    ]

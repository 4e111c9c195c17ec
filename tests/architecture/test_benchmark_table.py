"""The table of `make bench`: its rows are the goals that were set, and its verdicts are right. No load is made here."""

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from benchmarks import measure
from benchmarks.__main__ import read_arguments
from benchmarks.chart import LONGEST, WIDTH, chart, reach
from benchmarks.cores import Worked, growth_with_whole_cores
from benchmarks.goals import DATABASES, GOALS, PEER_BOUNDS, Figure, Goal, Row, in_digits, skipped
from benchmarks.load import Load
from benchmarks.measure import ON_EACH_DATABASE, NotHere, in_turn
from benchmarks.peers import PEERS
from benchmarks.report import keep, markdown, text_table
from benchmarks.run import Run, Wishes, in_short
from terristory.settings import PROJECT_ROOT

MORE = Goal("me", "more is better", 0.5, 0.8, "SQLite")
LESS = Goal("ready", "less is better & <quoted>", 1.5, 0.8, "SQLite", "s", less=True)


def rows_of_the_readme():
    text = (PROJECT_ROOT / "benchmarks" / "README.md").read_text()
    for line in re.findall(r"^\| `.+$", text, re.MULTILINE):
        key, on, what, floor, goal = (cell.strip(" `") for cell in line.strip("|").split("|"))
        for database in {"each": DATABASES, "any": ("",)}.get(on, (on,)):
            yield database, key, what, floor, goal


def as_the_readme_says(goal):
    unit = f" ({goal.unit})" if goal.unit not in ("", "×") else ""
    return goal.database, goal.key, goal.what + unit


def test_the_rows_are_the_goals_that_the_readme_sets():
    told = {row[:3]: row[3:] for row in rows_of_the_readme()}
    assert set(told) == {as_the_readme_says(goal) for goal in GOALS}
    for goal in GOALS:
        for bound, words in zip((goal.floor, goal.goal), told[as_the_readme_says(goal)], strict=True):
            assert (words.startswith("≤"), float(words.removeprefix("≤"))) == (goal.less, bound)


def test_no_goal_is_easier_than_its_floor():
    assert [goal for goal in GOALS if goal.judge(goal.goal) != "goal met"] == []
    assert [goal for goal in GOALS if goal.less != (goal.goal < goal.floor) and goal.goal != goal.floor] == []


def test_every_row_has_a_measurement_that_makes_it():
    made = {key for keys in ON_EACH_DATABASE for key in keys} | {"peer-me", "peer-sign-in", "growth"}
    assert made == {goal.key for goal in GOALS}
    assert {peer.name for peer in PEERS} == set(PEER_BOUNDS)


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (MORE, 0.8, "goal met"),
        (MORE, 0.79, "above the floor"),
        (MORE, 0.5, "above the floor"),
        (MORE, 0.49, "under the floor"),
        (LESS, 0.8, "goal met"),
        (LESS, 0.81, "above the floor"),
        (LESS, 1.5, "above the floor"),
        (LESS, 1.51, "under the floor"),
    ],
)
def test_a_verdict_is_right_both_ways(goal, value, verdict):
    assert goal.judge(value) == Row(goal, Figure(value)).verdict == verdict


def test_two_things_are_measured_in_turn_and_their_median_counts(monkeypatch):
    monkeypatch.setattr(measure, "ROUNDS", 3)
    asked, answers = [], iter([1.0, 2.0, 9.0, 1.0, 3.0, 4.0])

    def thing(name):
        return lambda: asked.append(name) or load_of(next(answers))

    assert in_turn(thing("A"), thing("B")).samples == (0.5, 9.0, 0.75)
    assert "".join(asked) == "ABABAB"
    answers = iter([1.0, 2.0, 9.0, 1.0, 3.0, 4.0])
    assert in_turn(thing("A"), thing("B")).value == 0.75


def load_of(rate):
    return Load(1.0, rate, 0, 0, 1, 1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("cores", "others", "rates", "growth"),
    [
        (8, 0.5, (1000, 1900), 1.9),  # Cores enough: the growth seen.
        (2, 0.5, (1000, 1500), 2.0),  # A core and a half left, and all of it used.
        (2, 0.5, (1000, 1000), 4 / 3),  # As much left, and half a core of it spent waiting.
        (2, 0.0, (1000, 1000), 1.0),
    ],
)
def test_growth_forgives_the_cores_that_were_not_there_and_nothing_else(cores, others, rates, growth):
    one, two = (Worked(load_of(rate), 1.0, others) for rate in rates)
    assert growth_with_whole_cores(one, two, cores) == pytest.approx(growth)


def fails():
    raise RuntimeError("no\nanswer came")


def is_not_here():
    raise NotHere("no such program")


@pytest.fixture
def run():
    return Run(Wishes())


def test_a_row_that_fails_says_why_and_takes_no_other_with_it(run):
    goals = [goal for goal in GOALS if goal.database == "SQLite" and goal.key in ("me", "memory", "ready")]
    for goal, act in zip(goals, (fails, lambda: {"memory": Figure(101)}, is_not_here), strict=True):
        run.take([goal], act)
    verdicts = [row.verdict for row in run.in_order()]
    assert verdicts == ["failed: RuntimeError: no answer came", "under the floor", "skipped: no such program"]


def test_no_row_is_begun_when_the_time_is_over():
    late = Run(Wishes(minutes=0))
    late.take(GOALS[:1], fails)
    assert late.in_order()[0].verdict.startswith("skipped: the 0 minutes")


def test_only_the_rows_asked_for_are_measured():
    wishes = Wishes(only=("flood", "me"), databases=("PostgreSQL",))
    assert {goal.key for goal in GOALS if wishes.wants(goal)} == {"me", "flood-me", "flood-p99", "flood-503"}
    assert {goal.database for goal in GOALS if wishes.wants(goal)} == {"PostgreSQL"}


def test_a_name_that_no_row_has_is_refused(capsys):
    with pytest.raises(SystemExit):
        read_arguments(["--only", "me", "mee"])
    assert "no row is named mee" in capsys.readouterr().err


ROWS = [Row(MORE, Figure(0.6, "a | note", (0.5, 0.6, 0.7))), Row(LESS, Figure(0.1)), skipped(MORE, "not installed")]


def test_the_table_tells_figure_and_verdict_of_every_row():
    for text in (text_table(ROWS), markdown(ROWS, {"cores": "2"}, "a run", "run.svg")):
        assert all(words in text for words in ("0.6 ×", "above the floor", "≤ 0.8", "0.1 s", "skipped: not installed"))


def test_the_results_are_kept_as_json_markdown_and_picture(tmp_path):
    paths = keep(ROWS, {"cores": "2"}, tmp_path / "new", datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert [path.name for path in paths] == [f"bench-2026-01-02-0304.{suffix}" for suffix in ("json", "md", "svg")]
    kept = json.loads(paths[0].read_text())
    assert [row["figure"] for row in kept["rows"]] == [0.6, 0.1, None]
    assert kept["rows"][0]["samples"] == [0.5, 0.6, 0.7]
    assert f"({paths[2].name})" in paths[1].read_text()


def test_a_note_does_not_break_the_table_of_a_page():
    cells = [line.replace("\\|", "").count("|") for line in markdown(ROWS, {}, "a run", "run.svg").splitlines()]
    assert set(cells) == {0, 8}


def test_a_figure_is_told_in_digits():
    assert [in_digits(value) for value in (0.06304, 0.5, 84.23, 1406.2)] == ["0.063", "0.5", "84.2", "1406"]


def test_a_long_reason_keeps_its_end():
    assert in_short("a\n b") == "a b"
    assert in_short("Error: " + "x " * 300 + "no such module").endswith("no such module")
    assert len(in_short("x " * 300)) < 320


def test_the_picture_is_sound_and_its_bars_have_the_length_of_their_figures():
    picture = ElementTree.fromstring(chart(ROWS, "a run of <two> & more"))
    bars = [node for node in picture.iter("{http://www.w3.org/2000/svg}rect") if node.get("height") == "15"]
    lengths = [float(bar.get("width")) for bar in bars]
    # Three quarters of the goal; eight times better than the goal, cut where the scale ends.
    assert lengths == pytest.approx([0.75 * WIDTH / LONGEST, WIDTH])
    assert [reach(row) for row in ROWS] == pytest.approx([0.75, 8, 0])
    assert "less is better & <quoted>" in "".join(picture.itertext())

"""The growth benchmark judges and draws rightly (no load here: the run itself is `python -m benchmarks.growth`)."""

from xml.etree import ElementTree

import pytest

from benchmarks.growth import markdown, people, verdict
from benchmarks.growth_chart import Timed, growth_chart


@pytest.mark.parametrize(
    ("growth", "milliseconds", "judged"),
    [
        (2.0, 10.0, "goal met"),
        (0.5, 0.1, "goal met"),
        (2.1, 1.0, "above the floor"),
        (3.1, 1.0, "under the floor"),
        (1.0, 10.1, "under the floor"),
    ],
)
def test_a_question_is_judged_by_its_growth_and_its_time(growth, milliseconds, judged):
    assert verdict(growth, milliseconds) == judged


def test_the_picture_has_a_line_for_each_question_of_each_database():
    points = [
        Timed(database, size, question, 0.1 * size / 1000)
        for database in ("SQLite", "PostgreSQL")
        for size in (1000, 100_000)
        for question in ("me & you", "search")
    ]
    picture = ElementTree.fromstring(growth_chart(points, "growth <test>"))
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == 4
    page = markdown(points, [], {"cores": "2"}, "growth", "growth.svg")
    assert "| SQLite | search | 0.100 | 10.000 | 100.0 × | under the floor |" in page


def test_the_people_are_the_same_at_each_run():
    first, second = (list(people(50, ["corse", "bretagne"], "x")) for _run in range(2))
    assert [row["id"] for row in first] == [row["id"] for row in second]
    assert [row["search_text"] for row in first] == [row["search_text"] for row in second]
    assert sum("zephyrine" in row["search_text"] for row in first) == 1

"""views.report and views.limits_note: small tables, fed from the trace and from limits.toml."""

import pytest
from view_fakes import Story

from minilambda import limits, views


@pytest.fixture
def story():
    story = Story()
    environment = story.create()
    story.init(environment)
    story.invoke(environment, cold=True)
    story.invoke(environment, status="out-of-memory", error_type="x", reason="out-of-memory")
    return story


def test_report_has_the_figures(story):
    table = views.report(story)
    assert table.rows == [
        ["00000001", "cold", "success", "1.40 ms", "100 ms", "128 MB", "36 MB", "110.00 ms",
         "$0.0000004083"],
        ["00000002", "warm", "out of memory", "1.40 ms", "100 ms", "128 MB", "36 MB", "",
         "$0.0000004083"],
    ]
    html = table._repr_html_()
    assert "<caption>2 invocations of all functions</caption>" in html
    assert html.count('scope="row"') == 2 and html.count('scope="col"') == 9
    assert repr(table).splitlines()[0].startswith("request   start")
    assert len(views.report(story, last=1).rows) == 1


@pytest.mark.parametrize("asked, says", [({"function": "nope"}, "'nope' has run on this cloud yet"),
                                         ({"last": 0}, "at least 1")])
def test_report_of_nothing_is_an_error_in_words(story, asked, says):
    with pytest.raises(ValueError, match=says):
        views.report(story, **asked)


def test_the_note_says_what_the_limits_say():
    html = views.limits_note("memory", "Timeout")._repr_html_()
    course, today = limits.Limits.load("course"), limits.Limits.load("today")
    assert 'class="admonition today today-note"' in html
    assert f"{course.memory_max:,} MB" in html and f"{today.memory_max:,} MB" in html
    assert "as in the course" in html and "AWS: Lambda quotas" in html


@pytest.mark.parametrize("row", limits.table(), ids=lambda row: row.what)
def test_every_row_can_be_noted(row):
    note = views.limits_note(row.what)
    assert row.page in repr(note) and row.today in repr(note)


@pytest.mark.parametrize("names, says", [((), "at least one row"), (("Memroy",), "'Memory'")])
def test_a_name_that_is_not_there(names, says):
    with pytest.raises(ValueError, match=says):
        views.limits_note(*names)

"""Filters give the results that Django documents for them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from markupsafe import Markup

from segue.templating import Templates

NOON = datetime.datetime(2008, 1, 9, 12, 0)
NOW = datetime.datetime(2007, 2, 17, 16, 30)
JUNE = datetime.datetime(2006, 6, 1)


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


EXAMPLES: list[tuple[str, Any, Any]] = [
    ("add('2')", 4, "6"),
    ("add([4, 5, 6])", [1, 2, 3], "[1, 2, 3, 4, 5, 6]"),
    ("add('x')", 4, ""),
    ("addslashes|safe", "I'm using Django", "I\\'m using Django"),
    ("apnumber", 1, "one"),
    ("apnumber", 10, "10"),
    ("capfirst", "django", "Django"),
    ("center('15')", "Django", "     Django    "),
    ("cut(' ')", "String with spaces", "Stringwithspaces"),
    ("date('D d M Y')", NOON, "Wed 09 Jan 2008"),
    ("date('N j, Y, P')", NOON, "Jan. 9, 2008, noon"),
    ("date", NOON, "Jan. 9, 2008"),
    ("date('SHORT_DATE_FORMAT')", NOON, "01/09/2008"),
    (r"date('jS \\o\\f F')", NOON, "9th of January"),
    ("date('P')", at("2008-01-09T13:30"), "1:30 p.m."),
    ("date('P')", at("2008-01-09T00:00"), "midnight"),
    ("date('c')", NOON, "2008-01-09T12:00:00"),
    ("date('L t z W o y')", NOON, "True 31 9 2 2008 08"),
    ("date('O')", at("2008-01-09T12:00+02:00"), "+0200"),
    ("date('r')", at("2008-01-09T12:00+02:00"), "Wed, 09 Jan 2008 12:00:00 +0200"),
    ("date", "not a date", ""),
    ("default_if_none('nothing')", None, "nothing"),
    ("default_if_none('nothing')", "", ""),
    ("divisibleby('3')", 21, "True"),
    (
        "escapejs",
        "testing\r\njavascript 'string\" <b>escaping</b>",
        "testing\\u000D\\u000Ajavascript \\u0027string\\u0022 \\u003Cb\\u003Eescaping\\u003C/b\\u003E",
    ),
    ("filesizeformat", 123456789, "117.7\xa0MB"),
    ("filesizeformat", 1, "1\xa0byte"),
    ("filesizeformat", 1024, "1.0\xa0KB"),
    ("filesizeformat", -2048, "-2.0\xa0KB"),
    ("filesizeformat(true)", 1024, "1.0 KiB"),
    ("first", ["a", "b", "c"], "a"),
    ("first", [], ""),
    ("floatformat", 34.23234, "34.2"),
    ("floatformat", 34.00000, "34"),
    ("floatformat", 34.26000, "34.3"),
    ("floatformat(3)", 34.23234, "34.232"),
    ("floatformat(3)", 34.00000, "34.000"),
    ("floatformat('0')", 34.23234, "34"),
    ("floatformat('0')", 39.56000, "40"),
    ("floatformat('-3')", 34.23234, "34.232"),
    ("floatformat('-3')", 34.00000, "34"),
    ("floatformat('2g')", 34232.34, "34,232.34"),
    ("floatformat('-3g')", 34232.00, "34,232"),
    ("floatformat('2u')", Decimal("66666.666666"), "66666.67"),
    ("floatformat", "abc", ""),
    ("force_escape", Markup("<b>"), "&lt;b&gt;"),
    ("get_digit('2')", 123456789, "8"),
    ("get_digit(20)", 5, "0"),
    ("intcomma", 4500, "4,500"),
    ("intcomma", 4500.2, "4,500.2"),
    ("intcomma", 4500000, "4,500,000"),
    ("intcomma", -4500000, "-4,500,000"),
    ("intword", 1000000, "1.0 million"),
    ("intword", 1200000, "1.2 million"),
    ("intword", 1200000000, "1.2 billion"),
    ("intword", -1200000, "-1.2 million"),
    ("iriencode|safe", "?test=I ♥ Django", "?test=I%20%E2%99%A5%20Django"),
    ("join(' // ')", ["a", "b", "c"], "a // b // c"),
    (
        "json_script('hello-data')",
        {"hello": "world"},
        '<script id="hello-data" type="application/json">{"hello": "world"}</script>',
    ),
    ("last", ["a", "b", "c"], "c"),
    ("linebreaks", "Joel\nis a slug", "<p>Joel<br>is a slug</p>"),
    ("linebreaks", "one\n\n\ntwo", "<p>one</p>\n\n<p>two</p>"),
    ("linebreaksbr", "Joel\nis a slug", "Joel<br>is a slug"),
    ("linenumbers", "one\ntwo\nthree", "1. one\n2. two\n3. three"),
    ("ljust('10')", "Django", "Django    "),
    ("lower", "Totally LOVING this Album!", "totally loving this album!"),
    ("make_list|safe", "Joel", "['J', 'o', 'e', 'l']"),
    ("make_list|safe", 123, "['1', '2', '3']"),
    ("naturalday('N j, Y', today)", datetime.date(2007, 2, 16), "yesterday"),
    ("naturalday('N j, Y', today)", datetime.date(2007, 2, 17), "today"),
    ("naturalday('N j, Y', today)", datetime.date(2007, 2, 18), "tomorrow"),
    ("naturalday('N j, Y', today)", datetime.date(2007, 3, 18), "March 18, 2007"),
    ("naturaltime(today)", NOW, "now"),
    ("naturaltime(today)", at("2007-02-17T16:29:31"), "29\xa0seconds ago"),
    ("naturaltime(today)", at("2007-02-17T16:29:00"), "a minute ago"),
    ("naturaltime(today)", at("2007-02-17T16:25:35"), "4\xa0minutes ago"),
    ("naturaltime(today)", at("2007-02-17T15:30:00"), "an hour ago"),
    ("naturaltime(today)", at("2007-02-17T13:31:29"), "2\xa0hours ago"),
    ("naturaltime(today)", at("2007-02-16T13:31:29"), "1\xa0day, 2\xa0hours ago"),
    ("naturaltime(today)", at("2007-02-17T16:30:30"), "30\xa0seconds from now"),
    ("naturaltime(today)", at("2007-02-26T18:31:29"), "1\xa0week, 2\xa0days from now"),
    ("ordinal", 1, "1st"),
    ("ordinal", 2, "2nd"),
    ("ordinal", 3, "3rd"),
    ("ordinal", 112, "112th"),
    ("phone2numeric", "800-COLLECT", "800-2655328"),
    ("pluralize", 1, ""),
    ("pluralize", 2, "s"),
    ("pluralize('es')", 2, "es"),
    ("pluralize('y,ies')", 1, "y"),
    ("pluralize('y,ies')", [1, 2], "ies"),
    ("rjust('10')", "Django", "    Django"),
    ("safeseq|join(' ')", ["<a>", "b"], "<a> b"),
    ("escapeseq|join(' ')", ["<a>", "b"], "&lt;a&gt; b"),
    ("slice(':2')", ["a", "b", "c"], "[&#39;a&#39;, &#39;b&#39;]"),
    ("slice('1:')", "Django", "jango"),
    ("slugify", "Joel is a slug", "joel-is-a-slug"),
    ("slugify", " Jack & Jill like numbers 1,2,3 -- _ ", "jack-jill-like-numbers-123"),
    ("slugify", "Übergröße", "ubergroe"),
    ("slugify(true)", "你好 World", "你好-world"),
    ("stringformat('E')", 10, "1.000000E+01"),
    ("stringformat('03d')", 7, "007"),
    ("stringformat('d')", "x", ""),
    ("striptags", "<b>Joel</b> <button>is</button> a <span>slug</span>", "Joel is a slug"),
    ("time('H:i')", at("2008-01-09T01:23"), "01:23"),
    ("time", datetime.time(1, 0), "1 a.m."),
    ("timesince(comment)", JUNE, "8\xa0hours"),
    ("timesince(conference)", JUNE, "4\xa0weeks"),
    ("timesince(comment)", at("2007-01-01T00:00"), "0\xa0minutes"),
    ("timeuntil(june)", datetime.date(2006, 6, 29), "4\xa0weeks"),
    ("timesince(june)", at("2004-04-15T00:00"), "2\xa0years, 1\xa0month"),
    ("title", "my FIRST post", "My First Post"),
    ("truncatechars(7)", "Joel is a slug", "Joel i…"),
    ("truncatechars(7)", "Joel", "Joel"),
    ("truncatechars_html(7)", Markup("<p>Joel is a slug</p>"), "<p>Joel i…</p>"),
    ("truncatewords(2)", "Joel is a slug", "Joel is …"),
    ("truncatewords_html(2)", Markup("<p>Joel is a slug</p>"), "<p>Joel is …</p>"),
    (
        "unordered_list",
        ["States", ["Kansas", ["Lawrence", "Topeka"], "Illinois"]],
        "\t<li>States\n\t<ul>\n\t\t<li>Kansas\n\t\t<ul>\n\t\t\t<li>Lawrence</li>\n\t\t\t<li>Topeka</li>\n\t\t</ul>\n"
        "\t\t</li>\n\t\t<li>Illinois</li>\n\t</ul>\n\t</li>",
    ),
    ("upper", "Joel is a slug", "JOEL IS A SLUG"),
    (
        "urlencode",
        "https://www.example.org/foo?a=b&c=d",
        "https%3A//www.example.org/foo%3Fa%3Db%26c%3Dd",
    ),
    ("urlencode('')", "https://www.example.org/", "https%3A%2F%2Fwww.example.org%2F"),
    (
        "urlize",
        "Check out www.djangoproject.com",
        'Check out <a href="https://www.djangoproject.com" rel="nofollow">www.djangoproject.com</a>',
    ),
    (
        "urlizetrunc(15)",
        "Check out www.djangoproject.com",
        'Check out <a href="https://www.djangoproject.com" rel="nofollow">www.djangoproj…</a>',
    ),
    ("wordcount", "Joel is a slug", "4"),
    ("wordwrap(5)", "Joel is a slug", "Joel\nis a\nslug"),
    ("yesno('yeah,no,maybe')", True, "yeah"),
    ("yesno('yeah,no,maybe')", False, "no"),
    ("yesno('yeah,no,maybe')", None, "maybe"),
    ("yesno('yeah,no')", None, "no"),
    ("yesno", True, "yes"),
]


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates([], debug=True)


@pytest.mark.parametrize(("filters", "value", "expected"), EXAMPLES)
def test_a_filter_gives_what_django_documents(templates: Templates, filters: str, value: Any, expected: str) -> None:
    values = {
        "value": value,
        "today": NOW,
        "june": JUNE,
        "comment": datetime.datetime(2006, 6, 1, 8),
        "conference": datetime.date(2006, 6, 29),
    }

    assert templates.render_string("{{ value|" + filters + " }}", values) == expected


def test_dictsort_sorts_a_list_by_a_key_of_its_items(templates: Templates) -> None:
    people = [{"name": "zed", "age": 19}, {"name": "amy", "age": 22}, {"name": "joe", "age": 31}]

    text = templates.render_string(
        "{% for each in people|dictsort('name') %}{{ each.name }} {% endfor %}"
        "{% for each in people|dictsortreversed('age') %}{{ each.age }} {% endfor %}",
        {"people": people},
    )

    assert text == "amy joe zed 31 22 19 "


def test_dictsort_sorts_a_dictionary_as_jinja_does(templates: Templates) -> None:
    text = templates.render_string(
        "{% for key, value in d|dictsort(by='value') %}{{ key }}{{ value }}{% endfor %}", {"d": {"b": 1, "a": 2}}
    )

    assert text == "b1a2"


def test_slice_with_a_number_makes_columns_as_jinja_does(templates: Templates) -> None:
    text = templates.render_string(
        "{% for column in items|slice(2) %}[{{ column|join }}]{% endfor %}", {"items": [1, 2, 3]}
    )

    assert text == "[12][3]"


def test_a_day_after_the_31st_is_no_whole_month(templates: Templates) -> None:
    values = {"start": at("2007-01-31T10:00"), "end": at("2007-02-28T10:00")}

    assert templates.render_string("{{ start|timesince(end) }}", values) == "4\xa0weeks"


def test_a_time_zone_does_not_change_a_span(templates: Templates) -> None:
    values = {"start": at("2007-01-01T00:00+00:00"), "end": at("2007-01-01T05:00+03:00")}

    assert templates.render_string("{{ start|timesince(end) }}", values) == "2\xa0hours"

"""The filters that Segue adds to Jinja2's, with Django's names and results.

Holds: one table of filters; the modules beside it hold the functions, by what they work on.
Imports: the standard library, Jinja2, MarkupSafe.
Never: reads a setting or the clock, but where a filter's meaning is "from now".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dates, lists, markup, numbers, texts
from .markup import as_json

__all__ = ["FILTERS", "as_json"]

# Names that Jinja2 has too are marked: what it says with its own arguments is kept.
FILTERS: dict[str, Callable[..., Any]] = {
    "add": numbers.add,
    "addslashes": texts.addslashes,
    "apnumber": numbers.apnumber,
    "capfirst": texts.capfirst,
    "center": texts.center,  # Jinja2's
    "cut": texts.cut,
    "date": dates.date,
    "default_if_none": lists.default_if_none,
    "dictsort": lists.dictsort,  # Jinja2's for a mapping, Django's for a list
    "dictsortreversed": lists.dictsortreversed,
    "divisibleby": numbers.divisibleby,
    "escapejs": markup.escapejs,
    "escapeseq": markup.escapeseq,
    "filesizeformat": numbers.filesizeformat,  # Jinja2's where `binary` is given
    "floatformat": numbers.floatformat,
    "force_escape": markup.force_escape,
    "get_digit": numbers.get_digit,
    "intcomma": numbers.intcomma,
    "intword": numbers.intword,
    "iriencode": texts.iriencode,
    "json_script": markup.json_script,
    "linebreaks": markup.linebreaks,
    "linebreaksbr": markup.linebreaksbr,
    "linenumbers": markup.linenumbers,
    "ljust": texts.ljust,
    "make_list": lists.make_list,
    "naturalday": dates.naturalday,
    "naturaltime": dates.naturaltime,
    "ordinal": numbers.ordinal,
    "phone2numeric": texts.phone2numeric,
    "pluralize": numbers.pluralize,
    "rjust": texts.rjust,
    "safe_url": texts.safe_url,
    "safeseq": markup.safeseq,
    "slice": lists.slice_,  # Jinja2's for a number, Django's for "1:3"
    "slugify": texts.slugify,
    "stringformat": texts.stringformat,
    "time": dates.time,
    "timesince": dates.timesince,
    "timeuntil": dates.timeuntil,
    "truncatechars": texts.truncatechars,
    "truncatechars_html": markup.truncatechars_html,
    "truncatewords": texts.truncatewords,
    "truncatewords_html": markup.truncatewords_html,
    "unordered_list": markup.unordered_list,
    "urlencode": texts.urlencode,  # Jinja2's where `safe` is not given
    "urlize": markup.urlize,  # Jinja2's, with a limit
    "urlizetrunc": markup.urlizetrunc,
    "yesno": lists.yesno,
}

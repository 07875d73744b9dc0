"""Figures of spreadsheets and charts as they are shown: places after the point, thousands, per cent, signs, dates in ISO."""

from __future__ import annotations

import datetime
import re
from decimal import ROUND_HALF_UP, Decimal

from clusterqa.documents.extract import one_line

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<sign>[^\]-]*)[^\]]*\]|_.|\*.|\[[^\]]*\]'
    r"|(?P<digits>[0#?](?:[0#?,.\s\u00a0]*[0#?.,])?(?:E[+-]0+)?)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[[<>=]")
_SECTION = re.compile(r'(?:[^;"\\]|"[^"]*"|\\.)+|(?<=;)(?=;|\Z)', re.DOTALL)


def shown(value: object, form: str = "General") -> str:
    """
    What a cell shows of a value in a number format of Excel; thousands stand apart by a space. A format that is not
    understood (a fraction, a condition) leaves the figure as it is stored.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        told = f"{minutes // 60}:{minutes % 60:02}"
        return f"{told}:{seconds:02}" if seconds else told
    if not isinstance(value, int | float):
        return one_line(str(value))
    return one_line(_figure(value, form))


def _figure(value: int | float, form: str) -> str:
    plain = f"{value:.15g}"
    sections = [found[0] for found in _SECTION.finditer(form)]
    if not sections or _CONDITION.search(form) or abs(value) > 1e300 or value != value:
        return plain
    number = Decimal(plain)
    section = sections[0]
    if number < 0 and len(sections) > 1:
        section, number = sections[1], -number
    elif number == 0 and len(sections) > 2:
        section = sections[2]
    if section.lower().strip() in ("general", "@", "standard"):
        return f"{number.normalize():f}" if section != sections[0] else plain
    before, after, digits, percent = "", "", "", False
    for token in _TOKEN.finditer(section):
        if token["digits"] and not digits:
            digits = token["digits"]
            continue
        if token["digits"] or token["other"] == "/":
            return plain  # a fraction, or a telephone number in parts
        percent = percent or token["other"] == "%"
        literal = next(
            (part for part in (token["quoted"], token["escaped"], token["sign"], token["other"]) if part), ""
        )
        before, after = (before, after + literal) if digits else (before + literal, after)
    if not digits:
        return before
    if not number and "0" not in digits:
        return f"{before}{after}"  # "#" and "?" draw no zero
    told = _written(number * 100 if percent else number, digits)
    if told.startswith("-"):
        before, told = f"-{before}", told[1:]
    return f"{before}{told}{after}"


def _written(number: Decimal, digits: str) -> str:
    """A number by the places of a format: "#,##0.00" gives "1 200.50", "0," a thousandth of it."""
    digits, power, exponent = digits.upper().partition("E")
    scaled = re.search(r"[,\s\u00a0]+\Z", digits)
    number = number.scaleb(-3 * len(scaled[0])) if scaled else number
    whole, _, fraction = digits.strip(", \u00a0").partition(".")
    least, most = fraction.count("0"), len(re.sub(r"[^0#?]", "", fraction))
    if power:
        told = f"{number:.{most}E}"
        return re.sub(r"E([+-])0*(\d+)", lambda m: f"E{m[1]}{m[2].zfill(len(exponent) - 1)}", told)
    rounded = number.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    sign, told = ("-" if rounded < 0 else ""), f"{abs(rounded):f}"
    integer, _, places = told.partition(".")
    while len(places) > least and places.endswith("0"):
        places = places[:-1]
    integer = integer.zfill(whole.count("0"))
    if "," in whole:
        integer = re.sub(r"(?<=\d)(?=(?:\d{3})+\Z)", " ", integer)
    elif " " in whole or "\u00a0" in whole:  # each space has its place between the figures: "+000 000 00000"
        integer = _filled(integer, whole)
    return f"{sign}{integer}.{places}" if places else f"{sign}{integer}"


def _filled(integer: str, places: str) -> str:
    left = list(integer)
    told = ""
    for place in reversed(places):
        if not left:
            break
        told = (left.pop() if place in "0#?" else " ") + told
    return "".join(left) + told

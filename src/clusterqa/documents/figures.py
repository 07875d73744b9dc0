"""Figures of spreadsheets and charts as they are shown: places after the point, thousands, per cent, signs, dates in ISO."""

from __future__ import annotations

import datetime
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from clusterqa.documents.extract import one_line

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<sign>[^\]-]*)[^\]]*\]|_.|\*.|\[[^\]]*\]'
    r"|(?P<general>General)|(?P<digits>[0#?](?:[0#?,.\s\u00a0]*[0#?.,])?(?:E[+-]0+)?)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|am/pm|a/p')
"""Parts of a format for dates that ask for no part of one."""
MOST_PLACES = 30
"""Behind the point; programs for tables draw no more."""
_WIDE = Context(prec=400)
"""For the greatest figure that a sheet can hold, of 309 digits, with its places."""
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d*)?)\]", re.ASCII)
_HOLDS = {"<": {-1}, "<=": {-1, 0}, "=": {0}, "<>": {-1, 1}, ">=": {0, 1}, ">": {1}}
"""What the comparison of a figure with that of a condition gives where the condition holds: -1, 0 or 1."""
_FRACTION = re.compile(r"(?:(?P<whole>[#0?]+)[ _]+)?[#0?]+ ?/ ?(?P<below>[#0?]+|[1-9]\d*)")
_PIECE = re.compile(r'"[^"]*"|\\.|.', re.DOTALL)


def shown(value: object, form: str = "General") -> str:
    """
    What a cell shows of a value in a number format of Excel; thousands stand apart by a space. A format that is not
    understood leaves the figure as it is stored.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return _day(value, form)
    if isinstance(value, datetime.time):
        return value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        told = f"{minutes // 60}:{minutes % 60:02}"
        return f"{told}:{seconds:02}" if seconds else told
    if not isinstance(value, int | float):
        return one_line(_worded(str(value), form))
    return one_line(_figure(value, form))


def _day(value: datetime.datetime, form: str) -> str:
    """A date in ISO, with no more of it than its format shows: the year alone, the year and the month, the day without the time."""
    asked = set(_LITERAL.sub("", form.lower()))
    if "y" in asked and not asked & set("dhs"):
        return f"{value:%Y-%m}" if "m" in asked else f"{value:%Y}"
    if value.time() == datetime.time() or ("y" in asked and not asked & set("hs")):
        return value.date().isoformat()
    return value.isoformat(" ", "minutes")


def _worded(text: str, form: str) -> str:
    """Words in the part of a format that is for words, the fourth or one with "@"; in ";;;" they are not seen."""
    sections = _sections(form)
    section = sections[3] if len(sections) > 3 else next((s for s in sections[-1:] if "@" in s), "@")
    return "".join(text if token["other"] == "@" else _literal(token) for token in _TOKEN.finditer(section))


def _literal(token: re.Match[str]) -> str:
    """What a piece of a format writes as it is."""
    return next((part for part in (token["quoted"], token["escaped"], token["sign"], token["other"]) if part), "")


def _sections(form: str) -> list[str]:
    """The parts of a format: for figures above nothing, below it, for nothing, for words."""
    sections = [""]
    for piece in _PIECE.findall(form):
        if piece == ";":
            sections.append("")
        else:
            sections[-1] += piece
    return sections


def _figure(value: int | float, form: str) -> str:
    plain = f"{value:.15g}"
    if not form or abs(value) > 1e300 or value != value:
        return plain
    sections = _sections(form)
    section, number = _chosen(sections, Decimal(plain))
    if section.lower().strip() in ("general", "@", "standard"):
        return f"{number.normalize():f}" if section != sections[0] else plain
    bare = _LITERAL.sub(lambda found: "\0" * len(found[0]), section)
    if fraction := _FRACTION.search(bare):
        ends = section[: fraction.start()], section[fraction.end() :]
        lead, rest = ("".join(map(_literal, _TOKEN.finditer(end))) for end in ends)
        return f"{lead}{_fraction(number, fraction)}{rest}"
    places: list[str] = []
    literals = [""]  # what is written as it is before, between and behind the places of figures
    for token in _TOKEN.finditer(section):
        if wanted := token["digits"] or token["general"]:
            places.append(wanted)
            literals.append("")
        else:
            literals[-1] += _literal(token)
    if not places:
        return literals[0]
    if "/" in bare or (len(places) > 1 and set("".join(places)) - set("0#?")):
        return plain
    if len(places) > 1:
        return _in_parts(number, places, literals)
    digits, (before, after) = places[0], literals
    if digits[0] in "Gg":
        return f"{before}{number.normalize():f}{after}"
    if not number and "0" not in digits:
        return f"{before}{after}"  # "#" and "?" draw no zero
    told = _written(number * 100 if "%" in bare else number, digits)
    if told.startswith("-"):
        before, told = f"-{before}", told[1:]
    return f"{before}{told}{after}"


def _chosen(sections: list[str], number: Decimal) -> tuple[str, Decimal]:
    """The part of a format that is for a figure, and the figure without the sign that this part writes itself."""
    conditions = [_CONDITION.search(section) for section in sections[:3]]
    if not any(conditions):
        if number < 0 and len(sections) > 1:
            return sections[1], -number
        return sections[2 if number == 0 and len(sections) > 2 else 0], number
    for at, (section, condition) in enumerate(zip(sections, conditions, strict=False)):
        if condition is None:  # without one the last is for all others, the second of three for those below nothing
            holds = number < 0 or at == len(conditions) - 1
        else:
            holds = int(number.compare(Decimal(condition[2]))) in _HOLDS[condition[1]]
        if holds:
            signed = re.match(r"(?:\[[^\]]*\])*[\\\"]?[-(]", section)
            return section, abs(number) if signed else number
    return "General", number


def _fraction(number: Decimal, form: re.Match[str]) -> str:
    """A figure as a whole and a fraction: „# ?/?“ gives "2 1/2", „# ?/16“ "2 8/16"."""
    below = form["below"]
    exact = Fraction(abs(number))
    told = exact.limit_denominator(10 ** len(below) - 1)
    above, under = (
        (round(exact * int(below)), int(below)) if below.isdigit() and below.strip("0") else told.as_integer_ratio()
    )
    whole, above = divmod(above, under) if form["whole"] else (0, above)
    parts = [str(whole)] if whole or not above else []
    parts += [f"{above}/{under}"] if above else []
    return f"{'-' if number < 0 else ''}{' '.join(parts)}"


def _in_parts(number: Decimal, places: list[str], literals: list[str]) -> str:
    """A figure in parts, such as a code or a telephone number: the last figures in the last places, what is left in the first."""
    joined = "".join(places)
    told = f"{number.copy_abs().to_integral_value(ROUND_HALF_UP):f}".zfill(
        len(joined) - joined.find("0") if "0" in joined else 0
    )
    written = literals[-1]
    for place, literal in zip(reversed(places[1:]), reversed(literals[1:-1]), strict=True):
        at = max(0, len(told) - len(place))
        written, told = f"{literal}{told[at:]}{written}", told[:at]
    return f"{'-' if number < 0 else ''}{literals[0]}{told}{written}"


def _written(number: Decimal, digits: str) -> str:
    """A number by the places of a format: "#,##0.00" gives "1 200.50", "0," a thousandth of it."""
    digits, power, exponent = digits.upper().partition("E")
    scaled = re.search(r"[,\s\u00a0]+\Z", digits)
    number = number.scaleb(-3 * len(scaled[0])) if scaled else number
    whole, _, fraction = digits.strip(", \u00a0").partition(".")
    least, most = (min(places, MOST_PLACES) for places in (fraction.count("0"), len(re.sub(r"[^0#?]", "", fraction))))
    if power:
        told = f"{number:.{most}E}"
        return re.sub(r"E([+-])0*(\d+)", lambda m: f"E{m[1]}{m[2].zfill(len(exponent) - 1)}", told)
    rounded = number.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP, _WIDE)
    sign, told = ("-" if rounded < 0 else ""), f"{rounded.copy_abs():f}"
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

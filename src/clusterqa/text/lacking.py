"""
What holds no answer: a text without any figure is none to "how many", one without a time none to "when".

Only what a question asks for plainly counts, and anything that may be of the kind is enough: of 1,431 questions of these kinds
with a known answer, 7 have one that lacks it; of 1,383 without an answer, 423 have a most tempting sentence that does
(docs/measurements.md, 114). Matched on folded text, so diacritics do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from clusterqa.text.analysis import fold
from clusterqa.text.answer_types import expected, holds, says_unknown, yes_or_no
from clusterqa.text.sentences import sentences

_ASKS = {
    "person": re.compile(
        r"\bkuo vardu\b|\bkoki(?:a|o|u) (?:\w+ ){0,2}(?:vard|pavard)\w+|\bkas (?:\w+ ){0,2}(?:vadovauja|vadovavo|pirmininkauja|pirmininkavo)\b"
        r"|\bwho (?:is|was) (?:[\w'-]+ ){0,4}(?:director|president|chair(?:man|woman)?|mayor|ceo)\b|\bwhat (?:is|was) (?:[\w'-]+ ){1,4}name\W*$"
    ),
    "duration": re.compile(
        r"\bkiek (?:\w+ )?(?:laiko|metu|menesiu|dienu|savaiciu|valandu|minuciu)\b|\bkaip ilgai\b|\bkuriam laikui\b"
        r"|\bhow long\b(?! ago)|\bhow many (?:[\w-]+ )?(?:years|months|days|hours|weeks|minutes|nights)\b"
    ),
    "date": re.compile(
        r"\bkada\b|\bk(?:uriais|elintais) metais\b|\bkuri(?:a|os) dien"
        r"|\bwhen (?:is|are|was|were|did|does|do|will|must|can|should|would)\b|\b(?:what|which) (?:year|date|day)\b"
    ),
    "money": re.compile(
        r"^(?!(?:.*\b)?(?:kodel|kaip|del ko|why|how (?!much\b))\b).*?"
        r"(?:\bkiek (?:\w+ ){0,3}(?:kainuo|kainav|kastuo|mok[aei]|sumok)|\bkoki(?:a|os) (?:\w+ ){0,4}kain(?:a|os)\b"
        r"|^(?!(?:.*\b)?(?:kas|kuo|ko)\b)(?:[\w-]+ ){0,4}kain(?:a|os)\b(?: [\w.-]+){0,3}\W*$"
        r"|\bhow much (?:does|do|did|is|are|was|were|will|would|must) (?:[\w'-]+ ){1,8}(?:cost|pay)\b"
        r"|\bwhat (?:does|do|did|will|would) (?:[\w'-]+ ){1,8}cost\b|\b(?:price|cost)s? (?:of|for|per)\b"
        r"|\bwhat(?:'s| is| are| was| were) the (?:[\w'-]+ ){0,3}(?:price|cost|fee|charge)s?\b"
        r"|^(?!(?:.*\b)?(?:what|who|when|where)\b).*\b(?:price|cost|fee)\W*$)"
    ),
    "clock": re.compile(
        r"(?<!within )\bwhat time\b|\bk(?:elinta|uria|urios) valand|\bkeli(?:nt)?a valand|\bopening hours\b|\bdarbo laik|\bby what hour\b"
    ),
    "size": re.compile(
        r"\bhow (?:far|big|large|tall|high|wide|deep|heavy|fast|hot|cold|thick|strong)\b|\bkaip toli\b|\bkiek (?:sveria|kilometr\w+|metru|kg|kilogram\w+)\b"
        r"|\bkok(?:s|io|ia|ios) (?:\w+ ){0,2}(?:ilg|plot|auks|gyl|svor|greit|temperat|dydz|dydis|storis|atstum|talp)\w*"
    ),
    "percent": re.compile(
        r"\b(?:kiek|kok\w+|kel\w+) (?:\w+ ){0,2}procent|\bkoki(?:a|os) (?:\w+ ){0,3}dal(?:is|i)\b|\b(?:pvm|mokescio|palukanu) (?:tarif|norm|dyd)\w+"
        r"|\b(?:what|which|how many) per ?cent|\b(?:what|which) (?:share|proportion|fraction)\b|\b(?:vat|tax|interest) rate\b"
    ),
    "number": re.compile(r"^\W*(?:[\w-]+ ){0,3}kiek\b|\bhow many\b"),
}

_MONTH = (
    r"saus\w+|vasar\w+|kov[aou]\w*|baland\w+|geguz\w+|birzel\w+|liep[aou]\w*|rugpj\w+|rugsej\w+|spal\w+|lapkri\w+|gruod\w+"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
)
_NUMBER_WORD = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand"
    r"|million|du|dvi|dvie\w+|dvej\w+|trys|tri[msu]|trij\w+|trej\w+|ketur\w*|ketver\w*|penk\w*|sesi\w*|septyn\w*|astuon\w*|devyn\w*"
    r"|desimt\w*|\w+lik\w*|simt\w*|tukst\w*|milij\w*"
)
_FIGURE = rf"(?:\d[\d.,]*(?: \d{{3}})*|\b(?:{_NUMBER_WORD})\b)"
_SPAN_OF_TIME = (
    r"(?:d\.|val\b|min\b|h\b|men\b|sav\b|mos?\b|wks?\b|yrs?\b|dien|day|nakt|night|par(?:os|a|oms|ai|u)\b|savait|week|menes|month|met[aueiy]|year|minu|sekund|second|hour"
    r"|valand|fortnight|decade|desimtmet|amzi|centur|sezon|season|ketvirt|quarter|pusmet|semest|terms?\b|vasar|summer|ziem|winter"
    r"|kadencij)"
)
_COUNTED = (
    rf"(?:{_SPAN_OF_TIME}|[ap]\.?m\b|o'clock|k[mwg]\b|[mg]b\b|[tglm]\b|ton|gram|lit(?:r|er)|[cm]m\b|kilo|met(?:er|re|r)|myli|mile|hectar|ha\b"
    r"|degree|laipsn|zmon|person|people|nari|member|darbuot|staff|employ|firm|imon|compan|viet|seat|place|passeng|keleiv|visitor|lankyt|vaik"
    r"|child|pupil|mokin|student|entri|copies|egz|vnt|kart|time|but[au]|flat|hous|nam|seim|famil|team|komand|group|grup|puslap|page|point"
    r"|bal[aou]|task|case|byl|step|zings|lev|pakop)"
)
"""What is counted, measured or told by the clock, and is no money."""
_DATED = re.compile(
    rf"\b(?:19|20)\d\d\b(?:\s?[–-]\s?(?:19|20)\d\d)?(?: m\.)?|\b(?:{_MONTH}) \d{{1,2}}(?: d\.)?|\b\d{{1,2}} (?={_MONTH})|\bn[or]\. ?\d+|\b(?:first|second|third|pirm\w+|antr\w+|trec\w+|ketvirt\w+)\b"
)
"""A year, a day or the number of something is no amount."""
_NAMED_BY_NUMBER = re.compile(
    r"\b[a-z]+-\d+\w*|\b\d+[a-z]+\b|\b\d{1,2}[:.]\d\d\b|\b\d+/\d+\b|\+?\d{3}[ \d-]{6,}"
    r"|\b(?:zone|level|card|page|article|room|version|zona|lygis|kategorij\w*|str|plan[ao]?)\.? \d+"
)
_COUNTED_FIGURE = re.compile(
    rf"{_FIGURE}(?:\s?[–-]\s?{_FIGURE})?\s?-?(?:asis|oji|th|st|nd|rd|ies|iu|aisiais)?\s?(?:\w+ )?{_COUNTED}"
)
_CURRENCY = r"(?:eur\w*|€|£|\$|usd|pounds?|crowns?|kron\w*|francs?|frank\w*|florin\w*|t(?:h)?aler\w*|lit[aou]\w*|cent(?:s|ai|us|u|a)\b|dollars?|doleri\w*)"
_NO_FIGURE_NEEDED = (
    r"\b(?:vien\w*|nera|nebuvo|niek\w+|ab(?:u|i|iej\w*)|kiekvien\w*|vis[iaou]\w*|por[aosu]\w*|kel\w+|daugiau|maziau|daugum\w*|perpus|pus(?:e|antr)\w*|dvigub\w*"
    r"|trigub\w*|nemok\w*|one|once|twice|half|quarter|third|dozen|none|nobody|nothing|no|any|both|all|every|each|pair|couple|single|fewer|several"
    r"|majority|free)\b"
)
_PRICE_IN_WORDS = re.compile(
    rf"{_CURRENCY}|%|proc|per ?cent|nemok|neapmok|\bfree\b|no (?:charge|fee|cost|levels?)|nothing|none\b|nieko|priklaus|depend|sutar|agree|susitar|nustat"
    r"|svarst|\bset\b|fixed|iskaic|ieina|includ|\bsame\b|tiek|as much|waive|dvigub|trigub|double|twice|half|perpus|puse|trecdal|ketvirtadal"
    r"|third of|compensat|kompens|atlygin|valstyb|state\b|visa\b|full\b"
)
_TIME = re.compile(
    rf"\b(?:{_MONTH})\b|\d{{3,4}}|\d[.:/-]\d|\b\d+-|\b{_SPAN_OF_TIME}|\bd\.|o'clock|\d ?[ap]\.?m|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|savaitgal|weekend"
    r"|\b(?:rude|ruden|pavasar|autumn|spring|kaled|velyk|christmas|easter|ryt|vakar|morning|evening|soon\b|on arrival|siandien|today|tomorrow|yesterday|kasdien|daily|kasmet|annual|pernai"
    r"|kitamet|siemet)|\b(?:kai|kada|kol|po|pries|after|before|when|once|as soon as|until|till|iki|within|per|always|never|immediately|at once|now|dabar"
    r"|tuoj|is ?kart\w*|visad\w*|niekad\w*|nuo|since|during|each|kas|next|last|kita|praejus\w*|jei|jeigu|if|unless|\w{2,}(?:us|ius))\b|\b(?:end|begin|start|pabaig|pradz|vel[iy]au|later|anks[cz]iau|earlier|laik|time\b)"
)
_HOW_LONG = re.compile(
    rf"(?:(?<!\d)\d[\d.,]*+|\b(?:an?|one|half|vien\w*|pus\w*|kel\w+|several|few|same|whole|vis\w+|every|each|kiekvien\w+|kas|next|kit\w+|ta\w*|only|tik|{_NUMBER_WORD})\b)"
    rf"[\W_]{{0,3}}(?:[\w„“-]++[^\w„“-]{{1,3}}){{0,3}}?{_SPAN_OF_TIME}|\b{_SPAN_OF_TIME}\w*\W{{1,3}}(?:[\w-]+ )?{_FIGURE}|\d ?[–-] ?\d"
    r"|\b(?:pusmet|pusvaland|metus|metams|menesi|savaite|diena|para|valanda|pusdien|fortnight|overnight|weekend|savaitgal|pusantr|trimet|dvimet|\w{2,9}erius|dvejus|trejus)"
    r"|\b(?:visad|visam|always|never|niekad|nuolat|permanent|neribot|neterminuot|unlimited|indefinit|immediately|at once|tuoj|iskart|is karto|as long as|kol\b|tiek,? kiek\b|until|till"
    r"|iki\b|while|forever|life|gyvenim|no (?:limit|term|deadline)|ne ilgiau|terminas|expire|baig|pabaig|ends?\b|same day)|\bnuo\b.{1,40}\biki\b|\bfrom\b.{1,40}\bto\b"
)


_A_FIGURE = re.compile(_FIGURE)
_AN_AMOUNT = re.compile(rf"{_FIGURE}|{_NO_FIGURE_NEEDED}")


def _money(told: str) -> object:
    left = _COUNTED_FIGURE.sub(" ", _NAMED_BY_NUMBER.sub(" ", _DATED.sub(" ", told)))
    return _PRICE_IN_WORDS.search(told) or _A_FIGURE.search(left)


def _number(told: str) -> object:
    return _AN_AMOUNT.search(_DATED.sub(" ", told))


_CAN_HOLD: dict[str, Callable[[str], object]] = {
    "money": _money,
    "duration": _HOW_LONG.search,
    "date": _TIME.search,
    "clock": re.compile(
        r"\d ?[:.] ?\d\d|\d ?[–-] ?\d|\b(?:from|to|at|nuo|iki) \d|\bval\b|valand|hour|o'clock|\d ?[ap]\.?m\b|24/7|visa para|round the clock|noon|midnight|vidur[dn]|ryt|vakar|morning|evening|dawn|dusk|saul|sunset"
    ).search,
    "size": re.compile(
        rf"{_FIGURE}|half|pus|dvigub|double|twice|\bsame\b|tok|\bas \w+ as\b|\bthan\b|\bnei\b|neatskleid"
    ).search,
    "percent": re.compile(
        r"%|\bproc|per ?cent|\w{3,}dal(?:is|i|io|iai|iu|ius)\b|\bkas (?!kart)\w+(?:as|i|ta)\b|\b(?:half|quarter|third|thirds|\w+ths?|majority|most|none|nobody|free"
        r"|perpus|pus[eio]|daugum\w*|nuli\w+|niek\w+|nemok\w+)\b"
        rf"|(?:\d+|one|vien\w+|{_NUMBER_WORD}) (?:of|is|(?:\w+ )?(?:in|out of)) (?:every )?(?:\d+|{_NUMBER_WORD})\b"
    ).search,
    "number": _number,
}
_OFFICE = re.compile(
    r"\b(?:pirminink(?!au|av)|prezident|direktor|mer[aoue]\b|director|president|chair(?:man|woman)?\b|mayor|ceo\b)"
)
_LEADS = re.compile(rf"{_OFFICE.pattern}|\b(?:pirminink|vadov|head|lead|led\b)")


def lacks(question: str, text: str) -> bool:
    """
    Whether a question plainly asks for a figure, a time, somebody's name, an e-mail address or a telephone number, and a text
    holds nothing of the kind, nor says that it is not known.
    """
    kind = _wanted(question)
    if kind is None or says_unknown(text):
        return False
    if kind == "email" or kind == "phone":
        return not holds(text, kind)
    told = fold(text)
    if kind == "person" or kind == "officer":
        return not holds(text, "person") or (kind == "officer" and not _LEADS.search(told))
    of_a_table = " | " in text and any(letter.isdigit() for letter in text)  # what the figures are, its header says
    return not of_a_table and not _CAN_HOLD[kind](told)


@lru_cache(maxsize=256)  # asked of each hit of a question
def _wanted(question: str) -> str | None:
    """What a question plainly asks for; None where it does not."""
    asked = what_asks(question)
    kind = expected(asked)
    if kind in ("email", "phone"):
        return kind
    plain = fold(asked)
    found = next((name for name, pattern in _ASKS.items() if pattern.search(plain)), None)
    if found is None or yes_or_no(plain):
        return None
    return "officer" if found == "person" and _OFFICE.search(plain) else found


def what_asks(question: str) -> str:
    """The last sentence that asks; all of it where none ends with a question mark."""
    found = [question[span.start : span.end] for span in sentences(question)]
    return next((text for text in reversed(found) if text.rstrip("\"“”'» ").endswith("?")), question)

"""
What holds no answer: a text without any figure is none to "how many", one without a time none to "when".

Only what a question asks for plainly counts, and nearly anything of the kind is enough: of 1,369 questions of these kinds with
a known answer, 6 have one that lacks it; of 1,272 without an answer, 274 have a most tempting sentence that does
(docs/measurements.md, 100). Matched on folded text, so diacritics do not matter.
"""

from __future__ import annotations

import re
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
        r"(?:\bkiek (?:\w+ ){0,3}(?:kainuo|kainav|mok[aei]|sumok)|\bkoki(?:a|os) (?:\w+ ){0,4}kain(?:a|os)\b"
        r"|^(?!(?:.*\b)?(?:kas|kuo|ko)\b)(?:[\w-]+ ){0,4}kain(?:a|os)\b(?: [\w.-]+){0,3}\W*$"
        r"|\bhow much (?:does|do|did|is|are|was|were|will|would|must) (?:[\w'-]+ ){1,8}(?:cost|pay)\b"
        r"|\bwhat (?:does|do|did|will|would) (?:[\w'-]+ ){1,8}cost\b|\b(?:price|cost)s? (?:of|for|per)\b"
        r"|\bwhat(?:'s| is| are| was| were) the (?:[\w'-]+ ){0,3}(?:price|cost|fee|charge)s?\b"
        r"|^(?!(?:.*\b)?(?:what|who|when|where)\b).*\b(?:price|cost|fee)\W*$)"
    ),
    "number": re.compile(r"^\W*(?:[\w-]+ ){0,3}kiek\b|\bhow many\b"),
}

_MONTH = (
    r"saus\w+|vasar\w+|kov[aou]\w*|baland\w+|geguz\w+|birzel\w+|liep[aou]\w*|rugpj\w+|rugsej\w+|spal\w+|lapkri\w+|gruod\w+"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
)
_FIGURE = (
    r"\d|\b(?:vien\w*|du|dvi|dvie\w+|dvej\w+|dvigub\w+|trys|tri[msu]|trij\w+|trej\w+|trigub\w+|ketur\w*|ketvirt\w*|penk\w*|sesi\w*|septyn\w*"
    r"|astuon\w*|devyn\w*|desimt\w*|\w+lik\w*|puse\w*|pusantr\w*|simt\w*|tukst\w*|milij\w*|nera|nebuvo|ne vien\w*|nei vien\w*|niek\w+|abu|abi|abiej\w*"
    r"|kiekvien\w*|vis[iaou]\w*|por[aosu]\w*|kel\w+|daugiau|maziau|daugum\w*|perpus|one|once|two|twice|three|four|five|six|seven|eight|nine"
    r"|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|hundred|thousand|million|half|quarter|third|dozen|none|nobody|nothing|no|any|both"
    r"|all|every|each|pair|couple|single|fewer|several|majority|free)\b"
)
_TIME = (
    rf"\b(?:{_MONTH})\b|dien|day|savait|week|menes|month|met[aueiy]|year|nakt|night|valand|hour|minu|sezon|season|ziem|rud[eu]|pavasar"
    r"|summer|winter|autumn|spring|ryt|vakar|morning|evening|noon|\b(?:po|pries|kai|kada|kol|iki|per|nuo|tada|jei|tik|after|before|when|until|till"
    r"|while|during|since|from|then|if|unless|only|at|on|in|upon|as long as)\b|kart|visad|always|never|niekad|nuolat|permanent|neribot|neterminuot"
    r"|unlimited|indefinit|immediately|at once|is ?kart|tuoj|dabar|now|soon|vel[iy]|lat[et]|anks|earl|laik|time|baig|prad|begin|start|pabaig|end"
    r"|kit|next|last|praejus|amzi|centur|decade|kadencij|term\b"
)
_OFFICE = re.compile(
    r"\b(?:pirminink(?!au|av)|prezident|direktor|mer[aoue]\b|director|president|chair(?:man|woman)?\b|mayor|ceo\b)"
)
_LEADS = re.compile(rf"{_OFFICE.pattern}|\b(?:pirminink|vadov|head|lead|led\b)")
_DATED = re.compile(
    rf"\b(?:19|20)\d\d\b(?:\s?[–-]\s?(?:19|20)\d\d)?(?: m\.)?|\b(?:{_MONTH}) \d{{1,2}}(?: d\.)?|\b\d{{1,2}} (?={_MONTH})|\bn[or]\. ?\d+|\b(?:first|second|third|pirm\w+|antr\w+|trec\w+|ketvirt\w+)\b"
)
"""A year, a day or the number of something is no amount."""
_CAN_HOLD = {
    "duration": re.compile(f"{_FIGURE}|{_TIME}"),
    "date": re.compile(rf"\d|{_TIME}"),
    "money": re.compile(
        rf"{_FIGURE}|nemok|neapmok|eur|€|£|priklaus|depend|sutar|agree|susitar|nustat|\bset\b|iskaic|ieina|includ|same|tiek pat"
    ),
    "number": re.compile(rf"{_FIGURE}|nemok"),
}


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
    return _CAN_HOLD[kind].search(_DATED.sub("", told) if kind in ("money", "number") else told) is None


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

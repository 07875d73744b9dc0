"""
What kind of thing a question asks for, and whether a sentence holds one: a date for "when", a sum for "kiek kainuoja".

The oldest trick of question answering (answer typing, Voorhees 1999), kept to what both languages say plainly; a question
of none of these kinds expects nothing. Matched on folded text, so diacritics do not matter.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from clusterqa.text.analysis import fold, nfc

AnswerType = Literal["reason", "email", "phone", "money", "duration", "date", "person", "number"]

_QUESTIONS: tuple[tuple[AnswerType, str], ...] = (
    ("reason", r"kodel\b|del ko\b|kuriam galui\b|why\b|how come\b"),
    (
        "email",
        r"(?<!per )(?:el\.? ?|elektronin\w+ )past(?:as|a|o adres\w*)\b|kok\w+ (?:el\.? ?|elektronin\w+ )past\w*"
        r"|(?<!by )(?<!via )(?<!per )e-?mail(?:s|(?:'s)? address\w*)?(?= of\b| for\b|\W*$)|e-?mail address"
        r"|what(?:'s| is| are) (?:\w+ ){0,4}e-?mail",
    ),
    (
        "phone",
        r"telefon(?:as|a)\W*$|(?:kok\w+|zino\w*) (?:\w+ ){0,3}telefon(?:as|a)\b|(?:telefono|tel\.?) (?:nr|num)\w*"
        r"|(?:kok|kur)\w+ (?:telefon\w*|numeri\w*) (?:\w+ ){0,3}(?:\w*skamb|pasiek|kreip)"
        r"|(?:tele)?phone numbers?|(?<!by )(?<!via )(?<!per )(?:tele)?phone(?= of\b| for\b|\W*$)"
        r"|what(?:'s| is| are) (?:\w+ ){0,4}(?:tele)?phone\b|number (?:do|can|should|must|to) (?:i |we |you |one )?(?:call|ring|phone)\b",
    ),
    (
        "money",
        r"kain|kastuo|kiek (?:\w+ )?(?:moke|pinig|atsi\w*ein|eur)|moketi|mokest|imok|suma|sumos|biudzet|ikain|finansavimo dyd|eur\b"
        r"|cost|price|pricing|fee\b|fees\b|how much (?!time)|budget|amount|grant size|expensive|cheap",
    ),
    (
        "duration",
        r"kiek (?:\w+ )?laiko|kaip ilgai|per kiek|trukm|trunka|truko|uztrun|galioj|kiek (?:met|menes|dien|valand|savai)"
        r"|how long|duration|how many (?:years|months|days|hours|weeks)|how much time|valid|last\b|lasts\b|expire",
    ),
    (
        "date",
        r"kada|kuriais met|kelintais|nuo kad|iki kad|data\b|datos|termin|kuria dien|ikurimo met|isteigimo met"
        r"|when\b|what year|which year|what date|what day|since when|date\b|dates\b|deadline|founding year",
    ),
    (
        "person",
        r"kas (?:\w+ )?(?:vadov|vadovau|pirminink|direktor|prezident)|vadov\w*\b|direktor|prezident|pirminink|kuris zmogus|pavard"
        r"|who (?:is|was|heads|leads|runs|ran|chairs|manages|managed)|director|president|chair(?:man|woman)?\b",
    ),
    ("number", r"kiek\b|keli\b|kelis|keliu|kelios|skaici|proc|kiekis|how many|number of|percent|per cent|share of"),
)
_ASKS = tuple((kind, re.compile(rf"\b(?:{pattern})")) for kind, pattern in _QUESTIONS)
_YES_OR_NO = re.compile(
    r"(?:^|[.!?;:–-]\s+|,\s)(?:(?:and|but|so|or|o|bet|tai|na) )?"
    r"(?!do you (?:know|have)|(?:can|could) you (?:give|tell)|(?:ar|gal) (?:\w+ )?(?:zinot|turit|galit|galetu))"
    r"(?:ar|argi|gal|galima|can|could|may|is|are|was|were|do|does|did|will|would|should|shall|has|have|must)\b[^.!?]*[.!?]?\s*$"
)

_NUMBER_WORD = (
    r"(?:\d|vien\w*|du\b|dvi\b|dvej\w*|dviej\w*|trys|trej\w*|trij\w*|tris|keturi\w*|penki\w*|sesi\w*|septyni\w*|astuoni\w*"
    r"|devyni\w*|desimt\w*|puse\w*|pusantr\w*|simt\w*|tukst\w*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|twenty|thirty|half|dozen|hundred|thousand|million)"
)
_HOLDS: dict[AnswerType, re.Pattern[str]] = {
    "reason": re.compile(
        r"\b(?:nes|todel|kadangi|del|antraip|kitaip|priezast\w*|kad (?:\w+ ){0,3}\w+(?:tu|tume|tumet\w*)|because|otherwise|therefore|reasons?"
        r"|(?:due|owing|thanks) to|since (?!\d|then\b))\b|[,;–-] (?:so|as)\b"
    ),
    "email": re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "phone": re.compile(
        r"\+\d(?:[ ()-]{0,2}\d){7,12}|(?<!\d)\(?[80](?:[ ()-]{0,2}\d){8,9}(?![ -]?\d)"
        r"|\b(?:tel|telefon\w*|phone|call|ring|hotline|numeri\w*|number|skambin\w*)\b[^\w+]{1,3}\d{3,5}\b(?![ .,]?\d| eur| m\.)"
    ),
    "money": re.compile(
        r"\d[\d  .,]*\s*(?:mln\.?|mlrd\.?|tukst\.?|million|billion)?\s*(?:eur|€|usd)|(?:eur|€|usd)\s*\d"
    ),
    "duration": re.compile(
        rf"\b{_NUMBER_WORD}[\w,.]*\s+(?:[\w-]+\s+){{0,2}}(?:met[auo]|metams|metai|menes|dien|valand|val\b|savai|year|month|day|hour|week)"
    ),
    "date": re.compile(r"\b(?:19|20)\d\d\b"),
    "number": re.compile(rf"\b{_NUMBER_WORD}"),
}
_NAME = re.compile(r"[A-ZĄČĘĖĮŠŲŪŽ][a-ząčęėįšųūžé]{2,}(?:[ -]+[A-ZĄČĘĖĮŠŲŪŽ][a-ząčęėįšųūžé]{2,})+")


_LISTS = re.compile(
    r"\bkaip (?!ilgai|greit|daznai|seniai|toli|vadin|skiriasi|vertin|suprasti|manote|apibr|sekasi)\w+"
    r"|\bko (?:\w+ )?(?:reik|prireik|truksta)|\bk(?:a|as) (?:\w+ ){0,2}(?:reik|priv|tur[ie]\w* \w+(?:ti|t)\b|ieina|sudaro)"
    r"|\bkoki(?:e|us|ais|uose|ems)\b|\bkoki(?:u|os|as|omis|ose|oms) (?:\w+ ){0,2}(?:dokument|salyg|reikalav|kriterij|nario|narys"
    r"|tem\w|srit|paslaug|priemon|lengvat|prievol|pareig|teis\w|organizacij|imon|saly|salys|klas\w|rusi|rusys|dalys|naud)"
    r"|\bkuri(?:e|os|uose|ose|ems|oms|uos|as|ais|omis)\b|isvard|\b(?:zingsn|etap|eiga\b|tvarka\b|tvarkos\b|saras|reikalavim|kriterij)"
    r"|\bhow (?:do|does|did|can|could|should|to|would|must|are|is)\b|\bwhat (?:are|were)\b|\b(?:what|which) (?:\w+ )?\w+s (?:\w+ )?"
    r"(?:do|did|are|were|must|should|can|will|would|need|have|does|may|count|apply|exist|hold)\b|\bwhich (?:\w+ )?\w+s\b|\blist (?:of|the|all)\b"
    r"|\bwhat (?:do|does|must|should) (?:\w+ ){1,3}(?:need|have|require|prepare|bring|provide|submit)|\bwhat is (?:needed|required)"
    r"|\b(?:requirements|criteria|steps|checklist|conditions|schedule|timetable|agenda)\b|\b(?:grafik|tvarkarast|darbotvark)"
    r"|\bnuo ko (?:\w+ )?prad|\bwhere (?:do|should|can|to) (?:i |we |one )?(?:start|begin)\b"
)


def wants_list(question: str) -> bool:
    """Whether a question asks for several things or for steps: „kaip …“, „ko reikia“, "what are the …", "how do I …"."""
    return expected(question) is None and _LISTS.search(fold(question)) is not None


_WHICH_ONES = re.compile(
    r"\bkuri(?:e|os|uos|as|ais|omis|ems|oms)\b|\bwhich (?:\w+ ){0,2}\w+s\b|\b(?:isvard|surasy)\w*|\b(?:name|list) (?:all|the|them)\b"
)


def wants_names(question: str) -> bool:
    """Whether a question asks which ones there are: „kurie klasteriai …“, "which countries …"."""
    return _WHICH_ONES.search(fold(question)) is not None


def expected(question: str) -> AnswerType | None:
    """The kind of thing a question asks for; None where it does not say."""
    plain = fold(question)
    kinds = (kind for kind, pattern in _ASKS if pattern.search(plain))
    return next((kind for kind in kinds if kind not in ("email", "phone") or not yes_or_no(plain)), None)


def yes_or_no(plain: str) -> bool:
    """Whether a folded question wants a yes or a no; "do you know …" and its like want what comes after."""
    return _YES_OR_NO.search(plain) is not None


@lru_cache(maxsize=16384)
def holds(sentence: str, kind: AnswerType) -> bool:
    """Whether a sentence holds a thing of this kind."""
    if kind == "person":
        return bool(_NAME.search(nfc(sentence)))
    return bool(_HOLDS[kind].search(fold(sentence)))


_DATED = re.compile(
    r"\b(?:19|20)\d\d(?:\s?[–-]\s?(?:19|20)?\d\d)?\b(?:\s+m\.)?(?:\s+\w+\s+\d{1,2}(?=\s+d\.))?"
    r"|\b\d{1,2}\s+(?=(?:january|february|march|april|may|june|july|august|september|october|november|december)\b)"
)


def things(sentence: str, kind: AnswerType) -> list[tuple[int, int]]:
    """
    Where in a sentence things of this kind stand; none where folding changes its length, nor of a reason, which is no thing. A
    year or a day is no number.
    """
    if kind == "reason":
        return []
    if kind == "person":
        return [found.span() for found in _NAME.finditer(sentence)]
    plain = fold(sentence)
    if len(plain) != len(sentence):
        return []
    if kind == "number":
        plain = _DATED.sub(lambda found: " " * len(found[0]), plain)
    return [found.span() for found in _HOLDS[kind].finditer(plain)]


_UNKNOWN = re.compile(
    r"\b(?:ne(?:nurod|zinom|pateik|minim|raso|skelb|paskelb|skaiciav|nustatyt)\w*|bus paskelbt\w*|(?:do|does|did) not (?:say|state|name|give|mention|count|publish)"
    r"|not (?:yet )?(?:been )?(?:stated|given|known|named|published|counted|announced|fixed|set|decided)|(?:to|will) be announced"
    r"|unknown|no (?:figure|source))\b"
)


def says_unknown(sentence: str) -> bool:
    """Whether a sentence says that something is not known."""
    return _UNKNOWN.search(fold(sentence)) is not None

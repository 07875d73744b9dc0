"""
Which sentences cannot stand alone: „Tokį ženklą …“, “This takes …”, a worked example.

Told by how they begin, in either language. What points at its own document ("this page") or at today ("šiuo metu") leans on
nothing, and neither does an "it" that means nothing ("it is possible to").
"""

from __future__ import annotations

import re

from clusterqa.records import Language
from clusterqa.text.analysis import fold

_LITHUANIAN = re.compile(
    r"(?!(?:siuo|tuo paciu) metu\b|siais metais\b|tai,? (?:kas|ko|ka|kad)\b|t(?:as|a|ie|os|ai|am|u|o),? k(?:as|uri)"
    r"|s\w+ (?:puslap|dokument|vadov|atmintin|skyri|tekst|apzvalg|sarasa|zodynel|svetain|straipsn|gid))"
    r"(?:tok(?:s|ia|i|ie|ios|io|iu|iam|iai|iems|ioms|ius|ias|iuo|iais|iomis|iame|ioje)"
    r"|s(?:is|i|ie|ios|io|iu|iam|iai|iems|ioms|iuos|ias|iuo|ia|iais|iomis|iame|ioje)"
    r"|j(?:is|i|ie|os|o|u|am|ai|iems|oms|a|uos|as|uo|ais|omis|ame|oje)"
    r"|t(?:as|a|ie|os|o|u|am|ai|iems|oms|uos|as|uo|ais|omis|ame|oje)"
    r"|ab(?:u|i|iem|ieju)|pastar\w+|tuomet|tada|tokiu atveju|tam|todel|del (?:to|sios|siu)|taigi|vadinasi|pavyzdziui"
    r"|taciau|bet|kitaip)\b"
)
_ENGLISH = re.compile(
    r"(?!(?:this|these) (?:page|document|guide|handbook|chapter|section|article|text|glossary|overview|website|site)s?\b"
    r"|(?:that|those) who\b|it (?:is|was) (?:\w+ ){0,2}(?:possible|necessary|important|recommended|advisable|worth|useful"
    r"|required|clear|unclear|known|unknown|estimated)\b|it (?:pays|helps|takes) to\b|this (?:year|month|week)\b)"
    r"(?:this|that|these|those|it|its|they|their|them|he|she|his|her|such|both|therefore|thus|hence|then|otherwise|instead"
    r"|however|but|yet|so|for example|for instance|in (?:that|this|such a) case|as a result|the (?:latter|former|same))\b"
)
_OPENING = re.compile(r"^[\W_]+")


def leans(sentence: str, language: Language) -> bool:
    """Whether a sentence needs the one before it to be understood."""
    plain = _OPENING.sub("", fold(" ".join(sentence[:80].split())))
    return (_LITHUANIAN if language == "lt" else _ENGLISH).match(plain) is not None

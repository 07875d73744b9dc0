"""
Letters of symbol fonts (Symbol, Wingdings) → the Unicode signs that they draw, and digits → raised ones.

In such a font the letter „³“ draws „≥“: copied as a letter it is another sign, left out it is a wrong value.
"""

from __future__ import annotations

import re

UNKNOWN = "\ufffd"
"""Stands for a sign that has no place in the tables here."""

_SYMBOL_FIELD = re.compile(r"\s*SYMBOL\s+(0x[0-9a-f]{1,6}|\d{1,7})\b", re.IGNORECASE)
_FONT_OF_FIELD = re.compile(r"\\f\s*\"?([^\"\\]+?)\s*(?:\"|\\|\Z)", re.IGNORECASE)
_SYMBOL = dict(
    zip(
        (*range(0x20, 0x7F), *range(0xA0, 0xFF)),
        " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
        "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…│─↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\ufffd〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭",
        strict=True,
    )
)
_WINGDINGS = dict(
    zip(
        (*range(0x20, 0x7F), *range(0x80, 0xC3)),
        " 🖉✂✁👓🕭📖🕯☎✆✉🖃📪📫📬📭📁📂📄🗏🗐🗄⏳🖮🖰🖲🖳🖴🖫🖬✇✍🖎✌👌👍👎☜☞☝☟🖐☺😐☹💣☠🏳🏱✈☼💧❄🕆✞🕈✠✡☪☯ॐ☸♈♉♊♋♌♍♎♏♐♑♒♓"
        "🙰🙵●❍■□🞐❑❒⬧⧫◆❖⬥⌧⮹⌘🏵🏶“”"
        "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿🙢🙠🙡🙣🙞🙜🙝🙟·•▪○🞆🞈◉◎🔿▪◻🟂✦★✶✴✹✵⯐⌖⟡⌑⯑✪✰🕐🕑🕒🕓🕔🕕🕖🕗🕘🕙🕚🕛",
        strict=True,
    )
) | dict(
    zip(
        (*range(0xD5, 0xE7), *range(0xE7, 0xEB), *range(0xEF, 0xF9), *range(0xFB, 0xFF)),
        "⌫⌦⮘➢⮙⮛⮈➲⮉⮋←→↑↓↖↗↙↘⬅➔⬆⬇⇦⇨⇧⇩⬄⇳⬁⬀⬃⬂✗✓☒☑",
        strict=True,
    )
)
_FONTS: dict[str, dict[int, str]] = {
    "symbol": _SYMBOL,
    "wingdings": _WINGDINGS,
    "wingdings 2": dict(zip((0x4F, 0x50, 0x51, 0x52, 0x53, 0x54, 0xA3), "✗✓☒☑☒☒□", strict=True)),
    "webdings": dict(zip((0x61, 0x72, 0x67, 0x63), "✔✖■□", strict=True)),
}
_RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_RAISED_LETTERS = str.maketrans("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
_LETTERED_MARK = re.compile(r"[a-pr-z]\)?(?:\s?[,;]\s?[a-pr-z\d*†‡§]\)?)*|(?:[\d*†‡§]\s?[,;]\s?)+[a-pr-z]")
"""The marks of notes that are single letters, also beside others; what has more letters („th“) is no mark."""
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def is_symbol_font(font: str) -> bool:
    """Whether a font of this name draws other signs than its letters say."""
    return font.strip().lower() in _FONTS


def sign(code: int, font: str) -> str:
    """
    The sign that the letter `code` draws in a symbol font, `UNKNOWN` where it is not known.

    Word adds 0xF000 to the code; a code below 0x20, or a font that is no symbol font, has no sign.
    """
    table = _FONTS.get(font.strip().lower(), _SYMBOL if not font else {})
    return table.get(code - 0xF000 if 0xF000 <= code <= 0xF0FF else code, UNKNOWN)


def symbol_field(code: str) -> tuple[int, str] | None:
    """The number of the sign that a field of Word draws by its code, and the font that it names; None for another field."""
    found = _SYMBOL_FIELD.match(code)
    if found is None:
        return None
    font = _FONT_OF_FIELD.search(code)
    return int(found[1], 16 if found[1].lower().startswith("0x") else 10), font[1] if font else ""


def in_font(text: str, font: str) -> str:
    """What a text draws in a font: in a symbol font „à“ may be an arrow."""
    if not is_symbol_font(font):
        return text
    return "".join(letter if letter.isspace() else sign(ord(letter), font) for letter in text)


def raised(text: str) -> str | None:
    """
    The text as raised characters („10⁶“, „¹–⁹“), with the spaces around it; None where Unicode does not have them all. What
    stands between the numbers of notes stays as it is.
    """
    bare = text.strip()
    if bare in ("TM", "SM"):
        return text.replace(bare, "™" if bare == "TM" else "℠")
    told = bare.translate(_RAISED)
    if _LETTERED_MARK.fullmatch(bare):
        return text.replace(bare, told.translate(_RAISED_LETTERS))
    if told[:1] == "–":  # an exponent's minus
        told = f"⁻{told[1:]}"
    same = {a for a, b in zip(bare, told, strict=True) if a == b}
    return text.replace(bare, told) if told != bare and same <= {"–", ","} else None


def lowered(text: str) -> str | None:
    """The text as lowered characters („x₁“), None where Unicode does not have them all."""
    told = text.translate(_LOWERED)
    return told if text and all(a != b for a, b in zip(text, told, strict=True)) else None


_LOW, _LOW_END = "\ufdd0", "\ufdd1"
"""Stand round lowered figures until the letters before them are known; no text has these."""
_LOW_FIGURES = re.compile(f"{_LOW}([^{_LOW_END}]*){_LOW_END}")
_ELEMENT = re.compile(r"[A-Z][a-z]?[)\]]?\Z")


def low(text: str) -> str:
    """Lowered text; `settled` writes its figures as is right behind the letters before them."""
    return f"{_LOW}{text}{_LOW_END}"


def settled(text: str) -> str:
    """
    The text with its lowered figures as such („x₂“ is not „x2“); behind a chemical element or a short name they stay plain, as
    „CO2“ and „H2O“ are written so too, and looked for.
    """
    if _LOW not in text:
        return text

    def told(found: re.Match[str]) -> str:
        figures = found[1].strip()
        plain = _ELEMENT.search(found.string[max(0, found.start() - 3) : found.start()])
        return found[1] if plain else found[1].replace(figures, lowered(figures) or figures)

    return _LOW_FIGURES.sub(told, text.replace(_LOW_END + _LOW, "")).replace(_LOW, "").replace(_LOW_END, "")


def spoken(text: str) -> str:
    """How a word is said, as it stands small above it: in brackets behind it."""
    return f" ({text.strip()})" if text.strip() else ""

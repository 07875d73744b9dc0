"""
HTML → the main text of the page, with its structure and without menus, scripts and what is hidden.

Two readers work together: trafilatura says which text is the page's own, and a walk over the page itself says what is
there, in its order: headings, paragraphs, items with their numbers, rows with their columns. So nothing between the
first and the last of the page's own text is lost, whatever trafilatura makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from clusterqa.documents import encoding, tables
from clusterqa.documents.docx_numbers import written
from clusterqa.documents.extract import Extract, TextBuilder, left_out, one_line
from clusterqa.documents.formulas import mathml
from clusterqa.documents.metadata import Metadata, iso_date, language_of, web_address
from clusterqa.documents.symbols import in_font, is_symbol_font, low, raised, spoken
from clusterqa.errors import UnreadableDocument
from clusterqa.records import BlockKind

_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.I)
_XML = re.compile(r"\A\s*<\?xml[^>]*>")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What lxml reads in a page and does not let anybody write again, as where an element is taken out beside it."""
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_BLOCK_TAGS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre search section summary table tbody td "
    "tfoot th thead tr ul".split()
)
_NO_TEXT = (
    "script style noscript template svg canvas iframe object embed video audio button select option textarea input "
    "head del s strike map datalist progress meter rp".split()
)
_AROUND = frozenset({"nav", "footer", "header", "aside", "dialog", "menu", "search"})
_ROLES_AROUND = frozenset({"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog"})
_NAMED_AROUND = re.compile(
    r"(?:\A|[\s_-])(?:nav|navbar|menu|submenu|breadcrumbs?|cookies?|footer|sidebar|share|sharing|social|related|banner|"
    r"popup|modal|pagination|pager|skip-?link|skip|newsletter|advert|ads)(?:\Z|[\s_-])",
    re.IGNORECASE,
)
_BOX = re.compile(r"(?:\A|[\s_-])(?:banner|popup|modal)(?:\Z|[\s_-])", re.IGNORECASE)
"""What the main part of a page calls a remark that stands out of it."""
_UNSEEN_CLASS = re.compile(
    r"(?:\A|\s)(?:sr-only|visually-?hidden|screen-reader-text|screenreader|element-invisible|a11y-hidden)(?:\Z|\s)",
    re.I,
)
_WRITTEN_IN = frozenset(
    ("", "text", "email", "number", "tel", "url", "search", "date", "time", "datetime-local", "month", "week")
)
"""Kinds of `<input>` that show their value as it is."""
_PICTURES = ("img", "image", "svg", "canvas")
_FILES = ("iframe", "object", "embed", "video", "audio")
_STRUCK = ("s", "del", "strike")
_STRUCK_STYLE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_UNSEEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:left|top|text-indent)\s*:\s*-\d{4,}(?:\.\d+)?(?:px|em)",
    re.IGNORECASE,
)
_TURNED_STYLE = re.compile(
    r"unicode-bidi\s*:\s*bidi-override(?=[^{}]*direction\s*:\s*rtl)|direction\s*:\s*rtl(?=[^{}]*bidi-override)", re.I
)
_CELLS = {"cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th"}
"""The parts that elements say they have in a row of a table, and the tags that mean the same."""
_ADDED = re.compile(r"(?<![\w-])content\s*:[^;{}\"']*(?:\bcounters?\(|[\"'][^\"'\\]*[^\W_]{2})", re.IGNORECASE)
"""A rule of a style sheet that puts words or numbers on the page."""
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{5000,}")
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)
_FONT_STYLE = re.compile(r"font-family\s*:\s*[\"']?([^;,\"']+)|\bfont\s*:([^;]+)", re.IGNORECASE)
_RAISED_STYLE = re.compile(r"vertical-align\s*:\s*(super|sub)\b", re.IGNORECASE)
_WORDS_STYLE = re.compile(
    r"(list-style)(?:-type)?\s*:[^;}]*|(text-decoration)(?:-line)?\s*:[^;}]*line-through|"
    r"(vertical-align)\s*:\s*su(?:per|b)\b",
    re.IGNORECASE,
)
_OF_CLASS = re.compile(r"\s*(\w*[.#][\w-]+)\s*\Z")
"""A selector of one class or id, maybe of one kind of element."""
_LIST_KINDS = {
    "lower-alpha": "lowerLetter", "lower-latin": "lowerLetter", "upper-alpha": "upperLetter", "upper-latin": "upperLetter",
    "lower-roman": "lowerRoman", "upper-roman": "upperRoman", "decimal": "decimal", "decimal-leading-zero": "decimalZero",
    "disc": "bullet", "circle": "bullet", "square": "bullet", "none": "bullet",
}  # fmt: skip
_INLINE = ("span", "b", "strong", "em", "i", "a", "label", "small", "time")
_WINDOWS = frozenset({"dialog", "alertdialog", "menu", "listbox", "tooltip", "search", "navigation"})
_SIMPLE_SELECTOR = re.compile(r"\s*([.#])([\w-]+)\s*\Z")

SURE_LETTERS = 25
"""A block of so many letters and figures that trafilatura has too is the page's own; a shorter one may be anything."""

MOST_COVERED = 100_000
"""Places on the grids of a page's tables that its merged cells cover; trafilatura fills in each."""

MOST_ATTRIBUTES = 500
"""Words of a tag; the parser's work grows with the square of them."""

SMALL_PICTURE = 48
"""Pixels of width or height up to which a picture is a sign or a button."""

MANY_TAGS = 10_000
TAG_CHARS = 8
"""Of a page of so many tags, the least characters for each with what stands in it; trafilatura needs a second for 100 kB of smaller ones."""

LINKED_SHARE = 0.7
"""Share of letters in links from which a short block is nothing but links."""

MENU = 4
MENU_LETTERS = 20
"""So many links that follow each other, of fewer letters each in the middle, are a menu where nothing introduces them."""

FEW_LETTERS = 30
"""A window or a box of fewer letters says nothing of its own."""

BEGINNING = 80
"""So many characters of what is not read are shown in a warning."""

_COOKIES = re.compile(r"\bcookies?\b|slapuk", re.IGNORECASE)
_ACTION = re.compile(
    r"(?:read|show|see|view|load)?\s*more|continue reading|share|tweet|print|edit|back|next|previous|top|back to top|home|log ?in|"
    r"skip to .*|skaityti (?:daugiau|toliau)|plačiau|daugiau|dalintis|spausdinti|redaguoti|grįžti|atgal|kitas|ankstesnis|į viršų|"
    r"pradžia|prisijungti|facebook|twitter|linkedin|instagram|youtube|rss|pdf|e-mail",
    re.IGNORECASE,
)
_BETWEEN_LINKS = re.compile(r"\s[|›»>/→·•]\s")


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an HTML page. Raises UnreadableDocument when no main text is found in it.

    Inside a block, white space is collapsed as a browser does it and `<br>` is a line break. What is hidden, or struck
    out, is no text.
    """
    import trafilatura

    source, warnings = encoding.decode(raw, document, _declared(raw))
    tree = _tree(source, document)
    if tree is None:
        raise _no_text(document)
    _blank_out(tree)
    added = sum(len(_ADDED.findall(style.text or "")) for style in tree.iter("style"))
    rules = list(_rules(tree))
    _style_words(tree, rules)
    hidden = _drop_unseen(tree, rules)
    _part_labels(tree)
    _write_out(tree)
    _bound_spans(tree)
    result = trafilatura.bare_extraction(
        tree,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True, "outputformat": "%Y-%m-%d"},
    )
    body = next(iter(tree.iter("body")), tree)
    pieces = list(_Walk(body).pieces())
    own = _letters(" ".join(result.body.itertext())) if result is not None and result.body is not None else ""
    metadata = Metadata(language=language_of(tree.get("lang") or ""))
    if result is not None:
        metadata = Metadata(
            title=one_line(result.title or "") or None,
            url=web_address(result.url or ""),
            date=iso_date(result.date or ""),
            publisher=one_line(result.sitename or "") or None,
        ).over(metadata)
    if not metadata.title and (title := tree.findtext(".//title")):
        metadata = Metadata(title=one_line(title) or None).over(metadata)
    builder = TextBuilder()
    chosen = _chosen(pieces, own)
    long = (n for n, piece in enumerate(chosen) if piece.kind == "paragraph" and len(piece.text) >= BEGINNING)
    begun = next(long, 0)
    for number, piece in enumerate(chosen):
        # The page's own date is known already, but among its text a date is what a line of it says.
        if not metadata.date or piece.text != metadata.date or begun < number < len(chosen) - 1:
            _add(builder, piece)
    if not builder.blocks:
        raise _no_text(document)
    warnings += left_out(
        sum(piece.pictures for piece in chosen),
        files=sum(piece.files for piece in chosen),
        struck=sum(piece.struck for piece in chosen),
    )
    read = _letters(builder.text())
    if beside := _beside(body, read):
        warnings.append(f"Windows and boxes beside the text of the page, which are not read: {_beginnings(beside)}.")
    home = set(_holding(chosen[0], chosen[-1]).iter())
    if unread := [text for holder, text in hidden if holder in home and _letters(text) not in read]:
        warnings.append(f"Hidden parts of the page, which are not read: {_beginnings(unread)}.")
    if added:
        warnings.append(f"Rules of the page's style that add words or numbers, which are not read: {added}.")
    return Extract(builder.text(), tuple(builder.blocks), metadata, warnings=tuple(warnings))


def _beside(body: Any, read: str) -> list[str]:
    """
    How the windows and the boxes within the main part of a page begin whose words, more than a few and no links, are not among
    the letters that are read; remarks about cookies are none.
    """
    found: list[str] = []
    counted: set[Any] = set()
    for element in body.iter("dialog", "aside", "div", "section", "p"):
        role = (element.get("role") or "").lower()
        is_window = element.tag == "dialog" or role in ("dialog", "alertdialog")
        is_box = element.tag == "aside" or role == "complementary" or bool(_BOX.search(_names(element)))
        if not (is_window or is_box):
            continue
        outer = set(element.iterancestors())
        if counted & outer or not (is_window or any(a.tag in ("main", "article") for a in outer)):
            continue
        if not _is_few(element) and _letters(words := one_line(_inline(element))) not in read:
            counted.add(element)
            found.append(words)
    return found


def _is_few(element: Any) -> bool:
    """Whether an element has few words of its own, or a remark about cookies."""
    words = _inline(element)
    letters = _letters(words)
    return bool(
        len(letters) < FEW_LETTERS or _linked(element)[0] >= LINKED_SHARE * len(letters) or _COOKIES.search(words)
    )


def _beginnings(texts: list[str]) -> str:
    return "; ".join(f"„{t[:BEGINNING].rsplit(' ', 1)[0]} …“" if len(t) > BEGINNING else f"„{t}“" for t in texts)


def _no_text(document: str) -> UnreadableDocument:
    return UnreadableDocument(
        document,
        "No main text was found in the page (it may be made up of menus, or be filled in by a script).",
        "Open it in a browser, copy the text into a .md or .txt file, and add that.",
    )


def _declared(raw: bytes) -> str | None:
    """The encoding that a page says it is in."""
    found = _CHARSET.search(raw[:4096])
    return (found[1] or found[2]).decode("ascii") if found else None


def _tree(source: str, document: str) -> Any:
    """
    The elements of a page, None where it has none. Raises UnreadableDocument for what the parser would cut short or take
    the square of its time for.
    """
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    if any(len(tag[0].split()) > MOST_ATTRIBUTES for tag in _LONG_TAG.finditer(source)):
        raise UnreadableDocument(
            document,
            f"A tag in it has more than {MOST_ATTRIBUTES} words, so its text may stand inside a tag.",
            "Mend the page where a < begins no tag, or open it in a browser, copy the text into a .md file, and add that.",
        )
    # The encoding is named, as the page may name another: the one it was in before it was decoded.
    parser = HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        tree = document_fromstring(_XML.sub("", source).encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return None
    if (count := sum(1 for _ in tree.iter())) > MANY_TAGS and len(source) < TAG_CHARS * count:
        raise UnreadableDocument(
            document,
            "It has more tags than text.",
            "Open it in a browser, copy the text into a .md or .txt file, and add that.",
        )
    for element in tree.iter():  # formulas in a namespace of their own, which the parser does not know
        if isinstance(element.tag, str) and element.tag.startswith(("m:", "mml:")):
            element.tag = element.tag.partition(":")[2]
    if any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log):
        raise RecursionError  # what stands below would be lost
    return tree


Rules = Sequence[tuple[str, str]]
"""Selectors of style sheets, and what each says."""


def _rules(tree: Any) -> Iterator[tuple[str, str]]:
    """The rules that hold at any width: one inside `@media` may be for print alone."""
    for element in tree.iter("style"):
        first, *others = (element.text or "").split("/*")
        style = first + "".join(other.partition("*/")[2] for other in others)
        outer: list[str] = []
        media = 0
        last = ""
        for piece in re.split(r"([{}])", style):
            if piece == "{":
                outer.append(last.strip())
                media += outer[-1].startswith("@media")
            elif piece == "}" and outer:
                selectors = outer.pop()
                if not media:
                    yield from ((selector, last) for selector in selectors.split(","))
                media -= selectors.startswith("@media")
            last = "" if piece in ("{", "}") else piece


def _unseen_names(rules: Rules) -> set[tuple[str, str]]:
    """The classes (".", name) and ids ("#", name) that a style sheet in the page hides."""
    hiding = (_SIMPLE_SELECTOR.match(selector) for selector, says in rules if _UNSEEN_STYLE.search(says))
    return {(found[1], found[2]) for found in hiding if found}


def _style_words(tree: Any, rules: Rules) -> None:
    """
    Write into elements what the style sheets in a page say of marks of lists, of struck-out letters and of raised ones, where their own
    style says nothing of it; an element of raised letters is one, and letters of symbol fonts are the signs that they draw.
    """
    styled: dict[tuple[str, str], str] = {}  # by selector and property
    for selector, says in rules:
        if found := _OF_CLASS.match(selector):
            styled |= {
                (found[1], (said[1] or said[2] or said[3]).lower()): said[0] for said in _WORDS_STYLE.finditer(says)
            }
    named: dict[str, list[Any]] = {}
    for element in tree.iter() if styled else ():
        if isinstance(element.tag, str):
            for name in (*(f".{name}" for name in (element.get("class") or "").split()), f"#{element.get('id')}"):
                named.setdefault(name, []).append(element)
                named.setdefault(f"{element.tag}{name}", []).append(element)
    for (selector, name), said in styled.items():
        for element in named.get(selector, ()):
            own = element.get("style") or ""
            if name not in own.lower():
                element.set("style", f"{own};{said}")
    for element in tree.iter("span", "font", "small", "a", "b", "i", "em", "strong"):
        if is_symbol_font(font := _font(element)):
            _draw(element, font)
        if raised := _RAISED_STYLE.search(element.get("style") or ""):
            element.tag = "sup" if raised[1].lower() == "super" else "sub"


def _font(element: Any) -> str:
    """The font that an element itself names, "" where it names none."""
    named = _FONT_STYLE.search(element.get("style") or "")
    return (named[1] or named[2]).strip() if named else element.get("face") or ""


def _draw(element: Any, font: str) -> None:
    """Put the signs that a symbol font draws in place of the letters of an element, but for parts in another font."""
    element.text = in_font(element.text or "", font)
    for child in element:
        if isinstance(child.tag, str) and not _font(child):
            _draw(child, font)
        child.tail = in_font(child.tail or "", font)


def _part_labels(tree: Any) -> None:
    """
    A space between a label and what it is of, where nothing but the style sheet of the site parts them: „Terminas“ and "2025-05-30"
    in two elements of which one has a class of its own.
    """
    for element in tree.iter(*_INLINE):
        before = element.getprevious()
        if before is None or before.tail or before.tag not in _INLINE or before.get("class") == element.get("class"):
            continue
        left, right = _edge(before, -1)[-2:], _edge(element, 0)[:1]
        if re.search(r"(?:[^\W\d_]\.?|:)\Z", left) and (
            right.isdigit() or (right.isupper() and not left[-1:].isupper())
        ):
            before.tail = " "


def _edge(element: Any, side: int) -> str:
    """The text at the beginning (0) or the end (-1) of an element."""
    for _ in range(10):  # deeper ones are no labels
        if side == 0 and (element.text or not len(element)):
            return element.text or ""
        if side == -1 and (not len(element) or element[-1].tail):
            return (element[-1].tail if len(element) else element.text) or ""
        element = element[side]
    return ""


def _opened(tree: Any) -> set[Any]:
    """
    The elements that a click on something else shows: answers below questions, tabs, „more“; no menus and no windows. The name of a tab
    becomes the heading of what it shows.
    """
    named: dict[str, Any] = {}
    """What opens an element, by the id of that: the tab, None for something else."""
    for element in tree.iter():
        if not isinstance(element.tag, str) or not element.keys():
            continue
        toggles = element.get("data-bs-toggle") or element.get("data-toggle")
        is_tab = toggles in ("tab", "pill") or element.get("role") == "tab"
        targets = (element.get("aria-controls") or "").split()
        if targets and any(outer.tag in ("nav", "menu") for outer in element.iterancestors()):
            targets = []
        if is_tab or toggles == "collapse":
            told = (element.get(name) or "" for name in ("data-bs-target", "data-target", "href"))
            targets += [target[1:] for target in told if target.startswith("#")]
        named |= dict.fromkeys(targets, element if is_tab else None)
    opened = {
        element
        for element in tree.iter("div", "section", "dd", "ul", "ol", "p", "article", "table", "span", "tr", "li")
        if (element.get("id") in named or element.get("role") == "tabpanel")
        and (element.get("role") or "") not in _WINDOWS
        and not _is_around(element)
    }
    for panel in opened:
        tab = named.get(panel.get("id"))
        if tab is not None and tab.getparent() is not None and panel.tag in ("div", "section", "article"):
            heading = panel.makeelement("h4")
            heading.text, heading.tail, panel.text = one_line("".join(tab.itertext())), panel.text, None
            panel.insert(0, heading)
            tab.drop_tree()
    return opened


def _is_around(element: Any, own_header: bool = False) -> bool:
    """Whether an element is called a menu, a footer, a window or the like; an article has a header of its own."""
    return bool(
        (element.tag in _AROUND and not own_header)
        or (element.get("role") or "").lower() in _ROLES_AROUND
        or _NAMED_AROUND.search(_names(element))
    )


def _names(element: Any) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _blank_out(tree: Any) -> None:
    """A space in place of every character that could not be written again."""
    for element in tree.iter():
        for place in ("text", "tail"):
            if (text := getattr(element, place)) and _NOT_IN_XML.search(text):
                setattr(element, place, _NOT_IN_XML.sub(" ", text))


def _drop_unseen(tree: Any, rules: Rules, spoken: bool = True) -> list[tuple[Any, str]]:
    """
    Take out of the page what a browser does not show and, with `spoken`, what it hides from screen readers: on a web page
    that is decoration, in a book it may be a caption. What a click shows stays. Returns the words of the rest that may be
    shown to somebody.
    """
    unseen = _unseen_names(rules)
    opened = _opened(tree)
    dropped: list[tuple[Any, str]] = []
    for element in list(tree.iter()):
        if not isinstance(element.tag, str):
            continue
        names = element.get("class") or ""
        if _STRUCK_STYLE.search(element.get("style") or "") and element.tag not in ("body", "html"):
            element.tag = "del"
        if element in opened:
            for name in ("hidden", "aria-hidden"):
                element.attrib.pop(name, None)
            element.set("style", _UNSEEN_STYLE.sub("", element.get("style") or ""))
            continue
        closed = element.tag == "dialog" and element.get("open") is None
        switched_off = (
            element.get("hidden") is not None
            or _UNSEEN_STYLE.search(element.get("style") or "")
            or (unseen and (("#", element.get("id")) in unseen or any((".", n) in unseen for n in names.split())))
        )
        hidden = (
            element.tag in ("noscript", "template")
            or element.get("popover") is not None
            or (spoken and (element.get("aria-hidden") or "").lower() == "true")
            or _UNSEEN_CLASS.search(names)
            or closed
            or switched_off
        )
        if not hidden or element.tag in ("math", "body") or element.getparent() is None:
            continue
        if [child.tag for child in element] == ["math"]:
            continue  # a formula that is drawn as a picture beside it
        if not any(outer.tag == "math" for outer in element.iterancestors()):  # formulas are hidden from screen readers
            if switched_off and not any(map(_is_around, (element, *element.iterancestors()))):
                dropped += [] if _is_few(element) else [(element.getparent(), one_line(_inline(element)))]
            element.drop_tree()
    return dropped


def _choose(tree: Any) -> None:
    """
    Of what a book says in several ways leave the first that is shown: a formula, else what stands for all others. The numbers of the
    pages that it had in print are no words of its sentences.
    """
    for element in [e for e in tree.iter() if isinstance(e.tag, str) and "pagebreak" in _kinds(e)]:
        element.drop_tree()
    for switch in list(tree.iter("epub:switch")):
        cases = [way for way in switch if way.tag == "epub:case" and next(way.iter("math"), None) is not None]
        shown = next(iter([*cases, *(way for way in switch if way.tag == "epub:default")]), None)
        for way in list(switch):
            if way is not shown and shown is not None:
                way.drop_tree()


def _write_out(tree: Any) -> None:
    """
    Put text in place of what a browser draws: what stands in the fields of a form, addresses that are written as codes or from
    the right, tables of other elements, and buttons that open what is below them, as their words are its heading.
    """
    for field in list(tree.iter("input", "select", "textarea")):
        if value := _value(field):
            tail = field.tail or ""
            field.clear()
            field.tag, field.tail = "span", tail if re.match(r"[\s.,:;)]", tail) else f" {tail}"
            first, *others = value.strip().split("\n")
            field.text = f" {first}"
            for line in others:
                field.append(field.makeelement("br"))
                field[-1].tail = line
    for element in tree.xpath("//*[@data-cfemail]"):  # an address that a script of Cloudflare writes out
        code = element.get("data-cfemail")
        if re.fullmatch(r"(?:[0-9a-fA-F]{2}){4,200}", code):
            key, *letters = bytes.fromhex(code)
            element[:] = []
            element.text = bytes(letter ^ key for letter in letters).decode("utf-8", "replace")
    for element in tree.xpath("//*[not(*)][@style or self::bdo]"):  # letters that are drawn from the right
        if _TURNED_STYLE.search(element.get("style") or "") or (element.tag == "bdo" and element.get("dir") == "rtl"):
            element.text = (element.text or "")[::-1]
    for table in tree.xpath("//*[@role='table' or @role='grid'][not(self::table)]"):
        rows = table.xpath(".//*[@role='row']")
        cells = [cell for row in rows for cell in row if cell.get("role") in _CELLS]
        if len(cells) == len(table.xpath(".//*[@role='cell' or @role='gridcell' or contains(@role, 'header')]")) > 0:
            table.tag = "table"
            for row in rows:
                row.tag = "tr"
            for cell in cells:
                cell.tag = _CELLS[cell.get("role")]
    for heading in tree.iter("h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt"):
        for button in list(heading.iter("button")):
            button.tag = "span"
    for button in list(tree.iter("button")):
        if button.get("aria-expanded") or button.get("aria-controls"):
            button.tag = "div"


def _value(field: Any) -> str:
    """What a person sees in a field of a form: what is written, ticked or picked in it; "" for what is secret or a button."""
    if field.tag == "textarea":
        return "".join(field.itertext())
    if field.tag == "select":
        options = list(field.iter("option"))
        ticks = [option.get("selected") is not None for option in options]
        if field.get("multiple") is not None:  # all are seen
            return " ".join(f"{'☒' if tick else '☐'} {_label(o)}" for o, tick in zip(options, ticks, strict=True))
        picked = next((o for o, tick in zip(reversed(options), reversed(ticks), strict=True) if tick), None)
        picked = options[0] if picked is None and options else picked
        prompts = picked is None or picked.get("value") == ""  # "Pick one…", as HTML has it
        return "" if prompts else _label(picked)
    kind = (field.get("type") or "").strip().lower()
    if kind in ("checkbox", "radio"):
        return "☒" if field.get("checked") is not None else "☐"
    return field.get("value") or "" if kind in _WRITTEN_IN else ""


def _label(option: Any) -> str:
    return one_line(option.get("label") or "".join(option.itertext()))


def _bound_spans(tree: Any) -> None:
    """Take the merging out of cells where they would cover more than `MOST_COVERED` places."""
    cells = list(tree.iter("td", "th"))
    if sum(_span(cell, "colspan") * _span(cell, "rowspan") for cell in cells) > MOST_COVERED + len(cells):
        for cell in cells:
            for name in ("colspan", "rowspan"):
                cell.attrib.pop(name, None)


def _span(cell: Any, name: str) -> int:
    return min(max(1, _whole(cell.get(name), 1)), 1000)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What the walk found at one place; `around` says that it stands in a menu, a footer or the like."""

    kind: BlockKind
    text: str
    level: int = 0
    header: str = ""
    joined: bool = True
    mark: str = ""
    header_row: bool = False
    around: bool = False
    linked: bool = False
    contents: bool = False
    """Whether its links lead to places on the page."""
    inside_main: bool = False
    group: int = 0
    """Pieces of one list or table have one number; 0 for others."""
    pictures: int = 0
    files: int = 0
    struck: int = 0
    """What stands here and is not read; such a piece has no text."""
    holder: Any = None
    """The innermost element with blocks, or of a block, that it lies in."""


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _chosen(pieces: list[_Piece], own: str) -> list[_Piece]:
    """
    The pieces that are the page's own text: all between the first and the last that trafilatura has too, or all of
    `<main>`, without menus and lists of links.
    """
    keys = [_letters(piece.text) for piece in pieces]
    menus = _menus(pieces)
    sure = [n for n, key in enumerate(keys) if len(key) >= SURE_LETTERS and key in own]
    if not sure:  # a short page, or one whose text trafilatura takes for something else
        told = [n for n, piece in enumerate(pieces) if piece.text and not piece.around]
        unlinked = [n for n in told if not pieces[n].linked]
        sure = [n for n in unlinked if pieces[n].inside_main or len(keys[n]) >= 40]
        sure = sure or unlinked or told  # few words, but all that the page has beside its menus
    if not sure:
        return []
    first, last = sure[0], sure[-1]
    main = [n for n, piece in enumerate(pieces) if piece.inside_main and not piece.around]
    if main and any(n in main for n in sure):
        first, last = min(first, main[0]), max(last, main[-1])
    else:
        # The title above the first paragraph, and the rest of the list or table that the last piece is in.
        above = [n for n in range(max(0, first - 12), first) if pieces[n].kind == "heading" and not pieces[n].around]
        first = above[0] if above else first
        while last + 1 < len(pieces) and (
            (pieces[last].group and pieces[last + 1].group == pieces[last].group)
            or (keys[last + 1] and keys[last + 1] in own)
        ):
            last += 1
        # What stands right beside them is seen as well, up to the next menu.
        own_words = [not (piece.around or piece.linked) for piece in pieces]
        while first > 0 and own_words[first - 1]:
            first -= 1
        while last + 1 < len(pieces) and (own_words[last + 1] or _goes_on(pieces, last, menus)):
            last += 1
        # So is what the same element holds behind a menu, as the way to share the page.
        known = [n for n in range(first, last + 1) if len(keys[n]) > 3 and keys[n] in own] or sure
        home = _holding(pieces[known[0]], pieces[known[-1]])
        if home.tag != "body":
            held = set(home.iter())
            last = max([last, *(n for n in range(last + 1, len(pieces)) if own_words[n] and pieces[n].holder in held)])
    certain = set(sure)
    return [
        piece
        for n, piece in enumerate(pieces)
        if first <= n <= last and (n in certain or not (piece.around or n in menus))
    ]


def _holding(first: _Piece, last: _Piece) -> Any:
    """The innermost element that holds two pieces."""
    outer = {first.holder, *first.holder.iterancestors()}
    return next(element for element in (last.holder, *last.holder.iterancestors()) if element in outer)


def _goes_on(pieces: list[_Piece], last: int, menus: set[int]) -> bool:
    """Whether the links after a piece belong to it: what a heading or a colon at the end is for, and the rest of their list."""
    above, links = pieces[last], pieces[last + 1]
    return (
        not links.around
        and last + 1 not in menus
        and (above.kind == "heading" or above.text.endswith(":") or bool(links.group and links.group == above.group))
    )


def _menus(pieces: list[_Piece]) -> set[int]:
    """
    The pieces of nothing but links that are no text: the contents of the page, the way to it, short links in a row that
    nothing introduces, and what only does something.
    """
    found = set()
    run: list[int] = []
    introduced = False
    before = ""
    for n, piece in enumerate([*pieces, _Piece("paragraph", "end")]):
        if not piece.text:
            continue
        if piece.linked and piece.kind != "heading":
            introduced = introduced if run else before == "heading" or before.endswith(":")
            run.append(n)
            continue
        lengths = sorted(len(_letters(pieces[m].text)) for m in run)
        if len(run) >= MENU and not introduced and lengths[len(run) // 2] < MENU_LETTERS:
            found.update(run)
        contents = [m for m in run if pieces[m].contents]
        found.update(contents if len(contents) > 1 else [])
        found.update(m for m in run if _is_control(pieces[m].text))
        run = []
        before = "heading" if piece.kind == "heading" else piece.text.rstrip()
    return found


def _is_control(text: str) -> bool:
    """Whether the words of links lead about the site: „Pradžia › Naujienos“, „Skaityti daugiau“."""
    return bool(_ACTION.fullmatch(text.strip(" »›→…."))) or len(_BETWEEN_LINKS.findall(text)) > 1


class _Walk:
    """Walks over the elements of a page and gives its pieces in order."""

    def __init__(self, body: Any) -> None:
        self.body = body
        self.groups = 0
        mains = [e for e in body.iter("main", "article") if e.tag == "main"] or [
            e for e in body.iter() if isinstance(e.tag, str) and e.get("role") == "main"
        ]
        articles = list(body.iter("article"))
        self.main = mains[0] if mains else articles[0] if len(articles) == 1 else None
        self.hold_blocks: set[Any] = set()
        """The elements that are blocks or have some inside them."""
        for block in body.iter(*_BLOCK_TAGS):
            holder = block
            while holder is not None and holder not in self.hold_blocks:
                self.hold_blocks.add(holder)
                holder = holder.getparent()

    def pieces(self) -> Iterator[_Piece]:
        """Every piece of text of the page, menus too, each told apart."""
        for piece in self._children(self.body, "paragraph", _Place()):
            if piece.text.strip() or piece.pictures or piece.files or piece.struck:
                yield piece

    def _children(self, element: Any, kind: BlockKind, place: _Place) -> Iterator[_Piece]:
        """
        The element's own text as `kind`, and each block inside it as what it is. Once the first text is out, what else
        a list item holds is paragraphs.
        """
        place = place.at(holder=element)
        pending = [_Part(_collapsed(element.text))]
        for child in element:
            if child not in self.hold_blocks:
                yield _unread([child], place)
            if child.tag in _NO_TEXT or not isinstance(child.tag, str):
                pending.append(_Part(_collapsed(child.tail)))
            elif child in self.hold_blocks:
                piece = self._flush(pending, kind, place)
                if piece is not None:
                    yield piece
                    kind, place = "paragraph" if kind == "list_item" else kind, place.unmarked()
                if kind == "list_item" and child.tag in ("p", "div"):
                    for inner in self._children(child, kind, place):
                        yield inner
                        kind = "paragraph"
                    place = place.unmarked() if kind == "paragraph" else place
                else:
                    yield from self._block(child, place)
                pending = [_Part(_collapsed(child.tail))]
            else:
                pending += [_Part(_inline(child), *_linked(child)), _Part(_collapsed(child.tail))]
        if (piece := self._flush(pending, kind, place)) is not None:
            yield piece

    def _flush(self, pending: list[_Part], kind: BlockKind, place: _Place) -> _Piece | None:
        text = _tidy("".join(part.text for part in pending))
        if not text:
            return None
        linked = sum(part.linked for part in pending)
        is_linked = len(text) < 150 and linked > LINKED_SHARE * len(_letters(text))
        return _Piece(
            kind,
            one_line(text) if kind == "heading" else text,
            place.depth if kind == "list_item" else place.level if kind == "heading" else 0,
            mark=place.mark if kind == "list_item" else "",
            around=place.around,
            linked=is_linked,
            contents=is_linked and all(part.inside for part in pending if part.linked),
            inside_main=place.inside_main,
            group=place.group,
            holder=place.holder,
        )

    def _block(self, element: Any, place: _Place) -> Iterator[_Piece]:
        place = self._inside(element, place)
        tag = element.tag
        if re.fullmatch(r"h[1-6]", tag):
            yield from self._children(element, "heading", place.at(level=int(tag[1])))
        elif tag in ("ul", "ol", "menu"):
            yield from self._list(element, place)
        elif tag == "dl":
            yield from self._terms(element, place)
        elif tag == "table":
            yield from self._table(element, place)
        elif tag == "pre":
            text = _preformatted(element).strip("\n")
            yield _Piece("paragraph", text, around=place.around, inside_main=place.inside_main, holder=element)
        elif tag == "li":
            yield from self._children(element, "list_item", place)
        else:
            yield from self._children(element, "paragraph", place)

    def _inside(self, element: Any, place: _Place) -> _Place:
        """The place of what is inside an element: in the main part, or in a menu, a footer, a remark about cookies."""
        inside = place.inside_main or element is self.main
        if element is self.main:
            return place.at(inside_main=True, around=False)
        own_header = element.tag == "header" and (inside or any(a.tag == "article" for a in element.iterancestors()))
        return place.at(inside_main=inside, around=place.around or _is_around(element, own_header))

    def _list(self, element: Any, place: _Place) -> Iterator[_Piece]:
        self.groups += not place.group
        place = place.at(depth=place.depth + 1, group=place.group or self.groups)
        marks = _marks(element)
        for child in element:
            if isinstance(child.tag, str) and child.tag not in _NO_TEXT:
                yield from self._block(child, place.at(mark=marks[child]) if child in marks else place)

    def _terms(self, element: Any, place: _Place) -> Iterator[_Piece]:
        """A list of terms: each with its explanation as a row, where that is one paragraph."""
        self.groups += 1
        place = place.at(group=self.groups, holder=element)
        entries = [
            e for e in element.iter("dt", "dd") if not any(a.tag == "dd" for a in e.iterancestors() if a is not element)
        ]
        term = explained = ""  # the term that waits for its explanation, or the one that has some
        for entry in entries:
            if entry.tag == "dt":
                if term:
                    yield self._piece("paragraph", term, place)
                term, explained = one_line(_inline(entry)), ""
            elif any(child.tag in ("ul", "ol", "table", "dl") for child in entry.iter()):
                if term:
                    yield self._piece("paragraph", term, place)
                    term = ""
                yield from self._children(entry, "paragraph", place)
            else:
                text, explained, term = one_line(_inline(entry)), term or explained, ""
                yield self._piece("table_row", f"{explained} | {text}" if explained else text, place)
                yield _unread([entry], place)
        if term:
            yield self._piece("paragraph", term, place)

    def _piece(self, kind: BlockKind, text: str, place: _Place) -> _Piece:
        return _Piece(
            kind, text, around=place.around, inside_main=place.inside_main, group=place.group, joined=False, holder=place.holder
        )  # fmt: skip

    def _table(self, table: Any, place: _Place) -> Iterator[_Piece]:
        self.groups += 1
        place = place.at(group=self.groups, holder=table)
        for caption in table.findall("caption"):
            yield from self._children(caption, "paragraph", place)
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        rows.sort(key=lambda row: {"thead": 0, "tfoot": 2}.get(row.getparent().tag, 1))  # as they are drawn
        cells = [[cell for cell in row if cell.tag in ("td", "th")] for row in rows]
        lays_out = (table.get("role") or "") in ("presentation", "none") or (
            len(rows) == 1 and any(c.find(".//table") is not None or c.find(".//p") is not None for c in cells[0])
        )
        if lays_out or all(len(row) < 2 for row in cells):  # a table that only lays out the page
            for row in cells:
                for cell in row:
                    yield from self._children(cell, "paragraph", place.at(group=0))
            return
        grid = _grid(rows, cells)
        heads = [
            row.getparent().tag == "thead" or (bool(line) and all(c.tag == "th" for c in line))
            for row, line in zip(rows, cells, strict=True)
        ]
        joined = False
        for number, made in enumerate(_laid_out(grid, heads)):
            yield _Piece(
                "table_row", made.text, header=made.header, joined=joined, header_row=made.is_header, around=place.around,
                inside_main=place.inside_main, group=place.group, holder=table,
            )  # fmt: skip
            joined = joined or bool(made.text)
            yield _unread(cells[number], place, skip_tables=True)
            for cell in cells[number]:
                for inner in cell.iter("table"):
                    if next(inner.iterancestors("table")) is table:
                        yield from self._table(inner, place)
                        joined = False


@dataclass(frozen=True, slots=True)
class _Part:
    """Text of a block, how many of its letters are a link, and whether that leads to a place on the page."""

    text: str
    linked: int = 0
    inside: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an element stands: how deep in lists, in a menu or the like, in the main part of the page."""

    depth: int = -1
    level: int = 0
    mark: str = ""
    around: bool = False
    inside_main: bool = False
    group: int = 0
    holder: Any = None

    def at(self, **values: Any) -> _Place:
        return replace(self, **values)

    def unmarked(self) -> _Place:
        return self.at(mark="")


def _marks(element: Any) -> dict[Any, str]:
    """The numbers of the items of a list, nothing for one with bullets."""
    kinds = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
    usual = kinds.get(element.get("type") or "", "decimal" if element.tag == "ol" else "bullet")
    kind = _LIST_KINDS.get(_list_style(element), usual)
    items = [child for child in element if child.tag == "li"]
    step = -1 if element.get("reversed") is not None else 1
    number = _whole(element.get("start"), len(items) if step < 0 else 1)
    marks = {}
    for item in items:
        number = _whole(item.get("value"), number)
        if mark := written(number, _LIST_KINDS.get(_list_style(item), kind)):
            marks[item] = f"{mark}."
        number += step
    return marks


def _list_style(element: Any) -> str:
    """How an element's own style draws the marks of its items, "" where it says nothing of it."""
    styled = _LIST_STYLE.search(element.get("style") or "")
    return styled[1].lower() if styled else ""


def _laid_out(grid: list[list[tables.Cell]], heads: list[bool]) -> list[tables.Row]:
    """The rows of a table; where names without figures come again further down, they name the columns of what follows."""
    if True not in heads:
        return tables.laid_out(grid, tables.header_rows(grid))
    begins = [0]
    for number in range(1, len(grid)):
        names = len(grid[number]) > 1 and not any(re.search(r"\d", cell.text) for cell in grid[number])
        if heads[number] and not heads[number - 1] and names:
            begins.append(number)
    made: list[tables.Row] = []
    for start, end in pairwise([*begins, len(grid)]):
        headed = next((n for n in range(start, end) if not heads[n]), start) - start
        made += tables.laid_out(grid[start:end], headed or (0 if start else tables.header_rows(grid)))
    return made


def _grid(rows: list[Any], cells: list[list[Any]]) -> list[list[tables.Cell]]:
    """
    The cells of a table on its columns, those that span rows in each of them, up to the last of their group. Where they would
    be too many, each cell stands once.
    """
    own = sum(map(len, cells))
    repeated = 0
    grid: list[list[tables.Cell]] = []
    group: Any = None
    spanning: dict[int, tuple[int, tables.Cell]] = {}  # by first column: the row before which the cell ends, the cell
    for number, (held_in, row) in enumerate(zip(rows, cells, strict=True)):
        if held_in.getparent() is not group:
            group = held_in.getparent()
            spanning = {}
        spanning = {column: (end, made) for column, (end, made) in spanning.items() if end > number}
        line: list[tables.Cell] = []
        place = 0
        waiting = iter(row)
        while True:
            if place in spanning:
                made = spanning[place][1]
                repeated += 1
            elif (cell := next(waiting, None)) is not None:
                to_the_end = (cell.get("rowspan") or "").strip() == "0"
                tall = len(rows) if to_the_end else _span(cell, "rowspan")
                made = _cell(cell, place, _span(cell, "colspan"))
                if tall > 1:
                    spanning[place] = (number + tall, made)
            elif beyond := [column for column in spanning if column > place]:
                place = min(beyond)
                continue
            else:
                break
            line.append(made)
            place = made.end
        if not tables.may_repeat(own + repeated, own):
            return [[_cell(cell, place, 1) for place, cell in enumerate(row)] for row in cells]
        grid.append(line)
    return grid


def _cell(cell: Any, place: int, wide: int) -> tables.Cell:
    return tables.Cell(
        one_line(_inline(cell, skip_tables=True)), place, place + wide, cell.tag == "th" or _is_bold(cell)
    )


def _is_bold(cell: Any) -> bool:
    bold = "".join("".join(e.itertext()) for e in cell.iter("b", "strong"))
    return bool(bold.strip()) and _letters(bold) == _letters("".join(cell.itertext()))


def _unread(elements: list[Any], place: _Place, skip_tables: bool = False) -> _Piece:
    """A piece without text that counts the pictures and the files of others inside these elements."""
    inside = [e for element in elements for e in _seen(element, skip_tables)]
    return _Piece(
        "paragraph",
        "",
        around=place.around,
        inside_main=place.inside_main,
        group=place.group,
        holder=place.holder,
        pictures=sum(e.tag in _PICTURES and _says_something(e) for e in inside),
        files=sum(e.tag in _FILES for e in inside),
        struck=sum(e.tag in _STRUCK and bool(_letters("".join(e.itertext()))) for e in inside),
    )


def _seen(element: Any, skip_tables: bool) -> Iterator[Any]:
    """An element and those inside it, of pictures and files only the outermost."""
    yield element
    if element.tag not in (*_PICTURES, *_FILES, *_STRUCK):
        for child in element:
            if not (skip_tables and child.tag == "table"):
                yield from _seen(child, skip_tables)


def _says_something(picture: Any) -> bool:
    """Whether a picture may hold words: it is no decoration, as the page says itself, and no small sign."""
    if picture.get("alt") == "" or (picture.get("role") or "") in ("presentation", "none"):
        return False
    if picture.tag == "svg" and not any(e.tag in ("text", "image", "foreignobject") for e in picture.iter()):
        return False
    return all(_whole(picture.get(side), SMALL_PICTURE + 1) > SMALL_PICTURE for side in ("width", "height"))


def _inline(element: Any, skip_tables: bool = False) -> str:
    """The words of an element on one line, but for `<br>`."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _NO_TEXT or (skip_tables and tag == "table"):
        return ""
    if tag == "br":
        return "\n"
    if tag == "math":
        return mathml(element)
    parts = [_collapsed(element.text)]
    marks = _marks(element)
    for child in element:
        apart = " " if child.tag in _BLOCK_TAGS else ""
        words = _inline(child, skip_tables)
        if child.tag == "li" and (words := words.strip()):  # in a cell, or in a term
            bullet = "" if words.startswith(tables.BULLET) or _list_style(element) == "none" else tables.BULLET
            words = f"{marks.get(child, bullet)} {words}".lstrip()
        parts += [apart, words, apart, _collapsed(child.tail)]
    text = "".join(parts)
    if tag == "sup" or _is_note_mark(element):
        return raised(text) or text
    if tag == "sub":
        return low(text)
    if tag == "rt":
        return spoken(text)
    return f"„{text}“" if tag == "q" else text


def _preformatted(element: Any) -> str:
    """The words of an element with their spaces and lines."""
    if not isinstance(element.tag, str) or element.tag in _NO_TEXT:
        return ""
    parts = (part for child in element for part in (_preformatted(child), child.tail or ""))
    return "\n" if element.tag == "br" else (element.text or "") + "".join(parts)


def _is_note_mark(element: Any) -> bool:
    """Whether an element is the number of a note in an e-book, which its style raises."""
    return "noteref" in _kinds(element)


def _kinds(element: Any) -> list[str]:
    """What an e-book says that an element is."""
    return f"{element.get('epub:type', '')} {element.get('role', '').replace('doc-', '')}".split()


def _linked(element: Any) -> tuple[int, bool]:
    """How many letters of an element are a link, and whether all lead to places on the page; addresses for e-mail and the like are text."""
    links = [element] if element.tag == "a" else list(element.iter("a"))
    links = [link for link in links if not re.match(r"\s*(?:mailto|tel):", link.get("href") or "", re.IGNORECASE)]
    inside = all((link.get("href") or "").startswith("#") for link in links)
    return sum(len(_letters("".join(link.itertext()))) for link in links), inside


def _tidy(text: str) -> str:
    return re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text)).strip()


def _collapsed(text: str | None) -> str:
    return _SPACES.sub(" ", text or "")


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?\d{1,6}\s*", text) else otherwise


def add_all(raw: bytes, document: str, builder: TextBuilder, decoded: bool = False, style: str = "") -> tuple[int, int]:
    """
    Add everything that is written in a page without menus (a chapter of a book, an e-mail) to a text; gives how many
    pictures it has, and places with struck-out text. `decoded` says that the bytes are UTF-8, `style` is a style sheet beside its own.
    """
    tree = _tree(raw.decode() if decoded else encoding.decode(raw, document, _declared(raw))[0], document)
    if tree is None:
        return 0, 0
    beside = tree.makeelement("style")
    beside.text = _NOT_IN_XML.sub(" ", style)
    tree.append(beside)
    rules = list(_rules(tree))
    _style_words(tree, rules)
    _drop_unseen(tree, rules, spoken=False)
    _part_labels(tree)
    _choose(tree)
    _write_out(tree)
    body = next(iter(tree.iter("body")), tree)
    pictures = struck = 0
    for piece in _Walk(body).pieces():
        _add(builder, piece)
        pictures += piece.pictures
        struck += piece.struck
    return pictures, struck


def _add(builder: TextBuilder, piece: _Piece) -> None:
    if piece.header_row:
        builder.add_uncovered(piece.text)
    else:
        builder.add(piece.kind, piece.text, piece.level, piece.header, piece.joined, piece.mark)

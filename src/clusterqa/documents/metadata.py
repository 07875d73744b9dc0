"""
What is known about a document: front matter on top of it, a sidecar file beside it, or properties inside it.

The keys are `title`, `language` (lt or en), `url`, `date` (ISO 8601), `publisher`, `tags`, `sources`,
`translation_of`, and two more dates: `valid_until`, the last day on which it holds, and `review_by`. A sidecar may have
`left_out` and `notes`, which the staff desk writes (`marks`). A wrong value is left out with a warning; it never makes a document unreadable.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
import unicodedata
from dataclasses import dataclass, fields, replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import yaml

from clusterqa.records import Language

KEYS = (
    "title",
    "language",
    "url",
    "date",
    "publisher",
    "tags",
    "sources",
    "translation_of",
    "valid_until",
    "review_by",
    "left_out",
    "notes",
)

LANGUAGE_NAMES: dict[str, Language] = {
    "lt": "lt", "lit": "lt", "lithuanian": "lt", "lietuvių": "lt",
    "en": "en", "eng": "en", "english": "en", "anglų": "en",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metadata:
    """What one place says about a document; None and the empty tuple mean that it does not say."""

    title: str | None = None
    language: Language | None = None
    url: str | None = None
    date: str | None = None
    publisher: str | None = None
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    translation_of: str | None = None
    valid_until: str | None = None
    review_by: str | None = None
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def over(self, other: Metadata) -> Metadata:
        """These values, and those of `other` where this place does not say."""
        return replace(self, **{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})


# Three hyphens alone on the first line; the end is three hyphens or three dots alone on a line.
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*(?:\r\n|\r|\n)(?P<yaml>(?s:.*?)(?<=[\n\r]))(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)"
)
_KNOWN_KEY = re.compile(rf"(?:\A|[\n\r])['\"]?(?:{'|'.join(KEYS)})['\"]?[ \t]*:", re.IGNORECASE)
_FIRST_KEY = re.compile(r"\A(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*+['\"]?\w[\w -]*+['\"]?[ \t]*+:(?:\s|\Z)")


_TOML = re.compile(r"\A\+\+\+[ \t]*(?:\r\n|\r|\n)(?P<toml>(?s:.*?)(?<=[\n\r]))\+\+\+[ \t]*(?:\r\n|\r|\n|\Z)")


def front_matter(text: str) -> tuple[Metadata, int, list[str]]:
    """
    The metadata on top of a text, in YAML between `---` or in TOML between `+++`, where the body starts (0 without
    front matter), and warnings.

    Front matter that cannot be read still counts as front matter: it is not quoted. A text that merely starts
    with a thematic break (`---`) has none: what stands there starts with no field, or is not YAML and names
    no field that is known here.
    """
    if toml := _TOML.match(text):
        metadata, warnings = _parse_toml(toml["toml"])
        return metadata, toml.end(), warnings
    found = _FRONT_MATTER.match(text)
    if found is None or (found["yaml"].strip() and _FIRST_KEY.match(found["yaml"]) is None):
        return Metadata(), 0, []
    if _KNOWN_KEY.search(found["yaml"]) is None:
        try:
            _compose(found["yaml"])
        except _YAML_ERRORS:
            return Metadata(), 0, []
    metadata, warnings = parse(found["yaml"], first_line=2, place="front matter")
    return metadata, found.end(), warnings


def _parse_toml(text: str) -> tuple[Metadata, list[str]]:
    """Read front matter in TOML; fields inside a table, such as Zola's `[taxonomies]`, count as well."""
    text = re.sub(r"\r\n?", "\n", text)
    try:
        if any(name.count(".") > DEEPEST_TOML for name in re.split(r"[=\n,]", text)):
            raise ValueError("a name in it has too many dots")
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return Metadata(), [f"The front matter cannot be read: {error}. Its fields are left out; mend the TOML."]
    inner = [item for value in told.values() if isinstance(value, dict) for item in value.items()]
    metadata = Metadata()
    warnings: list[str] = []
    lines: dict[str, int] = {}
    for number, row in enumerate(text.split("\n")):
        if found := re.match(r"\s*[\"']?([\w-]+)", row):
            lines.setdefault(found[1], number)
    for key, value in [*told.items(), *inner]:
        if isinstance(value, dict) or not _near(key.strip().lower()):
            continue
        line = lines.get(key, 0)
        plain = [str(one) for one in value] if isinstance(value, list) else str(value)
        own, faults = parse(yaml.safe_dump({key: plain}, allow_unicode=True), first_line=line + 2, place="front matter")
        metadata, warnings = metadata.over(own), [*warnings, *faults]
    return metadata, warnings


def _near(key: str) -> bool:
    """Whether a key is a field, or so like one that it may be meant."""
    return key in KEYS or bool(difflib.get_close_matches(key, KEYS, n=1, cutoff=0.8))


_YAML_ERRORS = (yaml.YAMLError, RecursionError, ValueError)
MOST_YAML = 50_000
"""Characters; the parser reads some hundred thousand a second, and whoever adds documents can write what he likes into them."""
DEEPEST_TOML = 50
"""Dots in a name, each a table in a table; the parser's work grows with the square of them."""
DEEPEST_YAML = 50
"""Brackets in brackets; the parser's work grows with the square of them."""


def _compose(text: str) -> yaml.Node | None:
    """
    The tree of a YAML text: marks and strings, nothing built from them. Raises one of `_YAML_ERRORS`.
    """
    if len(text) > MOST_YAML:
        raise ValueError(f"it is longer than {MOST_YAML} characters")
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST_YAML:
            raise ValueError("its brackets lie in each other too deeply")
    # The loader takes "\r" alone for a line end, but does not count it in its marks.
    return yaml.compose(re.sub(r"\r\n?", "\n", text), Loader=yaml.SafeLoader)


def parse(text: str, first_line: int, place: str) -> tuple[Metadata, list[str]]:
    """
    Read a mapping in YAML. `first_line` is the number its first line has in the file, `place` what to call
    it.

    Nothing is built from the YAML but strings and lists of strings: no dates, no tags, no Python objects.
    """
    try:
        root = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + (mark.line if mark else 0)
        why = error.problem or error.context or "not YAML"
        return Metadata(), [f"The {place} cannot be read, line {line}: {why}. Its fields are left out; fix the YAML."]
    except _YAML_ERRORS as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Metadata(), [f"The {place} cannot be read: {why}. Its fields are left out; fix the YAML."]
    if root is None:
        return Metadata(), []
    if not isinstance(root, yaml.MappingNode):
        return Metadata(), [f"The {place} is not a list of fields such as “title: …”; it is left out."]
    values: dict[str, object] = {}
    warnings: list[str] = []
    for key_node, value_node in root.value:
        key = key_node.value.strip().lower() if isinstance(key_node, yaml.ScalarNode) else ""
        where = f"{place}, line {first_line + key_node.start_mark.line}, field “{key}”"
        if key not in KEYS:
            if close := difflib.get_close_matches(key, KEYS, n=1, cutoff=0.8):
                warnings.append(f"{where}: unknown; did you mean “{close[0]}”? It is left out.")
            continue
        value, fault = _value(key, value_node)
        if fault:
            warnings.append(f"{where}: {fault}")
        elif value:
            values[key] = value
    return Metadata(**values), warnings  # type: ignore[arg-type]


def _value(key: str, node: yaml.Node) -> tuple[object, str]:
    """The value of a field and what is wrong with it; one of the two is empty."""
    if key in ("tags", "sources", "left_out", "notes"):
        return _strings(key, node)
    if not isinstance(node, yaml.ScalarNode):
        return None, "must be one value, not a list; it is left out."
    text = _scalar(node)
    if not text:
        return None, ""
    if key == "language":
        language = language_of(text)
        return (language, "") if language else (None, f"“{text}” is not lt or en; the language is worked out instead.")
    if key in ("date", "valid_until", "review_by"):
        date = iso_date(text)
        return (date, "") if date else (None, f"“{text}” is not a date such as 2024-03-05; it is left out.")
    if key == "url":
        url = web_address(text)
        return (url, "") if url else (None, f"“{text}” is not an address with http:// or https://; it is left out.")
    if key == "translation_of":
        return document_id(text), ""
    return " ".join(text.split()), ""


def _strings(key: str, node: yaml.Node) -> tuple[tuple[str, ...], str]:
    if isinstance(node, yaml.ScalarNode):
        text = _scalar(node)
        # An address may hold a comma, so sources are cut at white space and line ends only.
        parts = text.split(",") if key == "tags" else text.split() if key == "sources" else [text]
    elif isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        parts = [_scalar(item) for item in node.value]
    else:
        return (), "must be a list of single values; it is left out."
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip())), ""


def _scalar(node: yaml.ScalarNode) -> str:
    text = str(node.value).strip()
    return "" if node.tag == "tag:yaml.org,2002:null" else text


def language_of(text: str) -> Language | None:
    """lt or en for a language's code or name ("lt", "LIT", "lt-LT", "en_GB"), None for any other."""
    name = text.strip().lower()
    return LANGUAGE_NAMES.get(name) or LANGUAGE_NAMES.get(re.split(r"[-_]", name, maxsplit=1)[0])


def language_of_name(name: str) -> Language | None:
    """The language that a file name states: lt for "ženklai.lt.md", en for "labels.en.pdf", else None."""
    parts = PurePosixPath(name).name.lower().split(".")
    return language_of(parts[-2]) if len(parts) > 2 and parts[-2] in ("lt", "en") else None


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "sausio sausis january jan", "vasario vasaris february feb", "kovo kovas march mar", "balandžio balandis april apr",
            "gegužės gegužė may", "birželio birželis june jun", "liepos liepa july jul", "rugpjūčio rugpjūtis august aug",
            "rugsėjo rugsėjis september sep sept", "spalio spalis october oct", "lapkričio lapkritis november nov",
            "gruodžio gruodis december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WRITTEN_DATES = (
    re.compile(
        rf"(?P<y>\d{{4}})\s*(?:m\.?\s*)?(?P<m>{_MONTH})\s*(?:mėn\.?\s*)?(?:(?P<d>\d{{1,2}})\s*(?:d\.?|dien\w+)?)?", re.I
    ),
    re.compile(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<m>{_MONTH})\.?,?\s+(?P<y>\d{{4}})", re.I),
    re.compile(rf"(?P<m>{_MONTH})\.?\s+(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?(?P<y>\d{{4}})", re.I),
    re.compile(r"(?P<y>\d{4})\s*m\.?"),
    re.compile(r"(?P<y>\d{4})(?P<s>[./])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})\.?"),
)


def iso_date(text: str) -> str | None:
    """
    A date in ISO 8601, cut to the day: "2024-03-05". A year, or a year and a month, stay as they are.

    „2021 m. gegužės 5 d.“, "5 May 2021" and "2021.05.05" are understood. Anything else, such as 05/03/2024, which two
    countries read in two ways, gives None.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if re.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?", text):
        return text
    if found := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?=$|[Tt ])", text):
        return _day(found[1], found[2], found[3])
    for pattern in _WRITTEN_DATES:
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            month = parts.get("m")
            if not month:
                return parts["y"] if parts["y"][:2] in ("19", "20") else None
            number = str(_MONTHS.get(month.lower(), month))
            return _day(parts["y"], number, parts["d"]) if parts["d"] else _day(parts["y"], number, "1", cut=7)
    return None


def _day(year: str, month: str, day: str, cut: int = 10) -> str | None:
    try:
        return datetime.date(int(year), int(month), int(day)).isoformat()[:cut]
    except ValueError:
        return None


def web_address(text: str) -> str | None:
    """The address if it is one that may be shown as a link (http or https, with a host), else None."""
    text = text.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or re.search(r"[\s<>\"]", text):
        return None
    return text


def document_id(text: str) -> str:
    """A document's id as it is written in front matter: forward slashes, NFC, no leading "./"."""
    return unicodedata.normalize("NFC", text.strip().replace("\\", "/")).removeprefix("./")


def title_of_name(name: str) -> str:
    """A title made from a file name: "klasterio_ženklas-2024.lt.md" gives "Klasterio ženklas 2024"."""
    stem = PurePosixPath(name).name
    stem = stem.rsplit(".", 1)[0] if "." in stem else stem
    stem = re.sub(r"\.(lt|en)$", "", stem, flags=re.IGNORECASE)
    words = " ".join(re.sub(r"[-_]+", " ", stem).split())
    return words[:1].upper() + words[1:] or name

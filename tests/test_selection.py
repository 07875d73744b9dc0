"""What is shown for a quote: whole lists, tables under their columns, sentences with what they lean on."""

from __future__ import annotations

import pytest

from clusterqa.documents import markdown
from clusterqa.records import Block, Document, Hit, Language, Part, Passage, Source, Span
from clusterqa.retrieval.notes import says_closed, year_of
from clusterqa.retrieval.quote import quote
from clusterqa.retrieval.selection import SHORT_LIST, named_cell, selection
from clusterqa.text.answer_types import wants_list
from clusterqa.text.asked_parts import asked_parts
from clusterqa.text.definitions import defined_term, defines
from clusterqa.text.leaning import leans

STEPS = """# Registration

The service is free.

To register, follow these steps:

1. Open the page.
2. Choose a form:
   - for a person;
   - for a firm.
3. Send it.

It takes three days. They write to you. This is all.

## Papers

- a statute
- a list of members

## Prices

| Label | Price |
|---|---|
| Bronze | EUR 600 |
| Silver | EUR 900 |

Another paragraph.
"""


def document(text: str = STEPS, language: Language = "en") -> Document:
    found = markdown.extract(text)
    return Document("a.md", found.text, "Title", language, found.blocks, "text/markdown")


def shown(
    quote: str, wants: bool, text: str = STEPS, language: Language = "en", one: bool = False
) -> list[tuple[str, str]]:
    read = document(text, language)
    start = read.text.index(quote)
    parts = selection(read, start, start + len(quote), wants, one)
    for part in parts:
        assert read.text[part.start : part.end] == part.text
        assert all(part.start <= cell.start <= cell.end <= part.end for cell in part.cells)
    assert [part.start for part in parts] == sorted(part.start for part in parts)
    return [(part.kind, part.text) for part in parts]


LEAD = ("lead", "To register, follow these steps:")
ALL = [
    LEAD,
    ("item", "Open the page."),
    ("item", "Choose a form:"),
    ("item", "for a person;"),
    ("item", "for a firm."),
    ("item", "Send it."),
]


@pytest.mark.parametrize("quote", ["Open the page.", "Send it.", "To register, follow these steps:"])
def test_a_question_for_a_list_gets_the_whole_list_and_what_introduces_it(quote: str) -> None:
    assert shown(quote, wants=True) == ALL


def test_a_nested_list_that_an_item_introduces_is_a_list_of_its_own() -> None:
    assert shown("for a firm.", wants=True) == [
        ("lead", "Choose a form:"), ("item", "for a person;"), ("item", "for a firm."),
    ]  # fmt: skip


def test_a_question_for_one_thing_gets_the_item_with_its_introduction() -> None:
    assert shown("Send it.", wants=False, one=True) == [LEAD, ("item", "Send it.")]
    assert shown("for a firm.", wants=False, one=True) == [("lead", "Choose a form:"), ("item", "for a firm.")]


def test_a_question_for_no_kind_of_thing_gets_a_short_list_whole_and_of_a_long_one_the_item() -> None:
    assert shown("Send it.", wants=False) == ALL
    long = STEPS.replace("Open the page", "Open the page" + " and wait" * SHORT_LIST)
    assert shown("Send it.", False, long) == [LEAD, ("item", "Send it.")]


def test_several_items_or_rows_never_stand_without_the_others_of_a_short_list() -> None:
    rights = "# Rights\n\n- To see the minutes.\n- To vote.\n- To leave.\n\n"
    assert shown("To vote.\n- To leave.", False, rights) == [
        ("lead", "Rights"), ("item", "To see the minutes."), ("item", "To vote."), ("item", "To leave."),
    ]  # fmt: skip
    long = rights.replace("minutes", "minutes" * SHORT_LIST)
    assert shown("To vote.\n- To leave.", False, long) == [("item", "To vote."), ("item", "To leave.")]
    assert shown("Bronze | EUR 600 |\n| Silver | EUR 900", wants=False)[1:] == [
        ("row", "Bronze | EUR 600"), ("row", "Silver | EUR 900"),
    ]  # fmt: skip


def test_a_sentence_that_announces_a_list_never_stands_without_it() -> None:
    assert shown("To register, follow these steps:", wants=False) == ALL


def test_a_list_without_a_sentence_before_it_is_introduced_by_its_heading() -> None:
    assert shown("a list of members", wants=True) == [
        ("lead", "Papers"), ("item", "a statute"), ("item", "a list of members"),
    ]  # fmt: skip


def test_a_question_for_a_list_gets_the_one_list_of_the_section_that_a_sentence_stands_in() -> None:
    text = "# Silver\n\n## What Silver takes\n\n1. A second visit.\n2. Three areas.\n\nIf one fails, there is no label.\n\n## Price\n\nIt costs a lot.\n"
    after = "If one fails, there is no label."
    assert shown(after, True, text) == [
        ("lead", "What Silver takes"), ("item", "A second visit."), ("item", "Three areas."), ("text", after),
    ]  # fmt: skip
    assert shown(after, False, text) == [("text", after)]
    assert shown("It costs a lot.", True, text) == [("text", "It costs a lot.")]
    several = text.replace("If one", "Bring:\n\n- paper;\n- a pen.\n\nIf one")
    assert shown(after, True, several) == [("text", after)]
    table = text.replace(
        "1. A second visit.\n2. Three areas.", "| Step | Days |\n|---|---|\n| Visit | 2 |\n| Report | 9 |"
    )
    rows = [("row", "Visit | 2"), ("row", "Report | 9")]
    assert [part for part in shown(after, True, table) if part[0] == "row"] == rows


def test_a_table_is_shown_whole_for_a_list_and_as_a_row_for_one_thing() -> None:
    rows = [("row", "Bronze | EUR 600"), ("row", "Silver | EUR 900")]
    assert shown("Silver | EUR 900", wants=True) == [("lead", "Prices"), *rows]
    assert shown("EUR 900", wants=False) == [("lead", "Prices"), *rows]
    assert shown("EUR 900", wants=False, one=True) == rows[1:]
    (part,) = selection(document(), STEPS.index("EUR 900"), STEPS.index("EUR 900") + 7, False, wants_one=True)
    assert part.header == ("Label", "Price") and [part.cut(cell) for cell in part.cells] == ["Silver", "EUR 900"]


@pytest.mark.parametrize(
    ("question", "cell"),
    [
        ("Is the Silver Label valid for three years?", "not stated"),
        ("bronze label validity", "two years"),
        ("How long are labels valid?", None),
        ("What is the difference between the Bronze Label and the Silver Label?", None),
    ],
)
def test_the_cell_under_the_column_that_is_named_is_the_answering_one(question: str, cell: str | None) -> None:
    text = "# A\n\n| Criterion | Bronze Label | Silver Label |\n|---|---|---|\n| Validity | two years | not stated |\n"
    parts = selection(document(text), text.index("Validity"), text.rindex(" |"), False)
    found = named_cell(parts, question)
    assert (text[found.start : found.end] if found else None) == cell


def test_a_sentence_brings_along_those_that_it_leans_on_and_no_more_than_two() -> None:
    assert shown("They write to you.", wants=False) == [
        ("before", "It takes three days."), ("text", "They write to you."),
    ]  # fmt: skip
    assert [kind for kind, _ in shown("This is all.", wants=False)] == ["before", "before", "text"]


def test_context_comes_from_the_paragraph_before_and_not_from_another_section() -> None:
    text = "# A\n\nBronzą gauna klasteris.\n\nTokį ženklą galima atnaujinti.\n\n## B\n\nJis galioja dvejus metus.\n"
    assert shown("Tokį ženklą galima atnaujinti.", False, text, "lt")[0] == ("before", "Bronzą gauna klasteris.")
    assert shown("Jis galioja dvejus metus.", False, text, "lt") == [("text", "Jis galioja dvejus metus.")]


def test_a_longer_list_than_people_read_stays_an_item() -> None:
    text = "# A\n\nThese are all:\n\n" + "".join(f"- number {n} of many\n" for n in range(150))
    assert shown("number 7 of many", True, text) == [("lead", "These are all:"), ("item", "number 7 of many")]


def test_a_row_of_thousands_of_cells_is_text_of_which_only_what_was_meant_is_shown() -> None:
    row = " | ".join(f"cell {n}" for n in range(5000))
    wide = Document("a.csv", row, "Title", "en", (Block("table_row", 0, len(row)),), "text/csv")
    start = row.index("cell 70 ")
    assert selection(wide, start, start + 17, True) == (Part("text", start, start + 17, "cell 70 | cell 71"),)
    header = " | ".join(f"column {n}" for n in range(5000))
    named = Document("a.csv", "1 | 2", "Title", "en", (Block("table_row", 0, 5, 0, header),), "text/csv")
    assert selection(named, 0, 1, False) == (Part("text", 0, 1, "1"),)


def test_a_list_of_long_items_stays_an_item() -> None:
    text = "# A\n\nThese are all:\n\n" + "".join(f"- number {n} {'and more ' * 150}\n" for n in range(50))
    assert shown("number 7", True, text) == [("lead", "These are all:"), ("item", "number 7")]


def test_a_document_without_structure_gives_the_text() -> None:
    plain = Document("a.txt", "One. Two.", "Title", "en", (), "text/plain")
    assert selection(plain, 5, 9, True) == (Part("text", 5, 9, "Two."),)


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("Kaip pateikti paraišką bronzos ženklui?", True),
        ("Ko reikia bronzos ženklui gauti?", True),
        ("kokie dokumentai reikalingi", True),
        ("kokių dokumentų reikia auditui", True),
        ("kurie lietuvos klasteriai turi bronza", True),
        ("What are the 36 indicators?", True),
        ("How do I register on the ECCP?", True),
        ("what documents do we need", True),
        ("Nuo ko pradėti, jei norime steigti klasterį?", True),
        ("could you show an example schedule for the audit", True),
        ("How did they divide the money?", True),
        ("Kaip vadinasi ESCA vadovas?", False),
        ("Kaip ilgai galioja ženklas?", False),
        ("Kiek kainuoja bronzos ženklas?", False),
        ("Kiek Lietuvoje yra klasterių?", False),
        ("How long is the label valid?", False),
        ("How much does it cost?", False),
        ("What is ClusterXchange?", False),
        ("When was ESCA founded?", False),
    ],
)
def test_a_question_says_whether_it_wants_a_list(question: str, whole: bool) -> None:
    assert wants_list(question) is whole


@pytest.mark.parametrize(
    ("sentence", "language", "leaning"),
    [
        ("Tokį ženklą galima atnaujinti.", "lt", True),
        ("Jis galioja dvejus metus.", "lt", True),
        ("Ši suma mokama iš karto.", "lt", True),
        ("Pavyzdžiui, už tris dienas mokama 300 Eur.", "lt", True),
        ("Todėl narių reikia penkių.", "lt", True),
        ("„Tai“ kainuoja.", "lt", True),
        ("Šiuo metu kvietimų nėra.", "lt", False),
        ("Šiame puslapyje rašoma apie kainas.", "lt", False),
        ("Tas, kas moka, tas ir sprendžia.", "lt", False),
        ("Bronzos ženklas galioja dvejus metus.", "lt", False),
        ("Toliau pildoma forma.", "lt", False),
        ("This takes three hours.", "en", True),
        ("They pay half of it.", "en", True),
        ("For example, three days cost EUR 300.", "en", True),
        ("However, the price is not dated.", "en", True),
        ("It is possible to renew the label.", "en", False),
        ("This page is about prices.", "en", False),
        ("Those who pay decide.", "en", False),
        ("Itemised bills are sent.", "en", False),
        ("The label is valid for two years.", "en", False),
    ],
)
def test_a_sentence_that_cannot_stand_alone_is_known_by_its_beginning(
    sentence: str, language: Language, leaning: bool
) -> None:
    assert leans(sentence, language) is leaning


# ── what a question asks for ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("Kas yra bronzos ženklas?", "bronzos zenklas"),
        ("kas tas bronzos zenklas?", "bronzos zenklas"),
        ("Kas tai yra klasteris?", "klasteris"),
        ("jungtinės veiklos sutartis kas tai", "jungtines veiklos sutartis"),
        ("Ką reiškia „slenkstis“, kai kalbama apie auksą?", "slenkstis"),
        ("What is ClusterXchange?", "clusterxchange"),
        ("what is a mature innovation cluster", "mature innovation cluster"),
        ("Who are EUCLES?", "eucles"),
        ("memorandum of understanding meaning", "memorandum of understanding"),
        ("Kas buvo „InoLink“?", "inolink"),
        ("What was InoLink?", "inolink"),
        ("explain benchmarking", "benchmarking"),
        ("Ką veikia „PrefabLT“?", "prefablt"),
        ("papasakokite apie ECCP", "eccp"),
        ("What does ESCA do?", "esca"),
        ("tell me about ClusterXchange", "clusterxchange"),
        ("What do we do with the report?", None),
        ("Kas yra LKA vadovas?", None),
        ("What is the price of the Silver Label?", None),
        ("Kas yra naujo?", None),
        ("Kaip gauti bronzos ženklą?", None),
    ],
)
def test_the_thing_to_be_explained_is_found_in_the_question(question: str, term: str | None) -> None:
    assert defined_term(question) == term


@pytest.mark.parametrize(
    ("sentence", "term", "says"),
    [
        ("Bronzos ženklas (angl. Bronze Label) yra pirmoji iš trijų pakopų.", "bronzos zenklas", True),
        ("**Slenkstis** – mažiausia leistina reikšmė.", "slenkstis", True),
        ("„ClusterXchange“ – tai mainų programa.", "clusterxchange", True),
        ("The Bronze Label is the first of the three levels.", "bronze label", True),
        ("Euroclusters are partnerships of clusters.", "euroclusters", True),
        ("Bronzos ženklas galioja dvejus metus.", "bronzos zenklas", False),
        ("Bronzos ženklo savininkas yra klasteris.", "bronzos zenklas", False),
        ("The Bronze Label is valid for two years.", "bronze label", False),
        ("Silver is the second level.", "bronze label", False),
        ("„InoLink“, arba „Tinklaveikos skatinimas“, yra MITA vykdytas projektas.", "inolink", True),
        ("InoLink, in full “Promotion of networking”, was a project of the agency.", "inolink", True),
        ("LITEK is Lithuania's cluster for laser technologies.", "litek", True),
        ("„InoLink“ buvo klasterių tinklaveikos projektas.", "inolink", True),
        ("Bronzos ženklas buvo suteiktas 2018 m.", "bronzos zenklas", False),
        ("FETEK taip pat yra dešimties klasterių sąraše.", "fetek", False),
    ],
)
def test_a_sentence_that_says_what_a_thing_is_is_known(sentence: str, term: str, says: bool) -> None:
    assert defines(sentence, term) is says


@pytest.mark.parametrize(
    ("question", "language", "labels"),
    [
        ("Kuo skiriasi bronzos ženklas nuo sidabro ženklo?", "lt", ["bronzos ženklas", "sidabro ženklo"]),
        ("koks skirtumas tarp ESCA ir EUCLES", "lt", ["ESCA", "EUCLES"]),
        ("What is the difference between ESCA and EUCLES?", "en", ["ESCA", "EUCLES"]),
        ("Bronze vs Silver", "en", ["Bronze", "Silver"]),
        ("How do I register on the ECCP and how long does it take?", "en", ["How do I register on the ECCP?", "How long does it take?"]),
        ("Kiek kainuoja sidabro ženklas ir kiek jis galioja?", "lt", ["Kiek kainuoja sidabro ženklas?", "Kiek jis galioja?"]),
        ("Kas yra ESCA? Kur ji įsikūrusi?", "lt", ["Kas yra ESCA?", "Kur ji įsikūrusi?"]),
        ("Kas yra tinkamumo ir vertinimo kriterijai?", "lt", []),
        ("How do members and partners pay?", "en", []),
        ("Kaip įkurti klasterį?", "lt", []),
        ("Where has the share fallen compared with the last poll?", "en", []),
    ],
)  # fmt: skip
def test_a_question_that_asks_two_things_is_taken_apart(question: str, language: Language, labels: list[str]) -> None:
    assert [part.label for part in asked_parts(question, language)] == labels


def with_date(text: str, title: str = "Title") -> Document:
    found = markdown.extract(text)
    return Document("a.md", found.text, title, "en", found.blocks, "text/markdown", date="2024-03-05")


@pytest.mark.parametrize(
    ("text", "question", "year"),
    [
        ("In 2018 the cluster had a turnover of EUR 15 million.", "How much does the cluster earn?", 2018),
        ("In 2018 the cluster had a turnover of EUR 15 million.", "How much did the cluster earn in 2018?", None),
        ("In 2023 the cluster had a turnover of EUR 15 million.", "How much does the cluster earn?", None),
        ("The cluster was founded in 2004.", "How many clusters are there?", None),
        ("In 2018 the cluster had a turnover of EUR 15 million.", "Why join a cluster?", None),
    ],
)
def test_figures_of_an_older_year_are_told(text: str, question: str, year: int | None) -> None:
    read = with_date(text)
    assert year_of(selection(read, 0, len(text), False), read, question) == year


@pytest.mark.parametrize(
    ("text", "title", "closed"),
    [
        ("The grant was up to EUR 750,000. The call is now closed.", "Grants", True),
        ("The grant was up to EUR 750,000.", "Grants", False),
        ("Didžiausia suma – 750 000 Eur. Šis kvietimas jau uždarytas.", "Parama", True),
        ("Kvietimas baigtas.\n\nDidžiausia suma – 750 000 Eur.", "2024 m. kvietimas", True),
        ("Kvietimas atviras iki birželio.", "2024 m. kvietimas", False),
    ],
)
def test_a_closed_call_is_told(text: str, title: str, closed: bool) -> None:
    read = with_date(text, title)
    passage = Passage("a.md", 0, 0, len(text), text, (Span(0, len(text)),))
    assert says_closed(selection(read, 0, len(text), False), passage, read) is closed


def test_an_item_beside_a_closed_call_is_not_closed() -> None:
    text = (
        "Support:\n\n- InoKlaster is for mature clusters; the call is closed.\n- Verslo klasteris LT is for five firms."
    )
    read = with_date(text, "2024 call")
    first, second = (
        Span(text.index(begin), text.index(begin) + length) for begin, length in (("Ino", 54), ("Verslo", 38))
    )
    passage = Passage("a.md", 0, first.start, second.end, text[first.start : second.end], (first, second))
    for span, closed in ((first, True), (second, False)):
        hit = Hit(0, passage, Source("a.md", "0" * 64, "A", "en"), 0.5, 0.5, 0.5, 0.5, (0.5, 0.5))
        made = quote(hit, span is second, span is second, read, asked="Can we apply?")
        assert len(made.selection) == 3 and made.closed is closed

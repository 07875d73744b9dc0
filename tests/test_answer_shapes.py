"""A reply put together: a choice where readings compete, an answer to each part of a question, definitions first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clusterqa.records import Concept, Hit, Part, Passage, PassageText, Quote, Reply, Source, Span
from clusterqa.retrieval.preference import NEARLY_AS_GOOD, explains, preferred
from clusterqa.retrieval.quote import SHORT_PARAGRAPH, choices, compares, shows, tells_of_a_table, together, window
from clusterqa.retrieval.reading import leaning
from clusterqa.text.asked_parts import asked_parts

SOURCE = Source("a.en.md", "0" * 64, "Prices", "en")


def quote(text: str = "It costs EUR 600.", heading: str = "Bronze", start: int = 0, **fields: object) -> Quote:
    end = start + len(text)
    made = Quote(SOURCE, heading, None, None, start, end, text, PassageText(start, end, text), 0.9)
    return replace(made, **fields)  # type: ignore[arg-type]


def reply(*quotes: Quote, confidence: float = 0.8) -> Reply:
    status = "answered" if quotes else "not_found"
    return Reply("?", "en", status, confidence, "The documents say:", quotes=quotes)  # type: ignore[arg-type]


def hit(text: str, score: float, scores: tuple[float, ...], *sentences: str) -> Hit:
    spans = tuple(Span(text.index(s), text.index(s) + len(s)) for s in sentences or (text,))
    return Hit(len(text), Passage("a.en.md", 0, 0, len(text), text, spans), SOURCE, score, 0.5, 0.5, 0.5, scores)


def test_a_choice_is_labelled_by_the_last_heading_and_by_the_title_where_headings_are_alike() -> None:
    first, renewed = quote(heading="Prices › First award"), quote(heading="Prices › Renewal")
    assert choices([first, renewed]) == ("First award", "Renewal")
    other = replace(renewed, source=replace(SOURCE, title="Rules"), heading="First award")
    assert choices([first, other]) == ("Prices › First award", "Rules › First award")
    assert choices([first, first]) == () and choices([first]) == ()


def test_each_part_has_its_quote_and_one_without_an_answer_has_none() -> None:
    parts = asked_parts("How do I register on the ECCP and how long does it take?", "en")
    steps, days = quote("Fill in the form."), quote("It takes two days.", start=50)
    made = together(reply(steps), parts, [reply(steps), reply(days)])
    assert [(part.label, part.quote) for part in made.parts] == [
        ("How do I register on the ECCP?", steps), ("How long does it take?", days),
    ]  # fmt: skip
    assert made.quotes == (steps,)
    for whole in (reply(steps, confidence=0.6), reply()):
        unsure = together(whole, parts, [reply(steps), reply(days, confidence=0.4)])
        assert [part.quote for part in unsure.parts] == [steps, None]
        assert unsure.quotes == (steps,)


def test_a_question_that_is_answered_only_in_parts_is_answered() -> None:
    parts = asked_parts("What is the difference between ESCA and EUCLES?", "en")
    esca = quote("ESCA is a secretariat.")
    made = together(reply(), parts, [reply(esca, confidence=0.7), reply()])
    assert (made.status, made.confidence, made.quotes) == ("answered", 0.7, (esca,))
    assert [part.quote for part in made.parts] == [esca, None]


def test_parts_that_stand_in_one_place_or_nowhere_are_no_parts() -> None:
    parts = asked_parts("What is the difference between ESCA and EUCLES?", "en")
    whole = reply(quote("ESCA and EUCLES are two bodies."))
    assert together(whole, parts, [reply(quote()), reply(quote())]) == whole
    assert together(whole, parts, [reply(), reply()]) == whole


def test_a_part_that_is_answered_where_the_whole_question_is_is_not_said_to_have_no_answer() -> None:
    parts = asked_parts("Kas koordinuoja klasterį ir kiek jame narių?", "lt")
    told, other = quote("Klasterį koordinuoja asociacija; narių – 25."), quote("Narius renka taryba.", start=90)
    as_sure = reply(told, confidence=0.78)
    assert together(as_sure, parts, [reply(told), replace(reply(), nearest=(other,))]) == as_sure
    less_sure = reply(told, confidence=0.5)
    assert together(less_sure, parts, [reply(told), replace(reply(), nearest=(told,))]) == less_sure
    apart = together(less_sure, parts, [reply(told), replace(reply(), nearest=(other,))])
    assert [part.quote for part in apart.parts] == [told, None]


def test_a_part_that_is_answered_out_of_another_document_may_be_about_another_thing() -> None:
    parts = asked_parts("Since when does FETEK exist and who coordinates it?", "en")
    both, date = quote("It dates from 2008; ProTech coordinates it."), quote("It was founded in 2008.", start=90)
    other = quote("LITEK is coordinated by the park.", source=replace(SOURCE, document="litek.en.md"))
    whole = reply(both, confidence=0.7)
    assert together(whole, parts, [reply(date), reply(other)]) == whole
    assert [part.quote for part in together(reply(), parts, [reply(date), reply(other)]).parts] == [date, other]


def test_a_short_paragraph_is_quoted_whole_and_of_a_long_one_the_best_sentences() -> None:
    rule, comment = "One member, one vote, whatever the fee.", "Votes by fee are hard to change later."
    both = hit(f"{rule} {comment}", 0.9, (0.1, 0.9), rule, comment)
    assert window(both, (), 0.5) == (0, 1)
    long = f"{rule[:-1]}{' and so on' * (SHORT_PARAGRAPH // 10)}."
    assert window(hit(f"{long} {comment * 2}", 0.9, (0.1, 0.9), long, comment * 2), (), 0.5) == (1, 1)
    paragraphs = hit(f"{long}\n\n{rule} {comment}", 0.9, (0.1, 0.1, 0.9), long, rule, comment)
    assert window(paragraphs, (), 0.5) == (1, 2)
    items = hit(f"- {rule}\n- {comment * 2}", 0.9, (0.1, 0.9), rule, comment * 2)
    assert window(items, (), 0.5) == (1, 1)


def test_a_sure_quote_that_names_both_compares_them() -> None:
    parts = asked_parts("What is the difference between ESCA and EUCLES?", "en")
    assert compares(reply(quote("ESCA assesses, EUCLES awards.")), parts)
    assert not compares(reply(quote("ESCA assesses.")), parts)
    assert not compares(reply(quote("ESCA assesses, EUCLES awards."), confidence=0.4), parts)


def test_a_quote_inside_a_list_that_is_shown_already_is_not_shown_again() -> None:
    items = (Part("item", 0, 4, "One."), Part("item", 6, 10, "Two."))
    shown = quote("One.", parts=items)
    assert shows(shown, quote("Two.", start=6))
    assert not shows(shown, quote("More.", start=20))
    assert not shows(quote("One."), quote("One."))


def test_what_says_what_a_thing_is_comes_first_where_that_is_asked() -> None:
    other = hit("The Bronze Label is valid for two years.", 0.8, (0.8,))
    text = "It is known. The Bronze Label is the first level."
    defining = hit(text, 0.8 - NEARLY_AS_GOOD / 2, (0.9, 0.3), "It is known.", "The Bronze Label is the first level.")
    first, second = preferred("What is the Bronze Label?", [other, defining])
    assert (first.passage, second) == (defining.passage, other)
    assert first.sentence_scores[1] == max(first.sentence_scores) == 0.9
    assert preferred("How long is the Bronze Label valid?", [other, defining]) == (other, defining)
    far = replace(defining, score=0.8 - 2 * NEARLY_AS_GOOD)
    assert preferred("What is the Bronze Label?", [other, far])[0].passage == far.passage


def test_what_its_own_document_says_a_thing_is_is_as_good_as_what_a_glossary_says() -> None:
    glossary = hit("Bronze Label – a first level.", 0.7, (0.7,))
    own = hit("The Bronze Label (in short: Bronze) is the first of three levels.", 0.75, (0.75,))
    own = replace(own, source=replace(SOURCE, title="The Bronze Label"))
    assert preferred("What is the Bronze Label?", [own, glossary]) == (own, glossary)
    assert preferred("What is the Bronze Label?", [glossary, own]) == (glossary, own)
    elsewhere = replace(own, source=SOURCE)
    assert preferred("What is the Silver Label?", [elsewhere, glossary]) == (elsewhere, glossary)


def test_what_holds_the_kind_of_thing_that_is_asked_for_comes_before_what_holds_none() -> None:
    without, name = hit("Clusters govern the new body.", 0.8, (0.8,)), hit("Its chair is Hervé Flochas.", 0.75, (0.75,))
    assert preferred("Who is the chairman of EUCLES?", [without, name]) == (name, without)
    assert preferred("Who may join EUCLES?", [without, name]) == (without, name)
    far = replace(name, score=0.8 - 2 * NEARLY_AS_GOOD)
    assert preferred("Who is the chairman of EUCLES?", [without, far]) == (without, far)


def test_what_answers_only_the_question_before_stays_behind_what_the_follow_up_finds_by_itself() -> None:
    told, new = hit("At most four people stand there.", 0.6, (0.6,)), hit("Write down the name.", 0.55, (0.55,))
    first, second = leaning([told, new], {told.passage_id: 0.1, new.passage_id: 0.5}, 0.3)
    assert (first.passage, second.passage) == (new.passage, told.passage)
    assert (first.score, second.score) == pytest.approx((0.55 + 0.06, 0.6 - 0.06))
    assert leaning([told, new], {told.passage_id: 0.4, new.passage_id: 0.5}, 0.3)[0].passage == told.passage
    assert leaning([told, new], {}, 0.3) == (told, new)
    assert leaning([], {}, 0.3) == ()


def test_after_a_question_about_something_else_what_names_the_new_thing_comes_first() -> None:
    silver, gold = hit("The Silver audit takes half a day.", 0.8, (0.8,)), hit("Gold takes two days.", 0.75, (0.75,))
    own = (Concept("gold", {"gold": 1.0, "auks": 0.8}, 1.0, 2, "word"),)
    assert preferred("and Gold?", [silver, gold], own) == (gold, silver)
    assert preferred("How long is an audit?", [silver, gold]) == (silver, gold)


def row(text: str, score: float) -> Hit:
    made = hit(text, score, (score,))
    return replace(made, passage=replace(made.passage, heading=("Fees",)))


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("What does a company of 30 people pay?", "10–49 staff"),
        ("Kiek moka 250 žmonių įmonė?", "250 staff or more"),
        ("fee for 1200 employees", "250 staff or more"),
        ("We are 9, what is the fee?", "fewer than 10 staff"),
        ("What did 30 people pay in 2024?", "10–49 staff"),
        ("What does a company pay?", "50–249 staff"),
        ("What was the fee in 2024?", "50–249 staff"),
        ("What do 12.5 per cent of 100 people pay?", "50–249 staff"),
    ],
)
def test_of_a_table_by_ranges_the_row_that_holds_the_number_of_the_question_comes_first(
    question: str, label: str
) -> None:
    rows = [
        row(f"{name} | EUR 1", 0.8 - 0.02 * place)
        for place, name in enumerate(("50–249 staff", "250 staff or more", "10–49 staff", "fewer than 10 staff"))
    ]
    assert preferred(question, rows)[0].passage.text == f"{label} | EUR 1"


@pytest.mark.parametrize(
    ("label", "number", "held"),
    [
        ("iki 10 darbuotojų", 10, True),
        ("mažiau kaip 10 darbuotojų", 10, False),
        ("ne daugiau kaip 10", 10, True),
        ("daugiau kaip 1 000 m²", 1000, False),
        ("nuo 1 000 m²", 1000, True),
        ("over 65", 65, False),
        ("65 and over", 65, True),
        ("18 m. ir vyresni", 18, True),
        ("from 10 to 20", 15, True),
    ],
)
def test_a_range_is_read_in_both_languages_with_its_edges(label: str, number: int, held: bool) -> None:
    other, one = row("500–600 | a", 0.8), row(f"{label} | b", 0.75)
    assert (preferred(f"What about {number}?", [other, one])[0] == one) is held


def test_where_it_is_asked_which_ones_there_are_what_names_several_comes_first() -> None:
    how_many = hit("Ten of the clusters had been labelled by 2019.", 0.8, (0.8,))
    named = hit("Bronze was held by FETEK, „LitCare“, the Plastics Cluster and iVita.", 0.75, (0.75,))
    for question in ("Which clusters hold Bronze?", "kurie klasteriai turi bronza", "List all the holders of Bronze"):
        assert preferred(question, [how_many, named]) == (named, how_many), question
    assert preferred("How many clusters hold Bronze?", [how_many, named]) == (how_many, named)
    two = hit("Bronze was held by FETEK and iVita.", 0.75, (0.75,))
    assert preferred("Which clusters hold Bronze?", [how_many, two]) == (how_many, two)


def test_the_row_for_the_number_comes_before_a_sentence_that_does_not_tell_it() -> None:
    rows = [row("Firm, 250 and more staff | EUR 1,000", 0.75), row("Firm, 50–249 staff | EUR 600", 0.6)]
    sentence = hit("The yearly costs are EUR 24,000.", 0.8, (0.8,))
    question = "What does a firm of 100 staff pay?"
    assert preferred(question, [sentence, *rows]) == (rows[1], sentence, rows[0])
    told = hit("A firm of 100 pays EUR 600.", 0.8, (0.8,))
    assert preferred(question, [told, *rows]) == (told, *rows)
    far = [replace(one, score=one.score - 0.2) for one in rows]
    assert preferred(question, [sentence, *far]) == (sentence, *far)


def test_the_row_of_a_call_that_is_over_comes_after_what_holds_in_general_unless_it_is_named() -> None:
    over = row("„InoKlaster“ (brandus klasteris) | penki nariai | 2024 m., kvietimas baigtas", 0.8)
    general = row("Vieno tinkamo narių skaičiaus nėra.", 0.75)
    assert preferred("Kiek narių reikia klasteriui?", [over, general]) == (general, over)
    assert preferred("Kiek narių reikėjo „InoKlaster“ kvietime?", [over, general]) == (over, general)


def test_text_beside_a_table_is_shown_with_it_where_several_rows_are_found_too() -> None:
    text = row("The results are of 2018.", 0.9)
    rows = [row(f"{name} | 39", 0.6) for name in ("Projects", "Meetings", "Firms")]
    assert tells_of_a_table(text, [text, *rows])
    assert not tells_of_a_table(text, [text, *rows[:2]])
    assert not tells_of_a_table(rows[0], [*rows, row("Visits | 2", 0.5)])
    elsewhere = [replace(one, passage=replace(one.passage, heading=("Other",))) for one in rows]
    assert not tells_of_a_table(text, [text, *elsewhere])


def test_what_holds_in_general_comes_before_a_special_case_that_nobody_asked_about() -> None:
    general = hit("The label costs EUR 1,650.", 0.75, (0.75,))
    of_renewal = hit("A renewal costs EUR 1,200.", 0.8, (0.8,))
    for heading in ("What a renewal costs", "Kiek kainuoja ženklo atnaujinimas", "Klaida: kaina be PVM"):
        special = replace(of_renewal, passage=replace(of_renewal.passage, heading=("Prices", heading)))
        assert preferred("What does the label cost?", [special, general]) == (general, special)
        assert preferred("What does the label cost?", [special]) == (special,)
        far = replace(general, score=0.8 - 2 * NEARLY_AS_GOOD)
        assert preferred("Kiek kainuoja ženklas?", [special, far]) == (special, far)
    special = replace(of_renewal, passage=replace(of_renewal.passage, heading=("What a renewal costs",)))
    assert preferred("How much to renew the label?", [special, general]) == (special, general)
    row = hit("Price of a renewed label | EUR 1,200", 0.8, (0.8,))
    assert preferred("What does the label cost?", [row, general]) == (general, row)
    assert preferred("What does a renewed label cost?", [row, general]) == (row, general)


PRICE = "The assessment costs EUR {} without VAT."


def edition(fee: int, score: float, title: str = "Prices", date: str | None = None, text: str = PRICE) -> Hit:
    made = hit(text.format(fee), score, (score,))
    document = f"{title}-{date}-{fee}.en.md"
    source = replace(SOURCE, document=document, title=title, date=date)
    return replace(made, source=source, passage=replace(made.passage, document=document))


def test_of_two_editions_that_say_the_same_the_newer_comes_first() -> None:
    old, new = edition(1500, 0.8, date="2023-02-01"), edition(1650, 0.75, date="2025-02-01")
    question = "What does the assessment cost?"
    assert preferred(question, [old, new]) == (new, old)
    assert preferred(question, [new, old]) == (new, old)
    assert preferred("What did the assessment cost in 2023?", [old, new]) == (old, new)
    named_old, named_new = (
        edition(1500, 0.8, "Prices 2023", "2026-01-01"),
        edition(1650, 0.75, "Prices 2025", "2026-01-01"),
    )
    assert preferred(question, [named_old, named_new]) == (named_new, named_old)
    assert preferred(question, [edition(1500, 0.8, "Prices 2023"), new])[0] == new


def test_what_is_newer_but_of_something_else_or_much_worse_or_of_no_date_stays_behind() -> None:
    old = edition(1500, 0.8, date="2023-02-01")
    question = "What does the assessment cost?"
    for other in (
        edition(1650, 0.8 - 2 * NEARLY_AS_GOOD, date="2025-02-01"),
        edition(1650, 0.75, "Prices of the academy", "2025-02-01"),
        edition(1650, 0.75, date="2025-02-01", text="A seat in the hall is EUR {} a day."),
        edition(1650, 0.75),
    ):
        assert preferred(question, [old, other]) == (old, other)


def test_a_sentence_that_asks_is_no_answer() -> None:
    asking = hit("What if the manager left?", 0.9, (0.9,))
    sentences = ("It is free.", "How long does it take?", "It takes two days.")
    mixed = hit(" ".join(sentences), 0.8, (0.6, 0.8, 0.5), *sentences)
    first, second = preferred("What happens if we fail the audit?", [asking, mixed])
    assert (first.passage, second) == (mixed.passage, asking)
    free, question, answer = first.sentence_scores
    assert (free, answer) == (
        0.6,
        0.8,
    ) and 0.79 < question < answer  # the answer has the question's score, and it is shown with it
    last = hit("It is free. How long?", 0.8, (0.6, 0.8), "It is free.", "How long?")
    assert preferred("Price?", [last])[0].sentence_scores == (0.6, 0.6)
    assert preferred("Which questions does the auditor ask?", [asking, mixed]) == (asking, mixed)
    assert preferred("Ko klausia auditorius?", [asking, mixed]) == (asking, mixed)


def test_what_announces_just_the_list_that_is_asked_for_comes_first() -> None:
    aside = hit("The 36 indicators of Bronze are given by an undated page.", 0.8, (0.8,))
    text = "The 36 indicators of Bronze fall under these topics:\n\n- services;"
    listing = hit(text, 0.75, (0.7, 0.3), "The 36 indicators of Bronze fall under these topics:", "services;")
    assert preferred("What are the 36 indicators?", [aside, listing]) == (listing, aside)
    assert preferred("How many indicators does Bronze have?", [aside, listing]) == (aside, listing)
    assert preferred("What are the 36 thresholds?", [aside, listing]) == (aside, listing)
    far = replace(listing, score=0.8 - 2 * NEARLY_AS_GOOD)
    assert preferred("What are the 36 indicators?", [aside, far]) == (aside, far)


@pytest.mark.parametrize(
    ("question", "text", "surely"),
    [
        ("Kas buvo „InoLink“?", "„InoLink“ – MITA projektas. Jis truko trejus metus.", True),
        ("What is the Bronze Label?", "The Bronze Label is a first level.", True),
        ("What are the requirements?", "The requirements are strict.", False),
        ("Kokia buvo parama?", "Parama buvo didelė.", False),
        ("Ką veikia PrefabLT?", "PrefabLT yra surenkamųjų namų klasteris.", True),
        ("How long is it valid?", "It is a label.", False),
    ],
)
def test_only_what_surely_says_what_a_thing_is_is_an_answer_whatever_the_confidence(
    question: str, text: str, surely: bool
) -> None:
    assert explains(question, quote(text), replace(hit(text, 0.8, (0.8,)), source=SOURCE)) is surely


def test_where_nothing_says_what_a_thing_is_the_beginning_of_its_own_document_tells() -> None:
    lead = "FETEK, arba Fotoelektros technologijų klasteris, veikia nuo 2008 m."
    own = replace(SOURCE, title="FETEK – fotoelektros technologijų klasteris")
    about = replace(hit(lead, 0.3, (0.3,)), source=own)
    other = hit("FETEK narių yra daugiau kaip 30.", 0.8, (0.8,))
    for question in ("Kas yra FETEK?", "Ką veikia FETEK?", "Tell me about FETEK"):
        assert preferred(question, [other, about])[0].passage == about.passage
        assert explains(question, quote(lead, source=own), about)
    assert preferred("Kiek narių turi FETEK?", [other, about]) == (other, about)
    assert not explains("Kiek narių turi FETEK?", quote(lead, source=own), about)
    remark = hit("FETEK yra vienas iš aštuonių klasterių.", 0.8, (0.8,))
    assert preferred("Kas yra FETEK?", [remark, about])[0].passage == about.passage
    assert preferred("Kas yra FETEK?", [other, remark])[0].passage == remark.passage
    later = replace(about, passage=replace(about.passage, ordinal=1))
    assert preferred("Kas yra FETEK?", [other, later]) == (other, later)
    news = replace(about, source=replace(SOURCE, title="Naujiena: FETEK gavo ženklą"))
    assert preferred("Kas yra FETEK?", [other, news]) == (other, news)
    assert not explains("Kas yra FETEK?", quote(lead), news)


def named(heading: str, text: str, score: float, *sentences: str, scores: tuple[float, ...] = ()) -> Hit:
    made = hit(text, score, scores or (score,), *sentences)
    return replace(made, passage=replace(made.passage, heading=("Organisations", heading)))


def test_what_is_about_another_thing_by_name_comes_last_where_something_is_about_the_one_that_is_named() -> None:
    other = named("When EUCLES was founded", "It was founded in December 2020.", 0.8)
    begins = named("Names", "EUCLES was founded in December 2020.", 0.7)
    own = named("Who set up ESCA", "It was set up in November 2010.", 0.3)
    without = named("Dates", "Most of them were founded in 2020.", 0.2)
    for question in ("When was ESCA founded?", "when was esca founded"):
        assert preferred(question, [other, begins, own, without]) == (own, without, other, begins), question
    assert preferred("When was it founded?", [other, begins, own]) == (other, begins, own)
    assert preferred("When was ABC founded?", [other, begins, own]) == (other, begins, own)  # nothing is about it
    assert preferred("Was EUCLES or ESCA founded first?", [other, begins, own]) == (other, begins, own)


def test_a_heading_in_capitals_and_a_currency_name_nothing() -> None:
    own = named("ESCA", "Its price list has no date, as ESCA says.", 0.3)
    shouted = named("PRICES AND TERMS", "A visit costs more.", 0.8)
    money = named("What EUR 600 pays for", "A visit costs more.", 0.8)
    assert preferred("What does ESCA charge?", [shouted, own]) == (shouted, own)
    assert preferred("What does ESCA charge?", [money, own]) == (money, own)


def test_the_head_of_a_row_or_an_item_tells_what_it_is_about() -> None:
    own = named("Organisations", "**ESCA** – a secretariat in Berlin", 0.3)
    item = named("Organisations", "**EUCLES** – an association that took the labels over from ESCA", 0.8)
    line = named("Organisations", "EUCLES | Brussels | 2020", 0.8)
    empty = named("Organisations", "„**“", 0.1)
    assert preferred("Where does ESCA sit?", [item, line, own, empty]) == (own, empty, item, line)


def test_of_a_place_about_both_the_sentence_that_names_the_thing_is_quoted() -> None:
    esca, eucles = "ESCA was set up in 2010.", "EUCLES was founded in December 2020."
    both = named("ESCA and EUCLES", f"{esca} {eucles}", 0.8, esca, eucles, scores=(0.4, 0.9))
    first, second = preferred("When was ESCA founded?", [both])[0].sentence_scores
    assert first > second
    assert preferred("When was EUCLES founded?", [both])[0].sentence_scores == (0.4, 0.9)

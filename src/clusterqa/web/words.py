"""Every word the web pages say, in both languages, and the small grammar they need (dates, counts, page language)."""

from __future__ import annotations

import re
from typing import Literal

from clusterqa.records import LANGUAGES, Language

QUOTATION_MARKS: dict[Language, tuple[str, str]] = {"lt": ("„", "“"), "en": ("“", "”")}

EXAMPLES: dict[Language, tuple[str, ...]] = {
    "lt": (
        "Kiek kainuoja sidabro ženklas?",
        "Ko reikia bronzos ženklui gauti?",
        "Ar maža įmonė gali stoti į klasterį?",
        "Ko reikia klasteriui įkurti?",
        "Kas perėmė klasterių ženklų sistemą iš ESCA?",
        "Kas yra klasterio koordinatorius?",
    ),
    "en": (
        "How much does the Silver Label cost?",
        "What are the eligibility criteria?",
        "Can a small company join a cluster?",
        "How do I prepare for benchmarking?",
        "Who awards the labels, ESCA or EUCLES?",
        "What is ClusterXchange?",
    ),
}

WORDS: dict[Language, dict[str, str]] = {
    "lt": {
        "name": "Klasterių ženklai",
        "title": "Klasterių ženklai – klausimai ir atsakymai",
        "skip": "Pereiti prie klausimo laukelio",
        "waits": "Kitas jūsų klausimas – atsakysime netrukus.",
        "again": "Klausti dar kartą",
        "long": "Klausime gali būti ne daugiau kaip 2 000 ženklų. Sutrumpinkite jį. Per daug ženklų:",
        "offered": "Klauskite toliau",
        "offered_instead": "Į šiuos klausimus dokumentuose atsakoma",
        "hints": "Rašant siūlyti klausimus",
        "hints_count": "Pasiūlymų: {}. Rinkitės rodyklėmis.",
        "contact": "Klausimą galite užduoti ir žmogui:",
        "contact_form": "Rašyti per formą",
        "reference": "Klausimo numeris:",
        "reply_to_email": "Norite, kad atsakytume el. paštu? Jūsų adresas:",
        "reply_to_agree": "Sutinku, kad mano adresas būtų saugomas su šiuo klausimu {} ir naudojamas tik atsakyti į jį.",
        "reply_to_send": "Siųsti klausimą",
        "reply_to_kept": "Klausimas perduotas. Atsakymą išsiųsime adresu {}.",
        "reply_to_bad": "Įrašykite el. pašto adresą, pavyzdžiui, vardas@imone.lt, ir pažymėkite, kad sutinkate.",
        "reply_to_gone": "Šio klausimo nebesaugome. Užduokite jį dar kartą.",
        "reply_to_failed": "Adreso įrašyti nepavyko. Pabandykite vėliau.",
        "link": "Kopijuoti nuorodą",
        "link_copied": "Nuoroda nukopijuota",
        "print": "Spausdinti arba įrašyti PDF",
        "export": "Atsisiųsti „Markdown“ failą",
        "exported": "{date} pokalbis",
        "source_line": "Šaltinis",
        "documents": "Dokumentai",
        "documents_title": "Dokumentai, kuriuos cituojame",
        "documents_find": "Ieškoti dokumento",
        "documents_search": "Ieškoti",
        "documents_all": "Rodyti visus",
        "documents_other": "Kitos temos",
        "documents_none": "Tokio dokumento neradome. Galbūt jis yra kita kalba arba vadinasi kitaip.",
        "documents_language": "Dokumentų kalba",
        "in_lt": "Lietuvių kalba",
        "in_en": "Anglų kalba",
        "panel": "Dokumentas",
        "panel_close": "Užverti dokumentą",
        "panel_page": "Atverti atskirame puslapyje",
        "no_page": "Tokio puslapio nėra",
        "no_page_text": "Galbūt nuoroda pasenusi arba joje įsivėlė klaida. Klausimą galite užduoti pokalbyje arba peržiūrėti dokumentus.",
        "to_chat": "Užduoti klausimą",
        "languages": "Puslapio kalba",
        "welcome": "Klauskite apie klasterių ženklus",
        "lead": "Galite klausti apie bronzos, sidabro ir aukso ženklus, juos teikiančias organizacijas, klasterius Lietuvoje "
        "bei Europoje, paramą ir reikalavimus.",
        "promise": "Atsakymų nekuriame. Parodome tikslią citatą iš dokumento ir vietą, kurioje ji parašyta.",
        "examples": "Klausimų pavyzdžiai",
        "label": "Jūsų klausimas",
        "placeholder": "Parašykite klausimą",
        "send": "Klausti",
        "new": "Naujas pokalbis",
        "conversation": "Pokalbis",
        "you": "Jūsų klausimas",
        "reply": "Atsakymas",
        "pending": "Ieškome dokumentuose…",
        "warming": "Sistema dar ruošiasi darbui. Jūsų klausimo nepamesime – atsakysime, kai tik ji bus parengta.",
        "busy": "Šiuo metu klausimų labai daug. Palaukite minutę ir paklauskite dar kartą.",
        "starting": "Sistema dar neparengta darbui. Pabandykite po kelių minučių.",
        "failed": "Atsakyti nepavyko dėl mūsų sistemos klaidos. Pabandykite po kelių minučių.",
        "lost": "Ryšys su mūsų sistema nutrūko. Patikrinkite, ar veikia internetas, ir paklauskite dar kartą.",
        "context": "Rodyti visą ištrauką",
        "table": "Lentelė",
        "choose": "Nesame tikri, kuri iš šių vietų atsako į jūsų klausimą. Rinkitės tą, kurios ieškote.",
        "data_of": "{} m. duomenys",
        "closed": "Kvietimas baigtas",
        "rests_on": "Remiasi:",
        "source": "Šaltinis",
        "page": "{} psl.",
        "open": "Atverti dokumente",
        "original": "Originalas",
        "new_window": "atveriamas naujame lange",
        "translation_lt": "Šis dokumentas lietuvių kalba",
        "translation_en": "Šis dokumentas anglų kalba",
        "foreign": "Citata anglų kalba, nes taip parašyta dokumente.",
        "further_1": "Dar viena citata",
        "further_2": "Dar dvi citatos",
        "nearest": "Arčiausiai temos esančios vietos",
        "otherwise": "Kaip paklausti kitaip: rašykite visu sakiniu, įvardykite ženklą, organizaciją ar klasterį, o santrumpą "
        "išskleiskite.",
        "passed_on": "Jūsų klausimą perdavėme darbuotojams, kad jie galėtų papildyti dokumentus.",
        "high": "Citata greičiausiai atsako į jūsų klausimą",
        "medium": "Citata tikriausiai bent iš dalies atsako į jūsų klausimą – perskaitykite, kas rašoma šalia",
        "low": "Gali būti, kad citata neatsako į jūsų klausimą – pasitikrinkite dokumente",
        "copy": "Kopijuoti su šaltiniu",
        "copied": "Nukopijuota",
        "helped": "Ar atsakymas padėjo?",
        "yes": "Taip",
        "no": "Ne",
        "why": "Kas netiko?",
        "wrong_place": "Cituojama ne ta vieta",
        "out_of_date": "Informacija pasenusi",
        "not_understood": "Klausimas suprastas neteisingai",
        "thanks": "Ačiū, jūsų vertinimą įrašėme.",
        "feedback_failed": "Vertinimo įrašyti nepavyko. Pabandykite vėliau.",
        "privacy_short": "Klausimus saugome {days}. Nerašykite asmens duomenų.",
        "privacy": "Klausimus, parodytas citatas ir vertinimus saugome {days}, kad galėtume papildyti dokumentus, paskui juos "
        "ištriname. Vardų ir IP adresų neįrašome. Kad galėtumėte tęsti pokalbį, dar dvi valandas po paskutinio klausimo jis lieka "
        "serverio atmintyje. Paspaudus „Naujas pokalbis“, jis iš ten pašalinamas iš karto.",
        "back": "Grįžti prie klausimų",
        "published": "Paskelbė",
        "date": "Data",
        "language": "Kalba",
        "lt": "lietuvių",
        "en": "anglų",
        "sources": "Šaltiniai, kuriais remiasi dokumentas",
        "pages": "{} puslapis",
        "valid_until": "Galioja iki",
        "over": "Nebegalioja. Galiojo iki: {}",
        "earlier": "Tai ankstesnė šio dokumento versija, iš kurios paimta citata.",
        "current": "Dabartinė versija",
        "withdrawn": "Šis dokumentas nebenaudojamas atsakymams. Jis rodomas tik tam, kad būtų galima patikrinti senas citatas.",
        "no_place": "Nurodytos vietos šiame dokumente nėra, todėl jis rodomas be žymėjimo.",
        "sheets": "Dokumento dalys",
        "sheet": "{} dalis iš {}",
        "sheet_before": "Ankstesnė dalis",
        "sheet_after": "Tolesnė dalis",
        "missing": "Tokio dokumento nėra",
        "missing_text": "Galbūt nuoroda pasenusi arba joje įsivėlė klaida.",
        "unavailable": "Dokumento dabar parodyti negalime",
        "quote_here": "Cituojama vieta",
        "widget_open": "Klausti apie klasterių ženklus",
        "widget_close": "Uždaryti pokalbį",
        "widget_refused": "Šioje svetainėje pokalbio parodyti nepavyko.",
        "widget_elsewhere": "Atverti pokalbį naujame lange",
    },
    "en": {
        "name": "Cluster labels",
        "title": "Cluster labels – questions and answers",
        "skip": "Skip to the question box",
        "waits": "Your next question – we will answer it in a moment.",
        "again": "Ask again",
        "long": "A question can have up to 2,000 characters. Please shorten it; too many by:",
        "offered": "Ask next",
        "offered_instead": "The documents do answer these questions",
        "hints": "Suggest questions while I type",
        "hints_count": "Suggestions: {}. Use the arrow keys to choose.",
        "contact": "You can also ask a person:",
        "contact_form": "Write using a form",
        "reference": "Question number:",
        "reply_to_email": "Would you like an answer by e-mail? Your address:",
        "reply_to_agree": "I agree that my address is kept with this question for {} and used only to answer it.",
        "reply_to_send": "Send the question",
        "reply_to_kept": "Your question has been passed on. The answer will come to {}.",
        "reply_to_bad": "Please type an e-mail address, such as name@company.com, and tick the box to agree.",
        "reply_to_gone": "We no longer keep this question. Please ask it again.",
        "reply_to_failed": "Your address could not be saved. Please try again later.",
        "link": "Copy link",
        "link_copied": "Link copied",
        "print": "Print or save as PDF",
        "export": "Download as Markdown",
        "exported": "Conversation of {date}",
        "source_line": "Source",
        "documents": "Documents",
        "documents_title": "The documents we quote",
        "documents_find": "Find a document",
        "documents_search": "Search",
        "documents_all": "Show all",
        "documents_other": "Other topics",
        "documents_none": "No document matches. It may be in the other language or have a different title.",
        "documents_language": "Language of the documents",
        "in_lt": "In Lithuanian",
        "in_en": "In English",
        "panel": "Document",
        "panel_close": "Close the document",
        "panel_page": "Open on its own page",
        "no_page": "There is no such page",
        "no_page_text": "The address may be out of date or mistyped. You can ask your question in the chat or browse the documents.",
        "to_chat": "Ask a question",
        "languages": "Page language",
        "welcome": "Ask about cluster labels",
        "lead": "Ask about the Bronze, Silver and Gold labels, the organisations that award them, clusters in Lithuania and across Europe, funding and requirements.",
        "promise": "We do not write answers ourselves. We show you the exact words of a document and where they come from.",
        "examples": "Example questions",
        "label": "Your question",
        "placeholder": "Type your question",
        "send": "Ask",
        "new": "New conversation",
        "conversation": "Conversation",
        "you": "Your question",
        "reply": "Answer",
        "pending": "Searching the documents…",
        "warming": "The service is still starting up. Your question is safe: we will answer it as soon as we can.",
        "busy": "We are getting a lot of questions right now. Please wait a minute and ask again.",
        "starting": "The service is not ready yet. Please try again in a few minutes.",
        "failed": "Something went wrong on our side. Please try again in a few minutes.",
        "lost": "We have lost the connection. Please check your internet connection and ask again.",
        "context": "Show the full passage",
        "table": "Table",
        "choose": "We are not sure which of these places answers your question. Choose the one you are looking for.",
        "data_of": "Data from {}",
        "closed": "This call is closed",
        "rests_on": "Based on:",
        "source": "Source",
        "page": "p. {}",
        "open": "Show in the document",
        "original": "Original",
        "new_window": "opens in a new window",
        "translation_lt": "This document in Lithuanian",
        "translation_en": "This document in English",
        "foreign": "This quote is in Lithuanian because the document is.",
        "further_1": "One more quote",
        "further_2": "Two more quotes",
        "nearest": "Related passages",
        "otherwise": "It may help to ask in a full sentence, name the label, organisation or cluster, and write abbreviations out in full.",
        "passed_on": "We have passed your question on to our staff, so that they can add the answer.",
        "high": "This quote very likely answers your question",
        "medium": "This quote probably answers at least part of your question – read the text around it as well",
        "low": "This quote may not answer your question – check it in the document",
        "copy": "Copy with source",
        "copied": "Copied",
        "helped": "Did this help?",
        "yes": "Yes",
        "no": "No",
        "why": "What was wrong?",
        "wrong_place": "The quote is not relevant",
        "out_of_date": "The information is out of date",
        "not_understood": "My question was misunderstood",
        "thanks": "Thank you – your feedback has been saved.",
        "feedback_failed": "Your feedback could not be saved. Please try again later.",
        "privacy_short": "We keep questions for {days}. Please do not include personal data.",
        "privacy": "We keep questions, the quotes we showed and your feedback for {days} so that we can improve the documents; then we delete them. We do not store names or IP addresses. So that you can carry on, your conversation stays in the server’s memory for two hours after your last question; “New conversation” removes it straight away.",
        "back": "Back to the questions",
        "published": "Published by",
        "date": "Date",
        "language": "Language",
        "lt": "Lithuanian",
        "en": "English",
        "sources": "Sources used in this document",
        "pages": "Page {}",
        "valid_until": "Valid until",
        "over": "No longer valid. Valid until: {}",
        "earlier": "This is the earlier version of the document that the quote was taken from.",
        "current": "Current version",
        "withdrawn": "This document is no longer used for answers. It is shown here only so that older quotes can be checked.",
        "no_place": "We could not find that place in this document, so it is shown without highlighting.",
        "sheets": "Parts of the document",
        "sheet": "Part {} of {}",
        "sheet_before": "Previous part",
        "sheet_after": "Next part",
        "missing": "We could not find that document",
        "missing_text": "The link may be out of date, or it may contain a typing error.",
        "unavailable": "The document cannot be shown right now",
        "quote_here": "Quoted passage",
        "widget_open": "Ask about cluster labels",
        "widget_close": "Close the chat",
        "widget_refused": "The chat cannot be shown on this site.",
        "widget_elsewhere": "Open the chat in a new window",
    },
}

_MONTHS: dict[Language, list[str]] = {
    "lt": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio".split(),
    "en": "January February March April May June July August September October November December".split(),
}

Band = Literal["high", "medium", "low"]


def band(confidence: float) -> Band:
    """
    The band of a calibrated probability that the first quote answers the question.

    What the words of each band claim holds on the held-out questions of the evaluation; docs/measurements.md, 24, has the shares.
    """
    return "high" if confidence >= 0.8 else "medium" if confidence >= 0.5 else "low"


def days(count: int, language: Language) -> str:
    """A number of days in the accusative: „180 dienų“, „21 dieną“, “1 day”."""
    if language == "en":
        return f"{count} day{'' if count == 1 else 's'}"
    teen = 11 <= count % 100 <= 19
    if count % 10 == 1 and not teen:
        return f"{count} dieną"
    return f"{count} dienų" if teen or count % 10 == 0 else f"{count} dienas"


def all_of(count: int, items: bool, language: Language) -> str:
    """What opens the rest of a list (`items`) or of a table: „Rodyti visus 12 punktų“, “Show all 12 rows”."""
    if language == "en":
        return f"Show all {count} {'items' if items else 'rows'}"
    few, many, one = ("punktus", "punktų", "punktą") if items else ("eilutes", "eilučių", "eilutę")
    teen = 11 <= count % 100 <= 19
    form = many if teen or count % 10 == 0 else one if count % 10 == 1 else few
    return f"Rodyti {'visus' if items else 'visas'} {count} {form}"


def told_date(date: str, language: Language) -> str:
    """An ISO date as it is written in a sentence: „2024 m. kovo 5 d.“, “5 March 2024”; anything else stays as it is."""
    match = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", date)
    if not match or not 1 <= int(match[2] or 1) <= 12:
        return date
    year, month, day = match[1], match[2], match[3]
    if month is None:
        return f"{year} m." if language == "lt" else year
    name = _MONTHS[language][int(month) - 1]
    if day is None:
        return f"{year} m. {_MONTH_ALONE[int(month) - 1]}" if language == "lt" else f"{name} {year}"
    return f"{year} m. {name} {int(day)} d." if language == "lt" else f"{int(day)} {name} {year}"


_MONTH_ALONE = "sausis vasaris kovas balandis gegužė birželis liepa rugpjūtis rugsėjis spalis lapkritis gruodis".split()


def page_language(accept_language: str, *wishes: str | None) -> Language:
    """The first wish that is a language we have, else the better liked one of Accept-Language, else Lithuanian."""
    for wish in wishes:
        if wish in LANGUAGES:
            return wish
    best: tuple[float, Language] = (0.0, "lt")
    for part in accept_language.split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = re.search(r"q=([01](?:\.\d*)?)", parameters)
        quality = float(weight[1]) if weight else 1.0
        for language in LANGUAGES:
            if tag.lower().split("-")[0] == language and quality > best[0]:
                best = (quality, language)
    return best[1]

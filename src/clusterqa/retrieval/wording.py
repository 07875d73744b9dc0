"""The fixed words around quotes, and the replies where nothing needs to be searched for."""

from __future__ import annotations

from clusterqa.records import Language

WORDS: dict[Language, dict[str, str]] = {
    "lt": {
        "answered": "Dokumentuose rašoma:",
        "answered_en": "Atsakymą radome dokumente anglų kalba:",
        "not_found": "Dokumentuose atsakymo į šį klausimą neradome.",
        "no_part": "Dokumentuose atsakymo į šią klausimo dalį neradome.",
        "nothing": "Dokumentuose atsakymo į šį klausimą neradome.",
        "greeting": "Laba diena! Paklauskite apie klasterių ženklus, o aš pacituosiu, kas apie tai rašoma dokumentuose.",
        "thanks": "Prašom! Jei kils kitų klausimų, klauskite.",
        "farewell": "Viso gero!",
        "about": "Atsakau į klausimus apie klasterių ženklus cituodamas dokumentus ir nurodydamas, iš kur citata paimta. "
        "Savo žodžiais atsakymų nekuriu. Paklauskite, pavyzdžiui: „Kiek laiko galioja bronzos ženklas?“",
        "empty": "Parašykite klausimą, pavyzdžiui: „Kiek laiko galioja bronzos ženklas?“",
        "too_long": "Klausimas ilgesnis nei 2 000 ženklų. Sutrumpinkite jį ir paklauskite dar kartą.",
        "unreadable": "Klausime yra ženklų, kurių neįmanoma perskaityti. Parašykite jį paprastu tekstu.",
    },
    "en": {
        "answered": "The documents say:",
        "answered_lt": "We found the answer in a document in Lithuanian:",
        "not_found": "We could not find an answer to this question in the documents.",
        "no_part": "We could not find an answer to this part of the question in the documents.",
        "nothing": "We could not find an answer to this question in the documents.",
        "greeting": "Hello! Ask me about cluster labels, and I will quote what the documents say.",
        "thanks": "You are welcome! Feel free to ask if you have any other questions.",
        "farewell": "Goodbye!",
        "about": "I answer questions about cluster labels by quoting documents, and I show where each quote comes from. "
        "I do not write answers of my own. You can ask, for example: “How long is the Bronze Label valid?”",
        "empty": "Please type a question, for example: “How long is the Bronze Label valid?”",
        "too_long": "The question is longer than 2,000 characters. Please shorten it and ask again.",
        "unreadable": "The question contains characters we cannot read. Please type it as plain text.",
    },
}

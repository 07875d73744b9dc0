"""The words of the page of API keys."""

from __future__ import annotations

from clusterqa.records import Language

WORDS: dict[Language, dict[str, str]] = {
    "lt": {
        "keys_title": "API raktai",
        "keys_lead": "Su raktu kita programa klausia sistemos savo vardu ir turi savo klausimų ribą. Be rakto klausti galima kaip "
        "ir iki šiol; tik MCP iš kitų kompiuterių be jo neveikia. Kiekvienai programai sukurkite atskirą raktą: tada vieną galėsite "
        "panaikinti nestabdydami kitų.",
        "keys_none": "Raktų dar nėra.",
        "key": "Raktas",
        "key_for": "Kam skirtas",
        "key_for_hint": "Kas ir kur jį naudos, pavyzdžiui, „Savivaldybės portalas“.",
        "key_limit": "Klausimų per minutę",
        "key_limit_hint": "0 – be ribos.",
        "key_no_limit": "be ribos",
        "key_sites": "Svetainės",
        "key_sites_hint": "Rašykite tik tada, kai sistemos klausia pats svetainės puslapis skaitytojo naršyklėje, pavyzdžiui, "
        "https://portalas.example.lt. Kelias atskirkite tarpais; * reiškia bet kurią. Raktą, įrašytą į puslapį, mato kiekvienas "
        "jo skaitytojas.",
        "key_no_sites": "nė viena",
        "key_used": "Paskutinį kartą naudotas",
        "key_made": "Sukurtas",
        "key_by": "{0} ({1})",
        "add_key": "Naujas raktas",
        "make_key": "Sukurti raktą",
        "change_key": "Keisti",
        "change_key_title": "Raktas „{}“",
        "revoke_key": "Panaikinti raktą",
        "revoke_key_title": "Panaikinti raktą „{}“?",
        "revoke_key_text": "Programa, kuri jį naudoja, nuo šios akimirkos atsakymų nebegaus. Panaikinto rakto atkurti negalima, "
        "galima tik sukurti naują.",
        "key_given_title": "Raktas „{}“",
        "key_given_text": "Nusikopijuokite jį ir perduokite saugiai. Rodome tik šį kartą: pas mus lieka tik jo kontrolinė suma. "
        "Programa raktą siunčia su kiekviena užklausa, tokia antrašte:",
        "key_given_done": "Nusikopijavau, grįžti į sąrašą",
        "key_changed": "Raktas „{}“ pakeistas.",
        "key_revoked": "Raktas „{}“ panaikintas.",
        "no_such_key": "Tokio rakto nebėra.",
        "wrong_key_name": "Įrašykite, kam raktas skirtas, ne ilgiau kaip 64 ženklais.",
        "key_name_taken": "Raktas tokiu pavadinimu jau yra. Pavadinkite kitaip arba pirmiausia panaikinkite aną.",
        "wrong_limit": "Riba – sveikasis skaičius nuo 0 iki 100 000.",
        "wrong_origin": "„{}“ nėra svetainės adresas. Rašykite taip: https://www.example.lt – be nieko po vardo.",
        "too_many_origins": "Vienam raktui galima nurodyti ne daugiau kaip 20 svetainių.",
    },
    "en": {
        "keys_title": "API keys",
        "keys_lead": "With a key another program asks in its own name and under a limit of its own. Without one, asking goes on "
        "as before; only MCP from other machines needs a key. Make a key for each program: then one can be revoked without "
        "stopping the others.",
        "keys_none": "There are no keys yet.",
        "key": "Key",
        "key_for": "Who it is for",
        "key_for_hint": "Who will use it, and where, such as “Municipal portal”.",
        "key_limit": "Questions a minute",
        "key_limit_hint": "0 for no limit.",
        "key_no_limit": "no limit",
        "key_sites": "Sites",
        "key_sites_hint": "Only needed when a page of another site asks from its reader’s browser, such as "
        "https://portal.example.lt. Put spaces between several; * stands for any. A key that is written into a page is seen by "
        "everybody who reads the page.",
        "key_no_sites": "none",
        "key_used": "Last used",
        "key_made": "Made",
        "key_by": "{0} ({1})",
        "add_key": "New key",
        "make_key": "Make the key",
        "change_key": "Change",
        "change_key_title": "The key “{}”",
        "revoke_key": "Revoke the key",
        "revoke_key_title": "Revoke the key “{}”?",
        "revoke_key_text": "The program that uses it gets no more answers from this moment on. A revoked key cannot be brought "
        "back; a new one can be made.",
        "key_given_title": "The key “{}”",
        "key_given_text": "Copy it and pass it on safely. It is shown this once only: we keep nothing but its checksum. The program "
        "sends it with every request, in this header:",
        "key_given_done": "I copied it, back to the list",
        "key_changed": "The key “{}” is changed.",
        "key_revoked": "The key “{}” is revoked.",
        "no_such_key": "There is no such key any more.",
        "wrong_key_name": "Say who the key is for, in at most 64 characters.",
        "key_name_taken": "There is a key of this name already. Take another name, or revoke that one first.",
        "wrong_limit": "The limit is a whole number from 0 to 100,000.",
        "wrong_origin": "“{}” is not the address of a site. Write it like https://www.example.lt, with nothing after the name.",
        "too_many_origins": "A key can be for at most 20 sites.",
    },
}

DEEDS: dict[Language, dict[str, str]] = {
    "lt": {
        "key.added": "sukūrė API raktą",
        "key.changed": "pakeitė API rakto ribą arba svetaines",
        "key.revoked": "panaikino API raktą",
    },
    "en": {
        "key.added": "made an API key",
        "key.changed": "changed the limit or the sites of an API key",
        "key.revoked": "revoked an API key",
    },
}

"""
What people say to a chat that is not a question about documents: thanks, complaints, "are you a robot?", "a person, please",
"write me a poem", "2 + 2".

A remark is recognised by its words, in any order: all of them are words of its kind, and a telling one of each group is among
them. One word more ("Ačiū, o kiek kainuoja sidabras?") and it is a question. Words are compared without diacritics.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterqa.records import Language, SmallTalk
from clusterqa.text.analysis import fold, is_stop_word

REPLIES: dict[Language, dict[str, str]] = {
    "lt": {
        "fine": "Gerai! Jei kils kitų klausimų, klauskite.",
        "complaint": "Apgailestauju, kad nepadėjau. Paklauskite kitais žodžiais arba įvardykite ženklą, organizaciją ar klasterį – "
        "paieškosiu dar kartą.",
        "robot": "Esu programa, o ne žmogus. Skirtingai nei „ChatGPT“, atsakymų nekuriu: surandu tikslią citatą dokumentuose ir "
        "parodau, iš kur ji paimta.",
        "maker": "Esu programa „clusterqa“. Atsakau tik iš dokumentų, kuriuos tvarko šios svetainės darbuotojai, o prie kiekvienos "
        "citatos nurodau jos šaltinį.",
        "person": "Šiame pokalbyje atsako programa, su žmogumi čia pasikalbėti negalima. Užduokite klausimą – jei dokumentuose "
        "atsakymo nebus, jį perduosime darbuotojams.",
        "task": "To padaryti negaliu: tekstų nekuriu, neverčiu ir neskaičiuoju. Galiu surasti ir pacituoti, kas parašyta dokumentuose, "
        "– paklauskite apie tai.",
    },
    "en": {
        "fine": "Good! If you have any other questions, just ask.",
        "complaint": "I am sorry that this did not help. Try asking in other words, or name the label, organisation or cluster, and "
        "I will look again.",
        "robot": "I am a program, not a person. Unlike ChatGPT, I do not write answers: I find the exact words in the documents and "
        "show you where they come from.",
        "maker": "I am a program called clusterqa. I answer only from the documents that the staff of this site look after, and "
        "every quote names its source.",
        "person": "This chat is answered by a program, so you cannot talk to a person here. Do ask your question: if the documents "
        "have no answer, we pass it on to our staff.",
        "task": "I cannot do that: I do not write, translate or calculate. What I can do is find and quote what the documents say, so "
        "do ask about that.",
    },
}
"""What is said to a remark; the other remarks have their words in wording.py."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class _Kind:
    """A remark has a word of each group of `telling`, and no word beside these, `usual` and function words."""

    remark: SmallTalk
    telling: tuple[frozenset[str], ...]
    usual: frozenset[str]

    def fits(self, words: list[str]) -> bool:
        held = self.usual.union(*self.telling)
        return all(group.intersection(words) for group in self.telling) and all(
            w in held or is_stop_word(w) for w in words
        )


_POLITE = _words(
    "right u prasau please ok okay gerai na nu well oh ah o a labai very so really tikrai just tik dar jau"
)
_THANKING = _words(
    """aciu aciukas aciuka dekui dekoju dekojam dekojame dekinga dekingas dekingi thanks thank thx ty tnx cheers appreciate
    appreciated grateful merci padejai padejot padejote"""
)
_PRAISE = _words(
    """puiku super saunu nuostabu fantastika sauniai neblogai tobula aisku supratau viskas great perfect awesome nice good
    excellent wonderful cool brilliant lovely amazing helpful understood clear"""
)
_BAD = _words(
    """kvailas kvaila kvailys kvaile kvaili kvailai idiotas idiote idiotai debilas debile durnas durna durnius durnelis bukas buka
    nesamone nesamones siuksle siukslynas sudas suda sude nevykes nevykelis nevykusi tupas mulkis asilas kretinas nenaudingas
    nenaudinga bevertis beverte niekam tikes tikusi siaubas siaubinga velniop atsiknisk atstok uzsiciaupk uzsikrusk
    nekenciu nervini uzkniso juokinga juokingas apgaile apgailetina tragedija gedinga
    melagis meluoji neatsakei nesupranti nesupratai nemoki nezinai nezinote nesuprantate nesuprantat nesupranta nesupratote neatsakote away nepadejai
    nesuprantu neveiki klysti suklydai bled blet nx nahui krw kurva
    stupid idiot idiotic dumb useless shit shitty crap crappy fuck fucking fucked sucks suck moron rubbish garbage trash
    hate bullshit nonsense pathetic ridiculous hell damn bastard wtf bitch asshole arse loser fool silly
    worthless hopeless annoying liar lying joke disappointing disappointed sorry"""
)
_FAULTY = _words(
    """neteisingai neteisingas neteisinga blogas bloga blogai prastas prasta prastai neveikia nepadeda baisus baisu wrong incorrect
    bad lame terrible awful horrible worst"""
)
_YOU = _words(
    "tu tave tavo tau jus jusu jums esi esate you your youre cia sis si sita tas ta tai this that it its thats"
)
_THING = _words(
    """botas botai bota botu robotas robotai robote pokalbiu chatbot bot robot program programa sistema system site website page
    puslapis svetaine machine masina thing answer answers atsakymas atsakymai atsakymu answering kompiuteris computer"""
)
_FILLER = _words(
    """ir and but bet kad the of to at in on for all my me i im am be been was were not no ne nera never such what how kaip kas koks
    kokia toks tokia kazkokia kazkoks per visai visiskai absoliuciai total totally completely absolutely utter bunch piece off up shut go eik i to
    nieko nothing know dont doesnt does do did can cant even ever man mes mums us help helping work works working understand
    anything ko ka klausiau asked klausimo question klausima visada always tik be nuo"""
)

_KINDS = (
    _Kind(
        "greeting",
        (_words("labas laba sveiki sveikas sveika labukas labutis sveikute hello hi hey hiya greetings morning afternoon evening rytas"),),
        _words(
            """diena vakaras vakara ryta visiems jums tau good day there everyone all kaip sekasi gyveni laikotes einasi how are
            you doing today is it going whats up dear team bote botai bot robote atvyke gerbiamieji"""
        ),
    ),
    _Kind(
        "thanks",
        (_THANKING,),
        _PRAISE
        | _words(
            """you u jums tau uz atsakyma atsakymus pagalba informacija is sirdies nuosirdziai didelis didziausias daug tukstanti
            kartu man million ton mate friend drauge padejo buvo naudinga issamu a lot much so very many for the your help helping answer answers
            information info that this was is it its were been i we really indeed kindly kind of all in advance everything means greita gera diena nothing helped fast quick
            would be from heart bye nera uz ka tai viska viskas hi hello labas viso gero bot robote"""
        ),
    ),
    _Kind("farewell", (_words("viso sudie ate iki goodbye bye cya pasimatymo night nakties"),), _words("gero geriausio geros dienos vakaro labos labanakt good see you later have a nice day the rest of your pasimatymo greito tau jums")),
    _Kind("fine", (_PRAISE | _words("ok okay gerai aha mhm yes taip suprantu see got sure right alright fine"),), _words("i it its that thats is very so dabar now all viskas man everything makes sense to me labai idomu interesting")),
    _Kind(
        "maker",
        (
            _words(
                """sukure kure padare programavo suprogramavo sukurtas sukurta pagamino isgalvojo kurejas kurejai kureja autorius
                autoriai kieno whose behind made built created developed programmed designed owns operates runs creator creators author maker
                trained apmoke"""
            ),
            _words("tave jus tu tavo jusu jusus si sia sis sita puslapi bota robota svetaine programele you your yours this chatbot bot robot site website app page"),
        ),
        _words("kas kieno who whom is was were by the yra buvo ir and company imone kompanija kokia which what pokalbiu robotas botas esi are of"),
    ),
    _Kind(
        "robot",
        (
            _words(
                """robotas robotu robotai robot bot bots botas botu chatbot chatgpt gpt gpt4 gpt5 openai claude gemini copilot ai di
                dirbtinis intelektas dirbtiniu intelektu llm human person people machine masina zmogus zmogumi zmogum zmones zmonemis
                kompiuteris computer programa program model modelis"""
            ),
            _words("tu jus esi esate kalbu kalbuosi kalbam kalbame bendrauju susirasineju sneku cia are you am is youre use using naudoji naudojate naudojat there raso atsako"),
        ),
        _words(
            """ar su arba ir or yra tikras tikra gyvas gyva gyvu tikru kazkoks koks kokia kuris is what which kind of a an i im me to with
            talking speaking chatting by this it real live actual just some the do does chat gpt language large model kalbos modelis
            dideliu artificial intelligence from made powered based on an actually tikrai isties really ne not another kas gal kartais
            behind atsako answering answers answered responding there someone kazkas zmogaus"""
        ),
    ),
    _Kind(
        "person",
        (
            _words(
                """pakalbeti pasikalbeti kalbeti pasnekėti pasneketi sneketi susisiekti susirasyti bendrauti pabendrauti sujunkite
                sujunk perjunkite perjunk paskambinti pakvieskite pakviesk talk speak contact
                connect chat reach call transfer speaking talking"""
            ),
            _words(
                """zmogumi zmogum zmogus zmogu zmogaus zmonemis darbuotoju darbuotoja darbuotojais darbuotojo konsultantu konsultanta
                konsultanto specialistu specialista specialisto operatoriumi operatoriu operatoriaus jumis kazkuo person human humans
                someone somebody staff agent operator people being representative advisor adviser employee you support"""
            ),
        ),
        _words(
            """ar as galiu galeciau galima galite noriu noreciau norime kaip su man mane reikia tikru tikra gyvu gyva kokiu nors kuo
            kur is can could i may id want would like need to a an the how do me with let rather instead customer service where there
            real live actual your team from jusu anyone some directly tiesiogiai by phone telefonu being human not bot robot ne robotu o be able
            possible imanoma id ill right now dabar"""
        ),
    ),
    _Kind(
        "person",
        (
            _words("duokite duok galima perjunk perjunkite pakviesk pakvieskite real live gyvas gyvo gyvu tikras reikia reikalingas noriu noreciau give get want need bring"),
            _words("zmogaus zmogu zmogus zmogumi darbuotoja operatoriu konsultantas konsultanta person human someone operator agent"),
        ),
        _words("man as mes mums i id would we me us a an the real live actual gyvo gyvas gyvu tikro tikras to not bot robot ne roboto like here cia now pas there"),
    ),
    _Kind("complaint", (_BAD,), _YOU | _THING | _FILLER | _PRAISE | _FAULTY),
    _Kind("complaint", (_FAULTY, _YOU | _THING), _FILLER | _PRAISE),
    _Kind("complaint", (_words("klausiau prasiau asked understand"), _words("ne not dont doesnt didnt cant")), _YOU | _THING | _FILLER),
)  # fmt: skip
_ORDER = ("complaint", "person", "robot", "maker", "about", "thanks", "farewell", "fine", "greeting")
"""Which remark is answered where several are made at once."""

_ABOUT = re.compile(
    r"(?:hi |hello |labas |sveiki )?(?:kas tu(?: toks| tokia)?(?: esi)?|kas jus(?: tokie)?|ka (?:tu |jus )?(?:moki|mokate|gali|galite)"
    r"|ka galima paklausti|ko galiu (?:pa)?klausti|kaip (?:tu )?veiki|padek|padekite|pagalba|who are you|what are you|what can you do"
    r"|what can i ask(?: you)?|how do you work|help)"
)
"""Asked of the chat itself; as words in any order they would be questions about the documents."""

_MADE = (
    r"(?:eilerast|eilut|poem|verse|haiku|limerick|rap\b|anekdot|pokst|juokel|juoking|joke|pasak|fairy|bedtime|dain[aos]|song|misl[eiu]|riddle|esse?\b|ese\b|essay"
    r"|rasini|referat|kod(?:a|o)\b|code\b(?! of)|python|javascript|sql\b|script\b|tweet)"
)
_TASK = re.compile(
    r"(?:please |prasau |prasom |gal |ar |galite |galetumete |gali |galetum |can |could |would |will |you |now |dabar |just |tiesiog )*(?:"
    rf"(?:write|compose|create|generate|make up|tell|sing|recite|parasy[kt]\w*|sukur[kt]\w*|sugalvo[kt]\w*|papasako[kt]\w*|padainuo[kt]\w*|padeklamuo[kt]\w*"
    rf"|pasaky[kt]\w*|sugeneruo[kt]\w*)\b.{{0,40}}\b{_MADE}.*"
    r"|(?:translate|isver[sk][kt]\w*|versk(?:ite)?)\b.*"
    r"|(?:ignore|forget|disregard|override|ignoruo[kt]\w*|pamirsk\w*|nepaisyk\w*)\b.{0,40}\b(?:instruction|rule|prompt|previous|above|instrukcij|taisykl|nurodym|ankstesn).*"
    r"|(?:pretend|act as|imagine you|roleplay|role-play|apsimesk\w*|isivaizduok\w*,? kad)\b.*|(?:from now on|you are now|nuo siol tu)\b.*"
    r"|(?:show|reveal|print|repeat|tell|parody[kt]\w*|atskleis[kt]\w*|what is|what are)\b(?: (?:me|us|man|mums))? (?:your|savo|the system|sistemos)"
    r" (?:\w+ )?(?:prompt|instruction|instrukcij|nurodym)\w*"
    r"|(?:what time is it|what's the time) (?:right )?now|what day is (?:it )?today|what(?:'s| is) (?:the date today|today's date)"
    r"|kiek dabar valandu|kelinta dabar valanda|kokia siandien (?:diena|data)|kokia (?:diena|data) siandien"
    r"|(?:(?:what is|what's|how much is|calculate|compute|kiek (?:bus|yra)|suskaiciuo[kt]\w*|apskaiciuo[kt]\w*|paskaiciuo[kt]\w*) )?"
    r"\d[\d.,]*(?:\s?(?:[+*×÷^=x]|plus|times|divided by|plius|minus|kart|padalint\w* is| [-/:])\s?\d[\d.,]*)+(?:\s?=)?"
    r")[\s?!.]*"
)
"""What is asked to be done and not to be found; as words in any order it would be many a question."""

_CLAUSE = re.compile(r"[^,.!?;…–—\n]+[,.!?;…–—\n]*")
_HELLO = re.compile(
    r"\s*(?:lab(?:as|a)\s+(?:rytas|vakaras|dien[aą])|labas|sveik(?:i|as|a)|good\s+(?:morning|afternoon|evening|day)|hello|hi|hey)"
    r"(?:\s+(?:visiems|there|everyone|all))?(?=\s+\S+\s+\S)\s+",
    re.IGNORECASE,
)


def recognised(text: str) -> SmallTalk | None:
    """The remark that a text is, whatever its wording; None for anything else, above all for a question."""
    if _TASK.fullmatch(" ".join(fold(text).split())):
        return "task"
    kinds = [_kind(clause) for clause in _CLAUSE.findall(text) if re.search(r"\w", clause)]
    if kinds and all(kinds):
        return next((remark for remark in _ORDER if remark in kinds), None)
    return _kind(text)


def question_in(text: str) -> str:
    """The text without the greetings, thanks and complaints before and after its question; never empty."""
    clauses = _CLAUSE.findall(text)
    while len(clauses) > 1 and _kind(clauses[0]):
        clauses.pop(0)
    while len(clauses) > 1 and _kind(clauses[-1]):
        clauses.pop()
    kept = "".join(clauses).strip() or text
    return _HELLO.sub("", kept, count=1) if _HELLO.match(kept) else kept


def _kind(clause: str) -> SmallTalk | None:
    words = [word for word in re.findall(r"\w+", fold(clause).replace("'", "").replace("’", "")) if word not in _POLITE]
    if not words:
        return "fine" if re.search(r"\b(?:ok|okay|gerai|well)\b", fold(clause)) else None
    if len(words) > 14:
        return None
    if _ABOUT.fullmatch(" ".join(words)):
        return "about"
    remark = next((kind.remark for kind in _KINDS if kind.fits(words)), None)
    return None if remark == "fine" and "?" in clause else remark

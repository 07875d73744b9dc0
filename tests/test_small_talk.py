"""What is said to a chat without asking gets a fitting reply; a question inside it is still a question."""

from __future__ import annotations

import pytest

from clusterqa.records import LANGUAGES, Question, Remark
from clusterqa.retrieval.quote import remark_reply
from clusterqa.retrieval.small_talk import REPLIES, question_in, recognised

SAID = {
    "thanks": (
        "ačiū",
        "Labai ačiū už atsakymą!",
        "aciu labai padejot padejote",
        "Dėkoju, viskas aišku",
        "thanks a million",
        "Thanks, that was really helpful!",
        "thank you so much for your help",
        "cheers mate",
        "thx",
        "Nuoširdžiai dėkoju jums už pagalbą",
        "ok thanks",
        "Super, ačiū!",
        "much appreciated",
        "Perfect, thank you.",
        "dėkui už info",
    ),
    "complaint": (
        "tu kvailas",
        "Tu esi visiškai nenaudingas botas",
        "You are stupid",
        "this is useless",
        "what a piece of shit",
        "eik velniop",
        "fuck you",
        "fuck off",
        "shut up idiot",
        "nieko nesupranti",
        "Čia kažkokia nesąmonė!",
        "tai neteisingas atsakymas",
        "that is wrong",
        "your answers are rubbish",
        "wtf",
        "kvailas robotas",
        "you suck",
    ),
    "robot": (
        "Ar tu robotas?",
        "ar jus zmogus",
        "Are you a robot?",
        "are you chatgpt",
        "Is this ChatGPT?",
        "Am I talking to a human?",
        "Ar kalbu su žmogumi?",
        "ar cia dirbtinis intelektas",
        "Ar čia gyvas žmogus?",
        "do you use AI",
        "are you a real person",
        "Ar tu ChatGPT",
        "are you human or a bot?",
        "Ar čia atsako robotas?",
    ),
    "maker": (
        "kas tave sukūrė?",
        "kas tave sukure",
        "Who made you?",
        "who built this chatbot",
        "Kas sukūrė šį puslapį?",
        "who is your creator",
        "Kieno tu?",
        "who are you made by",
        "Kas jus sukūrė?",
    ),
    "person": (
        "Can I talk to a person?",
        "noriu pakalbėti su žmogumi",
        "Ar galiu pasikalbėti su darbuotoju?",
        "ar galima susisiekti su jumis?",
        "I want to speak to somebody",
        "connect me to an operator please",
        "I need a human",
        "noreciau pabendrauti su gyvu zmogumi",
        "how can I contact you",
        "Kaip su jumis susisiekti?",
        "Is there someone I can talk to?",
    ),
    "greeting": (
        "Labas!",
        "hello, how are you?",
        "Sveiki, kaip sekasi?",
        "hey bot",
        "Laba diena",
    ),
    "fine": (
        "ok",
        "gerai",
        "supratau",
        "I see",
        "got it",
        "aišku",
    ),
    "farewell": (
        "Viso gero!",
        "iki",
        "bye bye",
        "good night",
        "ate",
    ),
}
MORE = {
    "robot": (
        "ar as kalbu su zmogumi?",
        "Ar čia rašo tikras žmogus?",
        "are you ai?",
        "is there a human behind this",
        "Tu dirbtinis intelektas?",
        "Ar jūs esate robotas ar žmogus?",
        "You're a bot, right?",
        "is this a bot?",
        "Ar bendrauju su robotu?",
        "what language model are you",
        "esi gpt?",
        "are u human",
    ),
    "maker": (
        "kas tave programavo",
        "Kas yra tavo kūrėjas?",
        "who developed you?",
        "Kas jus padarė",
        "who is behind this chatbot",
        "which company made you",
        "kokia įmonė tave sukūrė",
        "whose bot is this",
    ),
    "person": (
        "sujunkite su darbuotoju",
        "Noriu kalbėti su gyvu žmogumi",
        "Galima žmogų?",
        "let me talk to a human",
        "real person please",
        "I'd like to talk to someone from your team",
        "kaip susisiekti su konsultantu?",
        "Can somebody call me?",
        "perjunk mane pas žmogų",
        "talk to agent",
        "ar yra gyvas konsultantas",
        "Is it possible to speak to a human being?",
        "noriu žmogaus",
    ),
    "thanks": (
        "dėkoju jums!",
        "thank u",
        "ačiū labai, viso gero",
        "Thanks for nothing",
        "ačiū, labai padėjote",
        "ačiū už greitą atsakymą",
        "you helped me a lot, thanks",
        "many thanks for that",
        "dekui labai gera diena",
    ),
    "complaint": (
        "tu nieko nežinai",
        "kokia nesąmonė",
        "you are an idiot",
        "This bot is terrible",
        "durnas",
        "Jūsų sistema neveikia",
        "that's not what I asked",
        "tai ne tai ko klausiau",
        "you don't understand me",
        "worst chatbot ever",
        "nesuprantate klausimo",
        "jus visai nieko nesuprantat",
        "blogas atsakymas",
        "useless!!!",
        "what the hell",
        "go away",
    ),
}
QUESTIONS = (
    "Ar klasteriui reikia žmogaus, kuris prižiūri rodiklius?",
    "who made the ESCA label",
    "Kas sukūrė bronzos ženklą?",
    "kas yra konsultantas",
    "Kaip susisiekti su klasteriu?",
    "can I call EUCLES",
    "ar neveikia klasteris",
    "what is wrong",
    "kas negerai",
    "ar reikia darbuotojų?",
    "Do I need a person responsible?",
    "is the gold label good",
    "what help can I get",
    "ar duoda pinigų",
    "kas vertina",
    "who answers",
    "Who is behind EUCLES?",
    "how do I apply",
    "Kiek kainuoja bronzos ženklas?",
    "Ačiū, o kiek kainuoja sidabras?",
    "What is bad about the Gold Label?",
    "who made the label",
    "Kas sukūrė sistemą?",
    "Kas valdo ECCP?",
    "who runs it?",
    "Is ESCA a person?",
    "klasteris",
    "Who can talk to the auditors?",
    "kaip susisiekti su ESCA?",
    "How do I contact EUCLES?",
    "Kas yra žmogus?",
    "wrong benchmarking results what to do",
    "ar reikia specialisto?",
    "kaip sekasi klasteriams?",
    "Ar klasteris gali naudoti dirbtinį intelektą?",
    "a",
    "o aukso?",
    "Which is the best label?",
    "nice cluster",
    "is it good?",
    "is it valid?",
    "How do I get you to come?",
    "o kiek?",
    "kas tai?",
    "what is this?",
    "Is it wrong to skip the audit?",
    "Ar man reikia konsultanto?",
)


@pytest.mark.parametrize(
    ("remark", "text"), [(remark, text) for said in (SAID, MORE) for remark, texts in said.items() for text in texts]
)
def test_a_remark_is_recognised_in_any_wording(remark: str, text: str) -> None:
    assert recognised(text) == remark


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_none_of_these(text: str) -> None:
    assert recognised(text) is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Laba diena, kiek kainuoja sidabro ženklas?", "kiek kainuoja sidabro ženklas?"),
        ("labas kiek kainuoja bronza", "kiek kainuoja bronza"),
        ("Tu kvailas botas, kiek kainuoja sidabras?", "kiek kainuoja sidabras?"),
        ("You are useless. How long is Bronze valid? Thanks!", "How long is Bronze valid?"),
        ("Ačiū! O aukso?", "O aukso?"),
        ("this is nonsense!!! what does the Gold Label cost", "what does the Gold Label cost"),
        ("Kiek kainuoja, ir kiek trunka?", "Kiek kainuoja, ir kiek trunka?"),
        ("hi kaina", "hi kaina"),
        ("ačiū", "ačiū"),
    ],
)
def test_the_question_inside_a_greeting_or_a_complaint_is_what_is_asked(text: str, question: str) -> None:
    assert recognised(text) is None or text == "ačiū"
    assert question_in(text) == question


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_remark_has_a_reply_without_quotes(language) -> None:
    for remark, words in REPLIES[language].items():
        reply = remark_reply(Question("?"), Remark(remark, language))  # type: ignore[arg-type]
        assert (reply.status, reply.message, reply.quotes) == ("small_talk", words, ())

"""The words of the page where passages are judged."""

from __future__ import annotations

from clusterqa.records import Language

WORDS: dict[Language, dict[str, str]] = {
    "lt": {
        "judging_title": "Ištraukų vertinimas",
        "judging_lead": "Ar ši ištrauka atsako į klausimą? Kiekvieną ištrauką vertina du žmonės, nematydami vienas kito vertinimo. "
        "Jei jų vertinimai skiriasi, sprendžia trečias.",
        "judging_left": "Jums liko įvertinti: {} iš {}.",
        "judging_question": "Klausimas",
        "judging_history": "Prieš tai klausta",
        "judging_passage": "Ištrauka",
        "judging_verdict": "Jūsų vertinimas",
        "grade_right": "Atsako",
        "grade_partly": "Atsako iš dalies",
        "grade_wrong": "Neatsako",
        "judging_keys": "Klavišai: 1 – „Atsako“, 2 – „Atsako iš dalies“, 3 – „Neatsako“, 0 – grįžti prie ankstesnės ištraukos.",
        "judging_help": "„Atsako“ – ištraukoje yra visas atsakymas. „Atsako iš dalies“ – yra tik dalis atsakymo arba jis tinka ne visiems klausimo "
        "atvejams. „Neatsako“ – atsakymo nėra, net jei ištrauka apie tą patį.",
        "judging_before": "Grįžti prie ankstesnės ištraukos",
        "judging_own": "Anksčiau įvertinote: {}. Naujas vertinimas pakeis ankstesnį.",
        "judging_done": "Įvertinote visas ištraukas, kurios laukė jūsų vertinimo.",
        "judging_none": "Vertinti nėra ko. Sąrašą sudaro serverio prižiūrėtojas komanda „clusterqa eval pool“.",
        "judging_gone": "Vertinimas neįrašytas: ištraukų sąrašas pasikeitė. Vertinkite ištraukas, kurios rodomos dabar.",
        "agreement_title": "Kaip sutampa vertinimai",
        "agreement_lead": "κ (Coheno kapa): 1 – visiškas sutapimas, 0 – toks, kokį duotų atsitiktinumas.",
        "agreement_none": "Kol kas nėra ištraukos, kurią būtų įvertinę du žmonės.",
        "agreement_people": "Vertintojai",
        "agreement_passages": "Ištraukų",
        "agreement_observed": "Sutapo",
        "agreement_kappa": "κ",
        "agreement_undefined": "neapibrėžta: visi vertinimai vienodi",
        "judging_settled": "Vertinimas nustatytas: {}, iš jų kol kas tik vieno žmogaus: {}. Vertinimai skiriasi: {}.",
        "judging_qrels": "Parsisiųsti nustatytus vertinimus (qrels)",
        "judging_every": "Parsisiųsti visus vertinimus (kas ir kada)",
    },
    "en": {
        "judging_title": "Judging passages",
        "judging_lead": "Does this passage answer the question? Two people judge each passage, without seeing what the other says. "
        "Where they differ, a third decides.",
        "judging_left": "Left for you to judge: {} of {}.",
        "judging_question": "Question",
        "judging_history": "Asked before",
        "judging_passage": "Passage",
        "judging_verdict": "Your judgement",
        "grade_right": "Right",
        "grade_partly": "Partly",
        "grade_wrong": "Wrong",
        "judging_keys": "Keys: 1 for “Right”, 2 for “Partly”, 3 for “Wrong”, 0 to go back to the passage before.",
        "judging_help": "“Right”: the whole answer stands in the passage. “Partly”: a part of it, or it does not hold for every case that is asked "
        "about. “Wrong”: there is no answer, even if it is about the same thing.",
        "judging_before": "Back to the passage before",
        "judging_own": "You judged before: {}. A new judgement replaces it.",
        "judging_done": "You have judged every passage that waited for you.",
        "judging_none": "There is nothing to judge. Whoever looks after the server makes the list with “clusterqa eval pool”.",
        "judging_gone": "Not kept: the list of passages has changed. Judge the passages that are shown now.",
        "agreement_title": "How far people agree",
        "agreement_lead": "κ (Cohen's kappa): 1 is full agreement, 0 what chance would give.",
        "agreement_none": "There is no passage yet that two people have judged.",
        "agreement_people": "People",
        "agreement_passages": "Passages",
        "agreement_observed": "Agreed",
        "agreement_kappa": "κ",
        "agreement_undefined": "not defined: all judgements are the same",
        "judging_settled": "Settled: {}, of which judged by one person alone so far: {}. People differ: {}.",
        "judging_qrels": "Download what is settled (qrels)",
        "judging_every": "Download every judgement (who and when)",
    },
}

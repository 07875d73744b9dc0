"""
Questions with known answers → measures, by direction, with intervals.

    sets (questions.jsonl) ─┬─run─▶ Outcome per question and view ─▶ tables, compare, gate, calibrate, report
    beir (sets of others) ──┘       measures: by ir_measures where it has them      trec: files of other tools
                                    figures: every aggregate as data                typeset, continuous: for programs

A direction is the question's language → the documents' language. Since our documents come in pairs, a direction is
measured on a view of the index that holds the documents of one language only; the view of both is what people use.
"""

"""
Questions with known answers → measures, by direction, with intervals.

    sets (questions.jsonl) ─run─▶ Outcome per question and view ─measures─▶ tables, comparison, gate, calibration

A direction is the question's language → the documents' language. Since our documents come in pairs, a direction is
measured on a view of the index that holds the documents of one language only; the view of both is what people use.
"""

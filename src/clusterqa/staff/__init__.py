"""
The staff desk without its pages: accounts, the audit log, drafts, what people asked and did not get.

Knows nothing of the web. What only the desk needs is kept in a book of its own, beside the journal.
"""

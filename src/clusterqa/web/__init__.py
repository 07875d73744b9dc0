"""The web: chat pages, pages of documents, the HTTP API. A shell over the core, which knows nothing of it."""

"""The web app from the settings: `python app.py`, or `uvicorn app:app`."""

from clusterqa.settings import Settings
from clusterqa.web.app import build, run

settings = Settings.load()

if __name__ == "__main__":
    run(settings)
else:
    app = build(settings)

"""Small documents that several test files index."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
SEED = DATA / "rutos-bronze-labels.en.txt"

PRICES = """# Label prices

The bronze label has a price of 2,250 euro. It is valid for two years.

## The gold label

The gold label needs an expert. Two experts write the report.
"""
KAINOS = """# Ženklų kainos

Bronzos ženklo kaina yra 2 250 eurų. Jis galioja dvejus metus.
"""

"""Runs one program with one subject, in a process that has nothing else, and prints its figures as JSON.

python programs/start.py PROGRAM SUBJECT URL [MORE…]
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def main() -> None:
    """Finds the two, and runs them."""
    from subjects import SUBJECTS

    program, subject, url, *more = sys.argv[1:]
    figures = importlib.import_module(program).run(SUBJECTS[subject](), url, *more)
    print(json.dumps(figures), flush=True)
    # What packages do at the end of a process is not measured, and takes long where nobody answers.
    os._exit(0)


if __name__ == "__main__":
    main()

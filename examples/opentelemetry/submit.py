"""Submits documents, each a file named on the command line, and prints the id of each one's task.

    python submit.py ../docpipe/documents/*.html
"""

import sys
import uuid
from pathlib import Path

from docpipe.text import MEDIA_TYPES
from tasks import documents, extraction


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        document_id = str(uuid.uuid4())
        media_type = MEDIA_TYPES.get(path.suffix.lower(), "text/plain")
        documents.add(document_id, path.name, media_type, path.read_bytes())
        print(extraction.delay(document_id, path.name).id, flush=True)


if __name__ == "__main__":
    main()

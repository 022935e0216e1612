"""Submits documents to the worker, each named on the command line."""

import sys

from opentelemetry import trace
from tasks import extract, trace_as


def main() -> None:
    provider = trace_as("gateway")
    tracer = trace.get_tracer(__name__)
    for document in sys.argv[1:] or ["report"]:
        with tracer.start_as_current_span("upload"):
            print(extract.delay(document).id, flush=True)
    provider.shutdown()


if __name__ == "__main__":
    main()

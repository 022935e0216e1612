"""A small document pipeline: upload, extract, chunk, embed, summarize.

It is an example of what Watchkeeper watches, and it does real work. Start reading at
`extraction_worker.py`: it shows what one worker does with one document. Then `worker.py`, which
runs it and makes a job of each attempt, and `__main__.py`, which starts everything.
"""

__version__ = "1.0.0"

"""A real SMTP server that keeps each mail it takes as a file: python smtp.py PORT FOLDER."""

import asyncio
import itertools
import pathlib
import sys

from aiosmtpd.controller import Controller


class Keep:
    """Writes each mail into the folder, whole before it is named `.eml`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.count = itertools.count()

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802 (the name is aiosmtpd's)
        path = self.folder / f"{next(self.count):06}.part"
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n"
        path.write_bytes(head.encode() + envelope.content)
        path.rename(path.with_suffix(".eml"))
        return "250 OK"


def main() -> None:
    port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    Controller(Keep(folder), hostname="127.0.0.1", port=port).start()
    asyncio.new_event_loop().run_forever()


if __name__ == "__main__":
    main()

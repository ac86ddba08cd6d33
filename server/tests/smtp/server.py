"""A mail server for the tests: aiosmtpd on a port that the system chooses. What it receives it prints, and keeps nothing.

One line for each recipient, numbered so that a test can wait for the second message to the same person:
mail 1 for ada@example.org: {"from": ..., "to": [...], "subject": ..., "text": ...}
"""

import asyncio
import json
from collections import Counter
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP


class Printer:
    """The hook that aiosmtpd hands each message to."""

    def __init__(self):
        self.received = Counter()

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        body = message.get_body(preferencelist=("plain", "html"))
        shown = json.dumps(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "subject": message["subject"],
                # Mail breaks its lines with CRLF; what was written did not.
                "text": body.get_content().replace("\r\n", "\n") if body else "",
            }
        )
        for address in envelope.rcpt_tos:
            self.received[address] += 1
            print(f"mail {self.received[address]} for {address}: {shown}", flush=True)
        return "250 OK"


async def main():
    printer = Printer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(printer, enable_SMTPUTF8=True), host="127.0.0.1", port=0)
    host, port = server.sockets[0].getsockname()
    print(f"smtp listening on {host}:{port}", flush=True)
    await server.serve_forever()


asyncio.run(main())

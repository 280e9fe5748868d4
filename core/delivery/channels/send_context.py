"""What sending needs beside the address and the message."""

from dataclasses import dataclass

from core.delivery.smtp import SmtpServer
from core.runtime.guarded_http import Reach


@dataclass(frozen=True, slots=True)
class SendContext:
    """The mail server with its sender, None without one; and the operator's private hosts."""

    mail_server: SmtpServer | None = None
    sender: str = ""
    private_hosts: frozenset[str] = frozenset()  # of `Settings.private_hosts`

    @property
    def reach(self) -> Reach:
        return Reach(self.private_hosts)

"""What a script asks of its surroundings: an answer to ``input``, and the network."""

from __future__ import annotations

import builtins
import functools
import re
import socket
import sys
from types import ModuleType
from typing import Any, Callable, Dict, List

# Names that lead to this machine itself, or nowhere.
OWN_NAMES = (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared
MOST_ADDRESSES = 8
FIGURES_VARIABLE = "KERAS_REPRO_FIGURES"  # tells the matplotlib backend where to save


def answer_nobody() -> None:
    """Have ``input`` fail at once and say why."""
    given_input = builtins.input

    def ask(prompt: Any = "") -> str:
        if sys.stdin is not sys.__stdin__:  # the script answers itself
            return given_input(prompt)
        raise EOFError(
            "the script asked for input (%r) and nobody is there to answer; hand it in as an "
            "argument, after --" % (str(prompt),)
        )

    builtins.input = ask


class NetworkUse:
    """Notes what a script asks the network for, and changes nothing about it."""

    def __init__(self) -> None:
        self.addresses: List[str] = []

    def hooks(self) -> Dict[str, Callable[[ModuleType], None]]:
        """Return what to do with each module through which a script reaches the network."""
        return {"socket": self._watch_socket, "urllib.request": self._watch_urllib}

    def _note(self, address: str) -> None:
        if address not in self.addresses and len(self.addresses) < MOST_ADDRESSES:
            self.addresses.append(address)

    def _watch_socket(self, module: Any) -> None:
        getaddrinfo = module.getaddrinfo

        def call(host: Any, *args: Any, **kwargs: Any) -> Any:
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            # An address with a path was noted already, and says more.
            if name not in OWN_NAMES + (socket.gethostname(),) and not any(
                "/%s/" % name in a for a in self.addresses
            ):
                self._note(str(name))
            return getaddrinfo(host, *args, **kwargs)

        module.getaddrinfo = call

    def _watch_urllib(self, module: Any) -> None:
        open_address = module.OpenerDirector.open

        @functools.wraps(open_address)
        def call(opener: Any, fullurl: Any, *args: Any, **kwargs: Any) -> Any:
            address = str(getattr(fullurl, "full_url", fullurl))
            if not address.startswith(("file:", "data:")):
                self._note(_without_secrets(address))
            return open_address(opener, fullurl, *args, **kwargs)

        module.OpenerDirector.open = call


def _without_secrets(address: str) -> str:
    """Return an address without user, password, query and fragment."""
    address = re.sub(r"[?#].*", "", address)
    return re.sub(r"^(\w+://)[^/@]*@", r"\1", address)

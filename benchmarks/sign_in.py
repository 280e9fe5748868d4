"""A caller who guesses passwords on the sign-in page, by the pages' WebSocket protocol."""

import asyncio
from collections.abc import Callable
from itertools import count
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_RUN_SECONDS = 60
_PER_ADDRESS = 20  # what the usual limits let through
_ANSWERS = ("Incorrect email or password.", "Too many attempts.")


class SignInPage:
    """The sign-in page as one browser sees it."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._fields: dict[str, str] = {}
        self._button = ""
        self._answer = ""

    async def open(self) -> None:
        """Load the page."""
        await self._run(BackMsg())

    async def attempt(self, mail: str, password: str) -> str:
        """Send the form; return the page's answer."""
        message = BackMsg()
        states = message.rerun_script.widget_states.widgets
        for label, value in (("Email", mail), ("Password", password)):
            states.add(id=self._fields[label], string_value=value)
        states.add(id=self._button, trigger_value=True)
        await self._run(message)
        return self._answer

    async def _run(self, message: BackMsg) -> None:
        message.rerun_script.query_string = ""
        self._answer = ""
        async with asyncio.timeout(_RUN_SECONDS):
            await self._socket.send(message.SerializeToString())
            while True:
                answer = ForwardMsg.FromString(await self._socket.recv(decode=False))
                kind = answer.WhichOneof("type")
                if kind == "delta":
                    self._take(answer.delta.new_element)
                elif kind == "script_finished" and (
                    answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
                ):
                    return

    def _take(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "text_input":
            self._fields[element.text_input.label] = element.text_input.id
        elif kind == "button" and element.button.is_form_submitter:
            self._button = element.button.id
        elif kind == "alert" and element.alert.body.startswith(_ANSWERS):
            self._answer = element.alert.body


def address_of(number: int) -> str:
    """Return the network address of a distant client, another one for each number."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def connect(url: str, address: str) -> websockets.connect:
    """Return a connection as from a network address, which a proxy on this machine names."""
    return websockets.connect(
        f"ws://{urlsplit(url).netloc}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        additional_headers={"X-Forwarded-For": address},
        max_size=None,
        ping_interval=None,
        compression=None,
        open_timeout=_RUN_SECONDS,
    )


def flood(
    url: str,
    at_once: int,
    first_place: int,
    begun: Event,
    ended: Event,
    report: Callable[[int], None],
) -> None:
    """Try passwords from many addresses at once until `ended`; report how many were answered."""
    tried = asyncio.run(_flood(url, at_once, first_place, begun, ended))
    report(tried)


async def _flood(url: str, at_once: int, first_place: int, begun: Event, ended: Event) -> int:
    places = count(first_place)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_try_on(url, places, begun, ended)) for _ in range(at_once)]
    return sum(task.result() for task in tasks)


async def _try_on(url: str, places: "count[int]", begun: Event, ended: Event) -> int:
    tried = 0
    while not ended.is_set():
        place = next(places)
        async with connect(
            url, f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"
        ) as socket:
            page = SignInPage(socket)
            await page.open()
            for number in range(_PER_ADDRESS):
                if ended.is_set():
                    break
                answer = await page.attempt(f"p{place}-{number}@flood.example", "a wrong guess")
                if answer != _ANSWERS[0]:
                    raise RuntimeError(f"The sign-in page answered {answer!r}.")
                tried += 1
                begun.set()
    return tried

"""Tabs without a browser: they speak the websocket protocol of Streamlit's pages.

A tab asks for a run of the script, reads until it has finished, and asks again at
once. It keeps, as a browser does, which large messages it has already.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_RUN_SECONDS = 60
COOKIE = "amazcope_session"
_GOOD = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass(slots=True)
class Run:
    """What one run of a script sent back."""

    query: str
    seconds: float = 0.0
    bytes: int = 0
    chart_bytes: int = 0
    elements: int = 0
    is_over: bool = False
    error: str = ""

    def raise_error(self) -> None:
        if self.error:
            raise RuntimeError(f"The page failed for {self.query!r}: {self.error}")


@dataclass(slots=True)
class Load:
    """What all tabs together saw."""

    runs: list[Run] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.runs) / self.seconds

    def raise_errors(self) -> None:
        """Raise the first error there was: a page that only fails is fast."""
        for run in self.runs:
            run.raise_error()


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages are served, and the token of a signed-in user."""

    url: str
    token: str


class Tab:
    """One session of Streamlit."""

    def __init__(self, socket: websockets.ClientConnection, page: str) -> None:
        self._socket = socket
        self._page = page
        self._page_hash = ""
        self._known: set[str] = set()
        self._chips: dict[str, tuple[str, str]] = {}  # the id of a widget and of its fragment

    async def run(self, query: str) -> Run:
        """Have the page run with a query string; return what came back."""
        return await self._send(self._request(query), query)

    async def press(self, query: str, key: str, pressed: Sequence[str]) -> Run:
        """Press chips of a fragment, which runs alone; return what came back."""
        widget, fragment = self._chips[key]
        message = self._request(query)
        message.rerun_script.fragment_id = fragment
        state = message.rerun_script.widget_states.widgets.add(id=widget)
        state.string_array_value.data.extend(pressed)
        return await self._send(message, query)

    async def _send(self, message: BackMsg, query: str) -> Run:
        result, used = Run(query), set[str]()
        began = time.perf_counter()
        async with asyncio.timeout(_RUN_SECONDS):
            await self._socket.send(bytes(message.SerializeToString()))
            while not result.is_over:
                raw = await self._socket.recv(decode=False)
                result.bytes += len(raw)
                self._take(ForwardMsg.FromString(raw), result, used)
        result.seconds = time.perf_counter() - began
        self._known = used
        return result

    def _request(self, query: str) -> BackMsg:
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string = query
        if self._page_hash:
            asked.page_script_hash = self._page_hash
        else:
            asked.page_name = self._page
        asked.cached_message_hashes.extend(self._known)
        asked.context_info.timezone = "UTC"
        asked.context_info.locale = "en-US"
        return message

    def _take(self, message: ForwardMsg, result: Run, used: set[str]) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash or self._page_hash
        elif kind == "page_config_changed":
            if message.page_config_changed.title.startswith("Sign in"):
                result.error = "the page asks to sign in"
        elif kind == "page_not_found":
            result.error = f"there is no page {self._page}"
        elif kind == "ref_hash":
            used.add(message.ref_hash)
        elif kind == "delta":
            self._take_element(message, result, used)
        elif kind == "script_finished":
            self._finish(message.script_finished, result)

    def _take_element(self, message: ForwardMsg, result: Run, used: set[str]) -> None:
        if message.metadata.cacheable:
            used.add(message.hash)
        element = message.delta.new_element
        result.elements += 1
        name = element.WhichOneof("type")
        if name == "button_group" and message.delta.fragment_id:
            widget = element.button_group.id
            self._chips[widget.rpartition("-")[2]] = (widget, message.delta.fragment_id)
        elif name == "plotly_chart":
            result.chart_bytes += element.plotly_chart.ByteSize()
        elif name == "exception":
            result.error = f"{element.exception.type}: {element.exception.message}"[:300]

    def _finish(self, status: int, result: Run) -> None:
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return  # the server goes on with the next run
        if status not in _GOOD and not result.error:
            result.error = f"the script ended with status {status}"
        result.is_over = True


def walk(pages: Pages, page: str, walks: Sequence[Sequence[str]], passes: int = 1) -> list[Load]:
    """Walk one tab through each list of query strings at the same time, `passes` times.

    Returns one Load per pass. The first run of each tab, which opens the session, is
    not counted.
    """
    return asyncio.run(_walk(pages, page, walks, passes))


async def _walk(pages: Pages, page: str, walks: Sequence[Sequence[str]], passes: int) -> list[Load]:
    loads = [Load() for _ in range(passes)]
    begin = asyncio.Barrier(len(walks) + 1)
    async with asyncio.TaskGroup() as group:
        for queries in walks:
            group.create_task(_walk_one(pages, page, queries, loads, begin))
        for load in loads:
            await begin.wait()
            began = time.perf_counter()
            await begin.wait()
            load.seconds = time.perf_counter() - began
    return loads


async def _walk_one(
    pages: Pages,
    page: str,
    queries: Sequence[str],
    loads: Sequence[Load],
    barrier: asyncio.Barrier,
) -> None:
    async with connect(pages) as socket:
        tab = Tab(socket, page)
        await tab.run("")
        for load in loads:
            await barrier.wait()
            for query in queries:
                load.runs.append(await tab.run(query))
            await barrier.wait()


def open_each(pages: Pages, page: str, queries: Sequence[str]) -> Load:
    """Open a page anew for each query string, one after the other."""
    return asyncio.run(_open_each(pages, page, queries))


async def _open_each(pages: Pages, page: str, queries: Sequence[str]) -> Load:
    load = Load()
    began = time.perf_counter()
    for query in queries:
        async with connect(pages) as socket:
            load.runs.append(await Tab(socket, page).run(query))
    load.seconds = time.perf_counter() - began
    return load


def press_chips(
    pages: Pages, page: str, query: str, key: str, presses: Sequence[Sequence[str]]
) -> Load:
    """Open a page and press chips of it, one choice after the other. The opening isn't counted."""
    return asyncio.run(_press_chips(pages, page, query, key, presses))


async def _press_chips(
    pages: Pages, page: str, query: str, key: str, presses: Sequence[Sequence[str]]
) -> Load:
    load = Load()
    async with connect(pages) as socket:
        tab = Tab(socket, page)
        await tab.run("")
        (await tab.run(query)).raise_error()
        began = time.perf_counter()
        for pressed in presses:
            load.runs.append(await tab.press(query, key, pressed))
        load.seconds = time.perf_counter() - began
    return load


def connect(pages: Pages) -> websockets.connect:
    """Return a connection to the pages, signed in."""
    return websockets.connect(
        f"ws://{urlsplit(pages.url).netloc}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        additional_headers={"Cookie": f"{COOKIE}={pages.token}"},
        max_size=None,
        ping_interval=None,
        compression=None,
        open_timeout=_RUN_SECONDS,
    )

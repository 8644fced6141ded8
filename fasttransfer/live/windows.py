"""Web sockets of the windows: pictures that go to them, and frames of a browser's camera.

A window asks for one picture at a time (``next``, or ``wipe`` to get the original too) and asks again
when it has drawn it, so that nothing waits in a socket. If there is no new picture for a while, or the
window asks for the ``state``, the answer is the state alone.

A window that sends its camera's frames waits for an answer to each, which comes at the rate that the
session wants at most.
"""

import asyncio
import time

from fastapi import WebSocket, WebSocketDisconnect

from ..core.errors import FastTransferError
from .browser_camera import BROWSER
from .messages import encode
from .names import CAMERA
from .session import Session
from .shown import Shown

WINDOWS = 32  # that may show pictures at the same time
QUIET_SECONDS = 0.5  # without a picture, after which a window gets the state alone
REASON = 100  # characters of a sentence with which a socket closes; the protocol allows 123 bytes
SENT_AGE = 0.75  # of the largest age, after which a picture is not sent: it has a way to go


async def send_pictures(window: WebSocket, session: Session) -> None:
    """Answers a window, which is accepted, until it closes."""
    if len(session.listeners) >= WINDOWS:
        await window.close(1013, f"{WINDOWS} windows show the camera already; close one of them.")
        return
    loop, something_new, seen = asyncio.get_running_loop(), asyncio.Event(), 0

    def notify() -> None:
        loop.call_soon_threadsafe(something_new.set)

    with session.listeners.hearing(notify):
        try:
            while True:
                asked = await window.receive_text()
                shown = None
                if asked == "state":
                    await asyncio.sleep(QUIET_SECONDS)
                else:
                    shown = await _next_picture(session, something_new, seen)
                seen = seen if shown is None else shown.number
                answer = asyncio.to_thread(encode, session.state(), shown, asked == "wipe")
                await window.send_bytes(await answer)
        except (WebSocketDisconnect, RuntimeError, KeyError):
            return  # the window is closed, or sends what is no text


async def receive_camera(window: WebSocket, session: Session) -> None:
    """Takes the frames of a window, which is accepted, until it closes or another one sends."""
    browser, period = session.cameras.browser, 1 / session.settings.rate
    with browser.place_of(window):
        try:
            while True:
                message = await window.receive_bytes()
                if not browser.has_place(window):
                    await window.close(1008, "another window shows its camera now")
                    return
                if session.choice.camera != f"{CAMERA}:{BROWSER}":
                    await window.close(1000)  # another one was chosen
                    return
                due = time.perf_counter() + period
                await asyncio.to_thread(session.put_frame, message)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await window.send_text("next")
        except FastTransferError as error:
            await window.close(1008, str(error)[:REASON])
        except (WebSocketDisconnect, RuntimeError, KeyError):
            return  # the window is closed, or sends text


async def _next_picture(session: Session, new: asyncio.Event, seen: int) -> Shown | None:
    """The newest picture after number ``seen`` once there is one that is young enough."""
    until = time.perf_counter() + QUIET_SECONDS
    while (left := until - time.perf_counter()) > 0:
        new.clear()
        shown = session.newest
        if (
            shown is not None
            and shown.number > seen
            and shown.age < SENT_AGE * session.settings.max_age
        ):
            return shown
        try:
            await asyncio.wait_for(new.wait(), left)
        except asyncio.TimeoutError:  # in Python 3.10, it is not the built-in one
            break
    return None

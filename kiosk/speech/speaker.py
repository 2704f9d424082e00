"""The voice of the terminal: one thread turns what is to be said into sound.

Who calls it never waits: a call changes a few values and wakes the thread, which alone starts
programs, reads, writes and waits.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kiosk.speech import engine, pcm
from kiosk.speech.engine import EngineError, Spoken
from kiosk.speech.jack import Jack
from kiosk.speech.parts import Part, Utterance, Voice
from kiosk.speech.player import APLAY, Player, PlayerError, card
from kiosk.speech.prompts import Prompts, Recording, clean
from kiosk.speech.speechlog import SpeechLog
from kiosk.speech.state import CARD_FAILS, ENGINE_FAILS, NO_CARD, NO_ENGINE, STARTING

log = logging.getLogger("hymio.speech")

CHUNK_MS: Final = 40
"""Between two looks at volume, pause and stop."""
GAP_MS: Final = 200
"""Between two parts of an utterance."""
MOST_FAILURES: Final = 3
TRIAL: Final = (Part("a", "en"),)
"""Said without a sound to find out whether the card works."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    stuck: float = 5.0
    """An engine or a player that does nothing for so long hangs."""
    retry: float = 20.0
    """Between two attempts to find a voice where there is none."""


class _CutError(Exception):
    """What is said was stopped or replaced."""


class Speaker:
    """A voice made of an engine, recordings and a player."""

    def __init__(
        self,
        prompts: Path,
        player: Sequence[str] | None = None,
        log: Path | None = None,
        *,
        engine: str = engine.ENGINE,
        jack: Jack | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._player_words = tuple(player) if player else APLAY
        self._own_player = player is not None
        self._engine = engine
        self._prompts = Prompts(prompts)
        self._log = SpeechLog(log)
        self._jack = jack or Jack()
        self._patience = patience or Patience()
        self._voices: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        """Held for a few assignments at a time, never while anything is waited for."""
        self._queue: deque[Utterance] = deque()
        """What is being said first; it leaves when it was heard."""
        self._last: Utterance = ()
        self._turn = 0
        """Counts what cuts the utterance being said."""
        self._paused = self._closed = False
        self._reason = STARTING
        self._volume, self._rate = 60, 150
        self._failures = 0
        self._find_at = 0.0
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # What was meant for one ear must not go on in the room.
        self._jack.pulled = self.stop
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    # --- for any thread ---------------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether anything would be heard."""
        return not self._reason

    @property
    def reason(self) -> str:
        """Why not; empty while it would."""
        return self._reason

    @property
    def headphones(self) -> bool:
        """Whether headphones are plugged in."""
        return self._jack.plugged

    @property
    def busy(self) -> bool:
        """Whether something is being said, waits, or stands still."""
        return bool(self._queue)

    @property
    def paused(self) -> bool:
        """Whether speech stands still."""
        return self._paused

    @property
    def volume(self) -> int:
        """Per cent."""
        return self._volume

    def speaks(self, language: str) -> bool:
        """Whether the engine has a voice for a language."""
        return language in self._voices

    def say(self, parts: Utterance, *, after: bool = False) -> None:
        """Say this now, or after what is said; nothing where nothing would be heard."""
        said = tuple(Part(clean(part.text), part.language) for part in parts)
        said = tuple(part for part in said if part.text)
        with self._lock:
            if not after:
                self._drop()
            self._paused = False
            if said and not self._reason:
                self._queue.append(said)
        self._call()

    def repeat(self) -> None:
        """Say again what is being said or was said last; what waits stays."""
        with self._lock:
            if not self._queue and self._last and not self._reason:
                self._queue.append(self._last)
            self._turn += 1
            self._paused = False
        self._call()

    def stop(self) -> None:
        """Fall silent at once."""
        with self._lock:
            if self._queue:
                self._log.note("stop")
            self._drop()
        self._call()

    def forget(self) -> None:
        """Stop, and keep nothing to repeat."""
        self.stop()
        with self._lock:
            self._last = ()

    def pause(self) -> None:
        """Stand still."""
        self._hold(still=True)

    def resume(self) -> None:
        """Go on."""
        self._hold(still=False)

    def set_volume(self, percent: int) -> None:
        """From the next chunk on."""
        percent = min(100, max(10, percent))
        if percent != self._volume:
            self._volume = percent
            self._log.note("volume", volume=percent)
            self._call()

    def use(self, *, rate_wpm: int) -> None:
        """From the next part on."""
        self._rate = min(450, max(80, rate_wpm))

    def close(self) -> None:
        """Fall silent for good."""
        self._jack.close()
        with self._lock:
            closed, self._closed = self._closed, True
            self._reason = "closed"
            self._drop()
            self._last = ()
        if not closed:
            self._call()
            self._thread.join(3)

    def _hold(self, *, still: bool) -> None:
        with self._lock:
            if still == self._paused or not self._queue:
                return
            self._paused = still
            self._log.note("pause" if still else "resume")
        self._call()

    def _drop(self) -> None:
        """With the lock held."""
        if self._queue:
            self._last = self._queue[0]
        self._queue.clear()
        self._turn += 1
        self._paused = False

    def _call(self) -> None:
        # Closed while somebody still speaks to it: nobody listens any more.
        with contextlib.suppress(OSError):
            os.eventfd_write(self._wake, 1)

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._prompts.load()
            self._find()
            while not self._closed:
                self._next()
        finally:
            self._become("ended")
            self._log.write()

    def _next(self) -> None:
        """Say what is first in the queue, or wait for something to say."""
        with self._lock:
            turn, parts = self._turn, self._queue[0] if self._queue else ()
        if not parts:
            self._idle()
            return
        try:
            self._utter(parts, turn)
        except _CutError:
            return
        except (EngineError, PlayerError) as error:
            self._failed(error)
        else:
            self._failures = 0
        with self._lock:
            if turn == self._turn and self._queue:
                self._last = self._queue.popleft()

    def _find(self) -> None:
        """Look for what it takes to be heard."""
        self._voices = self._voices or engine.voices(self._engine)
        reason = ""
        if not self._voices:
            reason = NO_ENGINE
        elif not self._own_player and not card():
            reason = NO_CARD
        elif self._failures or not self._own_player:
            # A card that is there may still not play.
            try:
                self._utter(TRIAL, None)
            except (EngineError, PlayerError) as error:
                reason = _named(error)
            except _CutError:
                return
        if not reason:
            self._failures = 0
        self._find_at = time.monotonic() + self._patience.retry
        self._become(reason)

    def _become(self, reason: str) -> None:
        with self._lock:
            if self._closed:
                return
            if reason != self._reason:
                log.info("speech: %s", reason or "ready")
            self._reason = reason
            if reason:
                self._drop()

    def _failed(self, error: EngineError | PlayerError) -> None:
        self._failures += 1
        log.warning("%s: %s", _named(error), error)
        self._find_at = time.monotonic() + self._patience.retry
        if self._failures >= MOST_FAILURES:
            self._become(_named(error))
        elif not self._own_player and not card():
            self._become(NO_CARD)

    def _idle(self) -> None:
        """Until somebody calls; where nothing would be heard, look again now and then."""
        if not self._reason:
            self._listen({}, None)
        elif (left := self._find_at - time.monotonic()) > 0:
            self._listen({}, left)
        else:
            self._find()

    def _utter(self, parts: Utterance, turn: int | None) -> None:
        """Say all parts, or without a `turn` try them silently."""
        player: Player | None = None
        try:
            for part in parts:
                source, begun = self._source(part, said=turn is not None), False
                if source is None:
                    continue
                try:
                    for rate, chunk in self._chunks(source, turn):
                        if player is not None and player.rate != rate:
                            self._end(player, turn)
                            player.close()
                            player = None
                        if player is None:
                            player = Player(self._player_words, rate)
                            self._write(player, pcm.header(rate), turn)
                        elif not begun:
                            self._write(player, pcm.silence(rate, GAP_MS), turn)
                        begun = True
                        volume = 0 if turn is None else self._volume
                        self._write(player, pcm.scaled(chunk, volume), turn)
                finally:
                    source.close()
            if player is not None:
                self._end(player, turn)
        finally:
            if player is not None:
                player.close()

    def _source(self, part: Part, *, said: bool) -> Spoken | Recording | None:
        """Where the sound of a part comes from; None where nobody can say it."""
        recorded = self._prompts.find(part.text, part.language) if said else None
        if recorded is None and part.language not in self._voices:
            log.warning("no voice for %s", part.language)
            return None
        if said:
            how = "recorded" if recorded else "engine"
            self._log.note("say", text=part.text, language=part.language, how=how)
            self._log.write()
        if recorded is not None:
            return recorded
        return Spoken(part.text, part.language, self._rate, self._engine)

    def _chunks(self, source: Spoken | Recording, turn: int | None) -> Iterator[tuple[int, bytes]]:
        """The samples of a source, bit by bit, with their rate."""
        rate, held, ended = 0, b"", False
        if isinstance(source, Recording):
            rate = source.rate
        size = len(pcm.silence(rate or 22050, CHUNK_MS))
        while not ended:
            if source.fd >= 0:
                self._wait(source.fd, select.POLLIN, turn, EngineError)
            more = source.read(size)
            held, ended = held + more, not more
            if not rate and len(held) >= 44:
                try:
                    rate, held = pcm.rate_of(held), held[44:]
                except ValueError as error:
                    raise EngineError(str(error)) from None
            while rate and (len(held) >= size or (ended and len(held) >= pcm.WIDTH)):
                whole = min(size, len(held) // pcm.WIDTH * pcm.WIDTH)
                yield rate, held[:whole]
                held = held[whole:]
        source.finish()

    def _write(self, player: Player, sound: bytes, turn: int | None) -> None:
        while sound:
            self._wait(player.fd, select.POLLOUT, turn, PlayerError)
            sound = sound[player.write(sound) :]

    def _end(self, player: Player, turn: int | None) -> None:
        """Until all was heard."""
        player.no_more()
        self._wait(player.ends, select.POLLIN, turn, PlayerError)
        player.finish()

    def _wait(
        self, fd: int, event: int, turn: int | None, kind: type[EngineError] | type[PlayerError]
    ) -> None:
        """Until a program is ready and nobody wants a pause. Raises _CutError and what is given."""
        while True:
            if self._closed or (turn is not None and turn != self._turn):
                raise _CutError
            if self._paused and turn is not None:
                self._listen({}, None)
                continue
            heard = self._listen({fd: event}, self._patience.stuck)
            if fd in heard:
                return
            if not heard:
                # Nobody should listen to the same silence again to find out.
                self._failures = MOST_FAILURES
                raise kind("it hangs")

    def _listen(self, also: dict[int, int], seconds: float | None) -> set[int]:
        """Wait for a call and for other descriptors; which are ready."""
        poll = select.poll()
        for fd, event in {**also, self._wake: select.POLLIN}.items():
            poll.register(fd, event)
        ready = {fd for fd, _ in poll.poll(None if seconds is None else seconds * 1000)}
        if self._wake in ready:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self._log.write()
        return ready


def _named(error: EngineError | PlayerError) -> str:
    return ENGINE_FAILS if isinstance(error, EngineError) else CARD_FAILS


def open_voice(
    *, prompts: Path, player: Sequence[str] | None = None, log: Path | None = None
) -> Voice:
    """The voice of this device, at once; what it needs is looked for meanwhile, and again later."""
    return Speaker(prompts, player, log)

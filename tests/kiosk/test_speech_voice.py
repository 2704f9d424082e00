"""The voice: a real engine, real processes, and a program that writes down what would be heard."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import wave
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.speech.engine import _languages, voices
from kiosk.speech.jack import Jack
from kiosk.speech.parts import Part
from kiosk.speech.speaker import Patience, Speaker
from kiosk.speech.state import CARD_FAILS, ENGINE_FAILS, NO_CARD, NO_ENGINE
from tests.bench import screen
from tests.kiosk.descriptors import open_files

LOUDSPEAKER = Path(__file__).with_name("loudspeaker.py")
ESPEAK = shutil.which("espeak-ng") or "espeak-ng"
LONG = "Kuinka todennäköisesti suosittelisit palveluamme läheisillesi? " * 6
SHORT = Part("Vaihtoehto kahdeksan.", "fi")


def wait_until(condition: Callable[[], bool], what: str) -> None:
    screen.wait_until(condition, 60, poll_s=0.01, what=what)


class Room:
    """One voice and everything that was heard of it."""

    def __init__(self, folder: Path, **fields: Any) -> None:
        self.folder = folder
        self.heard = folder / "heard"
        self.heard.mkdir()
        self.prompts = folder / "prompts"
        self.log = folder / "log"
        self.voice: Speaker
        self._fields = fields

    def open(self, *how: str, ready: bool = True, **fields: Any) -> Speaker:
        """Start the voice with a loudspeaker."""
        words = [sys.executable, "-S", "-I", str(LOUDSPEAKER), str(self.heard), *how]
        jack = Jack(self.folder, self.folder)
        all_fields = {"log": self.log, "jack": jack, "player": words, **fields}
        self.voice = Speaker(self.prompts, **all_fields)
        wait_until(lambda: self.voice.reason != "starting", "the voice has looked around")
        assert self.voice.available or not ready, self.voice.reason
        return self.voice

    def all(self) -> list[tuple[int, array[int]]]:
        """Rate and samples of everything heard, in order."""
        found = []
        for path in self.files():
            with wave.open(str(path), "rb") as file:
                assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
                found.append((file.getframerate(), array("h", file.readframes(1 << 24))))
        return found

    def files(self) -> list[Path]:
        return sorted(self.heard.glob("*.wav"))

    def size(self) -> int:
        """Bytes heard last."""
        files = self.files()
        return files[-1].stat().st_size if files else 0

    def quiet(self) -> None:
        """Wait until all was said."""
        wait_until(lambda: not self.voice.busy, "silence")

    def say(self, *parts: Part) -> array[int]:
        """Say something to its end; what was heard."""
        self.voice.say(parts)
        self.quiet()
        return self.all()[-1][1]

    def lines(self) -> list[dict[str, Any]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def said(self) -> list[str]:
        return [line["text"] for line in self.lines() if line["do"] == "say"]


_others: set[int] = set()
"""Processes that were there before: other tests of this process may keep some."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    _others.clear()
    _others.update(pid for pid, _ in own_processes())
    found = Room(tmp_path)
    yield found
    if hasattr(found, "voice"):
        found.voice.close()
    assert children() == []


def own_processes() -> Iterator[tuple[int, str]]:
    """Number, name and state of this process's children, dead ones nobody collected included."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
            parent = rest.split()[1]
        except OSError:
            continue
        if int(parent) == os.getpid():
            yield int(path.parent.name), f"{name} {rest.split()[0]}"


def children() -> list[str]:
    """Those that make sound."""
    sounding = ("espeak", "python", "sh", "sleep")
    return [
        name for pid, name in own_processes() if pid not in _others and name.startswith(sounding)
    ]


def loudness(samples: array[int]) -> float:
    return float((sum(s * s for s in samples) / max(1, len(samples))) ** 0.5)


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# --- what is heard --------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fi", "sv", "en", "et", "ru", "uk", "ar"])
def test_every_language_of_the_terminal_is_heard(room: Room, language: str) -> None:
    texts = {"ru": "Спасибо за ответ", "uk": "Дякуємо за відповідь", "ar": "شكرا على إجابتك"}
    voice = room.open()
    assert voice.speaks(language)
    assert loudness(room.say(Part(texts.get(language, "Kiitos, tack, thank you"), language))) > 300


def test_a_language_without_a_voice_is_passed_over(room: Room) -> None:
    voice = room.open()
    assert not voice.speaks("xx")
    voice.say((Part("Buorre beaivi", "xx"), SHORT))
    room.quiet()
    assert room.said() == [SHORT.text]
    assert voice.available


def test_several_languages_are_said_by_their_voices_one_after_another(room: Room) -> None:
    room.open()
    alone = [len(room.say(Part("Svenska", code))) for code in ("sv", "fi")]
    together = room.say(Part("Svenska", "sv"), Part("Svenska", "fi"))
    assert len(together) > sum(alone)
    assert [line["language"] for line in room.lines()] == ["sv", "fi", "sv", "fi"]


def test_the_volume_scales_every_sample(room: Room) -> None:
    voice = room.open()
    voice.set_volume(100)
    full = room.say(SHORT)
    voice.set_volume(20)
    assert list(room.say(SHORT)) == [s * 20 // 100 for s in full]
    voice.set_volume(300)
    assert voice.volume == 100
    voice.set_volume(0)
    assert voice.volume == 10


def test_the_volume_changes_in_the_middle_of_a_sentence(room: Room) -> None:
    voice = room.open()
    voice.set_volume(100)
    full = room.say(Part(LONG[:60], "fi"))
    voice.close()
    voice = room.open("slow")
    voice.set_volume(100)
    voice.say((Part(LONG[:60], "fi"),))
    wait_until(lambda: len(room.files()) == 2 and room.size() > 15_000, "the start")
    voice.set_volume(10)
    room.quiet()
    heard = room.all()[-1][1]
    assert heard[:4_000] == full[:4_000]
    assert list(heard[-4_000:]) == [s * 10 // 100 for s in full[-4_000:]]


def test_the_rate_of_speech_is_the_configurations(room: Room) -> None:
    voice = room.open()
    voice.use(rate_wpm=100)
    slow = len(room.say(SHORT))
    voice.use(rate_wpm=220)
    assert len(room.say(SHORT)) < slow


def test_what_no_voice_says_is_taken_out_before(room: Room) -> None:
    room.open()
    clean = room.say(Part("hyvinvointialue nyt", "fi"))
    assert room.say(Part(" hyvin\u00advointi\u00adalue\x07 \u200f\n nyt", "fi")) == clean
    assert room.said() == ["hyvinvointialue nyt"] * 2
    # Double brackets would spell phonemes.
    assert room.say(Part("[[h@l0U]] hello", "en")) == room.say(Part("[ [h@l0U]] hello", "en"))


# --- order, stop, pause, repeat -------------------------------------------------------------------


def test_what_comes_after_waits_and_what_comes_now_replaces(room: Room) -> None:
    voice = room.open()
    voice.say((Part("yksi", "fi"),))
    voice.say((Part("kaksi", "fi"),), after=True)
    voice.say((Part("kolme", "fi"),), after=True)
    room.quiet()
    assert room.said() == ["yksi", "kaksi", "kolme"]
    assert len(room.files()) == 3
    voice.close()
    voice = room.open("slow")
    voice.say((Part(LONG, "fi"),))
    voice.say((Part("ei koskaan", "fi"),), after=True)
    wait_until(lambda: len(room.files()) == 4 and room.size() > 5_000, "the long text is heard")
    voice.say((Part("nyt", "fi"),))
    room.quiet()
    assert room.said()[3:] == [LONG.strip(), "nyt"]


def test_stop_ends_engine_and_player_in_the_middle(room: Room) -> None:
    voice = room.open("slow")
    voice.say((Part(LONG, "fi"),))
    voice.say((SHORT,), after=True)
    wait_until(lambda: room.size() > 5_000, "something is heard")
    voice.stop()
    assert not voice.busy
    wait_until(lambda: children() == [], "both programs are gone")
    heard = room.size()
    assert heard < 300_000
    wait_until(lambda: room.lines()[-1]["do"] == "stop", "the log has it")
    assert room.said() == [LONG.strip()]
    assert room.size() == heard
    assert voice.available


def test_a_player_that_goes_on_by_itself_is_ended_too(room: Room) -> None:
    player = script(room.folder / "player", f"cat >{room.heard}/1.wav; exec sleep 600")
    voice = room.open(player=[player], patience=Patience(stuck=600))
    voice.say((SHORT,))
    wait_until(lambda: any("sleep" in name for name in children()), "it has all, and does not end")
    assert voice.busy
    voice.stop()
    wait_until(lambda: children() == [], "it is gone")
    assert voice.available


def test_a_pause_stands_still_and_loses_nothing(room: Room) -> None:
    text = Part(LONG[:70], "fi")
    room.open()
    whole = room.say(text)
    room.voice.close()
    voice = room.open("slow")
    voice.say((text,))
    wait_until(lambda: len(room.files()) == 2 and room.size() > 5_000, "something is heard")
    voice.pause()
    assert voice.paused
    before = [-1]

    def still() -> bool:
        before.append(room.size())
        return len(before) > 30 and len(set(before[-15:])) == 1

    wait_until(still, "nothing comes any more")
    assert room.size() < 2 * len(whole)
    assert voice.busy
    voice.resume()
    assert not voice.paused
    room.quiet()
    assert room.all()[-1][1] == whole
    assert [line["do"] for line in room.lines()[1:]] == ["say", "pause", "resume"]


@pytest.mark.parametrize("act", ["say", "stop", "repeat", "forget"])
def test_a_pause_ends_by_whatever_comes_next(room: Room, act: str) -> None:
    voice = room.open("slow")
    voice.say((Part(LONG, "fi"),))
    voice.pause()
    getattr(voice, act)(*[(SHORT,)] * (act == "say"))
    assert not voice.paused
    voice.stop()
    voice.pause()
    assert not voice.paused, "silence cannot stand still"


def test_repeat_says_again_what_was_said_last_even_when_it_was_stopped(room: Room) -> None:
    voice = room.open("slow")
    voice.repeat()
    assert not voice.busy
    voice.say((Part("yksi", "fi"),))
    room.quiet()
    voice.repeat()
    room.quiet()
    assert room.said() == ["yksi", "yksi"]
    voice.say((Part(LONG, "fi"),))
    wait_until(lambda: len(room.files()) == 3, "the long text is heard")
    voice.stop()
    voice.repeat()
    wait_until(lambda: len(room.files()) == 4, "it is heard again")
    assert room.said()[2:] == [LONG.strip()] * 2


def test_repeat_begins_anew_and_keeps_what_waits(room: Room) -> None:
    voice = room.open("slow")
    voice.say((Part("yksi kaksi kolme neljä viisi", "fi"),))
    voice.say((Part("kuusi", "fi"),), after=True)
    wait_until(lambda: room.size() > 5_000, "it is heard")
    voice.repeat()
    room.quiet()
    assert [text.split()[0] for text in room.said()] == ["yksi", "yksi", "kuusi"]


def test_nothing_of_a_visit_can_be_repeated_in_the_next(room: Room) -> None:
    voice = room.open()
    room.say(Part("salaisuus", "fi"))
    voice.forget()
    voice.repeat()
    assert not voice.busy
    assert "salaisuus" not in repr(vars(voice))


# --- recordings -----------------------------------------------------------------------------------


def record(path: Path, rate: int = 16_000, channels: int = 1) -> array[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = array("h", [(n * 37) % 2_000 - 1_000 for n in range(rate // 5 * channels)])
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return samples


def test_a_recording_is_played_where_its_text_is_exactly_what_is_said(room: Room) -> None:
    samples = record(room.prompts / "fi" / "kiitos.wav")
    manifest = room.prompts / "fi" / "prompts.toml"
    manifest.write_text('"Kiitos, että vastasit." = "kiitos.wav"\n', "utf-8")
    voice = room.open()
    voice.set_volume(100)
    assert room.say(Part("Kiitos, että vasta\u00adsit.", "fi")) == samples
    assert room.all()[-1][0] == 16_000
    room.say(Part("Kiitos, että vastasit!", "fi"))
    room.say(Part("Kiitos, että vastasit.", "sv"))
    assert [line["how"] for line in room.lines()[1:]] == ["recorded", "engine", "engine"]


def test_recordings_and_voices_follow_each_other_in_one_utterance(room: Room) -> None:
    samples = record(room.prompts / "fi" / "a.wav", 44_100)
    (room.prompts / "fi" / "prompts.toml").write_text('"alku" = "a.wav"\n', "utf-8")
    voice = room.open()
    voice.set_volume(100)
    voice.say((Part("alku", "fi"), Part("loppu", "fi"), Part("alku", "fi")))
    room.quiet()
    first, second, third = room.all()
    assert first == third == (44_100, samples)
    assert second[0] == 22_050


def test_a_recording_that_cannot_be_played_is_named_once_and_not_used(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    folder = room.prompts / "fi"
    record(folder / "stereo.wav", channels=2)
    record(folder / "fast.wav", 96_000)
    record(room.prompts / "outside.wav")
    (folder / "text.wav").write_text("no sound")
    names = ["stereo.wav", "fast.wav", "text.wav", "missing.wav", "../outside.wav"]
    rows = [f'"{number}" = "{name}"' for number, name in enumerate(names)]
    (folder / "prompts.toml").write_text("\n".join(rows), "utf-8")
    broken = room.prompts / "sv" / "prompts.toml"
    broken.parent.mkdir()
    broken.write_text("not toml", "utf-8")
    room.open()
    for number in range(5):
        room.say(Part(str(number), "fi"))
        room.say(Part(str(number), "fi"))
    assert {line["how"] for line in room.lines()} == {"engine"}
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == 6
    assert all(sum(name in line for line in warned) == 1 for name in names)


# --- what does not work ---------------------------------------------------------------------------


def test_without_an_engine_nothing_is_said_until_there_is_one(room: Room) -> None:
    engine = room.folder / "espeak"
    patience = Patience(retry=0.2)
    voice = room.open(ready=False, engine=str(engine), patience=patience)
    assert voice.reason == NO_ENGINE
    voice.say((SHORT,))
    voice.repeat()
    assert not voice.busy
    assert not voice.speaks("fi")
    script(engine, f'exec {ESPEAK} "$@"')

    def found() -> bool:
        # Visits go on meanwhile.
        voice.forget()
        return voice.available

    wait_until(found, "the engine is found")
    assert loudness(room.say(SHORT)) > 300


def test_without_a_sound_card_the_reason_says_so(room: Room) -> None:
    if list(Path("/dev").glob("snd/pcm*p")):
        pytest.skip("this machine has a sound card")
    assert room.open(ready=False, player=None).reason == NO_CARD


@pytest.mark.parametrize(("fault", "times"), [("broken", 3), ("hangs", 1)])
def test_a_player_that_fails_makes_the_voice_silent_until_it_works_again(
    room: Room, fault: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    # Only one that hangs is waited for; a busy machine starts another late.
    voice = room.open(patience=Patience(stuck=4 if fault == "hangs" else 30, retry=0.3))
    (room.heard / fault).touch()
    for number in range(times):
        assert voice.available
        voice.say((Part(f"{LONG} {number}", "fi"),))
        room.quiet()
    wait_until(lambda: not voice.available, "given up")
    assert voice.reason == CARD_FAILS
    (room.heard / fault).unlink()
    wait_until(lambda: voice.available, "tried again")
    assert set(room.all()[-1][1]) == {0}, "the trial is not heard"
    assert loudness(room.say(SHORT)) > 300
    assert not any("todennäköisesti" in record.getMessage() for record in caplog.records)


def test_a_player_that_is_not_there_is_no_crash(room: Room) -> None:
    voice = room.open(player=["/nowhere/aplay"])
    for _ in range(3):
        voice.say((SHORT,))
        room.quiet()
    wait_until(lambda: not voice.available, "given up")


def test_one_failure_is_forgotten_after_a_success(room: Room) -> None:
    voice = room.open()
    for _ in range(3):
        for fault in (True, True, False):
            (room.heard / "broken").touch() if fault else (room.heard / "broken").unlink()
            voice.say((SHORT,))
            room.quiet()
    assert voice.available


@pytest.mark.parametrize("fault", ["head -c 4000; exit 3", "cat /dev/null; exit 1", "sleep 60"])
def test_an_engine_that_dies_or_hangs_makes_the_voice_silent(room: Room, fault: str) -> None:
    text = f'case "$1" in --voices) exec {ESPEAK} "$@";; esac\n{ESPEAK} "$@" | {fault}'
    engine = script(room.folder / "espeak", text)
    # Only one that hangs is waited for; a busy machine starts the player late.
    patience = Patience(stuck=0.3 if fault == "sleep 60" else 30)
    voice = room.open(engine=engine, patience=patience)
    for _ in range(3):
        voice.say((SHORT,))
        room.quiet()
    wait_until(lambda: not voice.available, "given up")
    assert voice.reason == ENGINE_FAILS


def test_no_command_line_holds_what_is_said(room: Room) -> None:
    words = room.folder / "words"
    engine = script(room.folder / "espeak", f'echo "$@" >>{words}\nexec {ESPEAK} "$@"')
    room.open(engine=engine)
    assert loudness(room.say(Part("--help salaisuus", "fi"))) > 300
    assert "-v fi" in words.read_text()
    assert "salaisuus" not in words.read_text()


def test_nothing_is_written_down_unless_asked_for(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    room.open(log=None)
    room.say(Part("salaisuus", "fi"))
    assert not room.log.exists()
    assert "salaisuus" not in caplog.text


def test_two_hundred_touches_leave_no_process_thread_or_open_file(room: Room) -> None:
    voice = room.open("slow")
    room.say(SHORT)
    threads, files = threading.active_count(), len(open_files())
    pace = threading.Event()
    for number in range(200):
        voice.say((Part(f"vaihtoehto {number}", "fi"),))
        # Some are cut before they begin, some while the engine starts, some while they are heard.
        pace.wait((number % 4) / 100)
    room.quiet()
    assert room.said()[-1] == "vaihtoehto 199"
    wait_until(lambda: children() == [], "all programs are gone")
    # Fewer where a server of other tests has let go of something meanwhile.
    assert threading.active_count() <= threads
    assert len(open_files()) <= files


def test_calls_from_many_threads_leave_a_voice_that_works(room: Room) -> None:
    voice = room.open()
    acts: list[Callable[[], None]] = [
        voice.pause,
        voice.resume,
        voice.repeat,
        voice.stop,
        lambda: voice.say((SHORT,)),
        lambda: voice.say((SHORT,), after=True),
        lambda: voice.set_volume(50),
    ]

    def press(start: int) -> None:
        for number in range(60):
            acts[(start + number * 5) % len(acts)]()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    voice.stop()
    assert loudness(room.say(SHORT)) > 300


def test_a_closed_voice_is_silent_for_good(room: Room) -> None:
    voice = room.open("slow")
    voice.say((Part(LONG, "fi"),))
    wait_until(lambda: room.size() > 0, "it is heard")
    voice.close()
    assert children() == []
    assert not voice.busy
    for act in (voice.close, voice.stop, voice.repeat, voice.pause, lambda: voice.say((SHORT,))):
        act()
    assert not voice.available
    assert not voice.busy


def test_the_list_of_voices_is_read_whole() -> None:
    listed = (
        "Pty Language       Age/Gender VoiceName          File                 Other Languages\n"
        " 5  fi              --/M      Finnish            urj/fi               \n"
        " 2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)\n"
        " 5  cmn             --/M      Chinese_(Mandarin)  sit/cmn              (zh-cmn 5)(zh 5)\n"
    )
    assert _languages(listed) == {"fi", "en-gb", "en", "cmn", "zh-cmn", "zh"}
    assert voices("/nowhere/espeak") == frozenset()

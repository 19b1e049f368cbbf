"""No form of a secret gets past the one exit."""

import base64
import json
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.redaction import MASK, redactor, scrub_folder

SECRET = 'p&ss"w<rd/ü 1'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        escape(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        repr(SECRET),
    ],
)
def test_every_form_is_masked(form: str) -> None:
    cleaned = redactor([SECRET])(f"before {form} after")
    assert MASK in cleaned
    assert form not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


def test_too_short_to_mask_and_nothing_to_mask() -> None:
    assert redactor(["abc"])("abc") == "abc"
    assert redactor([])("text") == "text"


def test_the_longer_of_two_overlapping_secrets_goes_whole() -> None:
    assert redactor(["token", "token-long"])("x token-long y") == f"x {MASK} y"


@given(st.text(min_size=4).filter(lambda text: text not in MASK), st.text(), st.text())
def test_nothing_is_left_of_it(secret: str, before: str, after: str) -> None:
    assert secret not in redactor([secret])(before + secret + after).replace(MASK, "\0")


def test_files_are_scrubbed_and_binary_ones_survive(tmp_path: Path) -> None:
    (tmp_path / "nested").mkdir()
    text, binary, clean = tmp_path / "a.xml", tmp_path / "nested" / "b.bin", tmp_path / "c"
    text.write_text(f"<m>{escape(SECRET)}</m>")
    binary.write_bytes(b"\xff\xfe" + SECRET.encode() + b"\x00")
    clean.write_bytes(b"\x80nothing")
    assert scrub_folder(tmp_path, [SECRET]) == 2
    assert text.read_text() == f"<m>{MASK}</m>"
    assert binary.read_bytes() == b"\xff\xfe" + MASK.encode() + b"\x00"
    assert clean.read_bytes() == b"\x80nothing"

"""Which paths lose their front, and which are left as they are."""

from pathlib import Path

import pytest

from seatrial.evidence.places import shortener

REPOSITORY, REPORTS = Path("/srv/shop"), Path("/var/reports")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see /srv/shop/reports/r1/samples/a.ndjson", "see reports/r1/samples/a.ndjson"),
        ("see /var/reports/r1/a.png.", "see r1/a.png."),
        ("'/srv/shop/a b.txt', line 3", "'a b.txt', line 3"),
        ("--words=/srv/shop/w", "--words=w"),
        ("/srv/shop/a:3: /srv/shop/b:4", "a:3: b:4"),
        ("/srv/shop/.hidden", ".hidden"),
        ("nothing in /srv/shop", "nothing in ./"),
        ("nothing in /srv/shop.", "nothing in ./."),
        ("nothing in `/srv/shop`: look", "nothing in `./`: look"),
        # Of others that only look like it nothing is taken.
        ("/srv/shop2/a", "/srv/shop2/a"),
        ("/srv/shop.old/a", "/srv/shop.old/a"),
        ("/mnt/srv/shop/a", "/mnt/srv/shop/a"),
        ("https://host/srv/shop/a", "https://host/srv/shop/a"),
        ("file:///srv/shop/a", "file:///srv/shop/a"),
        ("../srv/shop/a", "../srv/shop/a"),
        ("/srv/shop//a", "/srv/shop//a"),
        ("/etc/passwd", "/etc/passwd"),
        ("no path", "no path"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert shortener([REPOSITORY, REPORTS])(text) == shown


def test_the_first_folder_that_fits_is_the_one(tmp_path: Path) -> None:
    inner = tmp_path / "reports"
    text = f"{inner}/a"
    assert shortener([tmp_path, inner])(text) == "reports/a"
    assert shortener([inner, tmp_path])(text) == "a"


def test_a_link_is_known_by_both_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "latest").symlink_to("run")
    short = shortener([tmp_path / "latest"])
    assert short(f"{tmp_path}/latest/a and {tmp_path}/run/b") == "a and b"


def test_a_root_and_nothing_shorten_nothing() -> None:
    assert shortener([Path("/")])("/etc/passwd") == "/etc/passwd"
    assert shortener([])("/etc/passwd") == "/etc/passwd"

from __future__ import annotations

import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.errors import FolderUnusableError
from pms_adapters.embedded.home import LONGEST_SOCKET_FOLDER, Home, folder_mark, make_folder
from pms_adapters.embedded.lock import ServerLock

SELF = Account(os.geteuid(), os.getegid(), is_foreign=False)


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"TMPDIR": str(tmp_path / "tmp"), "XDG_STATE_HOME": str(tmp_path / "state"), **more}


def test_the_users_data_folder_is_the_home(tmp_path):
    home = Home.find(environ=environ(tmp_path, HOME=str(tmp_path / "jo")))
    assert home.root == tmp_path / "jo" / ".local" / "share" / "pmscore"
    assert home.root.is_dir()
    assert home.fallback is None


def test_a_named_data_folder_goes_before_the_usual_one(tmp_path):
    named = str(tmp_path / "share")
    home = Home.find(environ=environ(tmp_path, HOME=str(tmp_path / "jo"), XDG_DATA_HOME=named))
    assert home.root == tmp_path / "share" / "pmscore"


def test_the_setting_goes_before_everything(tmp_path):
    home = Home.find(tmp_path / "mine", environ(tmp_path, HOME=str(tmp_path / "jo")))
    assert home.root == tmp_path / "mine"
    assert not (tmp_path / "jo").exists()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "home_unset"),
        ("", "home_unset"),
        ("relative", "home_unset"),
        ("/dev/null/jo", "home_not_a_folder"),
    ],
)
def test_without_a_usable_home_another_folder_is_taken_and_told(tmp_path, value, why):
    known = environ(tmp_path) if value is None else environ(tmp_path, HOME=value)
    home = Home.find(environ=known)
    assert home.fallback == why
    assert home.root == home.state / "home"


def test_a_setting_that_cannot_be_used_is_an_error_and_never_replaced(tmp_path):
    (tmp_path / "file").write_text("x")
    for wanted in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderUnusableError) as caught:
            Home.find(wanted, environ(tmp_path))
        assert caught.value.reason == "not_a_folder"
        assert caught.value.params["setting"] == "PMS_HOME"


def test_another_users_folder_is_refused(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    if os.geteuid() == 0:
        os.chown(theirs, 12345, 12345)
    else:
        theirs = Path("/usr")
    with pytest.raises(FolderUnusableError) as caught:
        make_folder(theirs)
    assert caught.value.reason == "not_ours"


def test_a_folder_that_was_there_keeps_its_mode(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    old.chmod(0o750)
    assert stat.S_IMODE(make_folder(old).stat().st_mode) == 0o750
    assert stat.S_IMODE(make_folder(tmp_path / "new").stat().st_mode) == (
        0o711 if os.geteuid() == 0 else 0o700
    )


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "full"),
        (errno.EACCES, "not_writable"),
        (errno.EROFS, "not_writable"),
    ],
)
def test_what_the_system_says_about_a_folder_is_told_in_our_words(tmp_path, number, reason):
    assert FolderUnusableError.of(tmp_path, OSError(number, os.strerror(number))).reason == reason


@pytest.fixture
def short():
    with tempfile.TemporaryDirectory(prefix="s ") as name:
        yield Path(name)


def test_socket_folders_are_short_private_and_the_same_each_time(tmp_path, short):
    long = short / ("x" * LONGEST_SOCKET_FOLDER)
    long.mkdir()
    home = Home(root=tmp_path, state=tmp_path, socket_bases=(long, short))
    made = home.make_socket_folder(tmp_path / "postgres", SELF)
    (made / "left over").write_text("x")
    again = home.make_socket_folder(tmp_path / "postgres", SELF)
    assert made == again
    assert made.parent == short
    assert list(made.iterdir()) == []
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as probe:
        probe.bind(str(made / ".s.PGSQL.65535"))


def test_who_sits_on_the_name_of_a_socket_folder_does_not_get_the_socket(tmp_path, short):
    elsewhere = short / "elsewhere"
    elsewhere.mkdir()
    home = Home(root=tmp_path, state=tmp_path, socket_bases=(short,))
    (short / f"{folder_mark(tmp_path)}-{SELF.uid}").symlink_to(elsewhere)
    made = home.make_socket_folder(tmp_path, SELF)
    assert made.parent == short
    assert not made.is_symlink()
    assert made.name != f"{folder_mark(tmp_path)}-{SELF.uid}"
    assert elsewhere.is_dir()


def test_a_path_too_long_for_sockets_is_an_error(tmp_path, short):
    long = short / ("x" * LONGEST_SOCKET_FOLDER)
    long.mkdir()
    with pytest.raises(FolderUnusableError) as caught:
        Home(root=tmp_path, state=tmp_path, socket_bases=(long,)).make_socket_folder(tmp_path, SELF)
    assert caught.value.reason == "path_too_long"


def test_an_account_enters_only_where_the_mode_bits_let_it(tmp_path):
    stranger = Account(54321, 54321, is_foreign=True)
    with tempfile.TemporaryDirectory() as name:
        inner = Path(name) / "inner"
        inner.mkdir()
        (inner / "file").write_text("x")
        (inner / "file").chmod(0o644)
        assert not stranger.can_enter(inner)
        assert not stranger.can_read(inner / "file")
        Path(name).chmod(0o711)
        inner.chmod(0o755)
        assert stranger.can_enter(inner)
        assert stranger.can_read(inner / "file")
        (inner / "link").symlink_to("/nowhere")
        assert not stranger.can_read(inner / "link")
        (inner / "file").chmod(0o640)
        assert not stranger.can_read(inner / "file")


def test_a_note_is_found_whole_or_not_at_all(tmp_path):
    lock = ServerLock.open(tmp_path)
    try:
        assert lock.find_note() is None
        assert lock.try_take()
        lock.write_note(address="somewhere", socket_folder=tmp_path, port=None)
        note = lock.find_note()
        assert note is not None
        assert note.is_owner_alive
        text = (tmp_path / "running.json").read_text()
        for length in range(len(text)):
            (tmp_path / "running.json").write_text(text[:length])
            assert lock.find_note() is None
    finally:
        lock.release()

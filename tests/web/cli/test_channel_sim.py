"""`pms channel-sim` as a process: it says what to enter, answers there, and ends when it is asked to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request


def test_it_serves_what_it_says_until_it_is_ended() -> None:
    command = [sys.executable, "-m", "pms_web.cli.main", "channel-sim", "--json", "--platform", "channex"]
    with subprocess.Popen(
        [*command, "--port", "0", "--seed", "7", "--start", "2030-05-01", "--sales-every", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
    ) as process:
        try:
            assert process.stdout is not None
            told = ""
            while not told.rstrip().endswith("\n]"):
                line = process.stdout.readline()
                assert line, told
                told += line
            (connection,) = json.loads(told)
            request = urllib.request.Request(
                f"{connection['base_url']}/properties",
                headers={"user-api-key": connection["credentials"]["api_key"]},
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                properties = json.load(answer)
        finally:
            process.send_signal(signal.SIGTERM)
    assert [each["id"] for each in properties["data"]] == [connection["listing_id"]]
    assert len(connection["rooms"]) == 2
    assert process.returncode == 128 + signal.SIGTERM

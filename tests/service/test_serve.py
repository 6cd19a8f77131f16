"""The server beside its connections: what every answer has."""

import asyncio

import pytest
import uvicorn
from wgig.commands.serve import Server


def test_an_answer_that_is_long_in_coming_says_the_time_at_which_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(uvicorn.Config("no:app"))
    server.fields = []
    for counter, time in enumerate(("sooner", "later")):
        monkeypatch.setattr("uvicorn.server.formatdate", lambda *_, time=time, **__: time)
        asyncio.run(server.on_tick(counter))
        if not counter:
            given = server.server_state.default_headers  # to a request that begins
    assert [value for name, value in given if name == b"date"] == [b"later"]

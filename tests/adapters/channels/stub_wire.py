"""A wire that answers as it is told and keeps what it was sent."""

from __future__ import annotations

from attrs import define, field

from pms_adapters.http.door import Answer, Call, Limits, Retries


@define
class StubWire:
    """Gives ``answers`` in turn, the last one for ever."""

    answers: list[Answer] = field(factory=list)
    calls: list[Call] = field(factory=list)

    def send(self, call: Call, *, limits: Limits | None = None, retries: Retries | None = None) -> Answer:
        assert limits is not None
        assert retries is not None
        assert retries.pauses == ()
        self.calls.append(call)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def retry_after(self, answer: Answer) -> float | None:
        text = answer.headers.get("retry-after")
        return None if text is None else float(text)

    def answers_with(self, status: int, body: bytes, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Answer(status=status, headers=named, body=body, seconds=0.1))

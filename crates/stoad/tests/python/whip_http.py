"""WHIP and WHEP as a stock HTTP client speaks them, and a participant who enters by them."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any

from aiortc import RTCSessionDescription

from aiortc_peer import CONNECT_SECONDS, Peer
from daemon import CALL_SECONDS
from expect import equal, true

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: str

    def __getitem__(self, name: str) -> str:
        """Give a header, which has to be there."""
        value = self.headers[name]
        true(value is not None, f"no {name} in {self.headers.items()}")
        return str(value)

    def problem(self) -> dict[str, Any]:
        """Give the problem (RFC 9457), which agrees with the status."""
        equal(self["Content-Type"], "application/problem+json", "the type of an error")
        problem = json.loads(self.body)
        equal(problem["status"], self.status, "the status in the problem")
        equal(problem["type"], f"urn:stoa:error:{problem['reason']}", "the problem's type")
        true(bool(problem["title"]) and bool(problem["detail"]), "a problem without words")
        return dict(problem)

    def refused(self, status: int, reason: str, what: str) -> dict[str, Any]:
        """Expect this refusal."""
        equal(self.status, status, f"the status, {what} ({self.body})")
        problem = self.problem()
        equal(problem["reason"], reason, f"the reason, {what}")
        return problem


class Http:
    """The server, over HTTP/1.1 with a connection for each request."""

    def __init__(self, address: str, ca_file: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._tls = ssl.create_default_context(cafile=ca_file)

    def request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: str | bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Make one request. Header names are given with underscores."""
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=CALL_SECONDS, context=self._tls
        )
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()

    async def call(self, *arguments: Any, **headers: str) -> Answer:
        """Make one request beside everything else."""
        return await asyncio.to_thread(self.request, *arguments, **headers)


class HttpPeer(Peer):
    """A participant who enters by WHIP, to be heard, or by WHEP, to listen."""

    def __init__(self, name: str, hertz: float | None) -> None:
        super().__init__(name, hertz, listening_lines=0 if hertz else 1)
        self.resource = ""
        self.tag = ""
        for transceiver in self._connection.getTransceivers():
            transceiver.direction = "sendonly" if hertz else "recvonly"

    async def offer(self) -> str:
        """Make the offer, with all candidates in it."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def enter(self, http: Http, path: str, token: str) -> Answer:
        """Enter, and wait until ICE and DTLS are done."""
        answer = await http.call("POST", path, token, await self.offer(), Content_Type=SDP)
        equal(answer.status, 201, f"the status of {self.name}'s POST ({answer.body})")
        equal(answer["Content-Type"], SDP, "the type of the answer")
        self.resource, self.tag = answer["Location"], answer["ETag"]
        await self._connection.setRemoteDescription(
            RTCSessionDescription(sdp=answer.body, type="answer")
        )
        for transceiver in self._connection.getTransceivers():
            if transceiver.direction == "recvonly":
                self._hear(transceiver)
        await self.until_state({"connected"}, CONNECT_SECONDS)
        return answer

"""The connection between browser and kernel holds no message back."""

import asyncio
import socket

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect

from course_utils.commands import server


def test_nothing_waits_once_the_kernel_is_connected(monkeypatch) -> None:
    found = []

    class Handler(WebSocketHandler):
        async def open(self) -> None:
            monkeypatch.setattr(server.PromptConnection, "websocket_handler", self)  # no kernel behind it
            server.PromptConnection.__new__(server.PromptConnection).connect()

    def connected(connection) -> None:
        raw = connection.websocket_handler.ws_connection.stream.socket
        found.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def talk() -> None:
        (listening,) = bind_sockets(0, "127.0.0.1")
        running = HTTPServer(Application([("/", Handler)]))
        running.add_sockets([listening])
        client = await websocket_connect(f"ws://127.0.0.1:{listening.getsockname()[1]}/")
        client.close()
        running.stop()

    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", connected)
    asyncio.run(talk())
    assert found and found[0] != 0

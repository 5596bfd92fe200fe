"""What the course's JupyterLab does otherwise than the usual one: it sends every message to the browser at once.

A slider's answer is a few small messages and a picture. By default the network layer holds a small message back until
the browser has confirmed the one before (Nagle's algorithm, RFC 896), and the browser confirms after 40 milliseconds
(delayed acknowledgement, RFC 1122): every second picture came that much late, until this was switched off.
"""

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The connection from a notebook in the browser to its kernel, without Nagle's algorithm."""

    def connect(self) -> Any:
        """Connect, as the class above does, once the network layer knows that nothing may wait."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()

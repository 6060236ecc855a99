"""An HTTP server that fails every request with 500 and counts who asked."""

import socket
import threading


class FailingServer:
    def __init__(self):
        self.asked = []  # paths
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(4096).split(b" ", 2)
                if len(head) == 3:
                    self.asked.append(head[1].decode())
                    connection.sendall(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

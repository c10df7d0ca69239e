"""A proxy before a broker that fails as networks do: from a chosen frame on it swallows what one or both sides send, keeping the sockets open, until
it cuts them.

    with Proxy(port) as proxy:                    # listens on proxy.port
        proxy.swallow(at=("up", ACK, 2), what=("up",))   # from the second acknowledgement of a client on, once
        ...
        wait_until(lambda: proxy.swallowed["up", ACK] > 0)
        proxy.cut()

"up" is from the client to the broker, "down" the other way; "deliveries" are only the broker's messages, with their content.
"""
import socket
import threading
from collections import Counter

DECLARE, PUBLISH, DELIVER, ACK = (50, 10), (60, 40), (60, 60), (60, 80)
CONTENT = "content"  # the frames after a method


class Frames:
    """Finds the frames of one direction of a connection."""

    def __init__(self, hello):
        self.kept = b""
        self.hello = 8 if hello else 0  # of the client: the protocol's name

    def cut(self, data):
        """The whole frames so far: [(class and method, CONTENT or None, bytes)]."""
        self.kept += data
        found = []
        if self.hello and len(self.kept) >= 8:
            found.append((None, self.kept[:8]))
            self.kept, self.hello = self.kept[8:], 0
        at = 0
        while not self.hello and len(self.kept) - at >= 7:
            size = int.from_bytes(self.kept[at + 3:at + 7], "big") + 8
            if len(self.kept) - at < size:
                break
            frame = self.kept[at:at + size]
            method = CONTENT if frame[0] in (2, 3) else None
            if frame[0] == 1:
                method = int.from_bytes(frame[7:9], "big"), int.from_bytes(frame[9:11], "big")
            found.append((method, frame))
            at += size
        self.kept = self.kept[at:]
        return found


class Proxy:
    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.passed, self.swallowed = Counter(), Counter()
        self.acknowledged = 0  # the highest delivery tag that a client has acknowledged
        self.rule = None
        self.connections = 0
        self.left = 0  # connections of which all that the client sent has passed, or was swallowed
        self.sockets = []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()
        return self

    def __exit__(self, *_):
        # The thread must not be left in accept: a system call that is started again takes the connections of whatever has got its descriptor then,
        # such as those of the next proxy.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()
        self.cut()

    def swallow(self, at, what):
        """From the frame `at` (direction, method, which one of those to come) on, once, for its connection alone."""
        with self.lock:
            self.rule = at[0], at[1], self.passed[at[0], at[1]] + at[2], what

    def clients_gone(self):
        """True once each client has closed its connection and all that it sent has passed, its last acknowledgement too."""
        with self.lock:
            return self.left == self.connections > 0

    def cut(self):
        """Cuts all connections that there are."""
        with self.lock:
            for s in self.sockets:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.sockets.clear()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            silent = set()
            with self.lock:
                self.connections += 1
                self.sockets += [client, server]
            for way, a, b in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self.pump, args=(way, a, b, silent), daemon=True).start()

    def judge(self, way, method, silent):
        """True if this frame passes."""
        with self.lock:
            if self.rule and self.rule[:2] == (way, method) and self.passed[way, method] + 1 >= self.rule[2]:
                silent.update(self.rule[3])
                self.rule = None
            passes = way not in silent and not ("deliveries" in silent and way == "down" and method in (DELIVER, CONTENT))
            (self.passed if passes else self.swallowed)[way, method] += 1
            return passes

    def pump(self, way, a, b, silent):
        frames = Frames(way == "up")
        try:
            while data := a.recv(1 << 16):
                passing = [(method, f) for method, f in frames.cut(data) if self.judge(way, method, silent)]
                # Before they are sent: the broker may have them, and the connection fail.
                for method, f in passing:
                    if (way, method) == ("up", ACK):
                        self.acknowledged = max(self.acknowledged, int.from_bytes(f[11:19], "big"))
                try:
                    b.sendall(b"".join(f for _, f in passing))
                except OSError:
                    if way == "down":
                        return  # the client is gone; what it sent before that still passes
                    raise
        except OSError:
            pass
        if way == "up":
            with self.lock:
                self.left += 1
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        a.close()

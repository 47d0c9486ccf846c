"""What the doubles of VMMs share: a record of what they were given, and an HTTP server on a unix socket.

A double is started through a link in the test's folder (its argv[0]) and keeps its record in the folder `record` beside
that link. The file `behave` there tells it how to behave, one word a line:
  deaf        the guest ignores the power key: it has neither logind nor an agent
  end=N       exit with code N once the guest runs
  die=N       exit with code N at once
  refuse=P    answer the request of path P with status 500, and the error chain that why=A|B says
  console=T   print the line T once the guest runs   version=V   say that this is version V
  player=PATH guest=WORDS   tests/e2e/guest_player is the guest, with what this VMM would show it; it ends with 0 as a guest
                            that powers off, with 2 as one that reboots
  once=WORD   that word of the guest's only in the first life of the VMM, or the first N with lives=N"""

import array
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import threading

BODY_LIMIT = 51200


def say(text):
    os.write(1, text.encode())


class Record:
    def __init__(self):
        self.folder = pathlib.Path(os.path.abspath(sys.argv[0])).parent / "record"
        self.folder.mkdir(exist_ok=True)
        behave = self.folder / "behave"
        words = behave.read_text().split("\n") if behave.exists() else []
        self.words = dict(word.split("=", 1) if "=" in word else (word, "") for word in words if word)
        self.lock = threading.Lock()
        self.requests = 0
        self.write("argv", "\n".join(sys.argv) + "\n")
        self.write("environ", pathlib.Path("/proc/self/environ").read_bytes().replace(b"\0", b"\n"))
        self.write("pid", f"{os.getpid()}\n")
        descriptors = []
        for name in sorted(os.listdir("/proc/self/fd"), key=int):
            try:
                descriptors.append(f"{name} {os.readlink('/proc/self/fd/' + name)}")
            except FileNotFoundError:
                pass  # the one that listed the folder
        self.write("descriptors", "\n".join(descriptors) + "\n")
        if "die" in self.words:
            sys.exit(int(self.words["die"]))

    def write(self, name, content):
        data = content if isinstance(content, bytes) else content.encode()
        (self.folder / (name + ".new")).write_bytes(data)
        os.rename(self.folder / (name + ".new"), self.folder / name)

    def request(self, line, body, fds):
        with self.lock:
            name = f"request{self.requests:02}"
            self.requests += 1
        self.write(name, line.encode() + b"\n" + body)
        if fds:
            self.write(name + ".fds", "".join(f"{os.readlink(f'/proc/self/fd/{fd}')}\n" for fd in fds))

    def keep(self, name, path):
        """The bytes of a file that the VMM would read now, and the rights of that file."""
        self.write(name, pathlib.Path(path).read_bytes())
        self.write(name + ".mode", f"{os.stat(path).st_mode & 0o7777:o}\n")

    def guest_runs(self, strings=(), kernel_line="", vsock="", finish=None, reboot=None):
        """`strings`: OEM strings; `finish` and `reboot`: what a guest does that powers off, and one that reboots."""
        if "console" in self.words:
            say(self.words["console"] + "\n")
        if "guest" in self.words:
            prefix = "systemd.set_credential="
            words = [word.removeprefix(prefix) for word in shlex.split(kernel_line) if word.startswith(prefix)]
            lines = [*strings, *("io.systemd.credential:" + word.replace(":", "=", 1) for word in words)]
            words = self.words["guest"]
            lives = self.folder / "lives"
            with lives.open("a") as file:
                file.write("x")
            if "once" in self.words and len(lives.read_text()) <= int(self.words.get("lives", "1")):
                words += "," + self.words["once"]
            guest = subprocess.Popen([self.words["player"], vsock, words], stdin=subprocess.PIPE)
            guest.stdin.write("".join(line + "\n" for line in lines).encode())
            guest.stdin.close()

            def follow():
                end = {0: finish, 2: reboot or finish}.get(guest.wait())
                if end:
                    end()

            threading.Thread(target=follow, daemon=True).start()
        self.write("running", "")
        if "end" in self.words:
            os._exit(int(self.words["end"]))


class Refused(Exception):
    """An answer other than success: the status and what is wrong, outermost first."""

    def __init__(self, status, *chain):
        super().__init__(": ".join(chain))
        self.status = status
        self.chain = chain


def bind_vsock(path, refuse):
    """Real ones bind anew and take no file that is there for their own."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
    except OSError as error:
        raise refuse(f"{error.strerror} (os error {error.errno})") from None
    listener.listen()
    return listener


def check(value, schema, path="body"):
    """`schema`: {field: kind}, kind one of str int bool, a list of one kind, or another such object. Unknown fields are
    refused as serde's deny_unknown_fields does; names that end in '!' must be there."""
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            raise Refused(400, f"{path}: invalid type, expected an object")
        known = {name.rstrip("!"): kind for name, kind in schema.items()}
        for name in value:
            if name not in known:
                raise Refused(400, f"{path}: unknown field `{name}`")
            if value[name] is not None:
                check(value[name], known[name], f"{path}.{name}")
        for name in schema:
            if name.endswith("!") and name[:-1] not in value:
                raise Refused(400, f"{path}: missing field `{name[:-1]}`")
    elif isinstance(schema, list):
        if not isinstance(value, list):
            raise Refused(400, f"{path}: invalid type, expected a sequence")
        for number, element in enumerate(value):
            check(element, schema[0], f"{path}[{number}]")
    elif schema is int and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise Refused(400, f"{path}: invalid type, expected an unsigned integer")
    elif schema is not int and not isinstance(value, schema):
        raise Refused(400, f"{path}: invalid type, expected {schema.__name__}")


def unique(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refused(400, "duplicate field")
    return result


def read_json(body):
    try:
        return json.loads(body.decode(), object_pairs_hook=unique)
    except ValueError:
        raise Refused(400, "the body is no JSON") from None


def serve(listener, record, answer, error_body):
    """Calls answer(method, path, body, fds) for each request; it gives (status, body) or raises Refused."""

    def connection(client):
        pending, fds = b"", array.array("i")
        while True:
            data, ancillary, _, _ = client.recvmsg(65536, socket.CMSG_SPACE(64 * fds.itemsize))
            if not data:
                return
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
            pending += data
            while b"\r\n\r\n" in pending:
                head, rest = pending.split(b"\r\n\r\n", 1)
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:])
                size = int(headers.get("content-length", "0"))
                if size > BODY_LIMIT:
                    client.sendall(b"HTTP/1.1 400 \r\nContent-Length: 0\r\n\r\n")
                    client.close()
                    return
                if len(rest) < size:
                    break
                body, pending = rest[:size], rest[size:]
                record.request(lines[0], body, list(fds))
                method, path, _ = lines[0].split(" ")
                after = None
                try:
                    if record.words.get("refuse") == path:
                        raise Refused(500, *record.words.get("why", "as the test wants it").split("|"))
                    status, text, *more = answer(method, path, body, list(fds))
                    after = more[0] if more else None
                except Refused as refused:
                    status, text = refused.status, error_body(refused.chain)
                    record.write("refused", f"{lines[0]}: {refused}\n")
                fds = array.array("i")
                length = "" if status == 204 else f"Content-Length: {len(text)}\r\n"
                client.sendall(f"HTTP/1.1 {status} \r\nServer: double\r\nConnection: keep-alive\r\n{length}\r\n{text}".encode())
                if after:
                    after()

    while True:
        client, _ = listener.accept()
        threading.Thread(target=connection, args=(client,), daemon=True).start()

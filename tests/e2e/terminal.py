# A person at a terminal, for the tests of prompts: types keys, sees what is drawn, and looks at the terminal afterwards.
import io
import os
import termios

import pexpect

LEFT, RIGHT, HOME, END, DELETE = b"\x1b[D", b"\x1b[C", b"\x1b[H", b"\x1b[F", b"\x1b[3~"
BACKSPACE, ENTER, BELL = b"\x7f", b"\r", b"\a"
ASKS_FOR_PASTES = b"\x1b[?2004h"


def pasted(text):
    return b"\x1b[200~" + text + b"\x1b[201~"


class Terminal:
    def __init__(self, *words, through=None):
        argv = through if through else [os.environ["VMCRED"], *words]
        self.seen = io.BytesIO()
        self.child = pexpect.spawn(argv[0], argv[1:], timeout=120, dimensions=(24, 80))
        self.child.delaybeforesend = None
        self.child.logfile_read = self.seen

    # The editor is ready once it asks the terminal for pastes and has drawn its prompt.
    def prompt(self, label):
        self.child.expect_exact(ASKS_FOR_PASTES)
        self.child.expect_exact(label + b": ")

    def keys(self, *keys):
        self.child.send(b"".join(keys))

    def sees(self, text):
        self.child.expect_exact(text)

    def ends(self, code):
        self.child.expect_exact(pexpect.EOF)
        local = termios.tcgetattr(self.child.child_fd)[3]
        self.child.close()
        assert self.child.exitstatus == code, (self.child.exitstatus, self.child.signalstatus, self.seen.getvalue())
        self.left_alone(local)

    def ends_by(self, signal):
        self.child.expect_exact(pexpect.EOF)
        local = termios.tcgetattr(self.child.child_fd)[3]
        self.child.close()
        assert self.child.signalstatus == signal, self.seen.getvalue()
        self.left_alone(local)

    def left_alone(self, local):
        assert local & termios.ECHO and local & termios.ICANON and local & termios.ISIG, "the terminal is not as it was"
        text = self.seen.getvalue()
        assert text.count(ASKS_FOR_PASTES) == text.count(b"\x1b[?2004l"), "pastes stay marked"

    def never_saw(self, *texts):
        for text in texts:
            assert text not in self.seen.getvalue(), text

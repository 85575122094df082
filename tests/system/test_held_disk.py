"""A disk that holds requests for as long as the test wants: who waits for it, and who does not."""
import json
import re
import socket

import pytest
from guest import DEADLINE
from xv6check import check
from xv6fs import Image

HELD = "blkdebug: Suspended request 'held'\n"
NOTES = re.compile(r"blkdebug: \w+ request 'held'\n")  # QEMU's, in the middle of lines


class Disk:
    """A disk that QEMU's monitor tells when to hold requests. QEMU comes to a socket that is there
    before it, and is started with the options."""

    def __init__(self, image):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE)
        node = {"driver": "blkdebug", "node-name": "disk0",
                "image": {"driver": "file", "filename": str(image)}}
        self.options = ["-blockdev", json.dumps(node),
                        "-device", "virtio-blk-device,drive=disk0,bus=virtio-mmio-bus.0",
                        "-chardev", "socket,id=qmp,host=127.0.0.1,"
                        f"port={self.listener.getsockname()[1]}",
                        "-mon", "chardev=qmp,mode=control"]
        self.monitor = None

    def connect(self):
        connection = self.listener.accept()[0]
        connection.settimeout(DEADLINE)
        self.monitor = connection.makefile("rw", encoding="utf-8")
        connection.close()  # when the file is
        self.monitor.readline()  # who it is
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        print(json.dumps({"execute": command, "arguments": arguments}), file=self.monitor,
              flush=True)
        for line in self.monitor:
            answer = json.loads(line)
            if "event" not in answer:
                return answer["return"]
        raise AssertionError("QEMU has closed its monitor")

    def tell(self, words):
        said = self.ask("human-monitor-command", **{"command-line": f'qemu-io disk0 "{words}"'})
        assert said.strip() == "", said

    def hold_a_write(self):
        """The next one, and none after it."""
        self.tell("break pwritev held")

    def let_go(self):
        self.tell("resume held")

    def close(self):
        if self.monitor:
            self.monitor.close()
        self.listener.close()


@pytest.fixture
def disk(image):
    made = Disk(image)
    yield made
    made.close()


def wait_for(guest, text):
    """For what the guest prints, with or without QEMU's notes in between, or for such a note."""
    while text not in guest.text and text not in NOTES.sub("", guest.text):
        assert "FAILED" not in guest.text, guest.text
        guest.expect(r"[^\r]")


def on_disk(path, name):
    """What a file would have after the next boot."""
    image = Image.load(path)
    image.recover()
    return image.read(name)


def test_msync_waits_as_it_is_told(boot, image, disk):
    """MS_ASYNC returns while nothing can become durable, MS_SYNC when it has."""
    up = boot(disks=[disk.options])
    disk.connect()
    up.prompt()
    up.type("tests/usertests --role msync f\n")
    wait_for(up, "the file is durable\n")
    before = on_disk(image, "/f")
    disk.hold_a_write()
    up.type("\n")
    wait_for(up, "MS_ASYNC has returned\n")
    wait_for(up, "MS_SYNC waits\n")
    wait_for(up, HELD)
    assert "MS_SYNC has returned" not in up.text
    assert on_disk(image, "/f") == before
    disk.let_go()
    wait_for(up, "MS_SYNC has returned\n")
    up.kill()
    assert check(Image.load(image), allow_orphans=True) == []
    assert on_disk(image, "/f") == b"\xff" * 8 + before[8:]

"""The network between proxies and a manager as a cable that a test pulls. Where this machine permits it the manager is in
a network namespace of its own, and the cable is one of the kernel's: what is sent gets lost and nobody acknowledges it.
Elsewhere a TCP link in this process swallows what is sent, which the kernel acknowledges. `choose` says which it is."""

import contextlib
import errno
import itertools
import os
import socket
import subprocess

from stand.control_plane import Manager
from stand.link import Link
from stand.program import Program
from stand.waiting import eventually

LOCAL = "127.0.0.1"
CARRIER = 5.0  # seconds until a cable is to work, or not to
_numbers = itertools.count()
chosen = []  # what each was, for the report


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise OSError(f"{words[0]} {words[1]}: {done.stderr.strip()}")


class Cable:
    """Between this namespace and the one of a process; `address` is the far end's. Its two addresses are of 198.18.0.0/15,
    which is for tests (RFC 2544), by the number of this process."""

    def __init__(self, holder):
        number = (os.getpid() * 8 + next(_numbers) % 8) % 2**15
        block = (198 << 24) + (18 << 16) + number * 4
        near, self.address = (socket.inet_ntoa((block + end).to_bytes(4, "big")) for end in (1, 2))
        self.near, self.far = f"mp{number:x}near", f"mp{number:x}far"
        self.inside = ["nsenter", "-t", holder, "-n"]
        run("ip", "link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", holder)
        run("ip", "address", "add", near + "/30", "dev", self.near)
        run("ip", "link", "set", self.near, "up")
        run(*self.inside, "ip", "address", "add", self.address + "/30", "dev", self.far)
        self.plug()

    def plug(self):
        run(*self.inside, "ip", "link", "set", self.far, "up")

    def pull(self):
        run(*self.inside, "ip", "link", "set", self.far, "down")


class Namespace:
    """A manager's own network: proxies come by a cable that can be pulled, administrators by another one."""

    how = "a network namespace"

    def __init__(self, folder):
        self._holder = Program("namespace", ["unshare", "-n", "sleep", "infinity"], folder / "namespace.log")

    def __enter__(self):
        self._holder.start()
        pid = self._holder.process.pid
        try:
            eventually(lambda: self._is_apart(pid), "it has a namespace", CARRIER)
            run("nsenter", "-t", pid, "-n", "ip", "link", "set", "lo", "up")
            self._for_proxies, self._for_others = Cable(pid), Cable(pid)
            self._try()
        except BaseException:
            self._holder.clean_up()
            raise
        return self

    def __exit__(self, *unused):
        """The cables go with the namespace, and that with its last process."""
        self._holder.clean_up()

    def _is_apart(self, pid):
        if self._holder.process.poll() is not None:
            raise OSError(self._holder.text().strip())
        with contextlib.suppress(OSError):  # it is just ending
            return os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")

    def _try(self):
        """That both cables work and that only the one can be pulled, before a test relies on it."""
        for is_there in (True, False, True):
            (self.restore if is_there else self.cut)()
            eventually(lambda: answers(self.address) == is_there, f"the cable is {is_there}", CARRIER)
            eventually(lambda: answers(self._for_others.address), "the other one works", CARRIER)

    def manager(self, folder, **variables):
        made = Manager(folder, **variables)
        self.port, made.address = made.xds_port, self._for_others.address
        made.variables |= {"MARCHPROXY_HTTP_LISTEN": f"0.0.0.0:{made.http_port}",
                           "MARCHPROXY_XDS_LISTEN": f"0.0.0.0:{made.xds_port}",
                           "MARCHPROXY_XDS_ADVERTISE": f"{self.address}:{made.xds_port}"}
        made.arguments = ["nsenter", "-t", str(self._holder.process.pid), "-n", *made.arguments]
        return made

    @property
    def address(self):
        """The manager's for proxies."""
        return self._for_proxies.address

    def cut(self):
        self._for_proxies.pull()

    def restore(self):
        self._for_proxies.plug()


def answers(address):
    """Nobody listens on that port: a machine that is there says so."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((address, 9)) == errno.ECONNREFUSED


class OneNetwork:
    """What stands in for it where namespaces are not permitted."""

    def __init__(self, why):
        self.how = f"a TCP link of the tests, since network namespaces are not to be had ({why})"
        self.address = LOCAL
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._stack.close()

    def manager(self, folder, **variables):
        made = Manager(folder, **variables)
        self._link = self._stack.enter_context(Link(made.xds_port))
        self.port = self._link.port
        made.variables |= {"MARCHPROXY_XDS_ADVERTISE": f"{LOCAL}:{self.port}"}
        return made

    def cut(self):
        self._link.hold()

    def restore(self):
        self._link.restore()


@contextlib.contextmanager
def choose(folder):
    with contextlib.ExitStack() as stack:
        try:
            network = stack.enter_context(Namespace(folder))
        except (OSError, AssertionError, subprocess.SubprocessError) as fault:
            network = stack.enter_context(OneNetwork(" ".join(str(fault).split())))
        chosen.append(network.how)
        yield network

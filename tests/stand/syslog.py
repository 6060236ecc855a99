"""A real syslog daemon (rsyslogd) on loopback, and what it made of the records it was sent."""

import json
import re
import socket

from stand.program import Program
from stand.waiting import eventually, free_port

CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="16k" parser.escapeControlCharactersOnReceive="on"
       defaultNetstreamDriverCAFile="{folder}/ca.pem" defaultNetstreamDriverCertFile="{folder}/server.pem"
       defaultNetstreamDriverKeyFile="{folder}/server.key")
template(name="record" type="list") {{
  constant(value="[\\"") property(name="pri" format="json") constant(value="\\",\\"")
  property(name="timestamp" dateFormat="rfc3339" format="json") constant(value="\\",\\"")
  property(name="hostname" format="json") constant(value="\\",\\"")
  property(name="app-name" format="json") constant(value="\\",\\"")
  property(name="procid" format="json") constant(value="\\",\\"")
  property(name="msgid" format="json") constant(value="\\",\\"")
  property(name="structured-data" format="json") constant(value="\\",\\"")
  property(name="msg" format="json") constant(value="\\",\\"")
  property(name="inputname" format="json") constant(value="\\"]\\n")
}}
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="{udp}" name="udp")
input(type="imtcp" address="127.0.0.1" port="{tcp}" name="tcp")
input(type="imtcp" address="127.0.0.1" port="{tls}" name="tls" streamDriver.name="ossl" streamDriver.mode="1"
      streamDriver.authMode="anon")
action(type="omfile" file="{folder}/records" template="record" asyncWriting="off" ioBufferSize="4k" flushOnTXEnd="on")
"""

PARAMETER = re.compile(r' ([a-z_]+)="((?:[^"\\\]]|\\["\\\]])*)"')


class Record:
    """One line of the daemon's file, its structured data taken apart by the rules of RFC 5424."""

    def __init__(self, line):
        fields = json.loads(line)
        self.line = line
        (self.priority, self.time, self.host, self.application, self.process, self.kind, data, self.text,
         self.input) = fields
        head = f"[{self.kind}@32473"
        assert data.startswith(head) and data.endswith("]"), data
        inside = data[len(head):-1]
        assert PARAMETER.sub("", inside) == "", inside
        self.data = {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in PARAMETER.findall(inside)}

    def __repr__(self):
        return f"{self.kind} {self.data}"


class SyslogServer(Program):
    def __init__(self, folder, authority):
        self.folder = folder / "syslog"
        self.folder.mkdir()
        self.udp, self.tcp, self.tls = free_port(), free_port(), free_port()
        pair = authority.issue("localhost", "127.0.0.1")
        for name, text in (("ca.pem", authority.pem), ("server.pem", pair.certificate), ("server.key", pair.key),
                           ("rsyslog.conf", CONFIGURATION.format(folder=self.folder, udp=self.udp, tcp=self.tcp,
                                                                 tls=self.tls))):
            (self.folder / name).write_text(text)
        self.records_file = self.folder / "records"
        self.read_to = 0
        super().__init__("rsyslogd", ["/usr/sbin/rsyslogd", "-n", "-f", self.folder / "rsyslog.conf", "-i",
                                      self.folder / "pid"], self.folder / "rsyslogd.log")

    def start(self):
        super().start()
        eventually(lambda: all(self.listens(port) for port in (self.tcp, self.tls)), "the daemon listens")
        return self

    @staticmethod
    def listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True
        except OSError:
            return False

    def endpoint(self, transport):
        return f"{transport}://127.0.0.1:{getattr(self, transport)}"

    def text(self):
        return self.records_file.read_text() if self.records_file.exists() else ""

    def records(self):
        """All since the last forget()."""
        return [Record(line) for line in self.text()[self.read_to:].splitlines()]

    def forget(self):
        self.read_to = len(self.text())

    def find(self, kind, **data):
        return [record for record in self.records()
                if record.kind == kind and all(record.data.get(name) == value for name, value in data.items())]

    def wait_for(self, kind, **data):
        """The first record of that kind with these data."""
        return eventually(lambda: self.find(kind, **data), f"the daemon has a record {kind} {data}")[0]

"""Every parser of outside bytes, fed by libFuzzer from its seeds: for a minute, or for MARCHPROXY_FUZZ_SECONDS.

Where the time is not given, each run begins with the same random numbers and knows nothing of earlier ones: a test says
the same of the same code. Where it is given the run explores: what it learns is kept in build/fuzz/<target>, and the next
one goes on from there. An input that breaks a target is written to build/fuzz too; put it into tests/fuzz/seeds/<target>,
mend the code, and it stays mended.
"""

import concurrent.futures
import datetime
import os
import pathlib
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = pathlib.Path(__file__).parent / "seeds"
BIN = pathlib.Path(os.environ.get("MARCHPROXY_TEST_BIN", ROOT / "build/dev/bin"))
KEPT = ROOT / "build/fuzz"
EXPLORING = "MARCHPROXY_FUZZ_SECONDS" in os.environ
SECONDS = int(os.environ.get("MARCHPROXY_FUZZ_SECONDS", "60"))
TARGETS = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("*.cpp") if path.stem != "coverage")
SLOWEST = 10  # seconds of one input
PATIENCE = 120  # seconds past the time of a run: start, seeds, and the last input


def certificate_files():
    """A certificate and its key as an upload has them, good on the day on which the target's clock stands."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    day = datetime.datetime(2026, 3, 1)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(7).not_valid_before(day - datetime.timedelta(days=9))
                   .not_valid_after(day + datetime.timedelta(days=90))
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
                   .sign(key, hashes.SHA256()))
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"upload": certificate.public_bytes(form) + b"\0" + private, "request": request.public_bytes(form)}


def run(target):
    """The exit status and the last lines of one target's run."""
    kept = KEPT / (target if EXPLORING else f"{target}-anew")
    if not EXPLORING:
        shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True, exist_ok=True)
    folders = [str(kept), str(SEEDS / target)]
    if target == "certificate":
        made = KEPT / "certificate-seeds"
        made.mkdir(exist_ok=True)
        for name, content in certificate_files().items():
            (made / name).write_bytes(content)
        folders[1] = str(made)
    command = [str(BIN / f"fuzz_{target}"), f"-max_total_time={SECONDS}", f"-timeout={SLOWEST}", "-rss_limit_mb=2048",
               "-max_len=8192", "-verbosity=0", f"-artifact_prefix={kept}-", *([] if EXPLORING else ["-seed=1"]), *folders]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS + PATIENCE)
    return done.returncode, done.stderr.decode(errors="replace")[-6000:]


@pytest.fixture(scope="module")
def runs():
    """All targets, two at a time."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        yield {target: pool.submit(run, target) for target in TARGETS}


@pytest.mark.timeout(len(TARGETS) * (SECONDS + PATIENCE))
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_it(runs, target):
    status, text = runs[target].result()
    assert status == 0, f"an input in {KEPT}/{target}-* breaks it:\n{text}"


@pytest.mark.parametrize("target", TARGETS)
def test_it_has_seeds(target):
    assert target == "certificate" or any((SEEDS / target).iterdir())

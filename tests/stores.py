"""The stores that a command's test can be run on: SQLite and disk always, MongoDB and S3 where the environment names servers
(COFFER_TEST_MONGODB_URI; COFFER_TEST_S3_URI with AWS_ENDPOINT_URL and keys)."""
import os
import subprocess
from pathlib import Path

import pytest
from harness import unique

MONGODB, S3 = os.environ.get("COFFER_TEST_MONGODB_URI"), os.environ.get("COFFER_TEST_S3_URI")
needs_mongodb = pytest.mark.skipif(not MONGODB, reason="COFFER_TEST_MONGODB_URI is not set: no MongoDB to test against")
needs_s3 = pytest.mark.skipif(not S3, reason="COFFER_TEST_S3_URI is not set: no S3 server to test against")

METADATA = ["sqlite", pytest.param("mongodb", marks=needs_mongodb)]
BLOBS = ["disk", pytest.param("s3", marks=needs_s3)]


def new_metadata(kind, folder):
    """The address of a new store of that kind."""
    if kind == "sqlite":
        return f"sqlite:{folder}/{unique('new-')}.db"
    base, _, query = MONGODB.partition("?")
    return base.rstrip("/") + "/" + unique("coffer-") + (f"?{query}" if query else "")


def new_blobs(kind, folder):
    return f"disk:{folder}/{unique('new-')}" if kind == "disk" else f"{S3.rstrip('/')}/{unique('new-')}"


def prepared(made):
    """Its stores are made and have the account `ann`; nobody serves."""
    settings = made.settings
    made.settings = settings | {"pool.api": 1, "pool.login": 1, "pool.bulk": 1}  # quickly there and quickly gone
    made.start(web=False)
    made.stop()
    made.settings = settings
    made.write_conf()
    made.cli("user", "add", "ann", stdin="correct horse battery staple 42\n")
    return made


def installation(server_factory, metadata, blobs, **settings):
    """An installation on stores of those kinds, prepared and with the account `ann`; nobody serves."""
    made = server_factory(start=False, **settings)
    made.settings |= {"store.metadata": new_metadata(metadata, made.data), "store.blobs": new_blobs(blobs, made.data)}
    return prepared(made)


def s3(method, uri, name, data=None):
    """Ask the S3 server for an object below an s3:// URI, past Coffer; curl signs well enough for that."""
    address = f"{os.environ['AWS_ENDPOINT_URL'].rstrip('/')}/{uri.removeprefix('s3://')}/{name}"
    command = ["curl", "-sS", "-f", *(["-I"] if method == "HEAD" else ["-X", method]), "--aws-sigv4", f"aws:amz:{os.environ.get('AWS_REGION', 'us-east-1')}:s3",
               "-u", f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}",
               "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", address]
    body = [] if data is None else ["--data-binary", "@-"]
    return subprocess.run(command + body, input=data, capture_output=True, check=True).stdout


class Blobs:
    """The contents of an installation, wherever they are, past Coffer."""

    def __init__(self, uri):
        self.uri = uri
        self.disk = Path(uri.removeprefix("disk:")) if uri.startswith("disk:") else None

    def write(self, blob, data):
        if self.disk:
            path = self.disk / blob[:2] / blob
            path.unlink(missing_ok=True)
            path.write_bytes(data)
        else:
            s3("PUT", self.uri, f"blobs/{blob}", data)

    def read(self, blob):
        return (self.disk / blob[:2] / blob).read_bytes() if self.disk else s3("GET", self.uri, f"blobs/{blob}")

    def there(self, name):
        try:
            return bool(s3("HEAD", self.uri, name))
        except subprocess.CalledProcessError:
            return False

    def has(self, blob):
        return (self.disk / blob[:2] / blob).exists() if self.disk else self.there(f"blobs/{blob}")

    def remove(self, blob):
        if self.disk:
            (self.disk / blob[:2] / blob).unlink()
        else:
            s3("DELETE", self.uri, f"blobs/{blob}")

    def mark(self, store_id):
        """Whose contents they are."""
        if self.disk:
            self.disk.mkdir(mode=0o700, exist_ok=True)
            (self.disk / "store_id").write_text(store_id + "\n")
        else:
            s3("PUT", self.uri, "store_id", store_id.encode() + b"\n")

    def unmark(self):
        if self.disk:
            (self.disk / "store_id").unlink()
        else:
            s3("DELETE", self.uri, "store_id")

    def marked(self):
        return (self.disk / "store_id").exists() if self.disk else self.there("store_id")

"""The course's songs: their URL, checksums and atomic download."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from lyricgen.errors import DataError, os_error_reason
from lyricgen.storage import atomic_file, cache_folder, file_sha256

TRAIN_FILE, VAL_FILE = "songdata_train.csv", "songdata_val.csv"
SHA256 = {
    TRAIN_FILE: "9cc436c0c89171c877b94c3dd7356cfbff24580693e3d7e4a93c698d7ac7dbb5",
    VAL_FILE: "b3ed00a5bc54e44c4af6b730292269700e3b98420b7f3f90551661dd2d6486ba",
}
URL = "https://raw.githubusercontent.com/jhu-intro-hlt/jhu-intro-hlt.github.io/master/assignments/hw2-files/student"
TIMEOUT = 30  # seconds without a byte before the download fails


def download_songdata(folder: str | Path | None = None, url: str | None = None) -> Path:
    """Downloads both songdata files into a folder, except those with the correct checksum, and returns the folder.

    Args:
        folder: None: `songdata` in `lyricgen.storage.cache_folder`.
        url: of the files' folder; None: `LYRICGEN_SONGDATA_URL`, else the course site's repository.

    Raises:
        DataError: a file cannot be downloaded, or its checksum differs; no partial file is left.
    """
    folder = Path(folder or cache_folder() / "songdata")
    url = url or os.environ.get("LYRICGEN_SONGDATA_URL", URL)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"the folder for downloads cannot be made ({os_error_reason(error)}); set LYRICGEN_CACHE, or name your own copy with --data"
        ) from None
    for name, sha256 in SHA256.items():
        target = folder / name
        if not (target.is_file() and file_sha256(target) == sha256):
            _download(f"{url}/{name}", target, sha256)
    return folder


def _download(url: str, target: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        with atomic_file(target) as partial:
            if not url.startswith(("http://", "https://")):
                raise ValueError("its address is neither http nor https")
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, partial.open("wb") as file:  # noqa: S310
                size = int(answer.headers.get("Content-Length") or 0) or None
                with tqdm(total=size, unit="B", unit_scale=True, desc=target.name) as bar:
                    while block := answer.read(1 << 16):
                        file.write(block)
                        digest.update(block)
                        bar.update(len(block))
            if digest.hexdigest() != sha256:
                raise DataError(
                    f"the download of {target.name} is not the published file (its sha256 differs); try again, or name your own copy with --data"
                )
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # closes the connection
        reason = " ".join(str(getattr(error, "reason", error)).split())[:120]
        raise DataError(
            f"{target.name} could not be downloaded ({reason}); try again, or name your own copy with --data"
        ) from None

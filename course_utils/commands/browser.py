"""Finds the browser that the tests drive, and provides one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from course_utils.commands import CommandError, say

BROWSER_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)


def find_browser() -> str | None:
    """The path of a Chromium, Chrome or Edge on this machine, or None."""
    for name in BROWSER_NAMES:
        if found := shutil.which(name):
            return found
    places = [
        Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
        Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
        Path("/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
    ]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if folder := os.environ.get(variable):
            places.append(Path(folder) / "Google" / "Chrome" / "Application" / "chrome.exe")
            places.append(Path(folder) / "Microsoft" / "Edge" / "Application" / "msedge.exe")
    if found := next((str(path) for path in places if path.exists()), None):
        return found
    from playwright.sync_api import sync_playwright  # asked last: starting playwright takes a second

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


def provide_browser() -> str:
    """The path of a browser, installed now if there is none.

    Raises:
        CommandError: there is none and none could be installed.
    """
    if found := find_browser():
        return found
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say("No Chromium, Chrome or Edge here: installing Debian's chromium with apt-get ...")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.call(["apt-get", "update", "-qq"], env=quiet)
        subprocess.call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], env=quiet)
    if not find_browser():
        say("No Chromium, Chrome or Edge here: asking playwright for its Chromium ...")
        subprocess.call([sys.executable, "-m", "playwright", "install", "chromium"])
    if found := find_browser():
        return found
    raise CommandError("The browser tests need Chromium, Chrome or Edge, and none could be installed; install one.")

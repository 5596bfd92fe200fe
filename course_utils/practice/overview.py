"""The map of the course: every notebook, its minutes, and how far the learner has come."""

import html
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.practice import progress
from course_utils.practice.exercises import lesson_exercises, lessons
from course_utils.practice.questions import lesson_questions


@dataclass(frozen=True)
class Stop:
    """One notebook on the map, and what the learner has done in it."""

    name: str  # file name without .ipynb
    title: str
    part: str
    minutes: int
    promise: str
    there: bool  # the notebook's file is there
    done: dict[str, tuple[int, int]]  # exercises, quizzes, predictions -> (done, of how many)


@dataclass(frozen=True, repr=False)
class CourseMap:
    """All notebooks in order; a notebook shows it as a table with the learner's progress."""

    stops: tuple[Stop, ...]

    def __repr__(self) -> str:
        """The map without progress, the same on every machine."""
        rows = [
            f"{stop.name[:2]}  {stop.title}" + (f" ({stop.minutes} minutes)" if stop.there else " (to come)")
            for stop in self.stops
        ]
        return "\n".join(rows)

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align: left">{name}</th>'
            for name in ("Notebook", "Afterwards, the learner", "Minutes", "Exercises", "Quizzes", "Predictions")
        )
        rows, part = [], ""
        for stop in self.stops:
            if stop.part != part:
                part = stop.part
                rows.append(
                    f'<tr><th colspan="6" scope="colgroup" style="text-align: left">{html.escape(part)}</th></tr>'
                )
            rows.append(_row(stop))
        solved, total = (sum(stop.done["exercises"][place] for stop in self.stops) for place in (0, 1))
        notice = html.escape(progress.take_notices())
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            f"<p>{solved} of {total} exercises solved. Progress is kept on this computer only. {notice}</p>"
        )


def course_map(folder: Path | None = None) -> CourseMap:
    """The map of the course with the learner's progress.

    Args:
        folder: where the notebooks and ``syllabus.toml`` are; the project's ``notebooks`` folder if left out.
    """
    if folder is None:
        from course_utils import assets

        folder = assets.project_folder() / "notebooks"
    listed = tomllib.loads((folder / "syllabus.toml").read_text(encoding="utf-8"))["notebook"]
    known = progress.load()
    return CourseMap(tuple(_stop(entry, folder, known) for entry in listed))


def _stop(entry: dict[str, Any], folder: Path, known: progress.Data) -> Stop:
    name = str(entry["name"]).removesuffix(".ipynb")
    file = folder / f"{name}.ipynb"
    asked = _asked(name[:2]) if file.exists() else {}
    done = {
        kind: (len(asked.get(kind, set()) & known[kind].keys()), len(asked.get(kind, ()))) for kind in progress.KINDS
    }
    title, part, promise = (str(entry[key]) for key in ("title", "part", "promise"))
    return Stop(name, title, part, int(entry["minutes"]), promise, file.exists(), done)


def _asked(number: str) -> dict[str, set[str]]:
    """Ids of the exercises, quizzes and predictions of one notebook."""
    if number not in lessons():
        return {}
    questions = {kind: {each.id for each in cards} for kind, cards in lesson_questions(number).items()}
    return {"exercises": {each.id for each in lesson_exercises(number)}, **questions}


def _row(stop: Stop) -> str:
    title = html.escape(f"{stop.name[:2]} · {stop.title}")
    link = f'<a href="{html.escape(stop.name)}.ipynb">{title}</a>' if stop.there else f"{title} (to come)"
    counts = "".join(
        f"<td>{f'{done} of {total}' + (' ✓' if done == total else '') if total else '–'}</td>"
        for done, total in stop.done.values()
    )
    promise = html.escape(stop.promise[:1].lower() + stop.promise[1:])
    cell = '<td style="text-align: left">'
    return f"<tr>{cell}{link}</td>{cell}{promise}</td><td>{stop.minutes}</td>{counts}</tr>"

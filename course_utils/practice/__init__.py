"""Exercises, quizzes and predictions that learners check for themselves, and what they have done so far."""

from course_utils.practice import progress
from course_utils.practice.exercises import Exercise, Wrong, exercise
from course_utils.practice.installation import check_installation
from course_utils.practice.overview import course_map
from course_utils.practice.questions import predict, quiz

__all__ = ["Exercise", "Wrong", "check_installation", "course_map", "exercise", "predict", "progress", "quiz"]

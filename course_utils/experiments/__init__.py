"""Experiments that a learner repeats: what is trained, on what, and what is measured, without a picture."""

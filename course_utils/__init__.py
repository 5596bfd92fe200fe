"""The real model code behind the course "How ChatGPT works, from one neuron up".

Almost nothing is imported here, so that ``import course_utils`` takes a moment and not the seconds that torch needs.
"""

from course_utils.stopping import show_a_sentence_when_stopped

__version__ = "0.1.0"

show_a_sentence_when_stopped()

"""The real model code behind the course "How ChatGPT works, from one neuron up".

Nothing is imported here, so that ``import course_utils`` takes a moment and not the seconds that torch needs.
"""

__version__ = "0.1.0"

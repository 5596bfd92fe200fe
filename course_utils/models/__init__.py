"""The models of the course, one idea a module."""

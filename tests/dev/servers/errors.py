"""The error of everything here."""


class Failed(Exception):
    """A server or a program that did not do what was asked of it; the message is the whole story."""

"""A signal that reaches who is to handle it. Standard library only.

Stands for nothing of AWS's.
"""

import os


def deliver(pid, number):
    """A signal to a process whose Python is to handle it, even if it has been thawed this moment.

    The kernel gives a process's signal to any of its threads, and to the main one last while that has
    the thaw to see to. But it is in the main thread that Python's handlers run, and a call that this
    waits in goes on unless the signal came to it.
    """
    import ctypes  # seldom needed, and slow to import

    try:
        to_thread = ctypes.CDLL(None).tgkill
    except AttributeError:  # no Linux, or another C library
        to_thread = None
    if to_thread is None or to_thread(pid, pid, int(number)) != 0:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

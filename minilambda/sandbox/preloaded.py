"""What a supervisor imports before it forks environments, and what that cost. Standard library only.

Stands for nothing of AWS's.
"""

import importlib
import os
import sys
import time

import processes

proc = processes.table()


class Preloaded:
    """What environments are forked with: modules, their memory (KB) and the CPU time they took (s)."""

    def __init__(self, folder=None, module=None):
        self.names, self.kb, self.cpu = frozenset(), 0, 0.0
        if module is None:
            return
        known, kb = set(sys.modules), self.own_kb()
        cpu = time.process_time()
        sys.path.append(folder)
        try:
            importlib.import_module(module)
        except Exception:  # not here, or broken: each function will see for itself
            for name in set(sys.modules) - known:
                del sys.modules[name]
            return
        finally:
            sys.path.remove(folder)
        # What a function's own modules must not be mistaken for.
        self.names = frozenset(name.partition(".")[0] for name in set(sys.modules) - known)
        self.cpu = time.process_time() - cpu
        self.kb = self.own_kb() - kb

    @staticmethod
    def own_kb():
        """Without mapped files: they don't count in an environment that maps them later, either."""
        return proc.resident_kb(os.getpid()) - proc.mapped_kb(os.getpid())[0]


NOTHING = Preloaded()

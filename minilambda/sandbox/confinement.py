"""What a process tier's environment may touch, held to by Linux (Landlock); standard library only.

Stands for: the walls of AWS's micro virtual machine (AWS page: *Security in Lambda*), as far as an
ordinary user's process can build them: files outside a list can't be opened, let alone written;
processes outside can't be signalled or looked into; abstract sockets outside can't be reached.
Leaves out: the network, and what files are called (their names can be listed by ``stat``).

Where the kernel doesn't have it (before Linux 5.13, other systems) nothing is confined. Root loses
what root may more than others; the files that are root's it keeps.
"""

import ctypes
import errno
import glob
import os
import struct
import sys

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
PATH_BENEATH = 1
PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS = 28, 38
SECBIT_NOROOT, SECBIT_NOROOT_LOCKED = 1, 2
CAPABILITY_VERSION = 0x20080522

# Bits of handled_access_fs, by the version of the interface that brought them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << bit for bit in range(4))
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
FILE_SYSTEM = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
SCOPED = 3  # abstract Unix sockets, signals
SCOPES_SINCE = 6

# What of the machine a function may read: its programs, and what looking up names takes.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/proc",
          *(f"/etc/{name}" for name in (
              "alternatives", "group", "host.conf", "hosts", "ld.so.cache", "ld.so.conf",
              "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "protocols",
              "resolv.conf", "services", "ssl", "timezone")),
          *glob.glob("/etc/java-*"))  # Debian's Java has links to there
DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero")


def version():
    """Of the kernel's interface; 0: there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def prepare():
    """Open the machine's places once, in the process whose children will be confined."""
    for paths, access in ((SYSTEM, READ), (DEVICES, OF_FILES & ~EXECUTE)):
        for path in sorted({os.path.realpath(path) for path in paths if os.path.exists(path)}):
            _machine.append((os.open(path, os.O_PATH), access & _kind(path)))


def confine(read, write):
    """From here on this process, and all it starts, may read ``read`` and change ``write`` only.

    Both are lists of paths; the system's programs and devices come by themselves.
    """
    _drop_capabilities()
    here = version()
    if not here:
        return
    libc = _libc()
    handled = FILE_SYSTEM[max(since for since in FILE_SYSTEM if since <= here)]
    scoped = SCOPED if here >= SCOPES_SINCE else 0
    attributes = struct.pack("QQQ", handled, 0, scoped)[:24 if here >= SCOPES_SINCE else 8]
    ruleset = _checked(libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    places = list(_machine)
    for paths, access in ((read, READ), (write, handled)):
        places += [(os.open(path, os.O_PATH), access & _kind(path)) for path in paths]
    for place, access in places:
        rule = struct.pack("=Qi", access & handled, place)
        _checked(libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0))
        os.close(place)
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(libc.syscall(RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _drop_capabilities():
    """Let root be an ordinary user, and the programs it starts too."""
    if sys.platform.startswith("linux") and os.geteuid() == 0:
        libc = _libc()
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0)
        _checked(libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)))


_machine = []  # descriptors, and what may be done with what is below them


def _kind(path):
    return ~0 if os.path.isdir(path) else OF_FILES


def _libc():
    return ctypes.CDLL(None, use_errno=True)


def _checked(result):
    if result < 0:
        number = ctypes.get_errno() or errno.EINVAL
        raise OSError(number, os.strerror(number))
    return result

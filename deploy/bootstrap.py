# ruff: noqa: T201, S603, UP020, UP024, UP031, C405, RUF005
"""Makes the virtual environment. Standard library only; must run on any Python, however
old, far enough to report what is missing and how to install it: no annotations, no f-strings.

    python3 deploy/bootstrap.py requirements.txt [requirements-dev.txt]

Installs only what changed since the last time, so that a repeated start needs no network.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
VENV = ".venv"
STAMPS = os.path.join(VENV, "installed")
LOG = os.path.join(VENV, "install.log")


def main(wanted):
    """Install each requirements file that is not yet installed; return the exit code."""
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    mend = what_is_missing(sys.version_info[:2])
    if mend:
        sys.stderr.write(mend + "\n")
        return 1
    if not has_whole_venv():
        make_venv()
    for requirements in wanted:
        if not is_installed(requirements) and not install(requirements):
            return 1
    return 0


def what_is_missing(version):
    """Return what this Python lacks and the command that mends it, or an empty string."""
    if version < OLDEST:
        return too_old(version)
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return no_venv(version)
    return ""


def too_old(version):
    return (
        "Amazcope needs Python 3.11 or newer; this is %d.%d.\n"
        "Install one:  %s\n"
        "Then run:     make run PYTHON=python3.11"
        % (version[0], version[1], install_command(OLDEST))
    )


def no_venv(version):
    if find("apt-get"):
        command = "%sapt install python3-venv python%d.%d-venv" % ((sudo(),) + tuple(version))
    else:
        command = install_command(version)
    return (
        "This Python has no venv module, which makes virtual environments.\n"
        "Install it:  %s\n"
        "Then run the same command again." % command
    )


def install_command(version):
    """Return the command that installs a Python with this machine's package manager."""
    name = "%d.%d" % tuple(version)
    if find("apt-get"):
        return "%sapt install python%s python%s-venv" % (sudo(), name, name)
    if find("dnf"):
        return "%sdnf install python%s" % (sudo(), name)
    if find("brew"):
        return "brew install python@%s" % name
    return "see https://www.python.org/downloads/"


def sudo():
    return "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "


def find(program):
    """Return True when a program is on the path. (shutil.which came with Python 3.3.)"""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders)


def venv_python():
    return os.path.join(VENV, "bin", "python")


def has_whole_venv():
    """True when the environment's Python runs, is this version and has pip."""
    code = "import sys, pip; sys.exit(sys.version_info[:2] != %r)" % (sys.version_info[:2],)
    try:
        return subprocess.call([venv_python(), "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_venv():
    import venv

    print("Making the virtual environment ...")
    sys.stdout.flush()
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True)


def fingerprint(requirements):
    """Return what an installation depends on: all pinned versions and the Python."""
    digest = hashlib.sha256(repr(sys.version_info[:3]).encode())
    for name in sorted(set([requirements, "requirements.txt", "constraints.txt"])):
        with io.open(name, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def stamp_of(requirements):
    return os.path.join(STAMPS, requirements)


def is_installed(requirements):
    try:
        with io.open(stamp_of(requirements), encoding="ascii") as file:
            return file.read() == fingerprint(requirements)
    except (IOError, OSError):
        return False


def install(requirements):
    """Install a requirements file; return whether that went well. The stamp comes last."""
    print("Installing %s; the first time takes a minute or two ..." % requirements)
    sys.stdout.flush()
    command = [venv_python(), "-m", "pip", "install", "-r", requirements]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    output = run_with_progress(command)
    if output is None:
        if not os.path.isdir(STAMPS):
            os.makedirs(STAMPS)
        with io.open(stamp_of(requirements), "w", encoding="ascii") as file:
            file.write(fingerprint(requirements))
        return True
    sys.stderr.write(output)
    sys.stderr.write(
        "\nThe installation failed; the lines above and %s say why. The first\n"
        "installation needs the network. Then run the same command again.\n" % LOG
    )
    return False


def run_with_progress(command):
    """Run pip, counting packages on a terminal; return None, or its last lines if it failed."""
    environment = dict(os.environ, PIP_ROOT_USER_ACTION="ignore")
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    lines = []
    with io.open(LOG, "w", encoding="utf-8") as log:
        for line in process.stdout:
            log.write(line)
            lines.append(line)
            show_progress(line, lines)
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
    return None if process.wait() == 0 else "".join(lines[-15:])


def show_progress(line, lines):
    if not sys.stdout.isatty():
        return
    if line.startswith(("Collecting ", "Requirement already")):
        count = sum(1 for seen in lines if seen.startswith(("Collecting ", "Requirement already")))
        name = line.split("already satisfied: ")[-1].replace("Collecting ", "").split()[0]
        sys.stdout.write("\r\033[K  %d packages: %s" % (count, name[:50]))
    elif line.startswith("Installing collected"):
        sys.stdout.write("\r\033[K  unpacking")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

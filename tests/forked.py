"""Processes for tests, forked from one that has imported already what they all import.

Each kernel and each command has a process of its own, as ever. But the imports take ten to twenty
seconds of a processor, and so they are paid once and not a hundred times. tools.notebooks, which
builds the notebooks, starts ordinary kernels. Where nothing can be forked (Windows), tests do, too.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_client.manager import KernelManager

HAS_FORK = "forkserver" in multiprocessing.get_all_start_methods()
if HAS_FORK:
    START = multiprocessing.get_context("forkserver")
    START.set_forkserver_preload(["torch", "torchvision", "ipykernel.kernelapp", "pandas",
                                  "matplotlib.pyplot", "scipy.stats", "ipywidgets", "forked"])


def run_kernel(connection_file, folder):
    """Be the kernel of that connection file, working in folder, until the parent is gone."""
    import matplotlib
    from ipykernel.kernelapp import IPKernelApp

    os.chdir(folder)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    # A kernel says so in MPLBACKEND, which matplotlib has read before, in the process forked from.
    matplotlib.rcParams["backend"] = "module://matplotlib_inline.backend_inline"
    IPKernelApp.launch_instance(argv=["-f", connection_file])


class ForkedKernelManager(KernelManager):
    """What nbval, nbclient and the tests need of a KernelManager."""

    def start_kernel(self, cwd=None, **_options):
        self.write_connection_file()
        self.process = START.Process(target=run_kernel, args=(self.connection_file, cwd or "."))
        self.process.start()

    def is_alive(self):
        return self.process.is_alive()

    async def _async_is_alive(self):  # what its client asks
        return self.is_alive()

    def interrupt_kernel(self):
        os.kill(self.process.pid, signal.SIGINT)

    def shutdown_kernel(self, now=True):
        self.process.kill()
        self.process.join()
        self.cleanup_connection_file()


if not HAS_FORK:
    ForkedKernelManager = KernelManager


def be_python(arguments, folder, environment, printed, said):
    """Be `python ARGUMENTS`, working in folder, with the two files for what it prints and says."""
    for number, path in ((1, printed), (2, said)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
    elif arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path.insert(0, os.path.dirname(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")


def run_python(*arguments, folder=None, timeout=300, **environment):
    """Run `python ARGUMENTS` in folder, with environment added; return what subprocess.run does."""
    arguments = [str(argument) for argument in arguments]
    environment = {**os.environ, **environment}
    if not HAS_FORK:
        return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, text=True,
                              capture_output=True, timeout=timeout)
    with tempfile.TemporaryDirectory() as files:
        printed, said = Path(files, "printed"), Path(files, "said")
        process = START.Process(target=be_python, args=(
            arguments, str(folder or Path.cwd()), environment, str(printed), str(said)))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(arguments, timeout)
        return subprocess.CompletedProcess(arguments, process.exitcode, printed.read_text(),
                                           said.read_text())

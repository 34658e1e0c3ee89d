"""Kernels for nbval that are forked from a process which has imported torch already.

Each notebook has a process of its own, as ever. But importing torch takes seconds, and 40 notebooks
pay them only once. tools.notebooks, which builds the notebooks, starts ordinary kernels.
"""

import multiprocessing
import os
import signal

from jupyter_client.manager import KernelManager

START = multiprocessing.get_context("forkserver")
# Not matplotlib: a kernel tells it where to draw before it is imported.
START.set_forkserver_preload(["torch", "torchvision", "ipykernel.kernelapp", "forked_kernels"])


def run_kernel(connection_file, folder):
    """Be the kernel of that connection file, working in folder, until the parent is gone."""
    from ipykernel.kernelapp import IPKernelApp

    os.chdir(folder)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    IPKernelApp.launch_instance(argv=["-f", connection_file])


class ForkedKernelManager(KernelManager):
    """What nbval needs of a KernelManager."""

    def start_kernel(self, cwd=None, stderr=None):
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

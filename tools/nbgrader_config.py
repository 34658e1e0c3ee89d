"""nbgrader's settings for a course made of these lessons; `make class` copies this file there."""

import os
import sys

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

MEMORY = 4 * 2**30  # bytes a student's notebook may ask for: twice what a lesson may need


class ExecuteToTheEnd(Execute):
    """Execute, which goes on where a cell kills its kernel, or will not be stopped.

    nbgrader gives up such a notebook, and the student has no grade at all. Here the cell gets an
    error, and the notebook is run again without it, in a new kernel.
    """

    def preprocess(self, nb, resources, km=None):
        self.left_out = {}
        while True:
            try:
                return super().preprocess(nb, resources, km)
            except (CellTimeoutError, DeadKernelError) as error:
                if self.running in self.left_out:  # it was not the cell
                    raise
                self.left_out[self.running] = type(error).__name__

    def preprocess_cell(self, cell, resources, index):
        self.running = index
        if index not in self.left_out:
            return super().preprocess_cell(cell, resources, index)
        words = "this cell ended the kernel, or could not be stopped, and was left out"
        cell.outputs = [new_output("error", ename=self.left_out[index], evalue=words,
                                   traceback=[words])]
        return cell, resources


c = get_config()  # noqa: F821  (nbgrader defines it)
c.CourseDirectory.course_id = "d2lvgg"
c.ClearSolutions.code_stub = {"python": ""}  # the lesson's own stub stands above the solution
c.Autograde.autograde_preprocessors = [
    ExecuteToTheEnd if step is Execute else step
    for step in Autograde.autograde_preprocessors.default()]
# Seconds a cell; the lesson's own are not the student's fault, and the first imports PyTorch.
c.Execute.timeout_func = lambda cell: 120 if "nbgrader" in cell.metadata else 300
c.Execute.iopub_timeout = 30  # a busy grader is slow to print, which is not the student's fault
if sys.platform == "linux":  # elsewhere the system does not count so
    c.Execute.extra_arguments = [
        "--IPKernelApp.exec_lines=import resource; "
        f"resource.setrlimit(resource.RLIMIT_DATA, ({MEMORY}, {MEMORY}))"]
# nbgrader calls alembic by its bare name, and nobody has to activate an environment here.
os.environ["PATH"] = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ.get('PATH', '')}"
os.environ.setdefault("D2LVGG_SCALE", "smoke")  # a grader runs every lesson for every student

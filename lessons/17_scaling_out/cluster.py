"""Writes how to start one training on several nodes: torchrun, Slurm, Kubernetes; for lesson 17.

VALUES are made up; put your own in their place. All three texts come from them, so they agree.
"""

import json
import re
import shlex

VALUES = {
    "name": "vgg11",               # of the job; small letters, digits, hyphens
    "nodes": 2,
    "gpus": 4,                     # in each node, and a process for each
    "head": "node01",              # where the nodes meet; any of them
    "port": 29500,
    "restarts": 3,
    "minutes": 60,
    "image": "d2lvgg:1.0",         # for Kubernetes: a container that holds the course
    "folder": "/shared/runs",      # a disk that all nodes see
    "claim": "shared-disk",        # its name in Kubernetes
}


def training(values):
    """Return the words after torchrun's own options."""
    return ["-m", "d2lvgg", "train", "--scale", "full", "--resume", "--checkpoint",
            f"{values['folder']}/{values['name']}.pt"]


def torchrun(values, meet=None, run=None):
    """Return torchrun's line, the same for every node.

    meet and run say in shell's words where the nodes meet and what the run is called.
    """
    refuse(values)
    meet = meet or shlex.quote(values["head"])
    return (f"torchrun --nnodes {values['nodes']} --nproc-per-node {values['gpus']} "
            f"--max-restarts {values['restarts']} \\\n"
            f"    --rdzv-backend c10d --rdzv-endpoint {meet}:{values['port']} "
            f"--rdzv-id {run or shlex.quote(values['name'])} \\\n"
            f"    {shlex.join(training(values))}")


def sbatch(values):
    """Return a file for Slurm's sbatch: it asks for the nodes, and runs torchrun once on each."""
    hours, minutes = divmod(values["minutes"], 60)
    line = torchrun(values, '"$head"', '"$SLURM_JOB_ID"')
    return f"""#!/bin/bash
#SBATCH --job-name={values["name"]}
#SBATCH --nodes={values["nodes"]}
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node={values["gpus"]}
#SBATCH --time={hours:02}:{minutes:02}:00
#SBATCH --output=%x-%j.out
set -euo pipefail
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun {line}
"""


def pytorchjob(values):
    """Return a PyTorchJob of Kubeflow's training operator, version 1, as YAML.

    The operator itself tells torchrun, by environment variables, where the nodes meet.
    """
    refuse(values)
    name, image, claim, folder = (json.dumps(values[key])  # a text of JSON is one of YAML
                                  for key in ("name", "image", "claim", "folder"))
    return f"""apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {{name: {name}}}
spec:
  nprocPerNode: "{values["gpus"]}"
  elasticPolicy:
    rdzvBackend: c10d
    minReplicas: {values["nodes"]}
    maxReplicas: {values["nodes"]}
    maxRestarts: {values["restarts"]}
  pytorchReplicaSpecs:
    Worker:
      replicas: {values["nodes"]}
      restartPolicy: OnFailure
      template:
        spec:
          containers:
            - name: pytorch  # the operator looks for this name
              image: {image}
              command: {json.dumps(["torchrun", *training(values)])}
              resources: {{limits: {{nvidia.com/gpu: {values["gpus"]}}}}}
              volumeMounts: [{{name: shared, mountPath: {folder}}}]
          volumes: [{{name: shared, persistentVolumeClaim: {{claimName: {claim}}}}}]
"""


def refuse(values):
    """Raise ValueError for what one of the three would refuse, or misread."""
    if not re.fullmatch("[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?", values["name"]):
        raise ValueError(f"name {values['name']!r}: Kubernetes takes small letters, digits, and "
                         "hyphens between them")
    for key in ("nodes", "gpus", "port", "minutes"):
        if type(values[key]) is not int or values[key] < 1:
            raise ValueError(f"{key} {values[key]!r}: a whole number from 1 is wanted")
    if not values["folder"].startswith("/"):
        raise ValueError(f"folder {values['folder']!r}: every node must find it, so begin with /")

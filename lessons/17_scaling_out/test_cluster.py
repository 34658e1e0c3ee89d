"""The three texts of cluster.py say the same, and the tools that read them take them."""

import re
import shlex
import shutil
import subprocess

import pytest

from d2lvgg.exercises import of_lesson

cluster = of_lesson("17", "cluster")
yaml = pytest.importorskip("yaml")
OTHERS = {**cluster.VALUES, "name": "my-run-2", "nodes": 3, "gpus": 8, "minutes": 61, "restarts": 0,
          "head": "10.0.0.7", "folder": "/disk/with a blank"}
each_set = pytest.mark.parametrize("values", [cluster.VALUES, OTHERS], ids=["ours", "others"])
# Of Kubeflow's definition of a PyTorchJob (kubeflow.org/v1): field, and the type of its value.
SPEC = {"nprocPerNode": str, "elasticPolicy": dict, "pytorchReplicaSpecs": dict, "runPolicy": dict}
ELASTIC = {"minReplicas": int, "maxReplicas": int, "rdzvBackend": str, "rdzvPort": int,
           "rdzvHost": str, "rdzvId": str, "rdzvConf": list, "standalone": bool,
           "nProcPerNode": int, "maxRestarts": int, "metrics": list}
REPLICA = {"replicas": int, "restartPolicy": str, "template": dict}


def options(line):
    """Return {option: its value} of a torchrun line, up to -m, and the words from there."""
    words = shlex.split(line.replace("\\\n", " "))
    own, rest = words[1:words.index("-m")], words[words.index("-m"):]
    return dict(zip(own[::2], own[1::2], strict=True)), rest


def expect_fields(found, known):
    for name, value in found.items():
        assert name in known, name
        assert type(value) is known[name], name


@each_set
def test_torchrun_takes_its_line(values):
    from torch.distributed.run import get_args_parser

    found, rest = options(cluster.torchrun(values))
    known = get_args_parser().parse_args(shlex.split(
        cluster.torchrun(values).replace("\\\n", " "))[1:])
    assert (known.nnodes, known.nproc_per_node) == (str(values["nodes"]), str(values["gpus"]))
    assert known.rdzv_endpoint == f"{values['head']}:{values['port']}" == found["--rdzv-endpoint"]
    assert known.module
    assert known.training_script == "d2lvgg"
    assert rest[-1] == f"{values['folder']}/{values['name']}.pt"


@each_set
def test_the_command_takes_what_follows(values, monkeypatch):
    from d2lvgg import __main__

    seen = []
    monkeypatch.setattr(__main__, "train", type("train", (), {
        "__name__": "train", "__doc__": "", "__call__": lambda self, options: seen.append(options)
    })())
    monkeypatch.setattr("sys.argv", ["d2lvgg", *cluster.training(values)[2:]])
    __main__.main()
    assert (seen[0].scale, seen[0].resume) == ("full", True)
    assert str(seen[0].checkpoint) == f"{values['folder']}/{values['name']}.pt"


@each_set
def test_bash_takes_the_file_for_slurm(values, tmp_path):
    path = tmp_path / "job.sbatch"
    path.write_text(cluster.sbatch(values), encoding="utf-8")
    bash = shutil.which("bash")
    if bash:
        done = subprocess.run([bash, "-n", str(path)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", str(path)], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "")
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)=(\S+)$", path.read_text(), re.M))
    assert asked["nodes"] == str(values["nodes"])
    assert asked["ntasks-per-node"] == "1"
    assert asked["gpus-per-node"] == str(values["gpus"])
    hours, minutes, seconds = map(int, asked["time"].split(":"))
    assert 60 * hours + minutes == values["minutes"]
    assert seconds == 0


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_the_file_for_slurm_starts_torchrun_where_slurm_says(tmp_path):
    for name, text in (("scontrol", "printf 'a7\\na8\\n'"), ("srun", 'printf "%s\\n" "$@"')):
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
    job = tmp_path / "job.sbatch"
    job.write_text(cluster.sbatch(OTHERS), encoding="utf-8")
    done = subprocess.run(["bash", str(job)], capture_output=True, text=True, check=True,
                          env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "42",
                               "SLURM_JOB_NODELIST": "a[7-8]"})
    words = done.stdout.splitlines()
    assert words[0] == "torchrun"
    assert words[words.index("--rdzv-endpoint") + 1] == "a7:29500"
    assert words[words.index("--rdzv-id") + 1] == "42"
    assert words[-1] == "/disk/with a blank/my-run-2.pt"


@each_set
def test_the_job_has_the_fields_that_kubeflow_defines(values):
    job = yaml.safe_load(cluster.pytorchjob(values))
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "PyTorchJob")
    assert set(job) == {"apiVersion", "kind", "metadata", "spec"}
    assert job["metadata"] == {"name": values["name"]}
    expect_fields(job["spec"], SPEC)
    expect_fields(job["spec"]["elasticPolicy"], ELASTIC)
    assert job["spec"]["nprocPerNode"] == str(values["gpus"])
    assert job["spec"]["elasticPolicy"]["maxRestarts"] == values["restarts"]
    (kind, worker), = job["spec"]["pytorchReplicaSpecs"].items()
    assert kind == "Worker"
    expect_fields(worker, REPLICA)
    assert worker["replicas"] == values["nodes"] == job["spec"]["elasticPolicy"]["minReplicas"]
    pod = worker["template"]["spec"]
    (container,) = pod["containers"]
    assert container["name"] == "pytorch"
    assert container["command"] == ["torchrun", *cluster.training(values)]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": values["gpus"]}
    assert container["volumeMounts"][0]["name"] == pod["volumes"][0]["name"]
    assert container["command"][-1].startswith(container["volumeMounts"][0]["mountPath"] + "/")


@pytest.mark.parametrize(("key", "value"), [
    ("name", "My run"), ("name", "-x"), ("nodes", 0), ("gpus", "4"), ("folder", "runs")])
def test_what_one_of_them_would_refuse_is_refused(key, value):
    for write in (cluster.torchrun, cluster.sbatch, cluster.pytorchjob):
        with pytest.raises(ValueError, match=key):
            write({**cluster.VALUES, key: value})

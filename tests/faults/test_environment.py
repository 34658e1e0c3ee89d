"""The ways to install, tried: conda's file, pip, uv, the oldest versions allowed, a wheel."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rattler import MatchSpec
from rattler.exceptions import InvalidMatchSpecError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
SPECS = [spec for spec in CONDA["dependencies"] if isinstance(spec, str)]
PIP = next(spec["pip"] for spec in CONDA["dependencies"] if isinstance(spec, dict))
ACCEPTED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["d2lvgg"]["vulnerabilities"]
# What needs no server, no browser and no other process, and yet goes through the whole module.
MODULE_TESTS = [f"tests/test_{name}.py" for name in (
    "checkpoint", "data", "imports", "live", "models", "recipes", "shapes", "training")]


def test_conda_understands_every_spec():
    specs = {MatchSpec(spec).name.normalized: MatchSpec(spec) for spec in SPECS}
    assert set(specs) == {"python", "pip"}
    assert str(specs["python"].version) == "3.11.*"
    with pytest.raises(InvalidMatchSpecError, match="unable to parse"):  # so it does look
        MatchSpec("python=>=3.11=*=*")


def test_each_accepted_vulnerability_has_a_reason():
    assert all(len(reason.split()) >= 5 for reason in ACCEPTED.values())


def uv(*arguments, **options):
    """Run uv in the course's folder; return what it printed. Skips where there is no uv."""
    program = Path(sys.executable).with_name("uv")
    program = program if program.exists() else shutil.which("uv")
    if not program:
        pytest.skip("no uv: `pip install uv`")
    return subprocess.run([program, *map(str, arguments)], cwd=ROOT, text=True,
                          capture_output=True, timeout=1200, **options)


@pytest.fixture
def environment(tmp_path):
    """A function that makes an empty environment of a Python version; it is deleted afterwards,
    for it grows to 6 GB."""
    folder = tmp_path / "venv"

    def make(version, *options):
        places = [shutil.which(f"python{version}"),
                  *Path.home().glob(f".pyenv/versions/{version}*/bin/python")]
        found = [place for place in places if place
                 and not subprocess.run([place, "-c", ""], capture_output=True).returncode]
        made = uv("venv", "--python", found[0] if found else version, *options, folder)
        if made.returncode:
            pytest.skip(f"no Python {version}, and uv could not fetch it: {made.stderr[-300:]}")
        return folder / "bin" / "python"

    yield make
    shutil.rmtree(folder, ignore_errors=True)


def run(python, *arguments):
    """Run python in the course's folder, as outside of pytest; return all that it printed."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    done = subprocess.run([python, *map(str, arguments)], cwd=ROOT, text=True, env=clean,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1500)
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_pip_section_installs_into_a_clean_python_3_11(environment, tmp_path):
    (tmp_path / "pip.txt").write_text("\n".join(PIP))  # conda writes such a file for pip, too
    python = environment("3.11", "--seed")
    run(python, "-m", "pip", "install", "--quiet", "-r", tmp_path / "pip.txt")
    assert "No broken requirements found" in run(python, "-m", "pip", "check")
    assert "1.23.5" in run(python, "-c", "import numpy; print(numpy.__version__)")  # d2l's pin
    # What old pins may break: the plots, in a script and in a kernel.
    assert " passed" in run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                            "tests/test_models.py", "tests/test_live.py")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_fast_tests_pass_on_python_3_13(environment):
    python = environment("3.13")
    installed = uv("pip", "install", "--python", python, "-e", ".[test,book]",
                   "-c", "constraints.txt")
    assert installed.returncode == 0, installed.stderr
    # Not what is of folders, servers and many processes, whatever Python it is.
    left_out = ["faults", "test_parallel.py", "test_frameworks.py"]
    printed = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests",
                  *[f"--ignore=tests/{name}" for name in left_out],
                  "-m", "not slow and not browser")
    assert " passed" in printed


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_lower_bounds_are_true(environment):
    python = environment("3.10")
    installed = uv("pip", "install", "--python", python, "--resolution", "lowest-direct",
                   "-e", ".[test,book]")
    assert installed.returncode == 0, installed.stderr
    assert run(python, "-c", "import torch; print(torch.__version__)").startswith("2.6.")
    assert " passed" in run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *MODULE_TESTS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_plain_pip_finds_files_for_everything(version):
    def solve(*extra):  # without uv's settings in pyproject.toml, which pip does not read
        return uv("pip", "compile", "--no-config", "pyproject.toml", *extra, "--only-binary",
                  ":all:", "--python-version", version, "--no-annotate")

    done, old = solve(), version in ("3.10", "3.11")
    assert done.returncode == 0, done.stderr
    assert ("\nd2l==" in done.stdout) == old
    assert (solve("--extra", "book").returncode == 0) == old  # its pins have no files past 3.11


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_what_is_built_works_outside_of_the_repository(kind, tmp_path):
    source = tmp_path / "source"  # a copy, for building writes into the folder that it builds from
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("d2lvgg", "lessons"):
        shutil.copytree(ROOT / name, source / name)
    built = uv("build", f"--{kind}", "--out-dir", tmp_path / "dist", source)
    assert built.returncode == 0, built.stderr
    found, = (tmp_path / "dist").glob("d2lvgg-*")
    installed = uv("pip", "install", "--no-deps", "--target", tmp_path / "site", found)
    assert installed.returncode == 0, installed.stderr
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c",
         "import d2lvgg\n"
         "from d2lvgg import exercises\n"
         "train_iter, test_iter = d2lvgg.load_data_fashion_mnist(128)\n"
         "print(d2lvgg.__file__, exercises.checks_of('06').__file__, len(train_iter))"],
        cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(site)}, text=True,
        capture_output=True, timeout=300)
    assert done.stdout.split() == [f"{site}/d2lvgg/__init__.py",
                                   f"{site}/d2lvgg/lessons/06_vgg_blocks/checks.py", "469"], (
        done.stderr)
    assert (site / "d2lvgg/fashion_mnist/LICENSE").exists()
    assert {path.name for path in (site / "d2lvgg/lessons").iterdir()} == {
        path.parent.name for path in (ROOT / "lessons").glob("[0-9]*/checks.py")}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.10", "3.12", "3.14"])
@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_nothing_has_to_be_compiled(version, platform):
    done = uv("pip", "compile", "pyproject.toml", "--all-extras", "-c", "constraints.txt",
              "--only-binary", ":all:", "--python-version", version, "--python-platform", platform,
              "--no-annotate", env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"})
    assert done.returncode == 0, done.stderr
    assert "\ntorch==" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", ["uv", "conda"])
def test_every_known_vulnerability_is_accepted_with_a_reason(way, tmp_path):
    wanted = ROOT / "constraints.txt"
    if way == "conda":  # what pip finds there, with d2l's own pins
        (tmp_path / "pip.in").write_text("\n".join(
            spec for spec in PIP if not spec.startswith("--")))
        wanted = tmp_path / "pip.txt"
        solved = uv("pip", "compile", "--no-config", "--python-version", "3.11", "--no-annotate",
                    tmp_path / "pip.in", "-o", wanted)
        assert solved.returncode == 0, solved.stderr
    done = uv("tool", "run", "pip-audit", "--no-deps", "--disable-pip", "--progress-spinner", "off",
              "--format", "json", "-r", wanted)
    if done.returncode not in (0, 1) or not done.stdout:
        pytest.skip(f"pip-audit could not be had or could not ask: {done.stderr[-300:]}")
    packages = json.loads(done.stdout)["dependencies"]
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        pytest.skip("the advisory database cannot be reached: it knows none of the "
                    f"{len(packages)} packages")
    assert len(asked) > 100
    found = {f"{package['name']} {package['version']}: {problem['id']}"
             for package in asked for problem in package["vulns"]
             if not {problem["id"], *problem["aliases"]} & set(ACCEPTED)}
    assert found == set(), "mend them, or list them in pyproject.toml with the reason"

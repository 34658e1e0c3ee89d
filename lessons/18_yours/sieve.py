"""Looks at a design's source before it is run: a sieve against slips and easy cheats, no wall.

Whoever marks a file runs a stranger's code. This keeps out what a network has no use for: files,
imports, data, random numbers of its own. It is no proof against somebody who means harm.
"""

import ast
import builtins

LONGEST = 6_000  # characters: enough for any design, and too few for trained weights
PYTHON = {"abs", "bool", "dict", "enumerate", "float", "int", "isinstance", "len", "list", "map",
          "max", "min", "pow", "range", "reversed", "round", "set", "sorted", "str", "sum", "super",
          "tuple", "zip", "ValueError"}
REFUSED = {  # attributes, and why a design has no use for them
    "a choice of random numbers": {"manual_seed", "seed", "Generator", "random", "set_rng_state",
                                   "initial_seed", "get_rng_state", "fork_rng",
                                   "default_generator"},
    "files or other code": {"load", "save", "hub", "jit", "ops", "classes", "utils", "package",
                            "serialization", "multiprocessing", "distributed", "from_file",
                            "compile", "export", "library", "os", "sys", "inspect", "warnings",
                            "load_state_dict", "fx", "onnx", "cpp", "storage", "numpy"},
    "training inside the network": {"backward", "optim", "enable_grad", "set_grad_enabled",
                                    "autograd"},
}


def look(source, names):
    """Return in one sentence why a design is refused, '' if it is not.

    names are what a design can name besides PYTHON and what it defines itself.
    """
    if len(source) > LONGEST:
        return (f"the design has {len(source):,} characters, and {LONGEST:,} are allowed: it holds "
                "layers, and no trained weights")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return f"the design is not Python: {error}"
    if [type(part) for part in tree.body] != [ast.FunctionDef]:
        return "a design is one function: put what it needs, blocks and classes, inside it"
    function = tree.body[0]
    arguments = function.args
    if function.decorator_list or arguments.args or arguments.kwonlyargs or arguments.vararg \
            or arguments.kwarg or arguments.posonlyargs:
        return (f"{function.name} has arguments or a decorator: a design is called without any, as "
                f"{function.name}()")
    defined = {function.name} | {part.arg for part in ast.walk(tree) if isinstance(part, ast.arg)}
    for part in ast.walk(tree):
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            defined.add(part.name)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            defined.add(part.id)
    for part in ast.walk(tree):
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            return f"the design imports something: it has {', '.join(sorted(names))}, and no more"
        if isinstance(part, (ast.Global, ast.Nonlocal)):
            return "the design reaches out of itself with global or nonlocal: each build starts new"
        if isinstance(part, ast.Name) and part.id not in defined | PYTHON | {*names}:
            return (f"the design uses the name {part.id!r}, which it does not define: a design has "
                    f"{', '.join(sorted(names))}, so put what else it needs inside {function.name}")
        if isinstance(part, ast.Attribute):
            if part.attr.startswith("_") and part.attr != "__init__":
                return f"the design uses .{part.attr}, a name that belongs to the inside of Python"
            for what, refused in REFUSED.items():
                if part.attr in refused:
                    return f"the design uses .{part.attr}: {what} is not a design's business"
    return ""


def name_of(source):
    """Return the name of the function that source defines."""
    return ast.parse(source).body[0].name


def allowed_builtins():
    """Return the part of Python's own names that a design can use, and what a class needs."""
    # PyTorch itself imports in mid-call, by the caller's __import__; look lets no design name it.
    inside = ("__build_class__", "__import__", "__name__")
    return {name: getattr(builtins, name) for name in (*sorted(PYTHON), *inside)
            if hasattr(builtins, name)}

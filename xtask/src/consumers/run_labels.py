"""Runs the scripts for Ghidra and IDA in a Python interpreter, with stand-ins for the functions of
both that write down what is called: the argument is the folder.

Both, and the commands for rizin, have to name the same addresses the same.
"""
import pathlib
import re
import sys
import types

COMMAND = re.compile(r"f (fcn|obj)\.([A-Za-z][A-Za-z0-9_]*) ([0-9]+) @ (0x[0-9a-f]+)")
BASE = 0x100000


def module(name, **members):
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(parts[end - 1]))
    vars(sys.modules[name]).update(members)


def names_of_ghidra(script, original):
    named = {}

    class Function:
        def __init__(self, address):
            self.address = address

        def setName(self, name, source):
            assert source == "imported"
            named[self.address] = name

    class Program:
        def getImageBase(self):
            return types.SimpleNamespace(getOffset=lambda: BASE)

    module("ghidra.app.util.opinion", ElfLoader=types.SimpleNamespace(
        getElfOriginalImageBase=lambda program: original))
    module("ghidra.program.model.symbol", SourceType=types.SimpleNamespace(IMPORTED="imported"))
    exec(compile(script, "labels_ghidra.py", "exec"), {
        "currentProgram": Program(), "toAddr": lambda address: address,
        "getFunctionAt": lambda address: Function(address) if address % 2 else None,
        "createLabel": lambda address, name, primary, source: named.__setitem__(address, name)})
    return named


def names_of_ida(script):
    named = {}
    module("ida_funcs", get_func=lambda address: None, add_func=lambda address: True)
    module("ida_name", SN_NOCHECK=1, SN_FORCE=2,
           set_name=lambda address, name, flags: named.__setitem__(address, name))
    exec(compile(script, "labels_ida.py", "exec"), {})
    return named


def names_of_rizin(script):
    lines = [line for line in script.splitlines() if not line.startswith("#")]
    commands = [COMMAND.fullmatch(line) for line in lines]
    assert all(commands), lines
    return {int(command[4], 16): command[2] for command in commands}


folders = sorted(pathlib.Path(sys.argv[1]).iterdir())
assert folders, "no scripts"
for folder in folders:
    ghidra, ida, rizin = [(folder / name).read_text(encoding="ascii") for name in
                          ("labels_ghidra.py", "labels_ida.py", "labels.rz")]
    names = names_of_ida(ida)
    assert names and names_of_rizin(rizin) == names, folder
    assert names_of_ghidra(ghidra, None) == names, folder
    moved = {address + BASE: name for address, name in names.items()}
    assert names_of_ghidra(ghidra, 0) == moved, folder
    assert len(set(names.values())) == len(names), folder
    print(f"{folder.name}: {len(names)} names")

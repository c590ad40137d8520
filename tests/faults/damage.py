"""Point 4: each file of a run is truncated, has a bit flipped, is emptied, is deleted."""

import os
from pathlib import Path

from ganzoo import checkpoints, models
from ganzoo.runs import RunDirectory
from tests.faults.children import Child, as_command, command
from tests.faults.trying import STEPS, Try

PER_MODEL = True


def _truncated(path, random):
    os.truncate(path, random.randrange(1, path.stat().st_size))


def _flipped(path, random):
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _emptied(path, random):
    path.write_bytes(b"")


def _deleted(path, random):
    path.unlink()


DAMAGES = {
    **{"truncated": _truncated, "with a flipped bit": _flipped},
    **{"emptied": _emptied, "deleted": _deleted},
}


def tries(context, name):
    """A run that is complete; a file of it is damaged, it is shown, loaded, and resumed."""
    training = context.training(name)
    while True:
        files = [p for p in training.straight.rglob("*") if p.is_file() and p.name != ".lock"]
        context.random.shuffle(files)
        for file in files:
            damage = context.random.choice(list(DAMAGES))
            workdir = training.copy(training.straight)
            path = workdir / file.relative_to(training.straight)
            DAMAGES[damage](path, context.random)
            trouble, saw = _trouble(training, workdir, path)
            yield Try(f"{_kind(path, workdir)} {damage}", not trouble, trouble or saw)


def _kind(path: Path, workdir: Path) -> str:
    """Which file of a run it is."""
    parts = path.relative_to(workdir).parts
    last = f"step-{STEPS:09d}" in path.name
    if parts[0] == "checkpoints":
        return "the last checkpoint" if last else "an earlier checkpoint"
    if parts[0] == "samples":
        return "a sample"
    return "the events" if parts[0].startswith("events") else "/".join(parts)


def _trouble(training, workdir, path) -> tuple[str, str]:
    """What went wrong, if something did, and what the user saw."""
    run, saw = RunDirectory(workdir), []
    works = [command("report", workdir)]
    if path.parent in (run.model, run.best):
        works.append(as_command(lambda: models.load(path.parent)))
    for work in works:
        done = Child(training.context.fresh("look"), work).finish()
        if done.code and not (done.is_explained and path.parent.name in done.text):
            return f"{done.saw}: {done.text[-300:]}", ""
        saw += [done.saw] if done.code else []
    done = training.run(workdir)
    if done.code and not (done.is_explained and str(workdir) in done.text):
        return f"{done.saw}: {done.text[-300:]}", ""
    if done.code:
        return "", done.saw
    last = checkpoints.path_of(run.checkpoints, STEPS)
    trouble = ""
    if path.parent not in (run.model, run.best):  # these are written again where it trains at all
        trouble = training.outcome(workdir, log=False)
    if trouble and path == last and "Using the checkpoint of step" not in done.text:
        trouble = f"a damaged checkpoint was used, and nothing said: {trouble}"
    if trouble:
        return trouble, ""
    reports = [line for line in done.text.splitlines() if "damaged" in line]
    return "", (reports or saw or [done.saw])[0]

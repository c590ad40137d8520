"""Point 11: two workers on this machine, of which one is killed; then both are started again."""

import json
import os
import shutil

from tests.faults.trying import STEPS, Training, Try, at_step
from tests.ports import free_ports

PER_MODEL = True
PATIENCE = 300.0  # seconds in which the worker that is left has to end


def tries(context, name):
    """Either worker dies in the middle; the state after a restart is that of two that lived."""
    training = Training(context, name)  # of its own: rounding differs from that of one worker
    straight = None
    while True:
        if straight is None:
            straight = context.fresh(f"{name}-two")
            codes = [done.code for done in _both(training, straight)]
            if codes != [0, 0]:
                yield Try("two workers", False, f"exit codes {codes}")
                return
            training.straight = straight
        victim = context.random.randrange(2)
        workdir = context.fresh(f"{name}-two")
        step = context.random.randrange(1, STEPS)
        first = _both(training, workdir, victim, step)
        left = first[1 - victim]
        trouble = "" if left.code is not None else "the other worker waits for ever"
        saw = left.saw
        if not trouble:
            done = _both(training, workdir)
            codes = [each.code for each in done]
            seen = "; ".join(each.saw for each in done)
            trouble = training.outcome(workdir) if codes == [0, 0] else seen
        which = "chief" if victim == 0 else "second"
        yield Try(f"of two workers the {which} one is killed", not trouble, trouble or saw)
        shutil.rmtree(workdir, ignore_errors=True)


def _both(training, workdir, victim=None, step=0):
    """What came of both workers."""
    ports = free_ports(2)

    def fault(index):
        def act():
            cluster = {"worker": [f"localhost:{port}" for port in ports]}
            task = {"type": "worker", "index": index}
            os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
            if index == victim:
                at_step(step, lambda: os.kill(os.getpid(), 9))()

        return act

    children = []
    for index in range(2):
        place = workdir if index == 0 else workdir.with_name(f"{workdir.name}-second")
        place.mkdir(exist_ok=True)
        if index and workdir.exists():  # workers share the run directory
            place.rmdir()
            place.symlink_to(workdir)
        children.append(training.start(place, fault=fault(index)))
    done = [child.finish(PATIENCE) for child in children]
    workdir.with_name(f"{workdir.name}-second").unlink()
    return done

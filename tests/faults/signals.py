"""Point 2: SIGTERM and Ctrl-C, once and twice in a row, at moments where they are in the way."""

import functools
import os
import signal

from tests.faults.trying import Try, at_step

PER_MODEL = True
# Exit codes are those of docs/checkpoints.md: 128 and the signal's number once it is saved, and the
# signal itself (130 for Ctrl-C) where a second one ends it at once.
CODES = {signal.SIGTERM: (143, -signal.SIGTERM), signal.SIGINT: (130, 130)}


def tries(context, name):
    """Each signal at each moment; then the run is resumed, and must end as if left alone."""
    training = context.training(name)
    while True:
        number = context.random.choice(list(CODES))
        for moment, fault in MOMENTS.items():
            twice = context.random.random() < 0.4
            workdir = context.fresh(f"{name}-signal")
            done = training.run(workdir, fault=functools.partial(fault, number, twice))
            trouble = ""
            if done.code != CODES[number][twice] or "Traceback" in done.text:
                trouble = done.saw
            saw = done.saw
            if not trouble:
                done = training.run(workdir)
                trouble = done.saw if done.code else training.outcome(workdir)
            times = " twice in a row" if twice else ""
            yield Try(f"{number.name}{times} {moment}", not trouble, trouble or saw)


def _send(number, twice):
    for _ in range(1 + twice):
        os.kill(os.getpid(), number)


def _in_the_first_compile(number, twice):
    from ganzoo.engine import GAN

    step, sent = GAN.train_step, []

    def train_step(*arguments):
        if not sent:
            sent.append(True)
            _send(number, twice)
        return step(*arguments)

    GAN.train_step = train_step


def _within(module, function):
    """Before a function of a module does what it does."""

    def fault(number, twice):
        before, sent = getattr(module(), function), []

        def sending(*arguments, **options):
            if not sent:
                sent.append(True)
                _send(number, twice)
            return before(*arguments, **options)

        setattr(module(), function, sending)

    return fault


def _evaluation():
    from ganzoo import evaluation

    return evaluation


def _checkpoints():
    from ganzoo import checkpoints

    return checkpoints


MOMENTS = {
    "during the first compile": _in_the_first_compile,
    "during evaluation": _within(_evaluation, "measured"),
    "while a checkpoint is written": _within(_checkpoints, "_checksum"),
    "in the middle": lambda number, twice: at_step(3, lambda: _send(number, twice))(),
}

"""The training steps of a config, and what they take, in a process of their own."""

import multiprocessing
import signal
import statistics
import time
from collections.abc import Callable, Iterable

from ml_collections import ConfigDict

from ganzoo import devices
from ganzoo.callbacks import peak_memory_mb
from ganzoo.engine import Update
from ganzoo.errors import UserError
from ganzoo.trainer import Setup, StepTimer, prepare


class Steps:
    """The training steps of a config in one precision, compiled, to be timed round after round.

    Args:
        config: whose values are all set, but for those that follow from the data.
        precision: of `config.precision`.
        jit: of `config.jit`.
        where: as `ganzoo.devices.strategy` takes them.
    """

    def __init__(self, config: ConfigDict, precision: str, jit: str, *where: str | None):
        config.precision, config.jit = precision, jit
        self.setup = prepare(config, devices.strategy(*where))
        self.timer = StepTimer(self.setup)
        self.peak, self.rounds = peak_memory_mb(), []

    def round(self) -> float:
        """Times a step of each kind; returns the seconds of a step, the mean over the schedule."""
        self.rounds.append(self.timer.of_kinds())
        self.peak = max(self.peak, peak_memory_mb())
        return self.timer.mean(self.rounds[-1])

    def rows(self) -> list[dict]:
        """What all rounds gave: for each kind of step, then for a step in the mean."""
        timer, pipeline, rows = self.timer, data_rate(self.setup), []
        for updates, first in timer.first.items():
            row = self._row(name_of(updates), [one[updates] for one in self.rounds], pipeline)
            rows.append(row | {"compile_seconds": first - min(row["values"]) / 1000})
        if len(rows) > 1:
            row = self._row("mean", [timer.mean(one) for one in self.rounds], pipeline)
            rows.append(row | {"compile_seconds": sum(row["compile_seconds"] for row in rows)})
        return rows

    def _row(self, name: str, seconds: list[float], pipeline: float) -> dict:
        median, batch_size = statistics.median(seconds), self.setup.config.batch_size
        return {
            "what": name,
            "unit": "ms",
            "values": [1000 * value for value in seconds],
            "images_per_second": batch_size / median,
            "share_of_pipeline": batch_size / pipeline / median,
            "peak_mib": self.peak,
        }


def data_rate(setup: Setup, seconds: float = 1.0) -> float:
    """Images per second of the input pipeline without a model, once its buffers are used up."""
    iterator, batches = iter(setup.batches(0)), 0
    for _ in range(20):
        next(iterator)
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        next(iterator)
        batches += 1
    return batches * setup.config.batch_size / elapsed


def name_of(updates: Iterable[Update]) -> str:
    """What a kind of step is called."""
    return " + ".join(update.name or update.player for update in updates)


class Worker:
    """What `make(*arguments)` returns, in a process of its own, which ends with this one.

    Called with the name of a method and its arguments, it returns what that returns. A UserError
    over there is raised here; so is one when the process ends early.
    """

    def __init__(self, make: Callable, *arguments):
        context = multiprocessing.get_context("spawn")  # TensorFlow survives no fork
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        self.process.start()
        theirs.close()
        self._answer()

    def __call__(self, method: str, *arguments):
        self.pipe.send((method, arguments))
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self.pipe.close()
        self.process.join()

    def _answer(self):
        try:
            answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            raise UserError(
                f"A process that measures ended with code {self.process.exitcode}. If it wrote"
                " nothing above, memory ran out: measure one of --precisions at a time"
            ) from None
        if isinstance(answer, UserError):
            raise answer
        return answer


def _serve(pipe, make: Callable, arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    try:
        made = make(*arguments)
        pipe.send(None)
        while True:
            method, arguments = pipe.recv()
            pipe.send(getattr(made, method)(*arguments))
    except UserError as error:
        pipe.send(error)
    except EOFError:  # nobody is there to ask any more
        return

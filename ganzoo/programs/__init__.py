"""Other projects whose files of weights ganzoo reads and writes, one file for each."""

from ganzoo.programs.cyclegan_pytorch import CYCLEGAN, PIX2PIX
from ganzoo.programs.dcgan_pytorch import DCGAN
from ganzoo.programs.leftthomas_srgan import SRGAN
from ganzoo.programs.mimicry import MIMICRY
from ganzoo.programs.mmagic import MMAGIC
from ganzoo.programs.r3gan import R3GAN
from ganzoo.programs.stylegan2_ada_pytorch import STYLEGAN2_ADA

# Files of pix2pix and CycleGAN look the same; unless one is named, they are read as the authors'
# test.py does.
_ALL = (PIX2PIX, CYCLEGAN, STYLEGAN2_ADA, DCGAN, MIMICRY, SRGAN, MMAGIC, R3GAN)
PROGRAMS = {program.name: program for program in _ALL}

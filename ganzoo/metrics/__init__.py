"""Measures of images; the names of metrics carry what they measure."""

from ganzoo.metrics.reconstruction import RECONSTRUCTION, luma, psnr, ssim

__all__ = ["RECONSTRUCTION", "luma", "psnr", "ssim"]

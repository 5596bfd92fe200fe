"""How to make DrawADigit for the sweep: with networks as they are before training, which answer all the same."""

from course_utils.explorers.drawing import DrawADigit
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.mlp import MLP, MLPConfig

from .sweep import factory


@factory(DrawADigit)
def draw_a_digit() -> DrawADigit:
    return DrawADigit(MLP(MLPConfig((64, 64, 10)), seed=1), ConvNet(ConvNetConfig(size=8), seed=1))

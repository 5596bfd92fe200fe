"""What the tests beside the usual library share."""

import torch


def spread(model: torch.nn.Module, seed: int) -> None:
    """Weights large enough that a wrong sign, scale or place shows in the logits, and heads look at a few tokens."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.3 * noise if weight.dim() == 1 and "bias" not in name else 0.3 * noise)

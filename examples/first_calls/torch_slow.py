"""Two transformer layers under torch.compile: docs/first-calls.md."""

import torch


class Attention(torch.nn.Module):
    def __init__(self, width=256, heads=8):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        mixed = torch.softmax(scores.masked_fill(future, float("-inf")), -1) @ v
        return self.out(mixed.transpose(1, 2).flatten(2))


class Layer(torch.nn.Module):
    def __init__(self, width=256):
        super().__init__()
        self.attention, self.norm = Attention(width), torch.nn.LayerNorm(width)
        self.up, self.down = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm(x))
        return x + self.down(torch.nn.functional.gelu(self.up(x)))


model = torch.compile(torch.nn.Sequential(*[Layer() for _ in range(2)]))
with torch.no_grad():
    model(torch.randn(4, 128, 256))

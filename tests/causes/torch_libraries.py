"""torch: situations as programs have them: training loops, optimizers, transformers."""

from __future__ import annotations

import torch
from torch import nn

import jitscope
from causes.situation import FIRST, because, corpus

situations, situation = corpus("torch")


def ones(*sizes, **options):
    return torch.ones(*sizes, **options)


@situation("compile hit*3", [FIRST])
def a_training_loop():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    compiled = jitscope.compile(model, backend="aot_eager")
    for _ in range(4):
        compiled(ones(3, 4)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()


@situation("compile hit*2 compile hit", [FIRST, because(("shape", "input"))])
def the_last_batch_is_smaller():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    compiled = jitscope.compile(model, backend="eager")
    for batch in (8, 8, 8, 5, 8):
        compiled(ones(batch, 4))


@situation("compile hit compile hit", [FIRST, because(("training_mode", "self[1]"), ("config", "grad_mode"))])
def training_and_then_evaluation_without_gradients():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))
    compiled = jitscope.compile(model, backend="eager")
    for _ in range(2):
        compiled(ones(2, 4))
    model.eval()
    with torch.no_grad():
        for _ in range(2):
            compiled(ones(2, 4))


@situation("compile hit compile hit", [FIRST, FIRST, because(("static_value", "self.param_groups[0]['lr']"))])
def an_optimizer_with_another_learning_rate():
    # torch's own wrapper around `step` breaks the graph: `step` is a frame of its own.
    weight = nn.Parameter(ones(4))
    weight.grad = ones(4)
    optimizer = torch.optim.Adam([weight], lr=0.1)
    step = jitscope.compile(optimizer.step, backend="eager")
    for lr in (0.1, 0.1, 0.2, 0.3):
        optimizer.param_groups[0]["lr"] = lr
        step()


@situation("compile hit*2", [FIRST, FIRST])
def an_optimizer_whose_learning_rate_is_a_tensor():
    weight = nn.Parameter(ones(4))
    weight.grad = ones(4)
    optimizer = torch.optim.Adam([weight], lr=torch.tensor(0.1))
    step = jitscope.compile(optimizer.step, backend="eager")
    for lr in (0.1, 0.2, 0.3):
        optimizer.param_groups[0]["lr"].fill_(lr)
        step()


def _gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=32, n_positions=64, bos_token_id=0, eos_token_id=0)
    ).eval()


def _llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        num_hidden_layers=1,
        num_attention_heads=2,
        hidden_size=8,
        intermediate_size=16,
        vocab_size=32,
        max_position_embeddings=64,
    )
    return LlamaForCausalLM(config).eval()


@situation("compile compile hit*2", [FIRST, because(("shape", "input_ids"))], needs=("transformers",))
def prompts_of_several_lengths():
    model = jitscope.compile(_gpt2(), backend="eager")
    with torch.no_grad():
        for length in (5, 7, 9, 12):
            model(input_ids=torch.ones(1, length, dtype=torch.int64), use_cache=False)


@situation("compile compile hit", [FIRST, because(("shape", "input_ids"))], needs=("transformers",))
def prompts_of_several_lengths_of_another_model():
    model = jitscope.compile(_llama(), backend="eager")
    with torch.no_grad():
        for length in (5, 7, 9):
            model(input_ids=torch.ones(1, length, dtype=torch.int64), use_cache=False)


@situation(
    "compile*2 hit*2",
    [FIRST, because(("shape", "past_key_values.layers[0].keys"), ("shape", "past_key_values.layers[0].values"))],
    needs=("transformers",),
)
def a_cache_that_grows_with_each_token():
    from transformers import DynamicCache

    model = _llama()
    cache = DynamicCache()
    with torch.no_grad():
        model(input_ids=torch.ones(1, 5, dtype=torch.int64), past_key_values=cache)
        compiled = jitscope.compile(model, backend="eager")
        for _ in range(4):
            compiled(input_ids=torch.ones(1, 1, dtype=torch.int64), past_key_values=cache)

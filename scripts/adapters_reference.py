"""Make the reference arrays of tests/methods/test_madx.py with the library `adapters` (AdapterHub), version 1.3.0.

The library pins an older transformers, so it has an environment of its own:

    python3 -m venv reference
    reference/bin/pip install adapters==1.3.0 torch safetensors
    reference/bin/python scripts/adapters_reference.py tests/methods/adapters-1.3.0.safetensors

A tiny XLM-R with random weights gets a language adapter with invertible part and a task adapter, both with random
biases too. Kept are all weights, the hidden states of the stack of both, and the masked language model's logits with
the language adapter alone. `AutoAdapterModel` is used because models of other classes have no inverse before their
decoder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from adapters import AutoAdapterModel, SeqBnConfig, SeqBnInvConfig
from adapters.composition import Stack
from safetensors.torch import save_file
from transformers import XLMRobertaConfig

WIDTH, LAYERS = 16, 2
IDS = torch.tensor([[0, 7, 8, 9, 4, 2], [0, 11, 12, 2, 1, 1]])


def tiny_model() -> Any:
    """Random weights of some size everywhere, so that nothing is hidden by a zero."""
    config = XLMRobertaConfig(
        vocab_size=20,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=12,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    model: Any = AutoAdapterModel.from_config(config)
    model.add_adapter("language", config=SeqBnInvConfig(reduction_factor=2))
    model.add_adapter("task", config=SeqBnConfig(reduction_factor=4))
    model.add_masked_lm_head("language")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return model.eval()


@torch.no_grad()
def main(file: Path) -> None:
    """Write the arrays."""
    torch.manual_seed(0)
    model = tiny_model()
    mask = (IDS != 1).long()
    model.set_active_adapters(Stack("language", "task"))
    states = model.roberta(input_ids=IDS, attention_mask=mask).last_hidden_state
    model.set_active_adapters("language")
    logits = model(input_ids=IDS, attention_mask=mask, head="language").logits
    weights = {name: value.clone() for name, value in model.state_dict().items() if "position_ids" not in name}
    save_file({**weights, "ids": IDS, "mask": mask, "states": states, "logits": logits}, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

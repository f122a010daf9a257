"""Checkpoints of the XPE toolkit, made with plain torch and transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import AutoTokenizer, XLMRobertaForSequenceClassification

WIDTH = 32


class ReferencePrompt(nn.Module):
    """The prompt encoder of the XPE toolkit, written down again: standard part first, then the encoded one."""

    def __init__(self, vectors: int, ratio: float, hidden: int = 16, layers: int = 2) -> None:
        super().__init__()
        encoded = {0.0: 0, 1.0: vectors}.get(ratio, max(1, min(vectors - 1, int(vectors * ratio))))
        if encoded < vectors:
            self.embedding = nn.Embedding(vectors - encoded, WIDTH)
        if encoded:
            self.xpe_embedding = nn.Embedding(encoded, WIDTH)
            blocks = [nn.Linear(WIDTH, hidden), nn.ReLU(), nn.Dropout(0.1)]
            for _ in range(layers - 1):
                blocks += [nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.1)]
            self.xpe_head = nn.Sequential(*blocks, nn.Linear(hidden, WIDTH))

    def forward(self) -> Tensor:
        """Shape (vectors, width)."""
        standard = [self.embedding.weight] if hasattr(self, "embedding") else []
        encoded = [self.xpe_head(self.xpe_embedding.weight)] if hasattr(self, "xpe_embedding") else []
        return torch.cat([*standard, *encoded])


@dataclass
class Reference:
    """A toolkit model: transformers' classifier with a prompt before its input."""

    folder: Path
    prompt: ReferencePrompt
    model: Any

    @torch.no_grad()
    def logits(self, texts: list[str]) -> NDArray[np.float32]:
        """Of texts in one padded batch, as peft computes them: the mask and the positions cover the prompt too."""
        tokenizer = AutoTokenizer.from_pretrained(self.folder)
        encoded = tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
        words = self.model.get_input_embeddings()(encoded["input_ids"])
        prompt = self.prompt().expand(len(texts), -1, -1)
        mask = torch.cat([torch.ones(prompt.shape[:2], dtype=torch.long), encoded["attention_mask"]], 1)
        found: NDArray[np.float32] = self.model(
            inputs_embeds=torch.cat([prompt, words], 1), attention_mask=mask
        ).logits.numpy()
        return found


def reference(backbone: Path, ratio: float, *, vectors: int = 5, hidden: int = 16, layers: int = 2) -> Reference:
    """A toolkit model with random, wide weights in eval mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        prompt = ReferencePrompt(vectors, ratio, hidden, layers).eval()
        model = XLMRobertaForSequenceClassification.from_pretrained(backbone, num_labels=3, dtype=torch.float32).eval()
        for parameter in (*prompt.parameters(), *model.classifier.parameters()):
            parameter.data += 0.3 * torch.randn(parameter.shape)
    return Reference(backbone, prompt, model)


def write_checkpoint(
    made: Reference, folder: Path, ratio: float, *, inner: str = "", style: str = "XPE", **changes: Any
) -> Path:
    """The reference as the toolkit saves it; `inner` is what may stand in the names: `default.`."""
    prompt = {f"prompt_encoder.{inner}{name}": tensor for name, tensor in made.prompt.state_dict().items()}
    head = {f"base_model.classifier.{inner}{name}": t for name, t in made.model.classifier.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in {**prompt, **head}.items()}, folder / WEIGHTS)
    config = {
        "base_model_name_or_path": str(made.folder),
        "peft_type": style,
        "task_type": "SEQ_CLS",
        "num_virtual_tokens": len(made.prompt()),
        "token_dim": WIDTH,
        "encoder_ratio": ratio,
        "encoder_reparameterization_type": "MLP",
        "encoder_hidden_size": 16,
        "encoder_num_layers": 2,
    }
    write_config(folder, {**config, **changes})
    return folder


WEIGHTS = "adapter_model.safetensors"


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write `adapter_config.json`; None leaves a key out."""
    kept = {name: value for name, value in config.items() if value is not None}
    (folder / "adapter_config.json").write_text(json.dumps(kept), encoding="utf-8")


def config_of(folder: Path) -> dict[str, Any]:
    """What `write_config` wrote."""
    plain: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    return plain

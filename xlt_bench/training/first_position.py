"""The last layer of an encoder, computed for position 0 only: the classification head reads nothing else.

Keys and values are needed of every position; the query, the attention output and the feed-forward block of one. In a
backbone of four layers that is about a fifth of all arithmetic.
"""

from __future__ import annotations

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaLayer


class FirstPositionLayer(nn.Module):
    """Wraps an XLM-R layer; gives (items, 1, d), equal to the layer's own output at position 0."""

    def __init__(self, layer: XLMRobertaLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, hidden: Tensor, attention_mask: Tensor | None, *unused: object, **options: object) -> Tensor:
        """Called by the encoder as the layer would be; `hidden` has shape (items, positions, d)."""
        attention, first = self.layer.attention.self, hidden[:, :1]
        query, key, value = (
            part.unflatten(-1, (attention.num_attention_heads, -1)).transpose(1, 2)
            for part in (attention.query(first), attention.key(hidden), attention.value(hidden))
        )
        context = nn.functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if attention_mask is None else attention_mask[..., :1, :],
            dropout_p=attention.dropout.p if self.training else 0.0,
        )
        attended = self.layer.attention.output(context.transpose(1, 2).flatten(2), first)
        output: Tensor = self.layer.feed_forward_chunk(attended)
        return output


def first_position_only(encoder: PreTrainedModel) -> bool:
    """Make an encoder compute position 0 only in its last layer, if it is an XLM-R with standard attention.

    The encoder's weights stay the same objects; it no longer gives other positions. False where it is left as it was.
    """
    layers = getattr(getattr(encoder, "encoder", None), "layer", None)
    plain = getattr(encoder.config, "_attn_implementation", None) == "sdpa" and not encoder.config.is_decoder
    if not plain or not isinstance(layers, nn.ModuleList) or type(layers[-1]) is not XLMRobertaLayer:
        return False
    layers[-1] = FirstPositionLayer(layers[-1]).train(encoder.training)
    return True

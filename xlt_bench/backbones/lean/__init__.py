"""Frozen encoders behind soft prompts, computed without arithmetic whose result nobody reads.

- The head reads one position, or the text's: the last layer has queries, attention outputs and feed-forward rows there
  and nowhere else.
- Words are constants: they enter the first layer without a gradient, and an evaluation computes them once for all
  prompts. Where nothing is dropped, a prompt's own rows enter it once, not once a text.
- Where attention weights are dropped, on a CPU in float32, texts are not padded.
- A frozen linear layer keeps no input for the backward pass. On a CPU it is a oneDNN call in float32 too: on
  processors that the BLAS behind torch's own product treats as foreign, it is more than twice as fast.

BERT, XLM-R, RoBERTa, CamemBERT, ELECTRA and MPNet differ in where they count positions from, segments, a projection
after the embeddings and a bias by distance, and in nothing else: `parts.py` names their parts alike, and one pass
computes them all. The outputs are those of transformers' own models (tests/backbones/test_lean.py), the dropout has
the same distribution.
"""

from xlt_bench.backbones.lean.encoder import LeanEncoder, lean_encoder
from xlt_bench.backbones.lean.layers import LeanLayers
from xlt_bench.backbones.lean.texts import Words

__all__ = ["LeanEncoder", "LeanLayers", "Words", "lean_encoder"]

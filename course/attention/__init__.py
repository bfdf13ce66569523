"""The mathematics of attention: scores, softmax, masks, heads and positions, each a few lines.

Every function takes tensors and returns tensors; leading axes such as ``(batch, head)`` are carried through untouched.
A mask is boolean and says what True means: in ``may_attend`` True is *may look*. The lessons build these functions in
the open; the tests compare each with torch in float32 and float64.

Sources: Vaswani et al. (2017), "Attention Is All You Need"; Bahdanau et al. (2015), "Neural Machine Translation by
Jointly Learning to Align and Translate"; Luong et al. (2015), "Effective Approaches to Attention-based NMT".
"""

from course.attention.heads import merge_heads, multi_head_attention, repeat_heads, split_heads
from course.attention.masks import causal_mask, combine_masks, cross_mask, padding_mask, same_segment_mask
from course.attention.positions import rotate_by_position, sinusoidal_positions
from course.attention.scores import additive_scores, dot_product_scores, scaled_dot_product_scores
from course.attention.weights import (
    Attended,
    additive_attention,
    attend,
    dot_product_attention,
    masked_softmax,
    scaled_dot_product_attention,
    softmax,
)

__all__ = [
    "Attended",
    "additive_attention",
    "additive_scores",
    "attend",
    "causal_mask",
    "combine_masks",
    "cross_mask",
    "dot_product_attention",
    "dot_product_scores",
    "masked_softmax",
    "merge_heads",
    "multi_head_attention",
    "padding_mask",
    "repeat_heads",
    "rotate_by_position",
    "same_segment_mask",
    "scaled_dot_product_attention",
    "scaled_dot_product_scores",
    "sinusoidal_positions",
    "softmax",
    "split_heads",
]

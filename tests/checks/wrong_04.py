"""Wrong answers to the exercises of lesson 04, as learners write them: exercise -> the hint meant for it -> source."""

WRONG = {
    "04.1": {
        "inverted": """
def padding_mask(lengths, n_key):
    mask = torch.zeros(len(lengths), 1, n_key, dtype=torch.bool)
    for row, length in enumerate(lengths):
        mask[row, 0, length:] = True
    return mask
""",
        "one too many": """
def padding_mask(lengths, n_key):
    lengths = torch.tensor(lengths).view(-1, 1, 1)
    return torch.arange(n_key) <= lengths
""",
        "one too few": """
def padding_mask(lengths, n_key):
    mask = [[[position + 1 < length for position in range(n_key)]] for length in lengths]
    return torch.tensor(mask)
""",
        "wrong side": """
def padding_mask(lengths, n_key):
    mask = torch.zeros(len(lengths), 1, n_key)
    for i, length in enumerate(lengths):
        mask[i, :, n_key - length:] = 1
    return mask.bool()
""",
        "no query axis": """
def padding_mask(lengths, n_key):
    return torch.arange(n_key)[None, :] < torch.tensor(lengths)[:, None]
""",
        "query axis last": """
def padding_mask(lengths, n_key):
    mask = torch.arange(n_key) < torch.tensor(lengths)[:, None]
    return mask.unsqueeze(-1)
""",
        "whole numbers": """
def padding_mask(lengths, n_key):
    return torch.tensor([[[1] * length + [0] * (n_key - length)] for length in lengths])
""",
        "decimal numbers": """
def padding_mask(lengths, n_key):
    mask = torch.zeros(len(lengths), 1, n_key)
    for row, length in enumerate(lengths):
        mask[row, :, :length] = 1
    return mask
""",
    },
    "04.2": {
        "upper triangle": """
def causal_mask(n_positions):
    return torch.triu(torch.ones(n_positions, n_positions)).bool()
""",
        "inverted": """
def causal_mask(n_positions):
    return torch.triu(torch.ones(n_positions, n_positions), diagonal=1) == 1
""",
        "hides itself": """
def causal_mask(n_positions):
    future = torch.triu(torch.ones(n_positions, n_positions), diagonal=0)
    return future == 0
""",
        "sees the next": """
def causal_mask(n_positions):
    position = torch.arange(n_positions)
    return position[None, :] <= position[:, None] + 1
""",
        "whole numbers": """
def causal_mask(n_positions):
    return torch.tensor([[1 if key <= query else 0 for key in range(n_positions)] for query in range(n_positions)])
""",
        "decimal numbers": """
def causal_mask(n_positions):
    return torch.tril(torch.ones(n_positions, n_positions))
""",
        "scores": """
def causal_mask(n_positions):
    return torch.triu(torch.full((n_positions, n_positions), float("-inf")), diagonal=1)
""",
    },
    "04.3": {
        "or": """
def combine_masks(causal, is_token):
    return torch.logical_or(causal[None], is_token.unsqueeze(1))
""",
        "added, whole numbers": """
def combine_masks(causal, is_token):
    return causal.int() + is_token.int().unsqueeze(1)
""",
        "added, decimal numbers": """
def combine_masks(causal, is_token):
    return causal[None].float() + is_token[:, None].float()
""",
        "multiplied": """
def combine_masks(causal, is_token):
    return causal.int() * is_token.unsqueeze(1).int()
""",
        "query axis": """
def combine_masks(causal, is_token):
    return causal & is_token.unsqueeze(-1)
""",
        "both axes": """
def combine_masks(causal, is_token):
    square = is_token.unsqueeze(-1) & is_token.unsqueeze(-2)
    return square & causal
""",
        "only padding": """
def combine_masks(causal, is_token):
    n = is_token.shape[1]
    return is_token[:, None, :].repeat(1, n, 1)
""",
        "only causal": """
def combine_masks(causal, is_token):
    return torch.stack([causal for _ in is_token])
""",
        "exactly one": """
def combine_masks(causal, is_token):
    return causal != is_token[:, None, :]
""",
        "no new axis": """
def combine_masks(causal, is_token):
    return torch.logical_and(causal, is_token)
""",
    },
    "04.4": {
        "after the softmax": """
def masked_softmax(scores, may_attend):
    weights = torch.softmax(scores, dim=-1)
    return weights.masked_fill(~may_attend, 0)
""",
        "inverted": """
def masked_softmax(scores, may_attend):
    return scores.masked_fill(may_attend, float("-inf")).softmax(-1)
""",
        "inverted, safe": """
def masked_softmax(scores, may_attend):
    weights = torch.where(may_attend, -torch.inf, scores).softmax(-1)
    return torch.where(torch.isnan(weights), 0.0, weights)
""",
        "scores times mask": """
def masked_softmax(scores, may_attend):
    return torch.softmax(scores * may_attend.float(), dim=-1)
""",
        "fully masked row is NaN": """
def masked_softmax(scores, may_attend):
    scores = torch.where(may_attend, scores, float("-inf"))
    return torch.exp(scores - scores.max(dim=-1, keepdim=True).values) / torch.exp(
        scores - scores.max(dim=-1, keepdim=True).values).sum(dim=-1, keepdim=True)
""",
        "fully masked row is uniform": """
def masked_softmax(scores, may_attend):
    return torch.softmax(scores + (~may_attend).float() * -1e9, dim=-1)
""",
        "along the queries": """
def masked_softmax(scores, may_attend):
    scores = scores.masked_fill(may_attend == False, float("-inf"))
    return torch.softmax(scores, dim=scores.ndim - 2)
""",
        "along the queries, safe": """
def masked_softmax(scores, may_attend):
    scores = scores.masked_fill(~may_attend, float("-inf"))
    weights = torch.softmax(scores, dim=-2)
    weights[weights.isnan()] = 0
    return weights
""",
        "one empty row empties all": """
def masked_softmax(scores, may_attend):
    weights = torch.softmax(scores.masked_fill(~may_attend, float("-inf")), dim=-1)
    if torch.isnan(weights).any():
        return weights * 0 if not torch.isnan(weights * 0).any() else torch.zeros(scores.shape)
    return weights
""",
        "all instead of any": """
def masked_softmax(scores, may_attend):
    weights = torch.softmax(scores.masked_fill(~may_attend, float("-inf")), dim=-1)
    return torch.where(may_attend.all(-1, keepdim=True), weights, torch.zeros_like(weights))
""",
        "empty row left open": """
def masked_softmax(scores, may_attend):
    empty = may_attend.sum(-1, keepdim=True) == 0
    return torch.where(empty, scores, scores.masked_fill(~may_attend, float("-inf"))).softmax(-1)
""",
        "renormalised afterwards": """
def masked_softmax(scores, may_attend):
    weights = torch.softmax(scores, dim=-1) * may_attend
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)
""",
        "renormalised, 0/0": """
def masked_softmax(scores, may_attend):
    weights = scores.softmax(-1)
    weights[~may_attend.expand_as(weights)] = 0
    return weights / weights.sum(-1, keepdim=True)
""",
        "exponential too large": """
def masked_softmax(scores, may_attend):
    e = torch.exp(scores) * may_attend
    return e / (e.sum(-1, keepdim=True) + 1e-12)
""",
    },
    "04.5": {
        "as it was": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token[:, :, None]
    return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
""",
        "NaN made 0": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token[:, :, None]
    weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
    return torch.where(weights.isnan(), torch.tensor(0.0), weights)
""",
        "large number": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token[:, :, None]
    return torch.softmax(scores.masked_fill(hidden, -10000.0), dim=-1)
""",
        "both axes": """
def weights_over_tokens(scores, is_token):
    scores = scores.masked_fill(~is_token[:, :, None], -torch.inf)
    scores = scores.masked_fill(~is_token[:, None, :], -torch.inf)
    return torch.softmax(scores, dim=-1)
""",
        "both axes, NaN made 0": """
def weights_over_tokens(scores, is_token):
    weights = torch.softmax(scores.masked_fill(~is_token[:, None, :], -torch.inf), dim=-1)
    return weights * is_token[:, :, None]
""",
        "softmax along the queries": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token[:, :, None]
    return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=1)
""",
        "both turned": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token.unsqueeze(1)
    return scores.masked_fill(hidden, -torch.inf).softmax(1)
""",
        "inverted": """
def weights_over_tokens(scores, is_token):
    hidden = is_token[:, None, :]
    return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
""",
        "after the softmax": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token[:, None, :]
    return torch.softmax(scores, dim=-1).masked_fill(hidden, 0)
""",
        "no new axis": """
def weights_over_tokens(scores, is_token):
    hidden = ~is_token
    return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
""",
    },
}

"""Wrong answers to the exercises of lesson 06, as learners write them: exercise -> the hint meant for it -> source."""


def _attention(query="split(x @ W_Q.T)", key="split(x @ W_K.T)", value="split(x @ W_V.T)", split="", **lines) -> str:
    """Write a whole answer to 06.3, with the line that goes wrong."""
    split = split or "t.view(t.shape[0], t.shape[1], n_heads, -1).transpose(1, 2)"
    scores = lines.get("scores", "q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5")
    weights = lines.get("weights", "scores.softmax(dim=-1)")
    merged = lines.get("merged", "(weights @ v).transpose(1, 2).reshape(x.shape)")
    return f"""
def multi_head_attention(x, W_Q, W_K, W_V, W_O, n_heads):
    def split(t):
        return {split}
    q, k, v = {query}, {key}, {value}
    scores = {scores}
    weights = {weights}
    merged = {merged}
    return {lines.get("result", "merged @ W_O.T")}
"""


STRAIGHT = "t.reshape(t.shape[0], n_heads, t.shape[1], -1)"

WRONG = {
    "06.1": {
        "view for transpose": """
def split_heads(x, n_heads):
    batch, position, d_model = x.shape
    return x.view(batch, n_heads, position, d_model // n_heads)
""",
        "no transpose": """
def split_heads(x, n_heads):
    batch, position, d_model = x.shape
    return x.view(batch, position, n_heads, d_model // n_heads)
""",
        "every n-th column": """
def split_heads(x, n_heads):
    return torch.stack([x[:, :, head::n_heads] for head in range(n_heads)], dim=1)
""",
        "heads and width swapped": """
def split_heads(x, n_heads):
    return x.view(x.shape[0], x.shape[1], -1, n_heads).transpose(1, 2)
""",
        "positions last": """
def split_heads(x, n_heads):
    batch, position, d_model = x.shape
    return x.view(batch, position, n_heads, d_model // n_heads).permute(0, 2, 3, 1)
""",
        "heads first": """
def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1))
""",
        "every head everything": """
def split_heads(x, n_heads):
    return torch.stack([x for _ in range(n_heads)], dim=1)
""",
    },
    "06.2": {
        "reshape without transpose": """
def merge_heads(x):
    batch, head, position, d_head = x.shape
    return x.reshape(batch, position, head * d_head)
""",
        "still four axes": """
def merge_heads(x):
    return x.permute(0, 2, 1, 3)
""",
        "numbers interleaved": """
def merge_heads(x):
    batch, head, position, d_head = x.shape
    return torch.stack([x[:, h] for h in range(head)], dim=-1).reshape(batch, position, head * d_head)
""",
        "mean of the heads": """
def merge_heads(x):
    return sum(x[:, h] for h in range(x.shape[1])) / x.shape[1]
""",
        "sum of the heads": """
def merge_heads(x):
    return x.sum(1)
""",
        "heads below one another": """
def merge_heads(x):
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=1)
""",
        "positions side by side": """
def merge_heads(x):
    batch, head, position, d_head = x.shape
    return x.permute(0, 3, 1, 2).reshape(batch, d_head, head * position)
""",
    },
    "06.3": {
        "no W_O": _attention(result="merged"),
        "scaled by d_model": _attention(scores="q @ k.transpose(-2, -1) / x.shape[-1] ** 0.5"),
        "scaled by n_heads": _attention(scores="q @ k.transpose(-2, -1) / n_heads ** 0.5"),
        "not scaled": _attention(scores="q @ k.transpose(-2, -1)"),
        "scaled without the root": _attention(scores="q @ k.transpose(-2, -1) / q.shape[-1]"),
        "softmax over the heads": _attention(weights="scores.softmax(dim=1)"),
        "softmax over the queries": _attention(weights="torch.softmax(scores, 2)"),
        "matrices not transposed": _attention(
            "split(x @ W_Q)", "split(x @ W_K)", "split(x @ W_V)", result="merged @ W_O"
        ),
        "view for transpose": _attention(split=STRAIGHT),
        "split and merged by view": _attention(split=STRAIGHT, merged="(weights @ v).reshape(x.shape)"),
        "merged without transpose": _attention(merged="(weights @ v).reshape(x.shape)"),
        "heads attend to heads": _attention(
            split="t.view(t.shape[0], t.shape[1], n_heads, -1)", merged="(weights @ v).reshape(x.shape)"
        ),
        "one wide head": """
def multi_head_attention(x, W_Q, W_K, W_V, W_O, n_heads):
    q, k, v = x @ W_Q.T, x @ W_K.T, x @ W_V.T
    weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
    return weights @ v @ W_O.T
""",
        "W_O not transposed": _attention(result="merged @ W_O"),
        "queries and keys swapped": _attention(scores="k @ q.transpose(-2, -1) / q.shape[-1] ** 0.5"),
        "keys averaged": _attention(merged="(weights @ k).transpose(1, 2).reshape(x.shape)"),
        "one table for all heads": _attention(weights="scores.softmax(dim=-1).mean(dim=1, keepdim=True)"),
        "slices of the input": """
def multi_head_attention(x, W_Q, W_K, W_V, W_O, n_heads):
    d_head, outputs = x.shape[-1] // n_heads, []
    for head in range(n_heads):
        own = slice(head * d_head, (head + 1) * d_head)
        q, k, v = (x[..., own] @ W[own, own].T for W in (W_Q, W_K, W_V))
        outputs.append((q @ k.mT / d_head ** 0.5).softmax(-1) @ v)
    return torch.cat(outputs, dim=-1) @ W_O.T
""",
    },
    "06.4": {
        "no biases": """
def count_parameters(d_model, n_heads, has_bias):
    return 4 * d_model * d_model
""",
        "times the heads": """
def count_parameters(d_model, n_heads, has_bias):
    one_head = 4 * (d_model * d_model + has_bias * d_model)
    return n_heads * one_head
""",
        "times the heads, no biases": """
def count_parameters(d_model, n_heads, has_bias):
    return 4 * n_heads * d_model * d_model
""",
        "only one head": """
def count_parameters(d_model, n_heads, has_bias):
    d_head = d_model // n_heads
    return 4 * (d_model * d_head + has_bias * d_head)
""",
        "no W_O": """
def count_parameters(d_model, n_heads, has_bias):
    return sum(d_model * d_model + d_model * has_bias for name in ("Q", "K", "V"))
""",
        "one bias for all": """
def count_parameters(d_model, n_heads, has_bias):
    n = 4 * d_model ** 2
    if has_bias:
        n += d_model
    return n
""",
        "one number a bias": """
def count_parameters(d_model, n_heads, has_bias):
    return 4 * (d_model ** 2 + has_bias)
""",
        "biases always": """
def count_parameters(d_model, n_heads, has_bias):
    return 4 * d_model * (d_model + 1)
""",
    },
    "06.5": {
        "sum": """
def average_heads(weights):
    return sum(weights[:, head] for head in range(weights.shape[1]))
""",
        "over the texts": """
def average_heads(weights):
    return weights.mean(0)
""",
        "over the queries": """
def average_heads(weights):
    return weights.mean(-2)
""",
        "over the keys": """
def average_heads(weights):
    return weights.sum(-1) / weights.shape[-1]
""",
        "strongest head": """
def average_heads(weights):
    return weights.max(dim=1).values
""",
        "heads kept as an axis": """
def average_heads(weights):
    return weights.mean(1, keepdim=True)
""",
        "softmax once more": """
def average_heads(weights):
    return torch.softmax(weights.mean(dim=1), dim=-1)
""",
        "first head": """
def average_heads(weights):
    return weights[:, 0, :, :]
""",
        "one number": """
def average_heads(weights):
    return torch.mean(weights)
""",
        "texts and heads": """
def average_heads(weights):
    return weights.flatten(0, 1).mean(0)
""",
    },
    "06.6": {
        "nothing": 'what_is_lost = "a"',
        "unseen": 'what_is_lost = "c"',
        "order": 'what_is_lost = "D"',
        "too small": "what_is_lost = 'e'",
    },
}

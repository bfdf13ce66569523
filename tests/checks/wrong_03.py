"""Wrong answers to the exercises of lesson 03, as learners write them: exercise -> the hint meant for it -> source."""

WRONG = {
    "03.1": {
        "sum along the last axis": """
def stable_softmax(scores, dim):
    biggest = torch.max(scores, dim=dim, keepdim=True).values
    e = torch.exp(scores - biggest)
    return e / e.sum(-1, keepdim=True)
""",
        "not stable": """
def stable_softmax(scores, dim):
    return torch.exp(scores) / torch.exp(scores).sum(dim, keepdim=True)
""",
        "one maximum for all": """
def stable_softmax(scores, dim):
    e = torch.exp(scores - torch.max(scores))
    return e / torch.sum(e, dim=dim, keepdim=True)
""",
        "mean subtracted": """
def stable_softmax(scores, dim):
    scores = scores - scores.mean(dim, keepdim=True)
    e = torch.exp(scores)
    return e / e.sum(dim, keepdim=True)
""",
        "always the last axis": """
def stable_softmax(scores, dim):
    e = torch.exp(scores - scores.max(-1, keepdim=True).values)
    return e / e.sum(-1, keepdim=True)
""",
        "always the first axis": """
def stable_softmax(scores, dim):
    e = torch.exp(scores - scores.max(0).values)
    return e / e.sum(0)
""",
        "one sum for all": """
def stable_softmax(scores, dim):
    e = torch.exp(scores - scores.max())
    return e / e.sum()
""",
        "axis lost": """
def stable_softmax(scores, dim):
    m = scores.max(dim).values
    e = torch.exp(scores - m)
    return e / torch.sum(e, dim)
""",
        "maximum is a pair": """
def stable_softmax(scores, dim):
    m = torch.max(scores, dim, keepdim=True)
    e = torch.exp(scores - m)
    return e / e.sum(dim, keepdim=True)
""",
        "not divided": """
def stable_softmax(scores, dim):
    return torch.exp(scores - scores.max(dim, keepdim=True)[0])
""",
        "logarithm": """
def stable_softmax(scores, dim):
    x = scores - scores.max(dim, keepdim=True)[0]
    return x - x.exp().sum(dim, keepdim=True).log()
""",
    },
    "03.2": {
        "multiplied": """
def tempered_softmax(scores, temperature):
    return torch.softmax(temperature * scores, -1)
""",
        "divided afterwards": """
def tempered_softmax(scores, temperature):
    w = stable_softmax(scores, -1)
    return w / temperature
""",
        "without effect": """
def tempered_softmax(scores, temperature):
    e = torch.exp(scores) / temperature
    return e / e.sum(-1, keepdim=True)
""",
        "square root": """
def tempered_softmax(scores, temperature):
    return (scores / temperature ** 0.5).softmax(-1)
""",
        "zero divides": """
def tempered_softmax(scores, temperature):
    return stable_softmax(scores / temperature, -1)
""",
        "zero, the first only": """
def tempered_softmax(scores, temperature):
    if temperature == 0:
        w = torch.zeros_like(scores)
        return w.scatter(-1, scores.argmax(-1, keepdim=True), 1.0)
    return (scores / temperature).softmax(-1)
""",
        "zero, not shared": """
def tempered_softmax(scores, temperature):
    if temperature > 0:
        return stable_softmax(scores / temperature, dim=-1)
    return torch.where(scores == scores.max(-1, keepdim=True).values, 1.0, 0.0)
""",
        "zero, uniform": """
def tempered_softmax(scores, temperature):
    if temperature == 0:
        return torch.ones_like(scores) / scores.size(-1)
    return torch.softmax(scores / temperature, dim=-1)
""",
        "zero, plain": """
def tempered_softmax(scores, temperature):
    if temperature != 0:
        scores = scores / temperature
    return torch.softmax(scores, dim=-1)
""",
        "one maximum for all": """
def tempered_softmax(scores, temperature):
    if temperature == 0:
        best = (scores == scores.max(-1, keepdim=True)[0]).float()
        return best / best.sum(-1, keepdim=True)
    e = torch.exp(scores / temperature - (scores / temperature).max())
    return e / e.sum(-1, keepdim=True)
""",
        "overflow when cold": """
def tempered_softmax(scores, temperature):
    if temperature == 0:
        best = (scores == scores.max(-1, keepdim=True)[0]).float()
        return best / best.sum(-1, keepdim=True)
    e = (scores / temperature).exp()
    return e / e.sum(-1, keepdim=True)
""",
    },
    "03.3": {
        "tanh last": """
def additive_scores(query, key, W_query, W_key, v):
    q, k = query @ W_query.T, key @ W_key.T
    return torch.tanh((q[:, None] + k[None]) @ v)
""",
        "no tanh": """
def additive_scores(query, key, W_query, W_key, v):
    q, k = query @ W_query.T, key @ W_key.T
    return (q[:, None] + k[None]) @ v
""",
        "tanh apart": """
def additive_scores(query, key, W_query, W_key, v):
    q, k = torch.tanh(query @ W_query.T), torch.tanh(key @ W_key.T)
    return (q @ v)[:, None] + (k @ v)[None]
""",
        "multiplied": """
def additive_scores(query, key, W_query, W_key, v):
    return torch.tanh((query @ W_query.T).unsqueeze(1) * (key @ W_key.T).unsqueeze(0)) @ v
""",
        "sigmoid": """
def additive_scores(query, key, W_query, W_key, v):
    z = (query @ W_query.T).unsqueeze(1) + (key @ W_key.T).unsqueeze(0)
    return 1 / (1 + torch.exp(-z)) @ v
""",
        "v inside": """
def additive_scores(query, key, W_query, W_key, v):
    z = (query @ W_query.T).unsqueeze(1) + (key @ W_key.T).unsqueeze(0)
    return torch.sum(torch.tanh(v * z), -1)
""",
        "v left out": """
def additive_scores(query, key, W_query, W_key, v):
    z = (query @ W_query.T).unsqueeze(1) + (key @ W_key.T).unsqueeze(0)
    return torch.tanh(z).sum(-1)
""",
        "keys in rows": """
def additive_scores(query, key, W_query, W_key, v):
    q, k = query @ W_query.T, key @ W_key.T
    return torch.tanh(k[:, None] + q[None]) @ v
""",
        "softmax too": """
def additive_scores(query, key, W_query, W_key, v):
    q, k = query @ W_query.T, key @ W_key.T
    return stable_softmax(torch.tanh(q[:, None] + k) @ v, -1)
""",
        "scaled": """
def additive_scores(query, key, W_query, W_key, v):
    q, k = query @ W_query.T, key @ W_key.T
    return torch.tanh(q[:, None] + k) @ v / v.shape[0] ** 0.5
""",
        "only matching pairs": """
def additive_scores(query, key, W_query, W_key, v):
    q = torch.nn.functional.linear(query, W_query)
    k = torch.nn.functional.linear(key, W_key)
    return (torch.tanh(q + k) * v).sum(-1)
""",
        "matrices not turned": """
def additive_scores(query, key, W_query, W_key, v):
    q = torch.matmul(query, W_query)
    k = torch.matmul(key, W_key)
    return torch.matmul(torch.tanh(q[:, None, :] + k[None, :, :]), v)
""",
    },
    "03.4": {
        "√32 everywhere": """
def scaled_scores(query, key):
    return torch.matmul(query, key.mT) / math.sqrt(32)
""",
        "cosine": """
def scaled_scores(query, key):
    lengths = query.norm(dim=-1, keepdim=True) * key.norm(dim=-1).unsqueeze(-2)
    return query @ key.transpose(1, 2) / lengths
""",
        "not scaled": """
def scaled_scores(query, key):
    return torch.einsum("hqd,hkd->hqk", query, key)
""",
        "d_model": """
def scaled_scores(query, key):
    n_heads, _, d_head = query.shape
    d_model = n_heads * d_head
    return query @ key.transpose(1, 2) / d_model ** 0.5
""",
        "d for its root": """
def scaled_scores(query, key):
    d = query.size(-1)
    return (query / math.sqrt(d)) @ (key / math.sqrt(d)).transpose(1, 2)
""",
        "multiplied": """
def scaled_scores(query, key):
    return query @ key.transpose(1, 2) * math.sqrt(query.size(-1))
""",
        "number of keys": """
def scaled_scores(query, key):
    return query @ key.transpose(1, 2) / math.sqrt(key.size(1))
""",
        "number of queries": """
def scaled_scores(query, key):
    return query @ key.transpose(1, 2) / query.size(1) ** 0.5
""",
        "number of heads": """
def scaled_scores(query, key):
    return query @ key.transpose(1, 2) / len(query) ** 0.5
""",
        "measured": """
def scaled_scores(query, key):
    scores = query @ key.mT
    return scores / scores.var().sqrt()
""",
        "softmax too": """
def scaled_scores(query, key):
    return stable_softmax(query @ key.mT / query.shape[-1] ** 0.5, -1)
""",
        "after the softmax": """
def scaled_scores(query, key):
    weights = torch.softmax(query @ key.transpose(-1, -2), dim=-1)
    return weights / math.sqrt(key.shape[-1])
""",
        "keys in rows": """
def scaled_scores(query, key):
    return key @ query.transpose(-1, -2) / math.sqrt(key.shape[-1])
""",
        "heads turned too": """
def scaled_scores(query, key):
    return query @ key.permute(*reversed(range(key.ndim))) / math.sqrt(query.shape[-1])
""",
    },
    "03.5": {
        "ones on the diagonal": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, dim=-1)
    identity = torch.eye(scores.shape[-1])
    return identity - w.unsqueeze(-1) * w.unsqueeze(-2)
""",
        "one number subtracted": """
def softmax_jacobian(scores):
    w = scores.softmax(-1)
    return torch.diag(w) - torch.matmul(w, w.t())
""",
        "diagonal only": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1)
    return torch.diag_embed(w - w ** 2)
""",
        "own answers only": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1)
    return w - w * w
""",
        "outer product only": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1)
    return -w.unsqueeze(-1) @ w.unsqueeze(-2)
""",
        "weights only": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1)
    return torch.eye(w.shape[-1]) * w.unsqueeze(-1)
""",
        "added": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1)
    return torch.diag_embed(w) + w.unsqueeze(-1) * w.unsqueeze(-2)
""",
        "signs turned": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1)
    return w.unsqueeze(-1) * w.unsqueeze(-2) - torch.diag_embed(w)
""",
        "not on the diagonal": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, -1).unsqueeze(-1)
    return w - w @ w.transpose(-1, -2)
""",
        "scores for weights": """
def softmax_jacobian(scores):
    return torch.diag_embed(scores) - scores.unsqueeze(-1) * scores.unsqueeze(-2)
""",
        "one row only": """
def softmax_jacobian(scores):
    w = torch.softmax(scores, dim=-1)
    return torch.diag(w) - torch.outer(w, w)
""",
        "along the first axis": """
def softmax_jacobian(scores):
    w = stable_softmax(scores, 0)
    return torch.diag_embed(w) - w.unsqueeze(-1) * w.unsqueeze(-2)
""",
        "not stable": """
def softmax_jacobian(scores):
    w = scores.exp() / scores.exp().sum(-1, keepdim=True)
    return torch.diag_embed(w) - w.unsqueeze(-1) * w.unsqueeze(-2)
""",
    },
}

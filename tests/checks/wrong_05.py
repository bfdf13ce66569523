"""Wrong answers to the exercises of lesson 05, as learners write them: exercise -> the hint meant for it -> source."""

WRONG = {
    "05.1": {
        "map in front": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    q = torch.matmul(W_Q, x) + b_Q
    k = torch.matmul(W_K, x) + b_K
    v = torch.matmul(W_V, x) + b_V
    return q, k, v
""",
        "no biases": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    return torch.matmul(x, W_Q.T), torch.matmul(x, W_K.T), torch.matmul(x, W_V.T)
""",
        "weight not transposed": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    Q = x @ W_Q + b_Q
    K = x @ W_K + b_K
    V = x @ W_V + b_V
    return Q, K, V
""",
        "bias before the map": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    return tuple((x + b) @ W.T for W, b in ((W_Q, b_Q), (W_K, b_K), (W_V, b_V)))
""",
        "one after the other": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    q = x @ W_Q.T + b_Q
    k = q @ W_K.T + b_K
    v = k @ W_V.T + b_V
    return q, k, v
""",
        "queries and keys swapped": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    return x @ W_K.mT + b_K, x @ W_Q.mT + b_Q, x @ W_V.mT + b_V
""",
        "one bias for all": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    out = []
    for W in (W_Q, W_K, W_V):
        out.append(x @ W.T + b_Q)
    return out
""",
        "values by the keys' map": """
def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    query = x @ W_Q.T + b_Q
    key = value = x @ W_K.T + b_K
    return query, key, value
""",
    },
    "05.2": {
        "mask added": """
def attend(query, key, value, may_attend):
    scores = torch.matmul(query, key.mT) / query.shape[-1] ** 0.5
    weights = (scores + may_attend.float()).softmax(dim=-1)
    return weights @ value, weights
""",
        "infinity times 0": """
def attend(query, key, value, may_attend):
    scores = query @ key.transpose(-1, -2) / math.sqrt(key.shape[-1])
    scores = scores + (1 - may_attend.float()) * float("-inf")
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights
""",
        "no scaling": """
def attend(query, key, value, may_attend):
    scores = query @ key.mT
    scores[~may_attend.expand(scores.shape)] = float("-inf")
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
        "divided by d_head": """
def attend(query, key, value, may_attend):
    scores = query @ key.transpose(-1, -2) / key.size(-1)
    weights = torch.softmax(torch.where(may_attend, scores, -torch.inf), -1)
    return weights @ value, weights
""",
        "scaled after the softmax": """
def attend(query, key, value, may_attend):
    scores = query @ key.transpose(-1, -2)
    weights = torch.softmax(scores.masked_fill(~may_attend, -1e9), -1) / query.shape[-1] ** 0.5
    return weights @ value, weights
""",
        "softmax over the queries": """
def attend(query, key, value, may_attend):
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores.masked_fill(~may_attend, -torch.inf), dim=scores.ndim - 2)
    return weights @ value, weights
""",
        "mask after the softmax": """
def attend(query, key, value, may_attend):
    weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]), dim=-1)
    weights = weights.masked_fill(~may_attend, 0)
    return weights @ value, weights
""",
        "mask inverted": """
def attend(query, key, value, may_attend):
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores.masked_fill(may_attend, float("-inf")), dim=-1)
    return weights @ value, weights
""",
        "scores times mask": """
def attend(query, key, value, may_attend):
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores * may_attend.float(), dim=-1)
    return weights @ value, weights
""",
        "mask not used": """
def attend(query, key, value, may_attend):
    weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]), dim=-1)
    return weights @ value, weights
""",
        "keys mixed": """
def attend(query, key, value, may_attend):
    scores = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).masked_fill(~may_attend, -torch.inf)
    weights = scores.softmax(dim=-1)
    return torch.matmul(weights, key), weights
""",
        "weights first": """
def attend(query, key, value, may_attend):
    scores = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).masked_fill(~may_attend, -torch.inf)
    weights = scores.softmax(dim=-1)
    return weights, weights @ value
""",
        "only the output": """
def attend(query, key, value, may_attend):
    scores = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).masked_fill(~may_attend, -torch.inf)
    return scores.softmax(dim=-1) @ value
""",
    },
    "05.3": {
        "no scaling": """
new_vector = [2.2, -1.64]
""",
        "√d_model": """
new_vector = [2.28, -0.24]
""",
        "√d_value": """
new_vector = [2.28, -1.26]
""",
        "divided by d_head": """
new_vector = [2.24, 0.10]
""",
        "no softmax": """
new_vector = [2.67, -1.33]
""",
        "plain mean": """
new_vector = [2.0, 1.333]
""",
        "the best alone": """
new_vector = [2, -2]
""",
        "shares do not sum to 1": """
new_vector = [25.65, -8.78]
""",
        "keys mixed": """
new_vector = [1.06, 0.67, 0.51, 0.76]
""",
    },
    "05.4": {
        "32 everywhere": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    start = head * 32
    everything = hidden_states @ weight.T + bias
    return everything[:, start : start + 32]
""",
        "no whole number": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = hidden_states.shape[1] / n_heads
    rows = weight[head * d_head : (head + 1) * d_head]
    return hidden_states @ rows.T + bias[head * d_head : (head + 1) * d_head]
""",
        "no bias": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = len(weight) // n_heads
    return hidden_states @ weight[head * d_head : head * d_head + d_head].T
""",
        "columns for rows": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = len(weight) // n_heads
    everything = hidden_states @ weight + bias
    return everything[:, head * d_head : (head + 1) * d_head]
""",
        "head counted from 1": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = len(weight) // n_heads
    everything = hidden_states @ weight.T + bias
    return everything[:, (head - 1) * d_head : head * d_head]
""",
        "every n-th row": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    everything = hidden_states @ weight.T + bias
    return everything.view(len(hidden_states), -1, n_heads)[:, :, head]
""",
        "view for a cut": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = len(weight) // n_heads
    everything = hidden_states @ weight.T + bias
    return everything.contiguous().view(n_heads, hidden_states.shape[0], d_head)[head]
""",
        "slices the vector": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = len(weight) // n_heads
    piece = slice(head * d_head, (head + 1) * d_head)
    return hidden_states[:, piece] @ weight[piece, piece].T + bias[piece]
""",
        "n_heads wide": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    everything = hidden_states @ weight.T + bias
    return everything[:, head * n_heads : (head + 1) * n_heads]
""",
        "all heads": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    return hidden_states @ weight.T + bias
""",
        "does not fit": """
def head_projection(hidden_states, weight, bias, n_heads, head):
    d_head = len(weight) // n_heads
    return hidden_states @ weight[head * d_head : (head + 1) * d_head].T + bias
""",
    },
    "05.5": {
        "divided by d_head": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, answering @ W_K.T, answering @ W_V.T
    A = torch.softmax(Q @ K.T / Q.shape[1], dim=1)
    return A @ V, A
""",
        "weights first": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, answering @ W_K.T, answering @ W_V.T
    A = torch.softmax(Q @ K.T / Q.shape[1] ** 0.5, dim=1)
    return A, A @ V
""",
        "only the output": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, answering @ W_K.T, answering @ W_V.T
    return torch.softmax(Q @ K.T / Q.shape[1] ** 0.5, dim=1) @ V
""",
        "roles swapped": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = answering @ W_Q.T, asking @ W_K.T, asking @ W_V.T
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ V, weights
""",
        "keys of the asking text": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, asking @ W_K.T, answering @ W_V.T
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ V, weights
""",
        "values of the asking text": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, answering @ W_K.T, asking @ W_V.T
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ V, weights
""",
        "the asking text alone": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = [asking @ W.T for W in (W_Q, W_K, W_V)]
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ V, weights
""",
        "the answering text alone": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = [answering @ W.T for W in (W_Q, W_K, W_V)]
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ V, weights
""",
        "no scaling": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    weights = torch.softmax(asking @ W_Q.T @ W_K @ answering.T, dim=-1)
    return weights @ answering @ W_V.T, weights
""",
        "√d_model": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, answering @ W_K.T, answering @ W_V.T
    weights = torch.softmax(Q @ K.T / W_Q.shape[1] ** 0.5, dim=-1)
    return weights @ V, weights
""",
        "softmax over the queries": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q.T, answering @ W_K.T, answering @ W_V.T
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=0)
    return weights @ V, weights
""",
        "keys mixed": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K = asking @ W_Q.T, answering @ W_K.T
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ K, weights
""",
        "weight not transposed": """
def cross_attention(asking, answering, W_Q, W_K, W_V):
    Q, K, V = asking @ W_Q, answering @ W_K, answering @ W_V
    weights = torch.softmax(Q @ K.T / math.sqrt(Q.shape[-1]), dim=-1)
    return weights @ V, weights
""",
    },
}

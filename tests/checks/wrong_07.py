"""Wrong answers to the exercises of lesson 07, as learners write them: exercise -> the hint meant for it -> source."""

WRONG = {
    "07.1": {
        "batch axis": """
def add_positions(x):
    max_len, d_model = 500, x.size(2)
    position = torch.arange(max_len).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    pe = torch.zeros(max_len, 1, d_model)
    pe[:, 0, 0::2] = torch.sin(position * div_term)
    pe[:, 0, 1::2] = torch.cos(position * div_term)
    return x + pe[:x.size(0)]
""",
        "batch axis, shapes differ": """
def add_positions(x):
    d_model = x.shape[2]
    position = torch.arange(500.0).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    pe = torch.zeros(500, d_model)
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)
    return x + pe[:x.size(0)]
""",
        "halves": """
def add_positions(x):
    n_texts, n_positions, d_model = x.shape
    i = torch.arange(d_model // 2)
    angle = torch.arange(n_positions)[:, None] / 10000 ** (2 * i / d_model)
    return x + torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
""",
        "cosine first": """
def add_positions(x):
    n_texts, n_positions, d_model = x.shape
    table = torch.zeros(n_positions, d_model)
    for p in range(n_positions):
        for i in range(d_model // 2):
            angle = p / 10000 ** (2 * i / d_model)
            table[p, 2 * i] = math.cos(angle)
            table[p, 2 * i + 1] = math.sin(angle)
    return x + table
""",
        "from 1": """
def add_positions(x):
    n_texts, n_positions, d_model = x.shape
    angle = torch.arange(1, n_positions + 1)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    table = torch.zeros(n_positions, d_model)
    table[:, 0::2], table[:, 1::2] = angle.sin(), angle.cos()
    return x + table
""",
        "not doubled": """
def add_positions(x):
    n_texts, n_positions, d_model = x.shape
    angle = torch.arange(n_positions)[:, None] / 10000 ** (torch.arange(d_model // 2) / d_model)
    table = torch.zeros(n_positions, d_model)
    table[:, 0::2], table[:, 1::2] = angle.sin(), angle.cos()
    return x + table
""",
        "doubled twice": """
def add_positions(x):
    n_positions, d_model = x.shape[1:]
    p, i = torch.arange(n_positions)[:, None], torch.arange(0, d_model, 2)
    pe = torch.zeros(n_positions, d_model)
    pe[:, 0::2] = torch.sin(p / 10000 ** (2 * i / d_model))
    pe[:, 1::2] = torch.cos(p / 10000 ** (2 * i / d_model))
    return x + pe
""",
        "only sines": """
def add_positions(x):
    n_positions, d_model = x.shape[1:]
    p, i = torch.arange(n_positions)[:, None], torch.arange(0, d_model, 2)
    pe = torch.zeros(n_positions, d_model)
    pe[:, 0::2] = torch.sin(p / 10000 ** (i / d_model))
    pe[:, 1::2] = torch.sin(p / 10000 ** (i / d_model))
    return x + pe
""",
        "a wave a column": """
def add_positions(x):
    table = torch.zeros(x.shape[1:])
    for p in range(x.shape[1]):
        for column in range(x.shape[2]):
            angle = p / 10000 ** (column / x.shape[2])
            table[p, column] = math.sin(angle) if column % 2 == 0 else math.cos(angle)
    return x + table
""",
        "multiplied": """
def add_positions(x):
    n_texts, n_positions, d_model = x.shape
    angle = torch.arange(n_positions)[:, None] * 10000 ** (torch.arange(0, d_model, 2) / d_model)
    table = torch.zeros(n_positions, d_model)
    table[:, 0::2], table[:, 1::2] = angle.sin(), angle.cos()
    return x + table
""",
        "not added, no batch": """
def add_positions(x):
    n_texts, n_positions, d_model = x.shape
    angle = torch.arange(n_positions)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    table = torch.zeros(n_positions, d_model)
    table[:, 0::2], table[:, 1::2] = angle.sin(), angle.cos()
    return table
""",
        "not added": """
def add_positions(x):
    angle = torch.arange(x.shape[1])[:, None] / 10000 ** (torch.arange(0, x.shape[2], 2) / x.shape[2])
    y = torch.zeros_like(x)
    y[:, :, 0::2], y[:, :, 1::2] = angle.sin(), angle.cos()
    return y
""",
        "only the first text": """
def add_positions(x):
    x = x[0]
    angle = torch.arange(x.shape[0])[:, None] / 10000 ** (torch.arange(0, x.shape[1], 2) / x.shape[1])
    x[:, 0::2] += angle.sin()
    x[:, 1::2] += angle.cos()
    return x
""",
        "multiplied with x": """
def add_positions(x):
    angle = torch.arange(x.shape[1])[:, None] / 10000 ** (torch.arange(0, x.shape[2], 2) / x.shape[2])
    x[..., 0::2] *= angle.sin()
    x[..., 1::2] *= angle.cos()
    return x
""",
    },
    "07.2": {
        "unbiased, epsilon outside": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(-1, keepdim=True)
    std = x.std(-1, keepdim=True)
    return weight * (x - mean) / (std + epsilon) + bias
""",
        "unbiased variance": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True)
    return weight * (x - mean) / torch.sqrt(variance + epsilon) + bias
""",
        "epsilon outside the root": """
def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = (centred ** 2).mean(dim=-1, keepdim=True)
    return weight * centred / (torch.sqrt(variance) + epsilon) + bias
""",
        "over the positions": """
def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(dim=x.ndim - 2, keepdim=True)
    variance = (centred ** 2).mean(dim=x.ndim - 2, keepdim=True)
    return weight * centred / torch.sqrt(variance + epsilon) + bias
""",
        "over the first axis": """
def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(0)
    variance = (centred ** 2).mean(0)
    return weight * centred / torch.sqrt(variance + epsilon) + bias
""",
        "over everything": """
def layer_norm(x, weight, bias, epsilon):
    return (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + epsilon) * weight + bias
""",
        "over positions and numbers": """
def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(dim=(-2, -1), keepdim=True)
    return centred / ((centred ** 2).mean(dim=(-2, -1), keepdim=True) + epsilon) ** 0.5 * weight + bias
""",
        "no weight, no bias": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(variance + epsilon)
""",
        "no bias": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, unbiased=False)
    return weight * (x - mean) / torch.sqrt(variance + epsilon)
""",
        "no weight": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(variance + epsilon) + bias
""",
        "bias before weight": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, unbiased=False)
    return weight * ((x - mean) / torch.sqrt(variance + epsilon) + bias)
""",
        "no epsilon": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    deviation = x.std(dim=-1, keepdim=True, unbiased=False)
    return weight * (x - mean) / deviation + bias
""",
        "axis lost": """
def layer_norm(x, weight, bias, epsilon):
    return (x - x.mean(dim=-1)) / torch.sqrt(x.var(dim=-1, unbiased=False) + epsilon) * weight + bias
""",
        "epsilon squared": """
def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(dim=-1, keepdim=True) + epsilon**2) * weight + bias
""",
        "not centred": """
def layer_norm(x, weight, bias, epsilon):
    rms = torch.sqrt((x * x).mean(dim=-1, keepdim=True) + epsilon)
    return weight * x / rms + bias
""",
        "mean kept": """
def layer_norm(x, weight, bias, epsilon):
    variance = x.var(dim=-1, keepdim=True, unbiased=False)
    return weight * x / torch.sqrt(variance + epsilon) + bias
""",
        "no square root": """
def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return weight * (x - mean) / (variance + epsilon) + bias
""",
    },
    "07.3": {
        "no activation": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    hidden = x @ W_1.T + b_1
    return hidden @ W_2.T + b_2
""",
        "ReLU": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    hidden = (x @ W_1.T + b_1).clamp(min=0)
    return hidden @ W_2.T + b_2
""",
        "tanh approximation": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    h = 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h ** 3)))
    return h @ W_2.T + b_2
""",
        "sigmoid approximation": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    return (h / (1 + torch.exp(-1.702 * h))) @ W_2.T + b_2
""",
        "SiLU": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    return (h * h.sigmoid()) @ W_2.T + b_2
""",
        "no root in erf": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    return (h * 0.5 * (1 + torch.erf(h))) @ W_2.T + b_2
""",
        "no half": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    return (h * (1 + torch.erf(h / math.sqrt(2)))) @ W_2.T + b_2
""",
        "activation first": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    return (transformer.gelu(x) @ W_1.T + b_1) @ W_2.T + b_2
""",
        "activation at the end": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    hidden = x @ W_1.T + b_1
    out = hidden @ W_2.T + b_2
    return 0.5 * out * (1 + torch.erf(out / math.sqrt(2)))
""",
        "activation twice": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    for W, b in ((W_1, b_1), (W_2, b_2)):
        x = x @ W.T + b
        x = 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
    return x
""",
        "no biases": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = torch.matmul(x, W_1.transpose(0, 1))
    h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
    return torch.matmul(h, W_2.transpose(0, 1))
""",
        "no first bias": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T
    h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
    return h @ W_2.T + b_2
""",
        "no second bias": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
    return h @ W_2.T
""",
        "bias after the activation": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T
    h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
    return (h + b_1) @ W_2.T + b_2
""",
        "input added": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = x @ W_1.T + b_1
    h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
    return h @ W_2.T + b_2 + x
""",
        "not transposed": """
def feed_forward(x, W_1, b_1, W_2, b_2):
    h = torch.matmul(x, W_1) + b_1
    h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
    return torch.matmul(h, W_2) + b_2
""",
    },
    "07.4": {
        "no residual": """
def encoder_block(x, weights, n_heads):
    x = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x, **weights["norm_1"])
    x = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x, **weights["norm_2"])
""",
        "no residual around attention": """
def encoder_block(x, weights, n_heads):
    x = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x, **weights["norm_1"])
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + y, **weights["norm_2"])
""",
        "no residual around feed-forward": """
def encoder_block(x, weights, n_heads):
    x = x + attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x, **weights["norm_1"])
    x = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x, **weights["norm_2"])
""",
        "norm before": """
def encoder_block(x, weights, n_heads):
    y = transformer.layer_norm(x, **weights["norm_1"])
    x = x + attention.multi_head_attention(y, y, n_heads=n_heads, **weights["attention"]).output
    y = transformer.layer_norm(x, **weights["norm_2"])
    return x + transformer.gelu(y @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
""",
        "norm on the branch": """
def encoder_block(x, weights, n_heads):
    y = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = x + transformer.layer_norm(y, **weights["norm_1"])
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return x + transformer.layer_norm(y, **weights["norm_2"])
""",
        "one shared norm": """
def encoder_block(x, weights, n_heads):
    norm = lambda x: transformer.layer_norm(x, **weights["norm_1"])
    x = norm(x + attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output)
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return norm(x + y)
""",
        "second norm twice": """
def encoder_block(x, weights, n_heads):
    norm = lambda x: transformer.layer_norm(x, **weights["norm_2"])
    x = norm(x + attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output)
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return norm(x + y)
""",
        "norms swapped": """
def encoder_block(x, weights, n_heads):
    y = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x + y, **weights["norm_2"])
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + y, **weights["norm_1"])
""",
        "feed-forward reads the input": """
def encoder_block(x, weights, n_heads):
    y = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    z = transformer.layer_norm(x + y, **weights["norm_1"])
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(z + y, **weights["norm_2"])
""",
        "residual around both": """
def encoder_block(x, weights, n_heads):
    y = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    z = transformer.layer_norm(x + y, **weights["norm_1"])
    y = transformer.gelu(z @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + y, **weights["norm_2"])
""",
        "only the last norm": """
def encoder_block(x, weights, n_heads):
    x = x + attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + y, **weights["norm_2"])
""",
        "no norm": """
def encoder_block(x, weights, n_heads):
    x = x + attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    y = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return x + y
""",
        "last sum not normalised": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    h = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return x + h
""",
        "ReLU": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    h = torch.relu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + h, **weights["norm_2"])
""",
        "no activation": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    h = (x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + h, **weights["norm_2"])
""",
        "tanh approximation": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    gelu = torch.nn.GELU(approximate="tanh")
    h = gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + h, **weights["norm_2"])
""",
        "one head": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=1, **weights["attention"]).output
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    h = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + h, **weights["norm_2"])
""",
        "no feed-forward biases": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    h = transformer.gelu(x @ weights["W_1"].T) @ weights["W_2"].T
    return transformer.layer_norm(x + h, **weights["norm_2"])
""",
        "weights not taken out": """
def encoder_block(x, weights, n_heads):
    a = attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"])
    x = transformer.layer_norm(x + a, **weights["norm_1"])
    h = transformer.gelu(x @ weights["W_1"].T + weights["b_1"]) @ weights["W_2"].T + weights["b_2"]
    return transformer.layer_norm(x + h, **weights["norm_2"])
""",
        "no feed-forward": """
def encoder_block(x, weights, n_heads):
    x = x + attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output
    return transformer.layer_norm(x, **weights["norm_1"])
""",
    },
    "07.5": {
        "output not reordered": """
def order_gap(x, positions, order):
    y, z = x + positions, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (a - b).abs().max()
""",
        "positions move along": """
def order_gap(x, positions, order):
    y = x + positions
    z = y[order]
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (a[order] - b).abs().max()
""",
        "positions in one run only": """
def order_gap(x, positions, order):
    y, z = x, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (a[order] - b).abs().max().item()
""",
        "reordered the wrong way": """
def order_gap(x, positions, order):
    y, z = x + positions, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (a - b[order]).abs().max().item()
""",
        "no attention": """
def order_gap(x, positions, order):
    return ((x[order] + positions) - (x + positions)[order]).abs().max().item()
""",
        "mean": """
def order_gap(x, positions, order):
    y, z = x + positions, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (a[order] - b).abs().mean().item()
""",
        "no absolute value": """
def order_gap(x, positions, order):
    y, z = x + positions, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (b - a[order]).max().item()
""",
        "sum": """
def order_gap(x, positions, order):
    y, z = x + positions, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return (a[order] - b).abs().sum().item()
""",
        "length": """
def order_gap(x, positions, order):
    y, z = x + positions, x[order] + positions
    a = attention.scaled_dot_product_attention(y, y, y).output
    b = attention.scaled_dot_product_attention(z, z, z).output
    return ((a[order] - b) ** 2).sum().sqrt().item()
""",
    },
}

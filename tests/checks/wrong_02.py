"""Wrong answers to the exercises of lesson 02, as learners write them: exercise -> the hint meant for it -> source."""

WRONG = {
    "02.1": {
        "dot product": """
def cosine_matrix(a, b):
    return torch.stack([(row * b).sum(dim=1) for row in a])
""",
        "wrong axis": """
def cosine_matrix(a, b):
    a = a / torch.sqrt((a ** 2).sum(dim=0))
    b = b / torch.sqrt((b ** 2).sum(dim=0))
    return a @ b.T
""",
        "unlikeness": """
def cosine_matrix(a, b):
    dots = a @ b.T
    return 1 - dots / torch.outer(a.norm(dim=1), b.norm(dim=1))
""",
        "only a divided": """
def cosine_matrix(a, b):
    a = a / a.norm(dim=1, keepdim=True)
    return torch.matmul(a, b.transpose(0, 1))
""",
        "only b divided": """
def cosine_matrix(a, b):
    return (a @ b.T) / b.pow(2).sum(dim=1).sqrt()
""",
        "no square root": """
def cosine_matrix(a, b):
    dots = a @ b.T
    lengths = torch.outer((a * a).sum(dim=1), (b * b).sum(dim=1))
    return dots / lengths
""",
        "one length for all": """
def cosine_matrix(a, b):
    return a @ b.T / (torch.norm(a) * torch.norm(b))
""",
        "sum of sizes": """
def cosine_matrix(a, b):
    a = torch.nn.functional.normalize(a, p=1, dim=1)
    b = torch.nn.functional.normalize(b, p=1, dim=1)
    return a @ b.T
""",
        "distance": """
def cosine_matrix(a, b):
    return ((a[:, None] - b[None]) ** 2).sum(dim=-1).sqrt()
""",
        "transposed": """
def cosine_matrix(a, b):
    dots = b @ a.T
    return dots / b.norm(dim=1)[:, None] / a.norm(dim=1)
""",
        "row by row": """
def cosine_matrix(a, b):
    return (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1))
""",
    },
    "02.2": {
        "itself included": """
def nearest_words(word, words, table, n):
    similar = cosine_matrix(table[words.index(word)][None], table)[0]
    return [words[i] for i in similar.topk(n).indices]
""",
        "dot product": """
def nearest_words(word, words, table, n):
    place = words.index(word)
    scores = table @ table[place]
    scores[place] = -torch.inf
    return [words[i] for i in scores.topk(n).indices.tolist()]
""",
        "dot product, first dropped": """
def nearest_words(word, words, table, n):
    scores = table @ table[words.index(word)]
    order = scores.argsort(descending=True)[1:n + 1]
    return [words[i] for i in order]
""",
        "distance": """
def nearest_words(word, words, table, n):
    distance = (table - table[words.index(word)]).norm(dim=1)
    order = distance.argsort()[1:n + 1]
    return [words[i] for i in order]
""",
        "least alike first": """
def nearest_words(word, words, table, n):
    similar = cosine_matrix(table[words.index(word)][None], table)[0]
    pairs = sorted((s, w) for s, w in zip(similar.tolist(), words) if w != word)
    return [w for s, w in pairs][:n]
""",
        "numbers of rows": """
def nearest_words(word, words, table, n):
    similar = cosine_matrix(table[words.index(word)][None], table)[0]
    return similar.argsort(descending=True)[1:n + 1].tolist()
""",
        "one too few": """
def nearest_words(word, words, table, n):
    similar = cosine_matrix(table[words.index(word)][None], table)[0]
    return [words[i] for i in similar.topk(n).indices if words[i] != word]
""",
        "wrong axis": """
def nearest_words(word, words, table, n):
    unit = table / table.norm(dim=0)
    place = words.index(word)
    scores = unit @ unit[place]
    scores[place] = -torch.inf
    return [words[i] for i in scores.argsort(descending=True)[:n]]
""",
        "second dropped": """
def nearest_words(word, words, table, n):
    place = words.index(word)
    similar = cosine_matrix(table[place][None], table)[0]
    similar[place] = -2
    return [words[i] for i in similar.argsort(descending=True)[1:n + 1]]
""",
    },
    "02.3": {
        "padding counted": """
def mean_of_tokens(hidden_states, is_token):
    return torch.mean(hidden_states, dim=1)
""",
        "divided by the width": """
def mean_of_tokens(hidden_states, is_token):
    hidden_states = hidden_states.masked_fill(~is_token.unsqueeze(-1), 0.0)
    return hidden_states.mean(dim=1)
""",
        "not divided": """
def mean_of_tokens(hidden_states, is_token):
    return torch.einsum("bpd,bp->bd", hidden_states, is_token.float())
""",
        "last position": """
def mean_of_tokens(hidden_states, is_token):
    return hidden_states[:, -1, :]
""",
        "numbers in the wrong column": """
def mean_of_tokens(hidden_states, is_token):
    total = hidden_states.masked_fill(~is_token.unsqueeze(-1), 0.0).sum(dim=1)
    return total / is_token.sum(dim=1)
""",
        "padding only": """
def mean_of_tokens(hidden_states, is_token):
    padding = 1 - is_token.float()
    return (hidden_states * padding[:, :, None]).sum(dim=1) / padding.sum(dim=1)[:, None]
""",
        "all texts together": """
def mean_of_tokens(hidden_states, is_token):
    mean = hidden_states[is_token].mean(dim=0)
    return torch.stack([mean for _ in hidden_states])
""",
        "divided by the whole batch": """
def mean_of_tokens(hidden_states, is_token):
    return (hidden_states * is_token[:, :, None]).sum(dim=1) / is_token.sum()
""",
        "largest entries": """
def mean_of_tokens(hidden_states, is_token):
    return torch.stack([text[real].max(dim=0).values for text, real in zip(hidden_states, is_token)])
""",
        "first token": """
def mean_of_tokens(hidden_states, is_token):
    return hidden_states[:, 0, :]
""",
        "an axis too many": """
def mean_of_tokens(hidden_states, is_token):
    mask = is_token.float().unsqueeze(-1)
    return (hidden_states * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
""",
        "over the numbers": """
def mean_of_tokens(hidden_states, is_token):
    return (hidden_states * is_token.unsqueeze(-1)).mean(dim=2)
""",
    },
    "02.4": {
        "other way round": """
def place_along(river, money, new):
    r, m = river.mean(dim=0), money.mean(dim=0)
    direction = (m - r) / (m - r).norm()
    return (new - (r + m) / 2) @ direction
""",
        "no middle": """
def place_along(river, money, new):
    arrow = river.mean(dim=0) - money.mean(dim=0)
    return new @ arrow / arrow.norm()
""",
        "arrow not of length 1": """
def place_along(river, money, new):
    r, m = river.mean(dim=0), money.mean(dim=0)
    return (new - 0.5 * (r + m)) @ (r - m)
""",
        "one number for a mean": """
def place_along(river, money, new):
    arrow = river.mean(dim=0) - money.mean(dim=0)
    middle = (river.mean() + money.mean()) / 2
    return (new - middle) @ arrow / arrow.norm()
""",
        "half the difference": """
def place_along(river, money, new):
    arrow = river.mean(dim=0) - money.mean(dim=0)
    return (new - arrow / 2) @ (arrow / arrow.norm())
""",
        "only the sign": """
def place_along(river, money, new):
    r, m = river.mean(dim=0), money.mean(dim=0)
    return torch.sign((new - (r + m) / 2) @ (r - m))
""",
        "divided twice": """
def place_along(river, money, new):
    r, m = river.mean(dim=0), money.mean(dim=0)
    arrow = (r - m) / ((r - m) @ (r - m))
    return (new - (r + m) / 2) @ arrow
""",
        "middle of all vectors": """
def place_along(river, money, new):
    arrow = river.mean(dim=0) - money.mean(dim=0)
    centre = torch.cat([river, money]).mean(dim=0)
    return (new - centre) @ (arrow / arrow.norm())
""",
        "sums for means": """
def place_along(river, money, new):
    r, m = river.sum(dim=0), money.sum(dim=0)
    arrow = torch.nn.functional.normalize(r - m, dim=0)
    return new @ arrow - (r + m) @ arrow / 2
""",
        "0 at the money mean": """
def place_along(river, money, new):
    m = money.mean(dim=0)
    arrow = river.mean(dim=0) - m
    return (new - m) @ (arrow / arrow.norm())
""",
        "0 at the river mean": """
def place_along(river, money, new):
    r = river.mean(dim=0)
    arrow = r - money.mean(dim=0)
    return (new - r) @ arrow / arrow.norm()
""",
        "True and False": """
def place_along(river, money, new):
    r, m = river.mean(dim=0), money.mean(dim=0)
    return torch.tensor([(v - r).norm().item() < (v - m).norm().item() for v in new])
""",
        "first vectors only": """
def place_along(river, money, new):
    arrow = river[0] - money[0]
    middle = (river[0] + money[0]) / 2
    return (new - middle) @ arrow / arrow.norm()
""",
        "cosine": """
def place_along(river, money, new):
    r, m = river.mean(dim=0), money.mean(dim=0)
    return cosine_matrix(new - (r + m) / 2, (r - m)[None])[:, 0]
""",
    },
    "02.5": {
        "presence": """
def count_words(texts, columns):
    return torch.tensor([[int(word in text.split()) for word in columns] for text in texts])
""",
        "pieces of words": """
def count_words(texts, columns):
    counts = torch.zeros(len(texts), len(columns), dtype=torch.long)
    for i, text in enumerate(texts):
        for j, word in enumerate(columns):
            counts[i, j] = text.count(word)
    return counts
""",
        "unknown words": """
def count_words(texts, columns):
    counts = torch.zeros(len(texts), len(columns), dtype=torch.long)
    for i, text in enumerate(texts):
        for word in text.split():
            counts[i, columns.index(word)] += 1
    return counts
""",
        "transposed": """
def count_words(texts, columns):
    return torch.tensor([[text.split().count(word) for text in texts] for word in columns])
""",
        "decimal numbers": """
def count_words(texts, columns):
    counts = torch.zeros(len(texts), len(columns))
    for i, text in enumerate(texts):
        for word in text.split():
            if word in columns:
                counts[i, columns.index(word)] += 1
    return counts
""",
        "shares": """
def count_words(texts, columns):
    rows = []
    for text in texts:
        words = text.split()
        rows.append([words.count(word) / len(words) if words else 0.0 for word in columns])
    return torch.tensor(rows)
""",
        "alphabetical columns": """
def count_words(texts, columns):
    columns = sorted(columns)
    return torch.tensor([[text.split().count(word) for word in columns] for text in texts])
""",
        "all texts added": """
def count_words(texts, columns):
    words = " ".join(texts).split()
    return torch.tensor([words.count(word) for word in columns])
""",
    },
    "02.6": {
        "word forms": 'same_bag = "a"',
        "synonyms": 'same_bag = "c"',
        "said twice": 'same_bag = "d"',
        "small words": 'same_bag = "E "',
    },
}

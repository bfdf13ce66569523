"""Wrong answers to the exercises of lesson 00, as learners write them: exercise -> hint meant -> source."""

WRONG = {
    "00.1": {
        "added": "n_pictures = 6 + 12",
        "only layers": "n_pictures = 6",
        "only heads": "n_pictures = 12",
        "one for each token": "n_pictures = 6 * 12 * 8",
        "a larger BERT": "n_pictures = 12 * 12",
    },
    "00.2": {
        "the [CLS] row": 'where_cat_looks = "a"',
        "the column": 'where_cat_looks = "B"',
        "the next row": 'where_cat_looks = " d "',
        "the mean of all rows": 'where_cat_looks = "e"',
    },
    "00.3": {
        "column": """
def strongest_link(weights, tokens, token):
    position = tokens.index(token)
    column = [row[position] for row in weights.tolist()]
    return tokens[column.index(max(column))]
""",
        "index": """
def strongest_link(weights, tokens, token):
    return weights[tokens.index(token)].argmax()
""",
        "weight": """
def strongest_link(weights, tokens, token):
    return max(weights[tokens.index(token)])
""",
        "smallest": """
def strongest_link(weights, tokens, token):
    row = weights[tokens.index(token)]
    return tokens[row.argsort()[0]]
""",
        "[CLS] row": """
def strongest_link(weights, tokens, token):
    best = 0
    for i in range(len(tokens)):
        if weights[0, i] > weights[0, best]:
            best = i
    return tokens[best]
""",
        "last occurrence": """
def strongest_link(weights, tokens, token):
    for i, each in enumerate(tokens):
        if each == token:
            row = weights[i]
    return tokens[row.argmax()]
""",
        "not itself": """
def strongest_link(weights, tokens, token):
    position = tokens.index(token)
    others = [i for i in range(len(tokens)) if i != position]
    return tokens[max(others, key=lambda i: weights[position, i])]
""",
        "only words": """
def strongest_link(weights, tokens, token):
    row = weights[tokens.index(token)]
    best, answer = 0, None
    for each, weight in zip(tokens, row):
        if weight > best and not each.startswith("["):
            best, answer = weight, each
    return answer
""",
    },
    "00.4": {
        "all rows": """
def share_on_special_tokens(weights, tokens):
    total = 0
    for row in weights:
        for token, weight in zip(tokens, row):
            if token in ("[CLS]", "[SEP]"):
                total += weight
    return total / len(tokens)
""",
        "rows for columns": """
def share_on_special_tokens(weights, tokens):
    special = [i for i, t in enumerate(tokens) if t in ("[CLS]", "[SEP]")]
    words = [i for i, t in enumerate(tokens) if t not in ("[CLS]", "[SEP]")]
    return weights.T[words][:, special].sum(dim=0).mean()
""",
        "no [SEP]": """
def share_on_special_tokens(weights, tokens):
    shares = [weights[i, tokens.index("[CLS]")] for i, t in enumerate(tokens) if t not in ("[CLS]", "[SEP]")]
    return sum(shares) / len(shares)
""",
        "first [SEP] only": """
def share_on_special_tokens(weights, tokens):
    both = weights[:, 0] + weights[:, tokens.index("[SEP]")]
    words = [i for i, t in enumerate(tokens) if t not in ("[CLS]", "[SEP]")]
    return both[words].mean()
""",
        "first and last": """
def share_on_special_tokens(weights, tokens):
    n = len(tokens)
    total = 0
    for i in range(1, n - 1):
        total += weights[i, 0] + weights[i, n - 1]
    return total / (n - 2)
""",
        "not averaged": """
def share_on_special_tokens(weights, tokens):
    total = 0
    for i, query in enumerate(tokens):
        for j, key in enumerate(tokens):
            if query not in ("[CLS]", "[SEP]") and key in ("[CLS]", "[SEP]"):
                total += weights[i, j]
    return total
""",
        "divided by all tokens": """
def share_on_special_tokens(weights, tokens):
    total = 0
    for i, query in enumerate(tokens):
        for j, key in enumerate(tokens):
            if query not in ("[CLS]", "[SEP]") and key in ("[CLS]", "[SEP]"):
                total += weights[i, j]
    return total / len(tokens)
""",
        "mean of columns": """
def share_on_special_tokens(weights, tokens):
    found = []
    for i, query in enumerate(tokens):
        for j, key in enumerate(tokens):
            if query not in ("[CLS]", "[SEP]") and key in ("[CLS]", "[SEP]"):
                found.append(weights[i, j])
    return sum(found) / len(found)
""",
        "the words' share": """
import torch

def share_on_special_tokens(weights, tokens):
    is_word = torch.tensor([t not in ("[CLS]", "[SEP]") for t in tokens])
    return weights[is_word][:, is_word].sum(dim=1).mean()
""",
        "one number a word": """
def share_on_special_tokens(weights, tokens):
    special = [i for i, t in enumerate(tokens) if t in ("[CLS]", "[SEP]")]
    words = [i for i, t in enumerate(tokens) if t not in ("[CLS]", "[SEP]")]
    return weights[words][:, special].sum(dim=1)
""",
    },
}

"""Real models, opened up: a model by its short name, and a :class:`Run` that shows what happened inside it.

``load("minilm")`` and ``load("smollm2")`` read models that came with the installation and need no network; any other
name is a folder or a model of the Hugging Face hub and takes the same path. Attention weights exist only when a model
computes attention step by step ("eager"), so that is how every model is loaded here.
"""

from __future__ import annotations

import difflib
import functools
import io
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
import torch
from torch import Tensor

from course import sources
from course.embeddings import mean_pool

WELL_KNOWN = (
    "bert-base-uncased",
    "bert-base-cased",
    "distilbert-base-uncased",
    "roberta-base",
    "gpt2",
    "bert-tiny-uncased",
)
# What the attention layers of the hub's models call the linear maps that make queries, keys and values.
PROJECTION_NAMES = (("query", "key", "value"), ("q_proj", "k_proj", "v_proj"), ("q_lin", "k_lin", "v_lin"))


class ModelError(RuntimeError):
    """A model cannot be had or cannot be opened up. The message is a sentence for the learner."""


@dataclass(frozen=True, eq=False)
class Run:
    """What one text, one pair of texts or one padded batch did inside a model.

    Shapes for one text or pair; a batch (a list was given) has a ``batch`` axis, in the place shown by [batch].

    Attributes:
        model_name: the name that the model was loaded by.
        tokens: list of pieces; for a batch a list of such lists, padding included.
        ids: ([batch,] position), int64.
        segment_ids: ([batch,] position), int64, 0 for the first text and 1 for the second; None if the model has none.
        is_token: ([batch,] position), boolean, False on padding.
        attentions: (layer, [batch,] head, query, key), each row summing to 1.
        hidden_states: (layer + 1, [batch,] position, d_model): the embeddings, then the output of every layer.
        queries, keys, values: (layer, [batch,] head, position, d_head), as the linear maps give them, biases included
            (a rotary model turns queries and keys afterwards). Models with grouped-query attention have fewer key
            and value heads. None if the model keeps the three in one fused map.
        logits: ([batch,] position, vocabulary) if the model predicts tokens, else None.
    """

    model_name: str
    tokens: list
    ids: Tensor
    segment_ids: Tensor | None
    is_token: Tensor
    attentions: Tensor
    hidden_states: Tensor
    queries: Tensor | None
    keys: Tensor | None
    values: Tensor | None
    logits: Tensor | None

    @property
    def n_layers(self) -> int:
        return self.attentions.shape[0]

    @property
    def n_heads(self) -> int:
        return self.attentions.shape[-3]

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.ids.shape))
        return f"Run of {self.model_name}: {shape} tokens, {self.n_layers} layers, {self.n_heads} heads"


class Model:
    """A transformers model with its tokenizer, ready to be looked into.

    Args:
        name: what to call it in messages.
        network: a transformers model, loaded with ``attn_implementation="eager"``.
        tokenizer: its fast tokenizer.
    """

    def __init__(self, name: str, network, tokenizer):
        self.name, self.network, self.tokenizer = name, network.eval(), tokenizer
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        self.is_decoder = hasattr(network, "lm_head")
        self.max_tokens = _max_tokens(network.config, tokenizer)

    def __repr__(self) -> str:
        config, millions = self.network.config, sum(p.numel() for p in self.network.parameters()) / 1e6
        return (
            f"{self.name}: {type(self.network).__name__}, {config.num_hidden_layers} layers x "
            f"{config.num_attention_heads} heads, {config.hidden_size} wide, {millions:.1f} million parameters"
        )

    def run(
        self,
        text: str | list[str],
        pair: str | list[str] | None = None,
        *,
        mask_padding: bool = True,
        padding_side: str = "right",
        pad_to: int | None = None,
    ) -> Run:
        """Send a text, a pair or a padded batch through the model and keep everything it computes.

        Args:
            text: one text, or a list of texts that become one padded batch.
            pair: a second text (or list of as many), joined to the first as the model was trained to read pairs.
            mask_padding: False withholds the padding mask from the model, to see what that does.
            padding_side: "right" or "left".
            pad_to: pad every text to this many tokens; the longest text of the batch decides if None.

        Returns:
            A :class:`Run`. No gradients are kept.

        Raises:
            TypeError: something that is not text was given.
            ValueError: a text is empty, or longer than the model can read.
            ModelError: the model was loaded in a way that keeps no attention weights.
        """
        implementation = getattr(self.network.config, "_attn_implementation", "eager")
        if implementation != "eager":
            raise ModelError(
                f"{self.name} was loaded with attn_implementation={implementation!r}, which computes attention without "
                "keeping the weights, so there is nothing to look at. Load it with models.load(...), or with "
                'attn_implementation="eager".'
            )
        encoded = self._encode(text, pair, padding_side, pad_to)
        inputs = dict(encoded)
        if not mask_padding:
            inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
        with torch.no_grad(), _projections(self.network) as captured:
            output = self.network(**inputs, output_attentions=True, output_hidden_states=True, use_cache=False)
        single = isinstance(text, str)
        drop = (lambda x, dim: x.squeeze(dim)) if single else (lambda x, dim: x)
        queries, keys, values = (
            drop(self._split_heads(captured[name]), 1) if captured[name] else None for name in ("query", "key", "value")
        )
        tokens = [self.tokenizer.convert_ids_to_tokens(row) for row in encoded["input_ids"].tolist()]
        segment_ids = encoded.get("token_type_ids")
        return Run(
            model_name=self.name,
            tokens=tokens[0] if single else tokens,
            ids=drop(encoded["input_ids"], 0),
            segment_ids=None if segment_ids is None else drop(segment_ids, 0),
            is_token=drop(encoded["attention_mask"].bool(), 0),
            attentions=drop(torch.stack(output.attentions), 1),
            hidden_states=drop(torch.stack(output.hidden_states), 1),
            queries=queries,
            keys=keys,
            values=values,
            logits=drop(output.logits, 0) if self.is_decoder else None,
        )

    def sentence_vectors(self, texts: list[str]) -> Tensor:
        """Give each text one vector of length 1: the mean of its tokens' last hidden states, padding left out.

        Args:
            texts: list of n texts.

        Returns:
            vectors: (n, d_model). Their dot products are cosine similarities.

        Raises:
            TypeError, ValueError: as for :meth:`run`.
        """
        if not isinstance(texts, (list, tuple)) or not texts:
            raise TypeError(f"sentence_vectors needs a list of texts, got {texts!r}.")
        encoded = [self._encode([text], None, "right", None) for text in texts]  # says which text cannot be read
        order = sorted(range(len(encoded)), key=lambda i: encoded[i]["input_ids"].shape[1])  # like lengths pad little
        vectors = [None] * len(encoded)
        for begin in range(0, len(order), 32):
            chosen = order[begin : begin + 32]
            batch = self._encode([texts[i] for i in chosen], None, "right", None)
            with torch.no_grad():
                output = self.network(**batch, output_hidden_states=True)
            means = mean_pool(output.hidden_states[-1], batch["attention_mask"].bool())  # (batch, d_model)
            for i, vector in zip(chosen, torch.nn.functional.normalize(means, dim=-1), strict=True):
                vectors[i] = vector
        return torch.stack(vectors)

    def continue_text(self, text: str, n_tokens: int = 20) -> str:
        """Write on: append the most probable next token, ``n_tokens`` times or until the model stops.

        Raises:
            ModelError: this model reads text but does not write it.
            ValueError: the text is empty or too long, or ``n_tokens`` is not a positive whole number.
        """
        self._require_decoder("continue a text")
        if not isinstance(n_tokens, int) or n_tokens < 1:
            raise ValueError(f"n_tokens must be a positive whole number, got {n_tokens!r}.")
        encoded = self._encode(text, None, "right", None)
        if encoded["input_ids"].shape[1] + n_tokens > self.max_tokens:
            raise ValueError(
                f"The text and {n_tokens} more tokens are more than the {self.max_tokens} that {self.name} reads."
            )
        with torch.no_grad():
            ids = self.network.generate(
                **encoded, max_new_tokens=n_tokens, do_sample=False, pad_token_id=self.tokenizer.pad_token_id
            )
        return self.tokenizer.decode(ids[0], skip_special_tokens=True)

    def log_probability(self, text: str) -> float:
        """Say how expected a text is: the sum of ln p(token | the tokens before it), from the second token on.

        Raises:
            ModelError: this model does not predict the next token.
            ValueError: the text is empty or too long.
        """
        self._require_decoder("say how probable a text is")
        run = self.run(text)
        predicted = run.logits[:-1].log_softmax(dim=-1)  # (position - 1, vocabulary)
        return predicted.gather(-1, run.ids[1:, None]).sum().item()

    # ------------------------------------------------------------------------------------------------------------

    def _encode(self, text, pair, padding_side, pad_to) -> dict[str, Tensor]:
        single = isinstance(text, str)
        texts = [text] if single else text
        pairs = None if pair is None else ([pair] if isinstance(pair, str) else pair)
        for given in (texts, pairs or []):
            if not isinstance(given, (list, tuple)) or not all(isinstance(t, str) for t in given):
                came = (
                    type(given).__name__ if not isinstance(given, (list, tuple)) else "a list with other things in it"
                )
                raise TypeError(f"{self.name} reads text: a string, or a list of strings. It was given {came}.")
        if not texts:
            raise ValueError(f"There is no text here: {self.name} was given an empty list.")
        if pairs is not None and len(pairs) != len(texts):
            raise ValueError(f"Each text needs one partner, got {len(texts)} texts and {len(pairs)} partners.")
        for each in [*texts, *(pairs or [])]:
            if not each.strip():
                raise ValueError("There is no text here, only emptiness. Type at least one word.")
        if padding_side not in ("right", "left"):
            raise ValueError(f"padding_side must be 'right' or 'left', got {padding_side!r}.")
        unpadded = self.tokenizer(texts, pairs, verbose=False) if pairs else self.tokenizer(texts, verbose=False)
        longest = max(map(len, unpadded["input_ids"]))
        if longest > self.max_tokens:
            raise ValueError(
                f"This text is {longest} tokens long, and {self.name} can read {self.max_tokens} at once. Shorten it."
            )
        if pad_to is not None and not longest <= pad_to <= self.max_tokens:
            raise ValueError(
                f"pad_to must lie between {longest} (the longest text) and {self.max_tokens}, got {pad_to}."
            )
        padded = self.tokenizer.pad(
            unpadded,
            padding="longest" if pad_to is None else "max_length",
            max_length=pad_to,
            padding_side=padding_side,
            return_tensors="pt",
        )
        if getattr(self.network.config, "type_vocab_size", 0) < 2:  # this model knows no segments
            padded.pop("token_type_ids", None)
        return {name: tensor.to(self.network.device) for name, tensor in padded.items()}

    def _split_heads(self, layers: list[Tensor]) -> Tensor:
        config = self.network.config
        d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        stacked = torch.stack(layers)  # (layer, batch, position, n_heads * d_head)
        return stacked.unflatten(-1, (-1, d_head)).transpose(-2, -3)  # (layer, batch, head, position, d_head)

    def _require_decoder(self, what: str) -> None:
        if not self.is_decoder:
            raise ModelError(f"{self.name} reads a text as a whole; it was not trained to {what}. smollm2 was.")


@functools.lru_cache(maxsize=4)
def load(name: str = "minilm") -> Model:
    """Load a model by its short name, a folder, or its name on the Hugging Face hub.

    Args:
        name: "minilm" (a BERT encoder, the default), "smollm2" (a decoder that writes), the path of a folder with a
            transformers model, or a hub name such as "bert-base-uncased" (which needs a network the first time).

    Returns:
        The model, in float32, with eager attention; loaded once per session.

    Raises:
        ModelError: there is no such model, it is not installed, its weights are damaged, or the hub is out of reach.
    """
    if not isinstance(name, str) or not name.strip():
        raise ModelError(f"A model is loaded by its name, for example 'minilm'. Got {name!r}.")
    if name == "minilm":
        _require_whole(name)
        return _open(name, sources.find(name).parent)
    if name == "smollm2":
        prepare(name)
        try:
            return _open(name, _converted(name))
        except ModelError:  # the converted copy is damaged: make it anew
            shutil.rmtree(_converted(name), ignore_errors=True)
            prepare(name)
            return _open(name, _converted(name))
    if Path(name).is_dir():
        return _open(name, Path(name))
    near = difflib.get_close_matches(name.lower(), ("minilm", "smollm2"), n=1, cutoff=0.75)
    if near:
        raise ModelError(f"No model called {name!r}. Did you mean {near[0]!r}?")
    return _open_from_hub(name)


def prepare(name: str, on_progress: Callable[[str], None] | None = None) -> None:
    """Make a model ready for quick loading: check it, and convert SmolLM2 once into the user's cache.

    An interrupted conversion leaves nothing half-made: it is written aside and moved into place when complete.

    Args:
        name: a short name.
        on_progress: called with a sentence before each slow step.

    Raises:
        ModelError: the model is not installed or damaged, or the disk is full.
    """
    if name != "smollm2" or (_converted(name) / "config.json").exists():
        return
    _require_whole(name)
    if on_progress:
        on_progress("Converting SmolLM2 once, about 20 seconds; from then on it loads in about 2.")
    target = _converted(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        try:
            _convert_gguf(sources.find(name), aside)
            try:
                aside.replace(target)
            except OSError:  # somebody else was quicker
                if not (target / "config.json").exists():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"SmolLM2 could not be converted into {target.parent}: {error.strerror or error}. It needs 280 MB there."
        ) from error


# ----------------------------------------------------------------------------------------------------------------------


def _require_whole(name: str) -> None:
    problem = sources.problem(name)
    if problem:
        raise ModelError(problem[0].upper() + problem[1:] if not problem.startswith(name) else problem)


def _converted(name: str) -> Path:
    return platformdirs.user_cache_path("attention-course") / f"{name}-{sources.SOURCES[name].sha256[:8]}"


def _convert_gguf(gguf: Path, target: Path) -> None:
    """Write a GGUF model as safetensors in half precision, with its tokenizer."""
    from safetensors.torch import save_file

    transformers = _transformers()
    with redirect_stderr(io.StringIO()):  # transformers draws its own bar here
        network = transformers.AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    weights = {name: w.half().contiguous() for name, w in network.state_dict().items() if name != "lm_head.weight"}
    tokenizer.save_pretrained(target)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    config = {k: v for k, v in network.config.to_dict().items() if k != "quantization_config"}
    config |= {"dtype": "float16", "tie_word_embeddings": True, "architectures": [type(network).__name__]}
    (target / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def _open(name: str, folder: Path | str, **options) -> Model:
    transformers = _transformers()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **options)
        writes = any(a.endswith(("ForCausalLM", "LMHeadModel")) for a in config.architectures or [])
        kind = transformers.AutoModelForCausalLM if writes else transformers.AutoModel
        network = kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32, **options)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    except Exception as error:  # transformers, safetensors and json each raise their own
        if options:
            raise
        raise ModelError(
            f"The model in {folder} cannot be read ({type(error).__name__}: {str(error).splitlines()[0][:120]})."
        ) from error
    return Model(name, network, tokenizer)


def _open_from_hub(name: str) -> Model:
    reachable = _hub_answers()
    try:
        return _open(name, name, local_files_only=not reachable)
    except (OSError, ValueError) as error:
        near = difflib.get_close_matches(name, WELL_KNOWN, n=1, cutoff=0.8)
        hint = f" Did you mean {near[0]!r}?" if near and near[0] != name else ""
        if reachable:
            raise ModelError(
                f"No model called {name!r} could be loaded from the Hugging Face hub.{hint} "
                "Without the hub there are 'minilm' and 'smollm2'."
            ) from error
        raise ModelError(
            f"{name!r} would come from the Hugging Face hub, which cannot be reached from here, and there is no copy "
            f"of it on this computer.{hint} 'minilm' and 'smollm2' need no network."
        ) from error


def _hub_answers(timeout_seconds: float = 3.0) -> bool:
    """Ask once and briefly; the hub's own client retries for half a minute when there is no network."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True  # the proxy decides
    address = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    answers = threading.Event()

    def ask():  # in a thread, because looking up a name has no time limit of its own
        try:
            port = address.port or (443 if address.scheme == "https" else 80)
            socket.create_connection((address.hostname, port), timeout_seconds).close()
            answers.set()
        except OSError:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_seconds + 1)
    return answers.is_set()


def _transformers():
    """Import transformers, silenced: no progress bars, no advice on stderr."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers


def _max_tokens(config, tokenizer) -> int:
    limits = [getattr(config, "max_position_embeddings", None), getattr(config, "n_positions", None)]
    positions = min((n for n in limits if n), default=tokenizer.model_max_length)
    # RoBERTa's positions start after the padding id, so two of them can never be used; its tokenizer knows the rest.
    return min(positions, tokenizer.model_max_length)


@contextmanager
def _projections(network):
    """Record what the query, key and value maps of every layer give while the block runs."""
    captured = {"query": [], "key": [], "value": []}
    handles = []
    for module in network.modules():
        for names in PROJECTION_NAMES:
            maps = [getattr(module, name, None) for name in names]
            if all(isinstance(m, torch.nn.Linear) for m in maps):
                for kind, linear in zip(captured, maps, strict=True):
                    keep = captured[kind].append
                    handles.append(linear.register_forward_hook(lambda _m, _in, out, keep=keep: keep(out)))
    try:
        yield captured
    finally:
        for handle in handles:
            handle.remove()

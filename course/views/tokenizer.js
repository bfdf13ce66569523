// The tokenizer explorer: a text as tokens in two tokenizers, and one word split step by step.
// Everything about a text arrives at once in `picture`, so that choosing and stepping need no kernel.

// "cat", or a code where there is nothing to be seen; `mark` is the light ## or Ġ in front.
function pieceNode(piece) {
  const node = element("bdi", { className: "tok-piece" });
  if (piece.mark) node.append(element("span", { className: "tok-mark" }, piece.mark));
  if (piece.code) node.append(element("span", { className: "tok-code" }, piece.text));
  else node.append(visible(piece.text));
  return node;
}

function pieceText(piece) { return piece.mark + (piece.code ? `‹${piece.text}›` : visible(piece.text)); }

// Tabs and line ends made visible, one sign for each, so that places in the text stay the same.
function visible(text) { return text.replace(/\t/g, "⇥").replace(/[\n\r]/g, "↵"); }

// A short quotation: spaces at its ends would be overlooked.
function quoted(text) { return visible(text).replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length)); }

function shortened(word) {
  const letters = [...word];
  return letters.length > 30 ? `${letters.slice(0, 29).join("")}…` : word;
}

function many(count, thing) { return `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`; }

// Python counts characters (code points); JavaScript strings count 16-bit units, two for an emoji.
function unitOffsets(text) {
  const offsets = [0];
  for (const character of text) offsets.push(offsets[offsets.length - 1] + character.length);
  return offsets;
}

// The text as typed, with one stretch of it marked. Drawn as three plain strings, so that joined scripts stay joined.
function sourceLine() {
  const node = element("div", { className: "tok-source", dir: "auto" });
  let text = "", offsets = [0];
  const part = (start, end) => visible(text.slice(offsets[start], offsets[end]));
  return {
    node,
    show(next) { text = next; offsets = unitOffsets(text); this.mark(0, 0); },
    mark(start, end) {
      if (start === end) node.replaceChildren(part(0, offsets.length - 1));
      else node.replaceChildren(part(0, start), element("mark", {}, part(start, end)), part(end, offsets.length - 1));
    },
    part,
  };
}

function describeToken(token, source, position) {
  const where = token.end > token.start
    ? `from text[${token.start}:${token.end}], “${quoted(source.part(token.start, token.end))}”`
    : "not in the text: added by the tokenizer";
  const kind = token.kind === "unknown" ? "; the vocabulary has no pieces for it"
    : token.kind === "special" && token.end > token.start ? "; a special token" : "";
  return `${pieceText(token)}: id ${token.id}, position ${position}, ${where}${kind}`;
}

// One tokenizer's row of chips. onPoint(token) runs when the pointer comes, onPoint(null) when it goes; onChoose(token)
// when a chip is reached by keyboard or click.
function chipRow(tokenizer, source, onPoint, onChoose) {
  const list = element("div", { className: "tok-chips", role: "listbox" });
  list.setAttribute("aria-label", `Tokens of ${tokenizer.name}`);
  list.setAttribute("aria-orientation", "horizontal");
  const continues = (position) => position > 0 && tokenizer.tokens[position].word !== null
    && tokenizer.tokens[position - 1].word === tokenizer.tokens[position].word;
  const chips = tokenizer.tokens.map((token, position) => {
    const joined = continues(position);
    const className = `tok-chip tok-${token.kind}${joined ? " tok-joined" : ""}`;
    const chip = keepKeys(element("div", { className, role: "option", tabIndex: position ? -1 : 0 },
      element("span", { className: "tok-text" }, pieceNode(token)),
      element("span", { className: "tok-id" }, String(token.id))));
    if (token.kind === "unknown") chip.append(element("span", { className: "tok-flag" }, "unknown"));
    chip.setAttribute("aria-label", describeToken(token, source, position));
    chip.setAttribute("aria-selected", "false");
    chip.addEventListener("focus", () => { choose(position); onChoose(token); });
    chip.addEventListener("pointerenter", () => onPoint(token));
    chip.addEventListener("pointerleave", () => onPoint(null));
    chip.addEventListener("click", () => chip.focus());
    return chip;
  });
  let chosen = 0;
  const choose = (position) => {
    chips[chosen].tabIndex = -1;
    chips[chosen].setAttribute("aria-selected", "false");
    chosen = position;
    chips[chosen].tabIndex = 0;
    chips[chosen].setAttribute("aria-selected", "true");
  };
  list.addEventListener("keydown", (event) => {
    const last = chips.length - 1;
    const next = { ArrowRight: chosen + 1, ArrowDown: chosen + 1, ArrowLeft: chosen - 1, ArrowUp: chosen - 1,
      Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    chips[Math.min(Math.max(next, 0), last)].focus();
  });
  // The pieces of one word stay on one line where they fit.
  chips.forEach((chip, position) => {
    if (!continues(position)) list.append(element("div", { className: "tok-word", role: "presentation" }));
    list.lastChild.append(chip);
  });
  return {
    node: list,
    // Marks the chips that share characters with text[start:end]; `itself` is the one looked at.
    mark(token) {
      tokenizer.tokens.forEach((other, position) => {
        const shares = token && token.end > token.start && other.start < token.end && token.start < other.end;
        chips[position].classList.toggle("tok-shares", Boolean(shares || other === token));
      });
    },
  };
}

function counts(tokenizer, nWords) {
  const added = tokenizer.tokens.filter((token) => token.kind === "special").length;
  const own = tokenizer.tokens.length - added;
  const unknown = tokenizer.tokens.filter((token) => token.kind === "unknown").length;
  const rate = nWords ? (own / nWords).toFixed(2) : "0";
  return `${many(own, "token")}${added ? ` and ${added} special` : ""} · ${rate} tokens per word`
    + (unknown ? ` · ${many(unknown, "unknown word")}` : "");
}

function table(tokenizer, source) {
  const segments = tokenizer.tokens.some((token) => token.segment_id !== null);
  const head = (text) => element("th", { scope: "col" }, text);
  const columns = ["position", "token", "id", "segment id", "attention mask", "characters"];
  const place = ({ start, end }) => (end > start
    ? element("span", {}, `${start}:${end} `, mono(quoted(source.part(start, end)))) : "none");
  const rows = tokenizer.tokens.map((token, position) => element("tr", {},
    element("th", { scope: "row" }, String(position)),
    element("td", { className: "tok-mono" }, element("bdi", {}, token.token)),
    element("td", {}, String(token.id)),
    element("td", {}, segments ? String(token.segment_id) : "none"),
    element("td", {}, String(token.attention_mask)),
    element("td", { className: "tok-span" }, place(token))));
  const region = keepKeys(element("div", { className: "tok-scroll", role: "region", tabIndex: 0 },
    element("table", { className: "tok-table" },
      element("caption", {}, tokenizer.name + (segments ? "" : " (has no segment ids)")),
      element("thead", {}, element("tr", {}, ...columns.map(head))),
      element("tbody", {}, ...rows))));
  region.setAttribute("aria-label", `Table of the tokens of ${tokenizer.name}`);
  return region;
}

// A row of small boxes that wraps; `say` is its text alternative.
function picture(className) {
  const node = element("div", { className: `tok-picture ${className}`, role: "img", dir: "auto" });
  return { node, draw(boxes, say) { node.replaceChildren(...boxes); node.setAttribute("aria-label", say); } };
}

// What the two algorithms share: a slider of steps, a picture, two sentences. draw(side, step) fills them.
function stepPanel({ label, first, className, count, draw, onStep }) {
  const boxes = picture(className);
  const verdict = element("p", { className: "tok-verdict" });
  const outcome = element("p", { className: "tok-found" });
  const control = slider({ label, min: first, max: 1, value: first, onInput: (step) => { show(step); onStep(step); } });
  const problem = element("p", { className: "tok-verdict" });
  const body = element("div", {}, element("div", { className: "ac-controls" }, control.node), boxes.node,
    element("div", { className: "tok-words" }, verdict, outcome));
  let side = null;

  function show(step) {
    const drawn = draw(side, step);
    boxes.draw(drawn.boxes, drawn.say);
    verdict.replaceChildren(...drawn.verdict);
    outcome.replaceChildren(...drawn.outcome);
    const place = `${step} of ${count(side)}`;
    control.input.nextElementSibling.textContent = place;
    control.input.setAttribute("aria-valuetext", `${place}: ${verdict.textContent} ${outcome.textContent}`);
  }

  return {
    node: element("div", {}, body, problem),
    show(next, step) {
      side = next;
      body.hidden = !side || Boolean(side.problem);
      problem.hidden = !body.hidden;
      problem.textContent = side ? side.problem : "This tokenizer works in another way, not shown here.";
      if (body.hidden) return;
      const last = count(side);
      control.input.max = last;
      control.input.disabled = last === first;
      control.set(Math.min(Math.max(step, first), last));
      show(Number(control.input.value));
    },
  };
}

function sign(isGood) {
  const node = element("span", { className: isGood ? "tok-sign tok-sign-yes" : "tok-sign" }, isGood ? "✓" : "✕");
  node.setAttribute("aria-hidden", "true");
  return node;
}

function mono(text, className = "") { return element("bdi", { className: `tok-mono ${className}` }, text); }

// WordPiece: the letters, a bracket under the candidate of this attempt, and the pieces found so far.
function drawWordPiece({ letters, attempts }, step) {
  const written = ([start, end]) => (start ? "##" : "") + letters.slice(start, end).join("");
  const [start, end, id] = attempts[step - 1];
  const candidate = written([start, end]);
  const isFound = id >= 0, isLast = step === attempts.length, isUnknown = isLast && !isFound;
  const found = attempts.slice(0, step).filter((attempt) => attempt[2] >= 0);
  const boxes = letters.map((letter, place) => {
    const classes = ["tok-letter"];
    const owner = found.find(([from, to]) => from <= place && place < to);
    if (owner) classes.push("tok-done");
    if (owner && owner[0] === place) classes.push("tok-first");
    if (start <= place && place < end) classes.push("tok-in", isFound ? "tok-yes" : "tok-no");
    if (place === start) classes.push("tok-start");
    if (place === end - 1) classes.push("tok-end");
    return element("span", { className: classes.join(" ") }, visible(letter));
  });
  const next = isUnknown ? "Not even one letter fits, so the whole word becomes [UNK]."
    : !isFound ? "Drop its last letter and look again."
    : !isLast ? "The rest of the word is next; it continues a word, so it gets ## in front."
    : step === 1 ? "The whole word is one piece." : "That was the last piece.";
  const pieces = found.flatMap((attempt) => [mono(written(attempt), "tok-result"), " "]);
  return {
    boxes,
    say: `${letters.join("")}: looking up ${candidate}, ${isFound ? "found" : "not in the vocabulary"}`,
    verdict: [sign(isFound), element("b", {}, mono(candidate)),
      isFound ? ` is in the vocabulary, id ${id}. ` : " is not in the vocabulary. ", next],
    outcome: isUnknown ? ["Result: ", mono("[UNK]", "tok-result")]
      : [isLast ? "Pieces: " : "Pieces so far: ", ...(pieces.length ? pieces : ["none"])],
  };
}

// Byte-pair encoding: the symbols with the rank of each possible merge between them; the lowest rank goes next.
function drawBytePairs({ states, merges }, step) {
  const { symbols, ranks } = states[step];
  const best = Math.min(...ranks.filter((rank) => rank >= 0));
  const merged = step ? merges[step - 1] : null;
  const pair = merged ? merged.pair.map(pieceText) : [];
  const joined = pair.join("");
  const boxes = symbols.flatMap((symbol, place) => {
    const isNew = pieceText(symbol) === joined;
    const box = element("span", { className: `tok-symbol${isNew ? " tok-new" : ""}` }, pieceNode(symbol));
    if (place === ranks.length) return [box];
    const rank = ranks[place], className = `tok-rank${rank === best ? " tok-best" : ""}`;
    return [box, element("span", { className }, rank < 0 ? "·" : String(rank))];
  });
  return {
    boxes,
    say: `Symbols: ${symbols.map(pieceText).join(", ")}`,
    verdict: merged
      ? [sign(true), "Merged ", element("b", {}, mono(pair.join(" + "))), `, rank ${merged.rank}.`]
      : ["Start: the word as single bytes. A plain letter is one byte."],
    outcome: [step < merges.length ? `Next: the pair with the lowest number, ${best}.`
      : symbols.length === 1 ? "Done: the whole word is one token."
      : `Done: training merged none of these neighbours, so the word stays ${symbols.length} tokens.`],
  };
}

const METHODS = {
  "WordPiece": {
    how: "Longest match first: try the whole rest of the word, drop letters from its end until a piece is in the "
      + "vocabulary. A bracket marks the letters looked up.",
    panel: { label: "Attempt", first: 1, className: "tok-letters", draw: drawWordPiece,
      count: (side) => side.attempts.length },
  },
  "byte-pair encoding": {
    how: "Merges in the order learnt: of all neighbours, join the pair with the lowest rank. A number between two "
      + "boxes is the rank of their merge; a dot means never merged.",
    panel: { label: "Merges", first: 0, className: "tok-symbols", draw: drawBytePairs,
      count: (side) => side.merges.length },
  },
};
const OTHER_METHOD = { how: "", panel: METHODS["WordPiece"].panel };

function render({ model, el }) {
  const source = sourceLine();
  const field = textField({ label: "Text", value: model.get("text"), onSubmit: send });
  const problem = statusLine("ac-problem");
  const status = statusLine();
  const totals = element("p", { className: "tok-totals" });
  const rowsNode = element("div", { className: "tok-rows" });
  const detail = element("p", { className: "tok-detail" });
  const legend = element("p", { className: "tok-legend" });
  const wordChoice = choice({ label: "Word", options: [], value: "", onChange: chooseWord });
  const stepperHead = element("div", { className: "ac-controls" }, wordChoice.node);
  const whole = element("span", { className: "tok-how" });
  stepperHead.append(whole);
  const sidesNode = element("div", { className: "tok-sides" });
  const tables = element("div", { className: "tok-tables" });
  const openTables = toggle({ label: "Show positions, segment ids and masks", value: model.get("details"),
    onChange: (on) => { save({ details: on }); drawTables(); } });
  const stepper = element("div", { className: "tok-stepper", role: "group" },
    element("div", { className: "ac-title" }, "Step through one word"), stepperHead, sidesNode);
  stepper.setAttribute("aria-label", "Step through one word");
  const shown = element("div", {},
    element("div", { className: "tok-sourcebox" }, source.node, totals), rowsNode, detail, legend, stepper,
    element("div", { className: "ac-controls tok-switch" }, openTables.node), tables);
  const root = element("div", { className: "ac ac-tokenizer" },
    element("div", { className: "ac-title" }, "From text to tokens"),
    element("p", { className: "ac-hint" },
      "Type a text. Each box below is one token, and the number in it is the token's id: "
      + "all that the model gets to see."),
    element("div", { className: "ac-controls tok-typing" }, field.node), problem.node, shown, status.node);
  el.append(root);

  let rows = [], sides = [], waiting = 0, chosen = null, saving = false, resting = 0;

  // What is saved here is on screen already, so the change that it causes draws nothing again.
  // Linked widgets follow at once; the kernel hears of a slider when it rests.
  function save(values, delay = 0) {
    saving = true;
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    saving = false;
    clearTimeout(resting);
    if (delay) resting = setTimeout(() => model.save_changes(), delay);
    else model.save_changes();
  }

  function send(text) {
    clearTimeout(waiting);
    if (text !== model.get("text")) save({ text });
  }
  // The tokens follow the typing, a moment after the last key.
  field.input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => send(field.input.value), 250);
  });

  function look(token, tokenizer) {
    source.mark(token ? token.start : 0, token ? token.end : 0);
    for (const row of rows) row.mark(token);
    detail.textContent = token ? describeToken(token, source, tokenizer.tokens.indexOf(token))
      : "Point at a token, or walk along the tokens with the arrow keys, to see which characters it came from.";
  }
  const lookAtChosen = () => (chosen ? look(...chosen) : look(null));

  function drawText() {
    const drawn = model.get("picture");
    shown.hidden = !drawn.tokenizers;
    if (shown.hidden) return;
    source.show(drawn.text);
    totals.textContent = `${many(drawn.n_characters, "character")} · ${many(drawn.n_words, "word")} (split at spaces)`;
    rows = drawn.tokenizers.map((tokenizer) => chipRow(tokenizer, source,
      (token) => (token ? look(token, tokenizer) : lookAtChosen()),
      (token) => { chosen = [token, tokenizer]; lookAtChosen(); }));
    rowsNode.replaceChildren(...drawn.tokenizers.flatMap((tokenizer, number) => [
      element("div", { className: "tok-rowhead" },
        element("span", { className: "tok-name" }, tokenizer.name),
        element("span", { className: "tok-method" },
          `${tokenizer.method}, ${tokenizer.n_vocabulary.toLocaleString("en")} in the vocabulary`),
        element("span", { className: "tok-counts" }, counts(tokenizer, drawn.n_words))),
      rows[number].node]));
    if (drawn.tokenizers.length === 1) {
      rowsNode.append(element("p", { className: "tok-missing" },
        "A second tokenizer, SmolLM2's, is not installed. To get it, run in a terminal: ",
        element("code", {}, "course models --get")));
    }
    const all = drawn.tokenizers.flatMap((tokenizer) => tokenizer.tokens);
    const notes = [
      all.some((token) => token.mark === "##") && "## continues the word on its left.",
      all.some((token) => token.mark === "Ġ") && "Ġ stands for the space in front of a word.",
      all.some((token) => token.code === "bytes")
        && "Codes such as E6 are bytes: the token is only part of a character.",
      all.some((token) => token.code === "invisible") && "Codes such as U+FE0F are characters that cannot be seen.",
      all.some((token) => token.kind === "special") && "Tokens in a dashed frame are special.",
    ];
    legend.textContent = notes.filter(Boolean).join(" ");
    chosen = null;
    lookAtChosen();
    wordChoice.select.replaceChildren(...drawn.words.map(({ word, n_pieces, unknown }) =>
      element("option", { value: word }, `${shortened(word)} (${unknown ? "unknown" : many(n_pieces, "piece")})`)));
    const methods = drawn.tokenizers.map(({ method }) => METHODS[method] ?? OTHER_METHOD);
    sides = methods.map(({ panel }, number) =>
      stepPanel({ ...panel, onStep: (step) => save({ [number ? "merge_step" : "step"]: step }, 100) }));
    sidesNode.replaceChildren(...drawn.tokenizers.map((tokenizer, number) => {
      const node = element("div", { className: "tok-side", role: "group" },
        element("div", { className: "tok-name" }, `${tokenizer.name}: ${tokenizer.method}`),
        element("p", { className: "tok-how" }, methods[number].how), sides[number].node);
      node.setAttribute("aria-label", `${tokenizer.name}, ${tokenizer.method}`);
      return node;
    }));
    stepper.hidden = !drawn.words.length;
    whole.textContent = drawn.words.some(({ n_pieces, unknown }) => unknown || n_pieces > 1) ? ""
      : "Here every word is one piece. Type a rarer one, such as tokenization, to see it split.";
    drawWord();
    drawTables();
    status.say(drawn.tokenizers.map((each) => `${each.name}: ${counts(each, drawn.n_words)}.`).join(" "));
  }

  function chooseWord(word) {
    save({ word, step: 1, merge_step: 0 });
    drawWord();
  }

  function drawWord() {
    const words = model.get("picture").words ?? [];
    const entry = words.find(({ word }) => word === model.get("word")) ?? words[0];
    if (!entry) return;
    wordChoice.set(entry.word);
    sides.forEach((side, number) => side.show(entry.sides[number], model.get(number ? "merge_step" : "step")));
  }

  function sayProblem() {
    const sentence = model.get("problem");
    const isKept = sentence && model.get("picture").tokenizers;
    problem.say(sentence + (isKept ? " Below you still see the last text that could be shown." : ""));
  }

  function drawTables() {
    const drawn = model.get("picture");
    openTables.set(model.get("details"));
    const wanted = model.get("details") ? drawn.tokenizers ?? [] : [];
    tables.replaceChildren(...wanted.map((each) => table(each, source)));
  }

  model.on("change:picture", drawText);
  model.on("change:problem", sayProblem);
  model.on("change:text", () => { if (document.activeElement !== field.input) field.set(model.get("text")); });
  for (const name of ["word", "step", "merge_step"]) model.on(`change:${name}`, () => saving || drawWord());
  model.on("change:details", () => saving || drawTables());
  sayProblem();
  drawText();
  return () => clearTimeout(waiting);
}

export default { render };

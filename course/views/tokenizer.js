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
    const chip = keepKeys(element("div", {
      className: `tok-chip tok-${token.kind}${joined ? " tok-joined" : ""}`, role: "option", tabIndex: position ? -1 : 0,
    }, element("span", { className: "tok-text" }, pieceNode(token)), element("span", { className: "tok-id" }, String(token.id))));
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
    const next = { ArrowRight: chosen + 1, ArrowDown: chosen + 1, ArrowLeft: chosen - 1, ArrowUp: chosen - 1, Home: 0, End: last }[event.key];
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
  const rows = tokenizer.tokens.map((token, position) => element("tr", {},
    element("th", { scope: "row" }, String(position)),
    element("td", { className: "tok-mono" }, element("bdi", {}, token.token)),
    element("td", {}, String(token.id)),
    element("td", {}, segments ? String(token.segment_id) : "none"),
    element("td", {}, String(token.attention_mask)),
    element("td", { className: "tok-span" }, token.end > token.start
      ? element("span", {}, `${token.start}:${token.end} `, element("bdi", { className: "tok-mono" }, quoted(source.part(token.start, token.end)))) : "none")));
  const region = keepKeys(element("div", { className: "tok-scroll", role: "region", tabIndex: 0 },
    element("table", { className: "tok-table" },
      element("caption", {}, tokenizer.name + (segments ? "" : " (has no segment ids)")),
      element("thead", {}, element("tr", {}, ...["position", "token", "id", "segment id", "attention mask", "characters"].map(head))),
      element("tbody", {}, ...rows))));
  region.setAttribute("aria-label", `Table of the tokens of ${tokenizer.name}`);
  return region;
}

// A row of small boxes that wraps; `say` is its text alternative.
function picture(className) {
  const node = element("div", { className: `tok-picture ${className}`, role: "img", dir: "auto" });
  return { node, draw(boxes, say) { node.replaceChildren(...boxes); node.setAttribute("aria-label", say); } };
}

// WordPiece: the letters, a bracket under the candidate of this attempt, and the pieces found so far.
function wordPieceSteps(onStep) {
  const boxes = picture("tok-letters");
  const verdict = element("p", { className: "tok-verdict" });
  const found = element("p", { className: "tok-found" });
  const control = slider({ label: "Attempt", min: 1, max: 1, value: 1, onInput: (value) => { draw(value); onStep(value); } });
  const problem = element("p", { className: "tok-verdict" });
  const body = element("div", {}, element("div", { className: "ac-controls" }, control.node), boxes.node, element("div", { className: "tok-words" }, verdict, found));
  let side = null;

  function candidate([start, end]) { return (start ? "##" : "") + side.letters.slice(start, end).join(""); }

  function draw(step) {
    const [start, end, id] = side.attempts[step - 1];
    const done = side.attempts.slice(0, step).filter((attempt) => attempt[2] >= 0);
    const isFound = id >= 0, count = side.attempts.length, isLast = step === count;
    const piece = candidate(side.attempts[step - 1]);
    boxes.draw(side.letters.map((letter, place) => {
      const owner = done.findIndex(([from, to]) => from <= place && place < to);
      const inside = start <= place && place < end;
      return element("span", { className: ["tok-letter", inside && "tok-in", inside && (isFound ? "tok-yes" : "tok-no"),
        place === start && "tok-start", place === end - 1 && "tok-end", owner >= 0 && "tok-done",
        owner >= 0 && done[owner][0] === place && "tok-first"].filter(Boolean).join(" ") }, visible(letter));
    }), `${side.letters.join("")}: looking up ${piece}, ${isFound ? "found" : "not in the vocabulary"}`);
    const next = !isFound && end - start > 1 ? " Drop its last letter and look again."
      : !isFound ? " Not even one letter fits, so the whole word becomes [UNK]."
      : !isLast ? " The rest of the word is next; it continues a word, so it gets ## in front."
      : step === 1 ? " The whole word is one piece." : " That was the last piece.";
    verdict.replaceChildren(element("span", { className: isFound ? "tok-sign tok-sign-yes" : "tok-sign tok-sign-no" }, isFound ? "✓" : "✕"),
      element("b", { className: "tok-mono" }, element("bdi", {}, piece)), isFound ? ` is in the vocabulary, id ${id}.` : " is not in the vocabulary.", next);
    const isUnknown = isLast && !isFound;
    found.replaceChildren(isUnknown ? "Result: " : isLast ? "Pieces: " : "Pieces so far: ",
      ...(isUnknown ? [element("span", { className: "tok-mono tok-result" }, "[UNK]")]
        : done.length ? done.flatMap((attempt) => [element("bdi", { className: "tok-mono tok-result" }, candidate(attempt)), " "]) : ["none"]));
    control.input.setAttribute("aria-valuetext", `${step} of ${count}: ${verdict.textContent.slice(1)}`);
    control.input.nextElementSibling.textContent = `${step} of ${count}`;
  }

  return {
    node: element("div", {}, body, problem),
    show(next, step) {
      side = next;
      body.hidden = !side || Boolean(side.problem);
      problem.hidden = !body.hidden;
      problem.textContent = side ? side.problem : "This tokenizer works in another way, which is not shown step by step.";
      if (body.hidden) return;
      const count = side.attempts.length;
      control.input.max = count;
      control.set(Math.min(Math.max(step, 1), count));
      control.input.disabled = count === 1;
      draw(Number(control.input.value));
    },
  };
}

// Byte-pair encoding: the symbols with the rank of each possible merge between them; the lowest rank goes next.
function bytePairSteps(onStep) {
  const boxes = picture("tok-symbols");
  const verdict = element("p", { className: "tok-verdict" });
  const next = element("p", { className: "tok-found" });
  const control = slider({ label: "Merges", min: 0, max: 1, value: 0, onInput: (value) => { draw(value); onStep(value); } });
  const problem = element("p", { className: "tok-verdict" });
  const body = element("div", {}, element("div", { className: "ac-controls" }, control.node), boxes.node, element("div", { className: "tok-words" }, verdict, next));
  let side = null;

  function draw(step) {
    const { symbols, ranks } = side.states[step], count = side.merges.length;
    const known = ranks.filter((rank) => rank >= 0);
    const best = known.length ? Math.min(...known) : -1;
    const merged = step ? side.merges[step - 1] : null;
    const whole = merged && merged.pair.map(pieceText).join("");
    const nodes = [];
    symbols.forEach((symbol, place) => {
      const isNew = merged && pieceText(symbol) === whole;
      nodes.push(element("span", { className: `tok-symbol${isNew ? " tok-new" : ""}` }, pieceNode(symbol)));
      if (place === ranks.length) return;
      const rank = ranks[place];
      nodes.push(element("span", { className: `tok-rank${rank >= 0 && rank === best ? " tok-best" : ""}` }, rank >= 0 ? String(rank) : "·"));
    });
    boxes.draw(nodes, `Symbols: ${symbols.map(pieceText).join(", ")}`);
    if (merged) {
      verdict.replaceChildren(element("span", { className: "tok-sign tok-sign-yes" }, "✓"), "Merged ",
        element("b", { className: "tok-mono" }, merged.pair.map(pieceText).join(" + ")), `, rank ${merged.rank}.`);
    } else {
      verdict.replaceChildren("Start: the word as single bytes. A plain letter is one byte.");
    }
    next.textContent = step < count ? `Next: the pair with the lowest number, ${best}.`
      : symbols.length === 1 ? "Done: the whole word is one token."
      : `Done: training merged none of these neighbours, so the word stays ${symbols.length} tokens.`;
    control.input.setAttribute("aria-valuetext", `${step} of ${count}: ${verdict.textContent.replace("✓", "")} ${next.textContent}`);
    control.input.nextElementSibling.textContent = `${step} of ${count}`;
  }

  return {
    node: element("div", {}, body, problem),
    show(given, step) {
      side = given;
      body.hidden = !side || Boolean(side.problem);
      problem.hidden = !body.hidden;
      problem.textContent = side ? side.problem : "This tokenizer works in another way, which is not shown step by step.";
      if (body.hidden) return;
      const count = side.merges.length;
      control.input.max = count;
      control.set(Math.min(Math.max(step, 0), count));
      control.input.disabled = count === 0;
      draw(Number(control.input.value));
    },
  };
}

const HOW = {
  "WordPiece": "Longest match first: try the whole rest of the word, drop letters from its end until a piece is in the vocabulary.",
  "byte-pair encoding": "Merges in the order learnt: of all neighbours, join the pair with the lowest rank. A number between two boxes is the rank of their merge; a dot means never merged.",
};

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
  const shown = element("div", {}, element("div", { className: "tok-sourcebox" }, source.node, totals), rowsNode, detail, legend, stepper,
    element("div", { className: "ac-controls tok-switch" }, openTables.node), tables);
  const root = element("div", { className: "ac ac-tokenizer" },
    element("div", { className: "ac-title" }, "From text to tokens"),
    element("p", { className: "ac-hint" }, "Type a text. Each box below is one token, and the number in it is the token's id: all that the model gets to see."),
    element("div", { className: "ac-controls tok-typing" }, field.node), problem.node, shown, status.node);
  el.append(root);

  let rows = [], sides = [], waiting = 0, chosen = null, saving = false;

  // What is saved here is on screen already, so the change that it causes draws nothing again.
  function save(values) {
    saving = true;
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    saving = false;
    model.save_changes();
  }

  function send(text) {
    clearTimeout(waiting);
    if (text !== model.get("text")) save({ text });
  }
  // The tokens follow the typing, a moment after the last key.
  field.input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => send(field.input.value), 250); });

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
        element("span", { className: "tok-method" }, `${tokenizer.method}, ${tokenizer.n_vocabulary.toLocaleString("en")} in the vocabulary`),
        element("span", { className: "tok-counts" }, counts(tokenizer, drawn.n_words))),
      rows[number].node]));
    if (drawn.tokenizers.length === 1) {
      rowsNode.append(element("p", { className: "tok-missing" }, "A second tokenizer, SmolLM2's, is not installed. To get it, run in a terminal: ",
        element("code", {}, "course models --get")));
    }
    const all = drawn.tokenizers.flatMap((tokenizer) => tokenizer.tokens);
    const notes = [
      all.some((token) => token.mark === "##") && "## continues the word on its left.",
      all.some((token) => token.mark === "Ġ") && "Ġ stands for the space in front of a word.",
      all.some((token) => token.code === "bytes") && "Codes such as E6 are bytes: the token is only part of a character.",
      all.some((token) => token.code === "invisible") && "Codes such as U+FE0F are characters that cannot be seen.",
      all.some((token) => token.kind === "special") && "Tokens in a dashed frame are special.",
    ];
    legend.textContent = notes.filter(Boolean).join(" ");
    chosen = null;
    lookAtChosen();
    wordChoice.select.replaceChildren(...drawn.words.map(({ word, n_pieces, unknown }) =>
      element("option", { value: word }, `${word} (${unknown ? "unknown" : many(n_pieces, "piece")})`)));
    sides = drawn.tokenizers.map((tokenizer) => (tokenizer.method === "WordPiece"
      ? wordPieceSteps((step) => save({ step })) : bytePairSteps((step) => save({ merge_step: step }))));
    sidesNode.replaceChildren(...drawn.tokenizers.map((tokenizer, number) => {
      const node = element("div", { className: "tok-side", role: "group" },
        element("div", { className: "tok-name" }, `${tokenizer.name}: ${tokenizer.method}`),
        element("p", { className: "tok-how" }, HOW[tokenizer.method] ?? ""), sides[number].node);
      node.setAttribute("aria-label", `${tokenizer.name}, ${tokenizer.method}`);
      return node;
    }));
    stepper.hidden = !drawn.words.length;
    whole.textContent = drawn.words.some(({ n_pieces, unknown }) => unknown || n_pieces > 1) ? ""
      : "Here every word is one piece. Type a rarer one, such as tokenization, to see it split.";
    drawWord();
    drawTables();
    status.say(drawn.tokenizers.map((tokenizer) => `${tokenizer.name}: ${counts(tokenizer, drawn.n_words)}.`).join(" "));
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
    problem.say(sentence && model.get("picture").tokenizers ? `${sentence} Below is still the text before.` : sentence);
  }

  function drawTables() {
    const drawn = model.get("picture");
    openTables.set(model.get("details"));
    tables.replaceChildren(...(model.get("details") && drawn.tokenizers ? drawn.tokenizers.map((each) => table(each, source)) : []));
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

// The mask painter: scores, a mask to paint, and the weights that come out, side by side.
// The kernel sends the scores once; mask, temperature and weights are computed here, as painted_weights does in Python.

const MASK_RULES = {
  before: { option: "before the softmax (−∞)", formula: "softmax(scores / temperature + mask)",
            open: "may look: + 0", closed: "may not look: + (−∞)" },
  finite: { option: "before the softmax, but with −10⁹", formula: "softmax(scores / temperature + mask)",
            open: "may look: + 0", closed: "may not look: + (−1,000,000,000)" },
  after: { option: "after the softmax (multiply by 0)", formula: "softmax(scores / temperature) × mask",
           open: "may look: × 1", closed: "may not look: × 0" },
};

// ------------------------------------------------------------------------------------------------ mathematics

// 1 where the query may look at the key. Every kind of mask must allow it; what was painted by hand stands above them.
function mayAttend(state) {
  const { n, nTokens, segments, hidePadding, hideFuture, hideOtherSentence, painted } = state;
  const may = new Uint8Array(n * n).fill(1);
  for (let query = 0; query < n; query++) {
    for (let key = 0; key < n; key++) {
      if ((hidePadding && key >= nTokens) || (hideFuture && key > query)
          || (hideOtherSentence && segments[query] !== segments[key])) may[query * n + key] = 0;
    }
  }
  for (const [query, key, allowed] of painted) if (query < n && key < n) may[query * n + key] = allowed ? 1 : 0;
  return may;
}

// The weights of every row. A row of nothing but −∞ has no largest score to subtract and becomes NaN, as it should.
function maskedWeights(state, may) {
  const { n, stride, scores, temperature, rule } = state;
  const weights = new Float64Array(n * n), row = new Float64Array(n);
  for (let query = 0; query < n; query++) {
    let largest = -Infinity, sum = 0;
    for (let key = 0; key < n; key++) {
      let score = scores[query * stride + key] / temperature;
      if (!may[query * n + key]) {
        if (rule === "before") score = -Infinity;
        // In 32-bit numbers, as in the model, the score drowns in −10⁹; 64 bits would still hold it.
        else if (rule === "finite") score = Math.fround(score - 1e9);
      }
      row[key] = score;
      largest = Math.max(largest, score);
    }
    for (let key = 0; key < n; key++) { row[key] = Math.exp(row[key] - largest); sum += row[key]; }
    for (let key = 0; key < n; key++) {
      weights[query * n + key] = row[key] / sum * (rule === "after" ? may[query * n + key] : 1);
    }
  }
  return weights;
}

function rowSum(weights, n, query) {
  let sum = 0;
  for (let key = 0; key < n; key++) sum += weights[query * n + key];
  return sum;
}

// ------------------------------------------------------------------------------------------------------ words

function percent(share) {
  if (Number.isNaN(share)) return "NaN";
  const hundred = share * 100;
  if (hundred === 0) return "0 %";
  if (hundred < 0.1) return "< 0.1 %";
  return `${hundred.toFixed(hundred < 9.95 ? 1 : 0)} %`;
}

function twoPlaces(number) {
  return Number.isNaN(number) ? "NaN" : number.toFixed(2).replace("-", "−");
}

function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

// What the mask does to the rows as a whole: one or two sentences.
function outcome(state, may, weights) {
  const { n, tokens, rule } = state;
  const rows = [...Array(n).keys()];
  const closed = may.reduce((count, open) => count + (open ? 0 : 1), 0);
  const blind = rows.filter((query) => !may.subarray(query * n, query * n + n).some(Boolean));
  const count = `${closed} of ${n * n} cells are closed.`;
  if (blind.length) {
    const names = blind.length <= 3 ? listed(blind.map((query) => `“${isolated(tokens[query])}”`)) : `${blind.length} tokens`;
    const nothing = `${count} ${names} may look at nothing at all: `;
    if (rule === "before") return `${nothing}every score is −∞, and softmax of that is 0 / 0, which is not a number (NaN). One such row spoils every number computed from it.`;
    if (rule === "finite") return `${nothing}every score is about −10⁹, all the same, so softmax gives each token ${twoPlaces(1 / n)}, hidden or not. The row sums to 1 and nothing warns you.`;
    return `${nothing}every weight is multiplied by 0, and the new vector is all zeros.`;
  }
  const short = rows.filter((query) => Math.abs(rowSum(weights, n, query) - 1) > 0.005);
  if (short.length) {
    const smallest = Math.min(...short.map((query) => rowSum(weights, n, query)));
    return `${count} ${short.length} of ${n} rows no longer sum to 1; the smallest sum is ${twoPlaces(smallest)}. What was taken away from the hidden tokens went to nobody.`;
  }
  return `${count} Every row of weights sums to 1.`;
}

// ---------------------------------------------------------------------------------------------------- drawing

// Any CSS colour as three numbers: a canvas gives back "#123456", or "rgba(1, 2, 3, 0.5)" for a translucent one.
const colourReader = document.createElement("canvas").getContext("2d");
function channels(colour) {
  colourReader.fillStyle = colour;
  const known = colourReader.fillStyle;
  return known.startsWith("#") ? [1, 3, 5].map((i) => parseInt(known.slice(i, i + 2), 16)) : known.match(/[\d.]+/g).slice(0, 3).map(Number);
}

function blend(from, to, share) {
  return from.map((c, i) => Math.round(c + (to[i] - c) * share));
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => { const s = c / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Black or white, whichever is easier to read on this colour.
function inkOn(rgb) { return luminance(rgb) > 0.19 ? "#111" : "#fff"; }

function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  const letters = Array.from(text);
  while (letters.length > 1 && context.measureText(`${letters.join("")}…`).width > width) letters.pop();
  return `${letters.join("")}…`;
}

// In phase over the whole canvas, so that neighbouring cells join into one hatched field.
function hatch(context, x, y, size, colour) {
  context.save();
  context.beginPath();
  context.rect(x, y, size, size);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.beginPath();
  for (let sum = Math.floor((x + y) / 6) * 6; sum < x + y + 2 * size + 6; sum += 6) {
    context.moveTo(sum - y, y);
    context.lineTo(sum - y - size, y + size);
  }
  context.stroke();
  context.restore();
}

// Where things stand in the three panels, given the width there is. Side by side as long as cells stay large enough.
function layout(width, n, labelWidth, labelHeight) {
  const sums = 46, gap = 20;
  const beside = Math.floor((width - labelWidth - sums - 2 * gap) / (3 * n));
  const stacked = beside < 17;
  const cell = stacked ? Math.max(16, Math.min(n > 13 ? 21 : 30, Math.floor((width - labelWidth - sums) / n))) : Math.min(34, beside);
  return { stacked, cell, side: cell * n, labelWidth, labelHeight, sums, gap };
}

// ------------------------------------------------------------------------------------------------------- view

function render({ model, el }) {
  const state = {}, gridId = `ac-mask-${Math.random().toString(36).slice(2)}`;
  let may, weights, place, palette, hover = null, cursor = [0, 0], cells = [], stroke = null;

  // ---- controls
  const change = (name, value) => { model.set(name, value); model.save_changes(); };
  const text = textField({ label: model.get("second") !== null ? "First text" : "Text", value: model.get("text"), onSubmit: (value) => change("text", value) });
  const second = textField({ label: "Second text", value: model.get("second") || "", onSubmit: (value) => change("second", value) });
  const padding = toggle({ label: "Padding", value: model.get("hide_padding"), onChange: (value) => change("hide_padding", value) });
  const future = toggle({ label: "The future (causal)", value: model.get("hide_future"), onChange: (value) => change("hide_future", value) });
  const other = toggle({ label: "The other sentence", value: model.get("hide_other_sentence"), onChange: (value) => change("hide_other_sentence", value) });
  const nPadding = slider({ label: "[PAD] tokens", min: 0, max: model.get("most_padding"), value: model.get("n_padding"), onInput: (value) => change("n_padding", value) });
  const temperature = slider({ label: "Temperature", min: 0.1, max: 4, step: 0.1, value: model.get("temperature"),
    format: (value) => value.toFixed(1), onInput: (value) => change("temperature", value) });
  const rule = choice({ label: "The mask acts", value: model.get("rule"), onChange: (value) => change("rule", value),
    options: Object.entries(MASK_RULES).map(([name, words]) => [name, words.option]) });
  const clear = keepKeys(element("button", { type: "button", className: "ac-button", onclick: () => change("painted", []) }, "Clear my painting"));
  const problem = statusLine("ac-problem");
  const hide = element("fieldset", { className: "mp-hide" }, element("legend", {}, "Hide"), padding.node, future.node, other.node);

  // ---- panels
  const panel = (number, title, ...content) => {
    const formula = element("div", { className: "mp-formula" });
    const node = element("div", { className: "mp-panel" },
      element("div", { className: "mp-panel-title" }, element("span", { className: "mp-number" }, number), title), formula, ...content);
    return { node, formula };
  };
  const scoreCanvas = element("canvas", { role: "img" });
  const maskCanvas = element("canvas", {});
  maskCanvas.setAttribute("aria-hidden", "true");
  const grid = keepKeys(element("div", { className: "mp-grid", role: "grid", tabIndex: 0 }));
  grid.setAttribute("aria-label", "Mask: rows look, columns are looked at. Arrow keys move, Space opens or closes a cell, R its row, C its column.");
  const weightCanvas = keepKeys(element("canvas", { role: "slider", tabIndex: 0 }));
  weightCanvas.setAttribute("aria-label", "Row of the weights. Up and Down choose the token whose new vector is shown below.");
  weightCanvas.setAttribute("aria-orientation", "vertical");
  const scorePanel = panel("1", "Scores", scoreCanvas);
  const maskPanel = panel("2", "Mask", element("div", { className: "mp-stage" }, maskCanvas, grid));
  const weightPanel = panel("3", "Weights", weightCanvas);
  const panels = element("div", { className: "mp-panels" }, scorePanel.node, maskPanel.node, weightPanel.node);
  scorePanel.formula.textContent = "query · key / √d";
  const legendOpen = element("span"), legendClosed = element("span");
  const legend = element("div", { className: "mp-legend" },
    element("span", { className: "mp-item" }, element("i", { className: "mp-swatch" }), legendOpen),
    element("span", { className: "mp-item" }, element("i", { className: "mp-swatch mp-closed" }), legendClosed),
    element("span", { className: "mp-item" }, element("i", { className: "mp-swatch mp-mine" }), "painted by you"));
  const readout = element("div", { className: "mp-readout" });
  const status = statusLine();

  // ---- the mixture of one row
  const mixtureTitle = element("div", { className: "ac-title" });
  const mixtureWords = element("div", { className: "mp-mixture-words" });
  const bars = element("ul", { className: "mp-bars" });
  const mixture = element("div", { className: "mp-mixture" }, mixtureTitle, mixtureWords, bars);
  let barRows = [];

  const picture = element("div", { className: "mp-picture" }, panels, legend, readout, status.node, mixture);
  const root = element("div", { className: "ac mask-painter" },
    element("div", { className: "ac-title" }, "Mask painter"),
    element("p", { className: "ac-hint" }, "Rows look, columns are looked at. Click or drag in the middle square: a hatched cell means “may not look”."),
    element("div", { className: "ac-controls" }, text.node, second.node),
    problem.node,
    element("div", { className: "ac-controls mp-controls" }, hide, nPadding.node, temperature.node, rule.node, clear),
    picture);
  el.append(root);

  // ---- state
  function read() {
    const nTokens = model.get("n_tokens"), n = nTokens ? nTokens + model.get("n_padding") : 0;
    Object.assign(state, {
      nTokens, n, stride: nTokens + model.get("most_padding"), tokens: model.get("tokens"), segments: model.get("segment_ids"),
      hidePadding: model.get("hide_padding"), hideFuture: model.get("hide_future"),
      hideOtherSentence: model.get("second") !== null && model.get("hide_other_sentence"),
      temperature: model.get("temperature"), rule: model.get("rule"), painted: model.get("painted"),
      row: Math.max(0, Math.min(model.get("row"), n - 1)),
    });
  }

  function arrange() {
    const context = scoreCanvas.getContext("2d");
    context.font = labelFont(true);
    const longest = Math.max(0, ...state.tokens.slice(0, state.n).map((token) => context.measureText(token).width));
    const width = picture.clientWidth || 840;
    const label = Math.ceil(Math.min(longest, width < 500 ? 60 : 76)) + 8;
    place = layout(width, state.n, label, label);
    panels.classList.toggle("mp-stacked", place.stacked);
    panels.style.setProperty("--mp-label", `${place.labelWidth}px`);
  }

  function labelFont(bold) { return `${bold ? 600 : 400} 12px ${getComputedStyle(root).fontFamily}`; }

  // The frame that all three panels share: token names, and the row and column that are pointed at.
  function frame(canvas, labelled, extra = 0) {
    const { cell, side, labelHeight } = place, { n, tokens, row } = state;
    const left = labelled ? place.labelWidth : 0;
    const context = sharpCanvas(canvas, left + side + extra + 1, labelHeight + side + 1);
    context.textBaseline = "middle";
    for (let i = 0; i < n; i++) {
      if (labelled) {
        context.font = labelFont(i === row);
        context.textAlign = "right";
        context.fillStyle = palette.query;
        context.fillText(shortened(context, tokens[i], left - 8), left - 6, labelHeight + (i + 0.5) * cell);
      }
      context.save();
      context.translate(left + (i + 0.5) * cell, labelHeight - 5);
      context.rotate(-Math.PI / 2);
      context.font = labelFont(hover && hover[1] === i);
      context.textAlign = "left";
      context.fillStyle = palette.key;
      context.fillText(shortened(context, tokens[i], labelHeight - 8), 0, 0);
      context.restore();
    }
    return { context, left, top: labelHeight };
  }

  function square(context, left, top, query, key, rgb, words) {
    const { cell } = place, x = left + key * cell, y = top + query * cell;
    context.fillStyle = `rgb(${rgb})`;
    context.fillRect(x, y, cell, cell);
    if (words) {
      context.fillStyle = inkOn(rgb);
      context.fillText(words, x + cell / 2, y + cell / 2 + 0.5);
    }
  }

  function finish(context, left, top) {
    const { cell, side } = place;
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    context.beginPath();
    for (let i = 0; i <= state.n; i++) {
      context.moveTo(left + i * cell + 0.5, top); context.lineTo(left + i * cell + 0.5, top + side);
      context.moveTo(left, top + i * cell + 0.5); context.lineTo(left + side, top + i * cell + 0.5);
    }
    context.globalAlpha = 0.45;
    context.stroke();
    context.globalAlpha = 1;
    context.strokeStyle = palette.query;
    context.lineWidth = 2;
    context.strokeRect(left + 1, top + state.row * cell + 1, side - 1, cell - 1);
    if (hover) {
      context.strokeStyle = palette.ink;
      context.strokeRect(left + hover[1] * cell + 1, top + hover[0] * cell + 1, cell - 1, cell - 1);
    }
  }

  // Small enough that the longest number stays clear of its neighbours; false where cells are too small for numbers.
  function numbersIn(context, longest) {
    const family = getComputedStyle(root).fontFamily;
    context.textAlign = "center";
    context.font = `10px ${family}`;
    const size = Math.min(12, Math.floor((place.cell - 3) / context.measureText(longest).width * 20) / 2);
    context.font = `${size}px ${family}`;
    return size >= 8.5;
  }

  function drawScores() {
    const { n, stride, scores } = state, { context, left, top } = frame(scoreCanvas, true);
    const paper = channels(palette.paper), written = numbersIn(context, "-0.0");
    let largest = 0, best = [0, 0];
    for (let query = 0; query < n; query++) {
      for (let key = 0; key < n; key++) {
        if (Math.abs(scores[query * stride + key]) > Math.abs(largest)) { largest = scores[query * stride + key]; best = [query, key]; }
      }
    }
    for (let query = 0; query < n; query++) {
      for (let key = 0; key < n; key++) {
        const score = scores[query * stride + key], share = Math.abs(score / (largest || 1));
        const sign = score < 0 && !written ? "−" : "";
        square(context, left, top, query, key, blend(paper, score < 0 ? palette.minus : palette.plus, share),
          written ? score.toFixed(1).replace("-0.0", "0.0") : sign);
      }
    }
    finish(context, left, top);
    scoreCanvas.setAttribute("aria-label", `Scores of ${n} by ${n} tokens, before mask and softmax. The strongest is ${twoPlaces(largest)}: ${state.tokens[best[0]]} looking at ${state.tokens[best[1]]}.`);
  }

  function drawWeights() {
    const { n, tokens, row } = state, { context, left, top } = frame(weightCanvas, place.stacked, place.sums);
    const paper = channels(palette.paper), written = numbersIn(context, "NaN");
    for (let query = 0; query < n; query++) {
      for (let key = 0; key < n; key++) {
        const weight = weights[query * n + key], x = left + key * place.cell, y = top + query * place.cell;
        if (Number.isNaN(weight)) {
          hatch(context, x, y, place.cell, palette.line);
          context.fillStyle = palette.ink;
          context.strokeStyle = palette.paper;
          context.lineWidth = 3;
          if (written) for (const put of ["strokeText", "fillText"]) context[put]("NaN", x + place.cell / 2, y + place.cell / 2 + 0.5);
        } else if (!may[query * n + key] && weight === 0) hatch(context, x, y, place.cell, palette.line);
        else {
          // The square root makes small weights visible; the scale is the same for every text and temperature.
          square(context, left, top, query, key, blend(paper, palette.plus, Math.sqrt(weight)),
            written && weight >= 0.005 ? weight.toFixed(2).replace(/^0/, "") : "");
        }
      }
    }
    finish(context, left, top);
    // The sums, flagged by weight and a frame, not by colour alone.
    const x = left + place.side + 8;
    context.textAlign = "left";
    context.font = labelFont(false);
    context.fillStyle = palette.faint;
    context.fillText("sum", x, top - 10);
    for (let query = 0; query < n; query++) {
      const sum = rowSum(weights, n, query), wrong = !(Math.abs(sum - 1) <= 0.005), y = top + (query + 0.5) * place.cell;
      context.font = labelFont(wrong);
      context.fillStyle = wrong ? palette.ink : palette.faint;
      context.fillText(twoPlaces(sum), x, y);
      if (wrong) {
        context.strokeStyle = palette.key;
        context.lineWidth = 1.5;
        context.strokeRect(x - 4, y - Math.min(9, place.cell / 2 - 1), 36, Math.min(18, place.cell - 2));
      }
    }
    weightCanvas.setAttribute("aria-valuemin", 0);
    weightCanvas.setAttribute("aria-valuemax", n - 1);
    weightCanvas.setAttribute("aria-valuenow", row);
    weightCanvas.setAttribute("aria-valuetext", `${tokens[row]}: ${mixtureText()}`);
  }

  // ---- the mask: real elements, so that every cell has a name and the keyboard reaches it
  function buildGrid() {
    grid.replaceChildren();
    cells = [];
    for (let query = 0; query < state.n; query++) {
      const line = element("div", { role: "row", className: "mp-row" });
      for (let key = 0; key < state.n; key++) {
        const cell = element("div", { role: "gridcell", className: "mp-cell", id: `${gridId}-${query}-${key}` });
        cells.push(cell);
        line.append(cell);
      }
      grid.append(line);
    }
    cursor = [Math.min(cursor[0], state.n - 1), Math.min(cursor[1], state.n - 1)];
  }

  function drawMask() {
    const { n, tokens, painted } = state, { context, left, top } = frame(maskCanvas, place.stacked);
    may.forEach((open, i) => {
      if (!open) hatch(context, left + (i % n) * place.cell, top + Math.floor(i / n) * place.cell, place.cell, palette.masked);
    });
    finish(context, left, top);
    if (cells.length !== n * n || grid.dataset.tokens !== tokens.join(" ")) { buildGrid(); grid.dataset.tokens = tokens.join(" "); }
    grid.style.left = `${left}px`;
    grid.style.top = `${top}px`;
    grid.style.setProperty("--mp-size", `${place.cell}px`);
    const mine = new Set(painted.map(([query, key]) => query * n + key));
    cells.forEach((cell, i) => {
      const query = Math.floor(i / n), key = i % n;
      const names = `mp-cell${mine.has(i) && key < n ? " mp-mine" : ""}${query === cursor[0] && key === cursor[1] ? " mp-cursor" : ""}`;
      if (cell.className !== names) cell.className = names;
      const label = `${tokens[query]} ${may[i] ? "may look" : "may not look"} at ${tokens[key]}`;
      if (cell.getAttribute("aria-label") !== label) cell.setAttribute("aria-label", label);
    });
    if (n) grid.setAttribute("aria-activedescendant", `${gridId}-${cursor[0]}-${cursor[1]}`);
  }

  // ---- the mixture
  function ranked() {
    const { n, row } = state;
    return [...Array(n).keys()].map((key) => [weights[row * n + key], key]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  }

  function mixtureText() {
    const { n, row, tokens } = state;
    if (Number.isNaN(weights[row * n])) return "NaN for every token, so no vector at all";
    const parts = ranked().filter(([share]) => share > 0);
    if (!parts.length) return "nothing, a vector of zeros";
    const twice = (token) => tokens.indexOf(token) !== tokens.lastIndexOf(token);
    const named = parts.slice(0, 3).map(([share, key]) => `${percent(share)} “${isolated(tokens[key])}”${twice(tokens[key]) ? ` (position ${key})` : ""}`);
    const rest = parts.slice(3).reduce((sum, [share]) => sum + share, 0);
    const sum = rowSum(weights, n, row);
    return named.join(" + ") + (rest > 0 ? ` + ${percent(rest)} from the others` : "")
      + (Math.abs(sum - 1) > 0.005 ? `. The shares add up to ${percent(sum)}; ${percent(1 - sum)} went to nobody` : "");
  }

  function drawMixture() {
    const { n, row, tokens } = state;
    mixtureTitle.replaceChildren("The new vector of ", element("span", { className: "mp-query" }, tokens[row]), ": a mixture of values");
    mixtureWords.textContent = `= ${mixtureText()}.`;
    if (barRows.length !== n) {
      barRows = Array.from({ length: n }, () => {
        const name = element("span", { className: "mp-bar-name" }), fill = element("span", { className: "mp-bar-fill" });
        const share = element("span", { className: "mp-bar-share" });
        const node = element("li", {}, name, element("span", { className: "mp-bar-track" }, fill), share);
        return { node, name, fill, share };
      });
      bars.replaceChildren(...barRows.map((bar) => bar.node));
    }
    barRows.forEach((bar, key) => {
      const weight = weights[row * n + key];
      if (bar.name.textContent !== tokens[key]) bar.name.textContent = tokens[key];
      bar.fill.style.transform = `scaleX(${Number.isNaN(weight) ? 0 : weight})`;
      bar.share.textContent = percent(weight);
      bar.node.classList.toggle("mp-hidden-key", !may[row * n + key]);
    });
  }

  function drawReadout() {
    if (!hover) { readout.textContent = "Point at a cell to read it; click a row of the scores or weights to see its mixture. Keyboard, in the mask: arrows, Space for a cell, R its row, C its column."; return; }
    const [query, key] = hover, { n, stride, scores, tokens } = state, i = query * n + key;
    readout.replaceChildren(element("span", { className: "mp-query" }, tokens[query]), " looks at ",
      element("span", { className: "mp-key" }, tokens[key]),
      `: score ${twoPlaces(scores[query * stride + key])}, ${may[i] ? "may look" : "may not look"}, weight ${Number.isNaN(weights[i]) ? "NaN" : weights[i].toFixed(3)}.`);
  }

  function drawWords() {
    const words = MASK_RULES[state.rule];
    weightPanel.formula.textContent = words.formula;
    legendOpen.textContent = words.open;
    legendClosed.textContent = words.closed;
    maskPanel.formula.textContent = "click or drag to paint";
    status.say(outcome(state, may, weights));
    clear.disabled = !state.painted.length;
  }

  function recompute() {
    read();
    may = mayAttend(state);
    weights = maskedWeights(state, may);
  }

  function redraw() {
    // Before it stands in the page there is neither a width nor a theme; the observer below calls again.
    if (!root.isConnected) return;
    recompute();
    picture.hidden = !state.n;
    if (!state.n) return;
    const css = getComputedStyle(root), own = (name) => channels(css.getPropertyValue(name).trim());
    palette = { ...colours(root), plus: own("--mp-plus"), minus: own("--mp-minus") };
    if (hover && (hover[0] >= state.n || hover[1] >= state.n)) hover = null;
    arrange();
    drawScores();
    drawMask();
    drawWeights();
    drawMixture();
    drawReadout();
    drawWords();
  }

  // Temperature changes nothing but the weights; the other two panels stay as they are.
  function reweigh() {
    if (!state.n || !palette) return;
    recompute();
    drawWeights();
    drawMixture();
    drawReadout();
    status.say(outcome(state, may, weights));
  }

  function point(next) {
    if (!palette || String(hover) === String(next)) return;
    hover = next;
    drawScores(); drawMask(); drawWeights(); drawReadout();
  }

  // ---- painting
  function paint(changes) {
    const { n } = state, kinds = mayAttend({ ...state, painted: [] });
    const painted = new Map(state.painted.map(([query, key, allowed]) => [`${query},${key}`, [query, key, allowed]]));
    for (const [query, key, allowed] of changes) {
      // A cell painted back to what the kinds say is no longer painted.
      if (Boolean(kinds[query * n + key]) === allowed) painted.delete(`${query},${key}`);
      else painted.set(`${query},${key}`, [query, key, allowed]);
    }
    model.set("row", cursor[0]);  // the mixture below follows the row that is being painted
    change("painted", [...painted.values()]);
  }

  function flip(positions) {
    const anyOpen = positions.some(([query, key]) => may[query * state.n + key]);
    paint(positions.map(([query, key]) => [query, key, !anyOpen]));
  }

  function cellAt(event, box, left, top) {
    const key = Math.floor((event.clientX - box.left - left) / place.cell), query = Math.floor((event.clientY - box.top - top) / place.cell);
    return query >= 0 && query < state.n && key >= 0 && key < state.n ? [query, key] : null;
  }

  const inGrid = (event) => cellAt(event, grid.getBoundingClientRect(), 0, 0);

  grid.addEventListener("pointerdown", (event) => {
    const cell = inGrid(event);
    // A finger scrolls the page first; its tap arrives as a click below.
    if (!cell || event.button !== 0 || event.pointerType === "touch") return;
    stroke = { allowed: !may[cell[0] * state.n + cell[1]], last: cell };
    grid.setPointerCapture(event.pointerId);
    cursor = cell;
    paint([[...cell, stroke.allowed]]);
  });
  grid.addEventListener("pointermove", (event) => {
    const cell = inGrid(event);
    if (stroke && cell) {
      const [from, to] = [stroke.last, cell], steps = Math.max(1, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
      const passed = [];
      for (let i = 1; i <= steps; i++) passed.push([0, 1].map((axis) => Math.round(from[axis] + (to[axis] - from[axis]) * i / steps)));
      const changed = passed.filter(([query, key]) => Boolean(may[query * state.n + key]) !== stroke.allowed);
      stroke.last = cursor = cell;
      if (changed.length) paint(changed.map((position) => [...position, stroke.allowed]));
    }
    point(cell);
  });
  const lift = () => { stroke = null; };
  grid.addEventListener("pointerup", lift);
  grid.addEventListener("pointercancel", lift);
  grid.addEventListener("pointerleave", () => { if (!stroke) point(null); });
  grid.addEventListener("click", (event) => {
    const cell = inGrid(event);
    if (event.pointerType === "touch" && cell) { cursor = cell; flip([cell]); point(cell); }
  });
  grid.addEventListener("focus", () => { if (grid.matches(":focus-visible")) point([...cursor]); });
  grid.addEventListener("blur", () => point(null));
  grid.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { n } = state, [query, key] = cursor, last = n - 1;
    const moves = { ArrowUp: [query - 1, key], ArrowDown: [query + 1, key], ArrowLeft: [query, key - 1], ArrowRight: [query, key + 1],
                    Home: [query, 0], End: [query, last], PageUp: [0, key], PageDown: [last, key] };
    const all = [...Array(n).keys()];
    if (moves[event.key]) {
      cursor = moves[event.key].map((i) => Math.max(0, Math.min(last, i)));
      hover = null;
      point([...cursor]);
    } else if (event.key === " " || event.key === "Enter") flip([[query, key]]);
    else if (event.key === "r" || event.key === "R") flip(all.map((other) => [query, other]));
    else if (event.key === "c" || event.key === "C") flip(all.map((other) => [other, key]));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- choosing a row, in the weights
  const inWeights = (event) => cellAt(event, weightCanvas.getBoundingClientRect(), place.stacked ? place.labelWidth : 0, place.labelHeight);
  const inScores = (event) => cellAt(event, scoreCanvas.getBoundingClientRect(), place.labelWidth, place.labelHeight);
  for (const [canvas, find] of [[scoreCanvas, inScores], [weightCanvas, inWeights]]) {
    canvas.addEventListener("pointermove", (event) => point(find(event)));
    canvas.addEventListener("pointerleave", () => point(null));
    canvas.addEventListener("click", (event) => { const cell = find(event); if (cell) change("row", cell[0]); });
  }
  weightCanvas.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, Home: -state.n, End: state.n };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    change("row", Math.max(0, Math.min(state.n - 1, state.row + steps[event.key])));
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- joining it to the kernel
  function rescore() {
    state.scores = asFloat32(model.get("scores"));
    hover = null;
    text.set(model.get("text"));
    second.set(model.get("second") || "");
    second.node.hidden = model.get("second") === null;
    other.node.hidden = model.get("second") === null;
    redraw();
  }
  const listeners = [
    ["change:scores change:tokens change:n_tokens", rescore],
    ["change:temperature", () => { temperature.set(model.get("temperature")); reweigh(); }],
    ["change:hide_padding", () => { padding.set(model.get("hide_padding")); redraw(); }],
    ["change:hide_future", () => { future.set(model.get("hide_future")); redraw(); }],
    ["change:hide_other_sentence", () => { other.set(model.get("hide_other_sentence")); redraw(); }],
    ["change:n_padding", () => { nPadding.set(model.get("n_padding")); redraw(); }],
    ["change:rule", () => { rule.set(model.get("rule")); redraw(); }],
    ["change:painted change:row", redraw],
    ["change:problem", () => problem.say(model.get("problem"))],
  ];
  const disconnect = connect(model, listeners);
  problem.say(model.get("problem"));
  rescore();
  const stop = onThemeOrWidth(root, redraw);
  return () => { stop(); disconnect(); };
}

export default { render };

// One head, step by step: query, keys and values; one product; scores; weights; the mixture.
// The kernel sends the queries, keys and values of all heads once a text; every step is computed here, as query_steps
// does in Python.

const QKV_STEPS = ["Query, keys, values", "One product", "Scores", "Weights", "Mixture"];

// ------------------------------------------------------------------------------------------------ mathematics

// Everything that one query does in one head. vectors: (queries/keys/values, layer, head, position, d_head).
function querySteps({ vectors, nLayers, nHeads, n, d, layer, head, query }) {
  const start = (kind, position) => (((kind * nLayers + layer) * nHeads + head) * n + position) * d;
  const dots = new Float64Array(n), scores = new Float64Array(n), weights = new Float64Array(n);
  const products = new Float64Array(n * d), output = new Float64Array(d);
  const q = start(0, query);
  for (let key = 0; key < n; key++) {
    const k = start(1, key);
    for (let i = 0; i < d; i++) dots[key] += products[key * d + i] = vectors[q + i] * vectors[k + i];
    scores[key] = dots[key] / Math.sqrt(d);
  }
  const largest = Math.max(...scores);
  let sum = 0;
  for (let key = 0; key < n; key++) sum += weights[key] = Math.exp(scores[key] - largest);
  for (let key = 0; key < n; key++) {
    weights[key] /= sum;
    const v = start(2, key);
    for (let i = 0; i < d; i++) output[i] += weights[key] * vectors[v + i];
  }
  return { dots, scores, weights, products, output, start };
}

function largestSize(numbers, from = 0, count = numbers.length) {
  let largest = 0;
  for (let i = from; i < from + count; i++) largest = Math.max(largest, Math.abs(numbers[i]));
  return largest;
}

// ------------------------------------------------------------------------------------------------------ words

function fixed(number, places = 2) {
  const text = Math.abs(number).toFixed(places);
  return number < 0 && Number(text) !== 0 ? `−${text}` : text;
}

function percent(share) {
  const hundred = share * 100;
  if (hundred < 0.1) return "less than 0.1\u00a0%";
  return `${hundred.toFixed(hundred < 9.95 ? 1 : 0)}\u00a0%`;
}

// ---------------------------------------------------------------------------------------------------- drawing

const SVG = "http://www.w3.org/2000/svg";
const BAR = 10, MIDDLE = 50;   // in a strip's own units: each number is 10 wide, and the strip 100 high

// A strip of numbers, each a small bar: up is positive, down is negative. `layers` paths lie on top of each other.
function strip(className, layers = 1) {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", `qk-strip ${className}`);
  node.setAttribute("preserveAspectRatio", "none");
  node.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("class", "qk-zero");
  line.setAttribute("vector-effect", "non-scaling-stroke");
  const bars = Array.from({ length: layers }, () => document.createElementNS(SVG, "path"));
  node.append(line, ...bars);
  let width = 0;
  return { node, draw(layer, numbers, from, d, largest, factor = 1) {
    if (width !== d) {
      width = d;
      node.setAttribute("viewBox", `0 0 ${d * BAR} 100`);
      line.setAttribute("d", `M0 ${MIDDLE}H${d * BAR}`);
    }
    let path = "";
    for (let i = 0; numbers && i < d; i++) {
      const height = Math.round(numbers[from + i] * factor / (largest || 1) * 480) / 10;
      path += `M${i * BAR + 1} ${MIDDLE}v${-height}h${BAR - 2}v${height}z`;
    }
    bars[layer].setAttribute("d", path);
  } };
}

function put(node, text) { if (node.textContent !== text) node.textContent = text; }

// ------------------------------------------------------------------------------------------------------- view

function render({ model, el }) {
  const id = `qk-${Math.random().toString(36).slice(2)}`;
  const state = { vectors: new Float32Array(0), n: 0 };
  let steps = null, rows = [], chips = [], pointed = -1;

  const change = (name, value) => { model.set(name, value); model.save_changes(); };
  const make = (className, ...children) => element("div", { className }, ...children);
  const badge = (number) => element("span", { className: "qk-badge" }, String(number));
  const role = (name, node, label) => { node.setAttribute("role", name); if (label) node.setAttribute("aria-label", label); return node; };

  // ---- controls
  const text = textField({ label: "Text", value: model.get("text"), onSubmit: (value) => change("text", value) });
  const problem = statusLine("ac-problem");
  const layer = slider({ label: "Layer", min: 0, max: 1, value: 0, onInput: (value) => change("layer", value) });
  const head = slider({ label: "Head", min: 0, max: 1, value: 0, onInput: (value) => change("head", value) });
  const radio = (group, value, checked, name) =>
    keepKeys(element("input", { type: "radio", name: `${id}-${group}`, value, checked, onchange: () => change(group, value) }));
  const sentence = role("radiogroup", make("qk-sentence"), "The token that asks: its query is used");
  const stepRadios = QKV_STEPS.map((name, i) => {
    const input = radio("step", i + 1, false);
    return { input, node: element("label", { className: "qk-step" }, input, element("span", {}, badge(i + 1), name)) };
  });
  const stepper = role("radiogroup", make("qk-steps", ...stepRadios.map((each) => each.node)), "Step");
  const words = statusLine("qk-words");
  const next = keepKeys(element("button", { type: "button", className: "ac-button qk-next",
    onclick: () => change("step", model.get("step") % QKV_STEPS.length + 1) }));

  // ---- the query and one key, number by number
  const closeLine = (className, number) => {
    const name = make(`qk-close-name ${className}`), bars = strip(className), total = make("qk-total");
    for (const node of [name, bars.node, total]) node.style.setProperty("--line", number);
    return { name, bars, total, nodes: [name, bars.node, total] };
  };
  const queryLine = closeLine("qk-query", 1), keyLine = closeLine("qk-key", 2), productLine = closeLine("qk-product", 3);
  const mark = make("qk-mark");
  const pointer = role("slider", keepKeys(element("div", { className: "qk-pointer", tabIndex: 0 }, mark)),
    "One of the numbers. Left and Right choose it.");
  const readout = make("qk-readout");
  const close = make("qk-close", ...queryLine.nodes, ...keyLine.nodes, ...productLine.nodes, pointer, readout);

  // ---- all keys
  const heading = (className, number, ...label) =>
    role("columnheader", make(`qk-head ${className}`, ...(number ? [badge(number)] : []), element("span", {}, ...label)));
  const rootHead = element("span"), valueHead = element("span", {}, "values");
  const heads = {
    name: heading("qk-name", 0, "token"), key: heading("qk-key-cell", 1, element("span", { className: "qk-key" }, "keys")),
    dot: heading("qk-dot", 3, "query · key"), score: heading("qk-score", 0, rootHead), weight: heading("qk-weight", 4, "weight"),
    value: heading("qk-value-cell", 1, element("span", { className: "qk-value" }, valueHead)),
  };
  const headRow = role("row", make("qk-row qk-heads", ...Object.values(heads)));
  const body = make("qk-body");
  role("rowgroup", body);
  const sumName = role("rowheader", make("qk-name qk-output")), sumTotal = element("span"), sumWeight = role("cell", make("qk-weight", sumTotal));
  const output = strip("qk-output"), outputCell = role("cell", make("qk-value-cell", output.node));
  sumName.setAttribute("aria-colspan", 4);
  const sumRow = role("row", make("qk-row qk-sum", sumName, sumWeight, outputCell));
  const table = role("table", make("qk-table", role("rowgroup", make("", headRow)), body, role("rowgroup", make("", sumRow))),
    "Every token with its key, its score, its weight and its value");
  const legend = element("p", { className: "qk-legend" });

  const picture = make("qk-picture",
    make("ac-controls", layer.node, head.node),
    make("qk-who", element("span", { className: "qk-who-label" }, "Who asks?"), sentence),
    stepper,
    make("qk-say", words.node, next),
    close, table, legend);
  const root = role("group", make("ac ac-qkv",
    make("ac-title", "One head, step by step"),
    element("p", { className: "ac-hint" }, "One token asks, all tokens answer. Choose who asks, then go from step to step; choose a row to look at its key closely."),
    make("ac-controls", text.node), problem.node, picture), "One head, step by step");
  el.append(root);

  // ---- state
  function name(position) {
    const { tokens } = state, token = tokens[position];
    return tokens.indexOf(token) !== tokens.lastIndexOf(token) ? `“${isolated(token)}” (position ${position})` : `“${isolated(token)}”`;
  }

  function read() {
    const [nLayers, nHeads, n, d] = model.get("shape");
    const inside = (trait, count) => Math.max(0, Math.min(model.get(trait), count - 1));
    Object.assign(state, { nLayers, nHeads, n, d, tokens: model.get("tokens"), step: model.get("step"),
      layer: inside("layer", nLayers), head: inside("head", nHeads), query: inside("query", n), key: inside("key", n) });
  }

  function build() {
    const { n, tokens } = state;
    chips = tokens.map((token, i) => {
      const input = radio("query", i, false);
      if (tokens.indexOf(token) !== tokens.lastIndexOf(token)) input.setAttribute("aria-label", `${token}, position ${i}`);
      return { input, node: element("label", { className: "qk-chip" }, input, element("span", {}, token)) };
    });
    sentence.replaceChildren(...chips.map((chip) => chip.node));
    rows = tokens.map((token, i) => {
      const input = radio("key", i, false), label = element("label", {}, input, element("span", {}, token));
      input.setAttribute("aria-label", `look closely at the key of ${token}${tokens.indexOf(token) !== tokens.lastIndexOf(token) ? `, position ${i}` : ""}`);
      const key = strip("qk-key"), value = strip("qk-value", 2);
      const dot = role("cell", make("qk-dot")), number = element("span"), tilt = element("i", { className: "qk-tilt" });
      const share = element("span"), fill = element("i", { className: "qk-fill" });
      const node = role("row", make("qk-row", role("rowheader", make("qk-name", label)), role("cell", make("qk-key-cell", key.node)), dot,
        role("cell", make("qk-score", number, element("span", { className: "qk-scale" }, tilt))),
        role("cell", make("qk-weight", share, element("span", { className: "qk-track" }, fill))),
        role("cell", make("qk-value-cell", value.node))));
      node.addEventListener("click", (event) => { if (!event.target.closest("label")) change("key", i); });
      return { node, input, key, value, dot, number, tilt, share, fill };
    });
    body.replaceChildren(...rows.map((row) => row.node));
    root.style.setProperty("--qk-row", n > 12 ? "26px" : "34px");
  }

  // ---- drawing
  function drawClose() {
    const { vectors, d, query, key, step } = state, { products, dots, start } = steps;
    // Each of these three strips fills its own height; what its tallest bar stands for is written beside it.
    const tallest = (line, numbers, from) => {
      const largest = largestSize(numbers, from, d);
      line.bars.draw(0, numbers, from, d, largest);
      return `tallest ${fixed(largest)}`;
    };
    put(queryLine.total, tallest(queryLine, vectors, start(0, query)));
    put(queryLine.name, `query of ${state.tokens[query]}`);
    close.classList.toggle("qk-with-product", step >= 2);
    for (const line of [keyLine, productLine]) for (const node of line.nodes) node.toggleAttribute("hidden", step < 2);
    if (step >= 2) {
      put(keyLine.total, tallest(keyLine, vectors, start(1, key)));
      tallest(productLine, products, key * d);
      put(keyLine.name, `× key of ${state.tokens[key]}`);
      put(productLine.name, `= ${d} products`);
      put(productLine.total, `sum ${fixed(dots[key])}`);
    }
    drawPointed();
  }

  function drawPointed() {
    const { vectors, d, query, key, step } = state, { products, start } = steps;
    pointed = Math.min(pointed, d - 1);
    mark.hidden = pointed < 0;
    mark.style.left = `${100 * pointed / d}%`;
    mark.style.width = `${100 / d}%`;
    const at = Math.max(0, pointed), q = fixed(vectors[start(0, query) + at]), k = fixed(vectors[start(1, key) + at]);
    const said = step < 2 ? `Number ${at + 1} of ${d}: ${q}` : `Number ${at + 1} of ${d}: ${q} × ${k} = ${fixed(products[key * d + at])}`;
    put(readout, pointed < 0 ? "Point at a bar to read its number (keyboard: ← and →)." : `${said}.`);
    for (const [attribute, value] of [["valuemin", 1], ["valuemax", d], ["valuenow", at + 1], ["valuetext", said]]) {
      pointer.setAttribute(`aria-${attribute}`, value);
    }
  }

  function drawTable() {
    const { vectors, n, d, query, key, step, tokens } = state, { dots, scores, weights, output: mixed, start } = steps;
    const largestKey = largestSize(vectors, start(1, 0), n * d), largestValue = largestSize(vectors, start(2, 0), n * d);
    const largestScore = largestSize(scores);
    rows.forEach((row, i) => {
      row.input.checked = i === key;
      row.node.classList.toggle("qk-chosen", i === key);
      row.key.draw(0, vectors, start(1, i), d, largestKey);
      put(row.dot, step >= 3 ? fixed(dots[i]) : "");
      put(row.number, step >= 3 ? fixed(scores[i]) : "");
      const tilt = step >= 3 ? scores[i] / (largestScore || 1) : 0;
      row.tilt.style.transform = `scaleX(${tilt})`;  // to the left if negative; a transform needs no new layout
      put(row.share, step >= 4 ? fixed(weights[i], 3) : "");
      row.fill.style.transform = `scaleX(${step >= 4 ? weights[i] : 0})`;
      row.value.draw(0, vectors, start(2, i), d, largestValue);
      row.value.draw(1, step >= 5 ? vectors : null, start(2, i), d, largestValue, weights[i]);
    });
    put(rootHead, `÷ √${d}`);
    put(valueHead, step >= 5 ? "value × weight" : "values");
    put(heads.value.firstChild, step >= 5 ? "5" : "1");
    put(sumName, step >= 5 ? `output of ${tokens[query]}` : step >= 4 ? "sum" : "");
    put(sumTotal, step >= 4 ? fixed(weights.reduce((sum, weight) => sum + weight, 0), 3) : "");
    sumRow.toggleAttribute("hidden", step < 4);
    outputCell.setAttribute("aria-label", step >= 5 ? `the output: ${d} numbers, from ${fixed(Math.min(...mixed))} to ${fixed(Math.max(...mixed))}` : "not yet");
    output.draw(0, step >= 5 ? mixed : null, 0, d, largestValue);
    root.dataset.step = step;
  }

  function ranked() { return [...Array(state.n).keys()].sort((a, b) => steps.weights[b] - steps.weights[a] || a - b); }

  function sentenceFor() {
    const { n, d, query, key, step, vectors } = state, { dots, scores, weights, products, start } = steps;
    const asks = name(query), other = name(key), root = `√${d} = ${fixed(Math.sqrt(d))}`;
    if (step === 1) return `${asks} asks. Its query is ${d} numbers. Each of the ${n} tokens, ${asks} itself too, has a key (what the query is compared with) and a value (what it passes on), ${d} numbers each.`;
    if (step === 2) {
      let most = 0;
      for (let i = 1; i < d; i++) if (Math.abs(products[key * d + i]) > Math.abs(products[key * d + most])) most = i;
      return `The query of ${asks} times the key of ${other}, number by number: the ${d} products add up to ${fixed(dots[key])}, the dot product. Number ${most + 1} counts most: ${fixed(vectors[start(0, query) + most])} × ${fixed(vectors[start(1, key) + most])} = ${fixed(products[key * d + most])}.`;
    }
    const best = ranked();
    if (step === 3) return `The query of ${asks} and the key of ${other}: ${d} products add up to ${fixed(dots[key])}; divided by ${root} that is ${fixed(scores[key])}. The same for every row: the best match is ${name(best[0])}, with a score of ${fixed(scores[best[0]])}.`;
    if (step === 4) return `Softmax turns the ${n} scores into ${n} weights, none negative, that sum to 1. The highest score, ${fixed(scores[best[0]])} for ${name(best[0])}, becomes ${fixed(weights[best[0]], 3)}; the score ${fixed(scores[key])} of ${other} becomes ${fixed(weights[key], 3)}.`;
    const named = best.slice(0, 3).map((i) => `${percent(weights[i])} of ${name(i)}`).join(" + ");
    const rest = best.slice(3).reduce((sum, i) => sum + weights[i], 0);
    return `Every value is made smaller by its weight, and all are added up. The output of ${asks} = ${named}${best.length > 3 ? ` + ${percent(rest)} of the others` : ""}.`;
  }

  function redraw() {
    read();
    picture.hidden = !state.n || state.vectors.length !== 3 * state.nLayers * state.nHeads * state.n * state.d;
    if (picture.hidden) return;
    if (sentence.dataset.tokens !== JSON.stringify(state.tokens)) { build(); sentence.dataset.tokens = JSON.stringify(state.tokens); }
    steps = querySteps(state);
    for (const [control, count, value] of [[layer, state.nLayers, state.layer], [head, state.nHeads, state.head]]) {
      control.input.max = count - 1;
      control.set(value);
    }
    chips.forEach((chip, i) => { chip.input.checked = i === state.query; });
    stepRadios.forEach((each, i) => {
      each.input.checked = i + 1 === state.step;
      each.node.classList.toggle("qk-done", i + 1 < state.step);
    });
    put(next, state.step < QKV_STEPS.length ? `Next: ${QKV_STEPS[state.step].toLowerCase()}` : "Back to step 1");
    drawClose();
    drawTable();
    put(legend, `Each small bar is one of ${state.d} numbers: up is positive, down is negative. In the table, strips of one colour share one scale.`
      + (state.step >= 5 ? " Pale green: the whole value. Full green: the share of it that goes into the output." : ""));
    words.say(sentenceFor());
  }

  // ---- pointing at single numbers
  function point(position) {
    pointed = position;
    if (steps) drawPointed();
  }
  pointer.addEventListener("pointermove", (event) => {
    const box = pointer.getBoundingClientRect();
    point(Math.max(0, Math.min(state.d - 1, Math.floor((event.clientX - box.left) / box.width * state.d))));
  });
  pointer.addEventListener("pointerleave", () => point(-1));
  pointer.addEventListener("blur", () => point(-1));
  pointer.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: pointed - 1, ArrowDown: pointed - 1, ArrowRight: pointed + 1, ArrowUp: pointed + 1, Home: 0, End: state.d - 1 };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    point(Math.max(0, Math.min(state.d - 1, moves[event.key])));
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- joining it to the kernel
  function load() {
    state.vectors = asFloat32(model.get("vectors"));
    pointed = -1;
    text.set(model.get("text"));
    redraw();
  }
  const listeners = [
    ["change:vectors", load],
    ["change:layer change:head change:query change:key change:step", redraw],
    ["change:problem", () => problem.say(model.get("problem"))],
  ];
  const disconnect = connect(model, listeners);
  problem.say(model.get("problem"));
  load();
  return disconnect;
}

export default { render };

// The softmax explorer: scores to drag on the left, the weights that come out on the right.
// Everything is computed here, as softmax_inputs, softmax and own_gradient do in Python.

const LARGEST_SCORE = 256;
const LEAST_AXIS = 4;

// ------------------------------------------------------------------------------------------------ mathematics

// The numbers that go into exp. The scores are those of unit variance; plain dot products are √d times as large.
function softmaxInputs({ scores, temperature, width, divide }) {
  return scores.map((score) => score * (divide ? 1 : Math.sqrt(width)) / temperature);
}

function softmaxOf(inputs) {
  const largest = Math.max(...inputs), numerators = inputs.map((input) => Math.exp(input - largest));
  const sum = numerators.reduce((total, numerator) => total + numerator, 0);
  return numerators.map((numerator) => numerator / sum);
}

// exp(entropy): 1 if one key has all the weight, n if n keys have equal shares.
function effectiveNumber(weights) {
  return Math.exp(-weights.reduce((sum, weight) => sum + (weight > 0 ? weight * Math.log(weight) : 0), 0));
}

// ------------------------------------------------------------------------------------------------------ words

const minus = (text) => text.replace("-", "−");
const number = (value, places = 2) => minus(value.toFixed(places)).replace(/^−(0\.?0*)$/, "$1");

// 1.2 stays 1.2 and 1.234 becomes 1.23.
const score = (value) => number(value, Math.abs(value * 10 - Math.round(value * 10)) < 1e-6 || Math.abs(value) >= 100 ? 1 : 2);

function share(weight) {
  return weight > 0 && weight < 0.0005 ? "< 0.001" : weight < 1 && weight > 0.9995 ? "> 0.999" : number(weight, 3);
}

// The same, inside a sentence.
const saidShare = (weight) => share(weight).replace("<", "less than").replace(">", "more than");

// A positive number of any size: 3.32, 4,482 or 3.1 × 10⁻⁵.
function size(value) {
  if (value === 0 || (value >= 0.01 && value < 1000)) return number(value);
  if (value >= 1000 && value < 1e7) return Math.round(value).toLocaleString("en-GB");
  const power = Math.floor(Math.log10(value));
  const raised = String(power).split("").map((digit) => digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  return `${(value / 10 ** power).toFixed(1)} × 10${raised}`;
}

// Names that stay apart for a listener too, for whom The and the sound alike.
function spokenNames(labels) {
  const lower = labels.map((label) => label.toLowerCase());
  return labels.map((label, key) => lower.indexOf(lower[key]) === lower.lastIndexOf(lower[key]) ? label : `${label} (key ${key + 1})`);
}

// ------------------------------------------------------------------------------------------------------- view

function render({ model, el }) {
  const state = {};
  let inputs = [], weights = [], rows = [], names = [], axis = LEAST_AXIS, said = "";

  const set = (values, words) => {
    said = words;
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
    said = "";
  };

  // ---- controls
  const temperature = slider({ label: "Temperature T", min: 0.1, max: 5, step: 0.1, value: model.get("temperature"),
    format: (value) => value.toFixed(1), onInput: (value) => set({ temperature: value }, () => temperatureWords(value)) });
  const width = slider({ label: "Width d", min: 0, max: 9, value: Math.log2(model.get("width")),
    format: (power) => String(2 ** power), onInput: (power) => set({ width: 2 ** power }, widthWords) });
  const divide = toggle({ label: "Divide by √d", value: model.get("divide_by_root"),
    onChange: (value) => set({ divide_by_root: value }, widthWords) });
  const button = (label, onclick) => keepKeys(element("button", { type: "button", className: "ac-button", onclick }, label));
  const addOne = button("Add 1 to all", () => {
    set({ scores: state.scores.map((each) => tidy(each + 1)) },
      () => "Every score is larger by 1, and no weight has changed: only differences between scores count.");
  });
  const double = button("Double all", () => {
    const before = Math.max(...weights);
    set({ scores: state.scores.map((each) => tidy(each * 2)) },
      () => `Every score is twice as large, so the differences are too: the largest weight went from ${saidShare(before)} to ${saidShare(Math.max(...weights))}.`);
  });
  const reset = button("Back to the start", () => {
    axis = LEAST_AXIS;
    set(structuredClone(model.get("start")), () => `Everything is as it was at the start. ${spread()}`);
  });

  // ---- the two panels, row by row
  const scoreTitle = element("div", { className: "sx-head sx-head-score" });
  const axisMarks = element("div", { className: "sx-axis" });
  axisMarks.setAttribute("aria-hidden", "true");
  const list = element("div", { className: "sx-rows" });
  const total = element("div", { className: "sx-total" }, element("span", { className: "sx-total-name" }, "sum"), element("span", { className: "sx-weight-number" }));
  const table = element("div", { className: "sx-table" },
    element("div", { className: "sx-row sx-heads" }, element("span"), scoreTitle, element("span", { className: "sx-head sx-input" }, "goes into exp"),
      element("div", { className: "sx-head sx-head-weight" }, element("span", { className: "sx-step" }, "2"), "Weights"),
      element("span", { className: "sx-head sx-slope" }, "gradient")),
    list, element("div", { className: "sx-row sx-feet" }, element("span"), axisMarks, element("span", { className: "sx-input" }), total, element("span", { className: "sx-slope" })));

  const fact = (label, note) => {
    const value = element("span", { className: "sx-fact-value" }), of = element("span", { className: "sx-fact-of" }, note);
    return { node: element("div", { className: "sx-fact" }, element("div", { className: "sx-fact-name" }, label), value, of), value, of };
  };
  const largestFact = fact("Largest weight", ""), sharersFact = fact("Keys that share the attention", "");
  const sumFact = fact("Sum of the weights", "always"), slopeFact = fact("Largest gradient", "of at most 0.25");
  const facts = element("div", { className: "sx-facts" }, largestFact.node, sharersFact.node, sumFact.node, slopeFact.node);
  const status = statusLine();
  const formulaTitle = element("div", { className: "sx-formula-title" });
  const formulaRows = element("div", { className: "sx-formula-rows" });
  const formula = element("div", { className: "sx-formula" }, formulaTitle, formulaRows);

  const root = element("div", { className: "ac ac-softmax" },
    element("div", { className: "ac-title" }, "Softmax explorer"),
    element("p", { className: "ac-hint" }, "Drag a score, or choose it with Tab and press the arrow keys. Softmax turns the scores into weights."),
    element("div", { className: "ac-controls" }, temperature.node, width.node, divide.node),
    element("div", { className: "ac-controls sx-buttons" }, addOne, double, reset),
    table, facts, status.node, formula);
  el.append(root);

  function tidy(value) { return Math.round(value * 1e6) / 1e6; }

  function build() {
    names = spokenNames(state.labels);
    rows = state.labels.map((label, key) => {
      const input = keepKeys(element("input", { type: "range", className: "sx-range", step: "any" }));
      input.setAttribute("aria-label", `score of ${names[key]}`);
      const bar = element("span", { className: "sx-bar" }), value = element("span", { className: "sx-score-number" });
      const into = element("span", { className: "sx-input" });
      const fill = element("span", { className: "sx-weight-fill" }), weight = element("span", { className: "sx-weight-number" });
      const slope = element("span", { className: "sx-slope" });
      const node = element("div", { className: "sx-row" }, element("span", { className: "sx-name", title: label }, label),
        element("div", { className: "sx-score" }, element("div", { className: "sx-field" }, element("span", { className: "sx-zero" }), bar, input), value),
        into, element("div", { className: "sx-weight" }, element("span", { className: "sx-weight-track" }, fill), weight), slope);
      const move = (next) => {
        const before = weights[key];
        set({ chosen: key, scores: state.scores.map((each, other) => other === key ? next : each) },
          () => `Score of “${isolated(names[key])}” ${score(next)}: its weight is ${saidShare(weights[key])}, ${moved(before, weights[key])}.`);
      };
      const step = () => axis / 40;
      input.addEventListener("input", () => move(tidy(Math.round(Number(input.value) / step()) * step())));
      input.addEventListener("keydown", (event) => {
        const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
        if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        const next = tidy(Math.max(-axis, Math.min(axis, state.scores[key] + steps[event.key] * step())));
        if (next !== state.scores[key]) move(next);
      });
      const choose = () => { if (state.chosen !== key) set({ chosen: key }, null); };
      input.addEventListener("focus", choose);
      node.addEventListener("click", choose);
      return { node, input, bar, value, into, fill, weight, slope };
    });
    list.replaceChildren(...rows.map((row) => row.node));
    const title = [element("span", { className: "sx-step" }, "1"), "Scores"];
    if (state.query) title.push(" of ", element("span", { className: "sx-query" }, state.query));
    scoreTitle.replaceChildren(...title);
  }

  function moved(before, after) {
    return Math.abs(after - before) < 0.0005 ? "as good as unchanged" : after > before ? "more than before" : "less than before";
  }

  // ---- sentences
  function spread() {
    const largest = Math.max(...weights);
    const sharers = effectiveNumber(weights), count = weights.length;
    return `“${isolated(names[weights.indexOf(largest)])}” gets the largest weight, ${saidShare(largest)}; ${sharers < 1.05 ? "it has nearly all of the attention" : `about ${number(sharers, 1)} of ${count} keys share the attention`}.`;
  }

  function temperatureWords(value) {
    return `Temperature ${value.toFixed(1)} ${value > 1 ? "makes the weights more even" : value < 1 ? "makes the weights more uneven" : "leaves the scores as they are"}. ${spread()}`;
  }

  function widthWords() {
    const { width: d, divide: divided } = state;
    if (divided) return `Divided by √d, the scores stay as they are at every width: at d = ${d} too. ${spread()}`;
    return `Without the division, the dot products at d = ${d} are ${number(Math.sqrt(d), 1)} times as large. ${spread()}${saturated()}`;
  }

  function saturated() {
    return largestSlope() < 0.01 ? " The softmax is saturated: with a gradient this small, learning hardly moves anything." : "";
  }

  function everything() {
    return `${spread()} The weights sum to 1, as always. ${saturated().trim() || `Their largest gradient is ${share(largestSlope())}, so they react when a score moves.`}`;
  }

  const largestSlope = () => Math.max(...weights.map((weight) => weight * (1 - weight)));

  // ---- drawing
  function read() {
    Object.assign(state, { labels: model.get("labels"), query: model.get("query"), scores: model.get("scores"), temperature: model.get("temperature"),
      width: model.get("width"), divide: model.get("divide_by_root"), chosen: model.get("chosen") });
  }

  function drawRows() {
    rows.forEach((row, key) => {
      const value = state.scores[key], slope = weights[key] * (1 - weights[key]);
      row.input.min = -axis;
      row.input.max = axis;
      row.input.value = value;
      row.input.setAttribute("aria-valuetext", `${score(value)}, weight ${saidShare(weights[key])}`);
      row.bar.style.transform = `scaleX(${value / axis})`;
      row.bar.classList.toggle("sx-negative", value < 0);
      row.value.textContent = score(value);
      row.into.textContent = number(inputs[key], Math.abs(inputs[key]) < 100 ? 2 : 1);
      row.fill.style.transform = `scaleX(${weights[key]})`;
      row.weight.textContent = share(weights[key]);
      row.slope.textContent = share(slope);
      row.node.classList.toggle("sx-chosen", key === state.chosen);
    });
    axisMarks.replaceChildren(...[-axis, 0, axis].map((mark) => element("span", {}, minus(String(mark)))));
    total.lastChild.textContent = number(weights.reduce((sum, weight) => sum + weight, 0), 3);
  }

  function drawFacts() {
    const best = weights.indexOf(Math.max(...weights)), slope = largestSlope();
    largestFact.value.textContent = share(weights[best]);
    largestFact.of.textContent = state.labels[best];
    sharersFact.value.textContent = number(effectiveNumber(weights), 1);
    sharersFact.of.textContent = `of ${weights.length} · exp(entropy)`;
    sumFact.value.textContent = number(weights.reduce((sum, weight) => sum + weight, 0), 3);
    slopeFact.value.textContent = share(slope);
    slopeFact.of.textContent = slope < 0.01 ? "of at most 0.25: saturated" : "of at most 0.25";
    slopeFact.node.classList.toggle("sx-alarm", slope < 0.01);
  }

  // The chosen key's weight with its numbers. Numbers too large for comfort are made smaller first, as every real softmax does.
  function drawFormula() {
    const { labels, scores, temperature: T, width: d, divide: divided, chosen } = state;
    const largest = Math.max(...inputs), shift = Math.max(...inputs.map(Math.abs)) > 13 ? largest : 0;
    const raised = inputs.map((input) => Math.exp(input - shift)), sum = raised.reduce((all, each) => all + each, 0);
    const strong = (text) => element("strong", {}, text);
    const plain = score(scores[chosen]), product = number(scores[chosen] * Math.sqrt(d)), entering = divided ? plain : product;
    const line = (name, ...content) => [element("span", { className: "sx-formula-name" }, name), element("span", {}, ...content)];
    const terms = raised.flatMap((each, key) => [key ? " + " : "", key === chosen ? strong(size(each)) : size(each)]);
    formulaTitle.replaceChildren("Weight of ", element("span", { className: "sx-key" }, labels[chosen]), " = exp(score / T) / sum of all exp(score / T)");
    formulaRows.replaceChildren(
      ...line("score", `dot product ${plain} · √${d} = ${product}`, divided ? `, divided by √${d}: ` : ", not divided: ", strong(entering)),
      ...line("exp", ...(shift
        ? [`exp(${entering} / ${T.toFixed(1)} − ${number(shift)}) = exp(${number(inputs[chosen] - shift)}) = `, strong(size(raised[chosen])),
          element("span", { className: "sx-aside" }, " The largest is subtracted first; that changes no weight.")]
        : [`exp(${entering} / ${T.toFixed(1)}) = exp(${number(inputs[chosen])}) = `, strong(size(raised[chosen]))])),
      ...line("weight", ...(raised.length <= 8 ? [strong(size(raised[chosen])), " / (", ...terms, ") = "] : []),
        `${size(raised[chosen])} / ${size(sum)} = `, strong(weights[chosen] < 0.0005 ? size(weights[chosen]) : share(weights[chosen]))));
  }

  function redraw() {
    const before = [state.labels, state.query];
    read();
    const needed = Math.max(...state.scores.map(Math.abs));
    while (axis < needed) axis *= 2;  // it does not shrink under the learner's hand
    inputs = softmaxInputs(state);
    weights = softmaxOf(inputs);
    if (before[0] !== state.labels || before[1] !== state.query) build();
    drawRows();
    drawFacts();
    drawFormula();
    addOne.disabled = Math.max(...state.scores) + 1 > LARGEST_SCORE;
    double.disabled = needed * 2 > LARGEST_SCORE;
    status.say(said ? said() : said === null && status.node.textContent ? status.node.textContent : everything());
  }

  // ---- joining it to the kernel
  const listeners = [
    ["change:scores change:labels change:query change:chosen", redraw],
    ["change:temperature", () => { temperature.set(model.get("temperature")); redraw(); }],
    ["change:width", () => { width.set(Math.log2(model.get("width"))); redraw(); }],
    ["change:divide_by_root", () => { divide.set(model.get("divide_by_root")); redraw(); }],
  ];
  const disconnect = connect(model, listeners);
  redraw();
  return disconnect;
}

export default { render };

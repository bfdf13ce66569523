// The meaning map: word vectors in a plane. The kernel sends, once, where every point lies in two planes of each layer;
// moving between layers and planes is computed here, as blended_plane does in Python.

const SHAPES = [
  (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`,
  (r) => { const a = r * 0.88; return `M${-a},${-a}H${a}V${a}H${-a}Z`; },
  (r) => `M0,${-1.25 * r}L${1.25 * r},0L0,${1.25 * r}L${-1.25 * r},0Z`,
  (r) => `M0,${-1.2 * r}L${1.1 * r},${0.8 * r}L${-1.1 * r},${0.8 * r}Z`,
  (r) => { const a = r * 1.1, b = r * 0.38; return `M${-b},${-a}H${b}V${-b}H${a}V${b}H${b}V${a}H${-b}V${b}H${-a}V${-b}H${-b}Z`; },
];
const GROUP_COLOURS = ["var(--ac-query)", "var(--ac-key)", "var(--ac-value)", "var(--mm-fourth)", "var(--ac-masked)"];
const RADIUS = 5, OWN_RADIUS = 9, NEAR = 16, MOST_NAMES = 40;
const wordOf = (item) => item.text.slice(item.start, item.end);

function starPath(r) {
  const corners = [...Array(10).keys()].map((i) => {
    const angle = (i * Math.PI) / 5 - Math.PI / 2, length = i % 2 ? 0.45 * r : r;
    return `${(length * Math.cos(angle)).toFixed(2)},${(length * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${corners.join("L")}Z`;
}

function svgElement(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// A small marker to stand in a line of text.
function marker(path, fill, stroke = fill) {
  const icon = svgElement("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", class: "mm-marker" },
    svgElement("path", { d: path, style: `fill:${fill};stroke:${stroke}`, "stroke-width": 1.6 }));
  icon.setAttribute("aria-hidden", "true");
  return icon;
}

// ------------------------------------------------------------------------------------------------ mathematics

// G^(-1/2) for the 2 x 2 matrix G = W Wᵀ of the blended axes, whose entries follow from `turn` = principal · separatingᵀ.
function straightened(turn, share) {
  const own = (1 - share) ** 2 + share ** 2, mixed = share * (1 - share);
  const a = own + 2 * mixed * turn[0], b = mixed * (turn[1] + turn[2]), d = own + 2 * mixed * turn[3];
  const root = Math.sqrt(Math.max(a * d - b * b, 1e-12)), scale = Math.sqrt(a + d + 2 * root);
  const [p, q, s] = [(a + root) / scale, b / scale, (d + root) / scale];  // √G
  const det = p * s - q * q;
  return [s / det, -q / det, p / det];
}

function blended(principal, separating, start, end, turn, share) {
  const x = (1 - share) * principal[start] + share * separating[end];
  const y = (1 - share) * principal[start + 1] + share * separating[end + 1];
  const [p, q, s] = straightened(turn, share);
  return [p * x + q * y, q * x + s * y];
}

// ------------------------------------------------------------------------------------------------------- view

function render({ model, el }) {
  const data = {};
  let hover = -1, points = [], order = [], visible = [], shown = [], chartMarks = [], size = { width: 0, height: 0, scale: 1, x: 0, y: 0 };
  const change = (values) => { for (const [name, value] of Object.entries(values)) model.set(name, value); model.save_changes(); };
  const get = (name) => model.get(name);

  // ---- what the kernel sent
  function read() {
    data.layers = get("layer_names");
    data.groups = get("group_names");
    data.items = get("items");
    data.n = data.items.length;
    data.pairs = get("pairs");
    // Different words are named on the map, as long as there is room; occurrences of one word are not.
    const words = new Set(data.items.filter((item) => !item.landmark).map((item) => wordOf(item).toLowerCase()));
    data.named = words.size > 1 && data.n <= MOST_NAMES;
    for (const name of ["principal", "separating", "turns", "borders", "totals"]) data[name] = asFloat32(get(name));
    readOwn();
  }
  function readOwn() {
    const own = get("own");
    data.own = own && own.text ? own : null;
    data.ownPrincipal = data.own ? asFloat32(get("own_principal")) : null;
    data.ownSeparating = data.own ? asFloat32(get("own_separating")) : null;
  }

  const nLayers = () => data.layers.length;
  const isDealt = () => (get("is_dealt") ? 1 : 0);
  const turnIndex = (layer) => (isDealt() * data.pairs.length + get("pair")) * nLayers() + layer;
  const pairGroup = (i) => get("pair_groups")[isDealt()][get("pair")][i];
  const isUsed = (i) => get("used")[get("pair")][i] === 1;
  const parted = () => data.pairs[get("pair")];
  // Dealt at random, a point wears the name it was dealt.
  const groupOf = (i) => {
    const side = isDealt() && i < data.n ? pairGroup(i) : -1;
    return side >= 0 ? parted()[side] : data.items[i].group;
  };
  const named = (group) => (isDealt() && parted().includes(group) ? `“${data.groups[group]}” (dealt)` : data.groups[group]);

  const border = (layer) => data.borders[turnIndex(layer)];
  // A layer in which the groups have one mean offers nothing to turn to: it stays with its principal axes.
  const shareAt = (layer) => (Number.isNaN(border(layer)) ? 0 : get("view") / 100);

  // Where item i lies in a layer; item n is the learner's own.
  function position(i, layer, share = shareAt(layer)) {
    const at = turnIndex(layer), turn = data.turns.subarray(at * 4, at * 4 + 4);
    if (i === data.n) return blended(data.ownPrincipal, data.ownSeparating, layer * 2, at * 2, turn, share);
    return blended(data.principal, data.separating, (layer * data.n + i) * 2, (at * data.n + i) * 2, turn, share);
  }
  function isWrong(i, layer) {
    const side = pairGroup(i), x = data.separating[(turnIndex(layer) * data.n + i) * 2];
    return side >= 0 && !Number.isNaN(border(layer)) && (x > border(layer)) !== (side === 1);
  }
  function keptShare(layer) {
    if (data.totals[layer] < 1e-9) return NaN;
    let sum = 0;
    for (let i = 0; i < data.n; i++) { const [x, y] = position(i, layer); sum += x * x + y * y; }
    return sum / data.totals[layer];
  }

  const isShown = (i) => {
    if (i === data.n) return Boolean(data.own);
    if (i === get("followed")) return true;
    if (data.items[i].landmark) return get("show_landmarks") && !get("hidden_groups").includes(data.items[i].group);
    return !get("hidden_groups").includes(groupOf(i));
  };

  // ---- words
  const percent = (share) => `${Math.round(share * 100)} %`;
  const cosineText = (value) => (value === null ? "–" : value.toFixed(3).replace("-", "−"));
  const last = () => data.layers[nLayers() - 1];
  const layerText = (layer) => (data.layers[layer] === "static" ? "static" : `${data.layers[layer]} of ${last()}`);
  const layerTitle = (layer) => (data.layers[layer] === "static" ? "Static vectors" : `Layer ${layerText(layer)}`);
  function layerWords(layer) {
    const name = data.layers[layer];
    if (name === "static") return "Straight from the table of word vectors: the sentence has no say yet, so a word is the same point everywhere.";
    if (name === "0") return "Each word's position has been added. The words have not looked at each other yet.";
    return `The words of a sentence have looked at each other ${name === "1" ? "once" : name === "2" ? "twice" : `${name} times`}.`;
  }
  function sides(layer) {
    const [usedRight, heldRight] = get("right_counts")[isDealt()][get("pair")][layer];
    const groups = get("pair_groups")[isDealt()][get("pair")], used = get("used")[get("pair")];
    const nUsed = used.reduce((sum, each) => sum + each, 0), nAll = groups.filter((group) => group >= 0).length;
    return { usedRight, nUsed, heldRight, nHeld: nAll - nUsed };
  }
  function statusWords(layer, view) {
    const kept = keptShare(layer), { usedRight, nUsed, heldRight, nHeld } = sides(layer);
    const [left, right] = parted().map((group) => data.groups[group]);
    const where = `${layerTitle(layer)}, ${view === 0 ? "the two principal axes" : view === 100 ? "new point of view" : `${view} % of the way to the new point of view`}`;
    const keeps = Number.isNaN(kept) ? "all the vectors are one and the same" : `this plane keeps ${percent(kept)} of the variance`;
    if (view === 0 && !isDealt()) return `${where}: ${keeps}.`;
    if (Number.isNaN(border(layer))) {
      return `${where}: both groups have the same mean here, so no direction leads from one to the other and the view cannot turn.`;
    }
    const held = nHeld ? `; of the ${nHeld} held back, ${heldRight} do` : "; none were held back to test it";
    const counts = `Of the ${nUsed} points that were used, ${usedRight} lie on their side of the border${held}`;
    if (isDealt()) {
      const guess = nHeld ? ` Guessing gets about ${Math.round(nHeld / 2)} of them right, so the border found nothing that lasts.` : "";
      return `${where}. The names ${left} and ${right} were dealt at random. ${counts}.${heldRight <= 0.65 * nHeld ? guess : ""}`;
    }
    return `${where}: ${keeps}. ${counts}.`;
  }
  function ownWords(layer) {
    if (!data.own) return "";
    const cosines = get("own_cosines")[layer], best = Math.max(...cosines), word = wordOf(data.own);
    const list = data.groups.map((name, group) => `${cosines[group].toFixed(3)} to ${name}`).join(", ");
    const second = Math.max(...cosines.filter((_, group) => group !== cosines.indexOf(best)));
    const verdict = best - second < 0.0005 ? "as near to one as to the other" : best - second < 0.01 ? `a little nearer to ${data.groups[cosines.indexOf(best)]}` : `nearest to ${data.groups[cosines.indexOf(best)]}`;
    return `Your “${isolated(word)}”, ${layerTitle(layer).toLowerCase()}: cosine with each group's mean ${list}; ${verdict}.`;
  }

  // ---- controls
  read();
  const layerSlider = slider({ label: "Layer", min: 0, max: nLayers() - 1, value: get("layer"), format: layerText, onInput: (layer) => change({ layer }) });
  const viewSlider = slider({ label: "New point of view", min: 0, max: 100, step: 5, value: get("view"), format: (view) => `${view} %`, onInput: (view) => change({ view }) });
  const groupToggles = data.groups.map((name, group) => {
    const words = element("span"), icon = marker(SHAPES[group](RADIUS), GROUP_COLOURS[group]);
    const control = toggle({ label: element("span", { className: "mm-key" }, icon, words), value: true,
      onChange: (on) => { const hidden = get("hidden_groups").filter((each) => each !== group); change({ hidden_groups: on ? hidden : [...hidden, group] }); } });
    return { ...control, words };
  });
  const hasLandmarks = data.items.some((item) => item.landmark);
  const landmarkToggle = toggle({ label: "landmarks", value: get("show_landmarks"), onChange: (on) => change({ show_landmarks: on }) });
  const dealToggle = toggle({ label: "deal the names at random", value: get("is_dealt"), onChange: (on) => change({ is_dealt: on }) });
  const pairChoice = choice({ label: "Part", value: get("pair"), onChange: (value) => change({ pair: Number(value) }),
    options: data.pairs.map(([left, right], i) => [i, `${data.groups[left]} from ${data.groups[right]}`]) });
  const follow = choice({ label: "Follow", options: [], value: -1, onChange: (value) => change({ followed: Number(value) }) });
  const submit = () => change({ own_text: ownText.input.value, own_word: ownWord.input.value });
  const ownText = textField({ label: element("span", { className: "mm-key" }, marker(starPath(7), "var(--ac-ink)"), "Your sentence"), value: get("own_text"), onSubmit: submit });
  const ownWord = textField({ label: "Word in it", value: get("own_word"), onSubmit: submit });
  const problem = statusLine("ac-problem"), status = statusLine(), ownStatus = statusLine("mm-own-words");
  const showSet = element("fieldset", { className: "mm-show" }, element("legend", {}, "Show"),
    ...groupToggles.map((each) => each.node), ...(hasLandmarks ? [landmarkToggle.node] : []));

  function fillFollow() {
    const short = (text) => (text.length > 44 ? `${text.slice(0, 43).trimEnd()}…` : text);
    const counts = {};
    const options = [[-1, "no point"], ...(data.own ? [[data.n, `yours: ${short(data.own.text)}`]] : [])];
    data.items.forEach((item, i) => {
      if (item.landmark) options.push([i, `landmark: ${short(item.text)}`]);
      else { counts[item.group] = (counts[item.group] || 0) + 1; options.push([i, `${data.groups[item.group]} ${counts[item.group]}: ${short(item.text)}`]); }
    });
    follow.select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
    follow.set(get("followed"));
  }

  // ---- the map
  const map = svgElement("svg", { role: "img", class: "mm-map" });
  const layers = ["ground", "trail", "points", "ring", "names"].map((name) => svgElement("g", { class: `mm-${name}` }));
  const [ground, trail, pointLayer, ring, names] = layers;
  map.append(...layers);
  const caption = element("div", { className: "mm-caption" });
  const sentence = element("div", { className: "mm-sentence" });

  // ---- the panel
  const panelTitle = element("div", { className: "mm-panel-title" }), panelWords = element("div", { className: "mm-panel-words" });
  const keptValue = element("span", { className: "mm-value" }), withinValue = element("span", { className: "mm-value" }), betweenValue = element("span", { className: "mm-value" }), usedValue = element("span", { className: "mm-value" }), heldValue = element("span", { className: "mm-value" });
  const chart = svgElement("svg", { role: "img", class: "mm-chart" });
  const row = (term, value, className = "") => element("div", { className: `mm-row ${className}` }, element("span", {}, term), value);
  const line = (dashed) => { const icon = svgElement("svg", { width: 22, height: 10, class: "mm-marker" },
    svgElement("line", { x1: 1, x2: 21, y1: 5, y2: 5, "stroke-width": 2, stroke: "currentColor", ...(dashed ? { "stroke-dasharray": "4 3" } : {}) })); icon.setAttribute("aria-hidden", "true"); return icon; };
  const panel = element("div", { className: "mm-panel" }, panelTitle, panelWords,
    element("div", { className: "mm-part" }, "Mean cosine of two words"),
    row(element("span", { className: "mm-key" }, line(false), "of one group"), withinValue),
    row(element("span", { className: "mm-key" }, line(true), "of different groups"), betweenValue),
    chart,
    element("div", { className: "mm-part" }, "This view"),
    row("variance the plane keeps", keptValue),
    element("div", { className: "mm-part" }, "On their side of the border"),
    row(element("span", { className: "mm-key" }, marker(SHAPES[0](RADIUS), "var(--ac-ink)"), "points used to find it"), usedValue),
    row(element("span", { className: "mm-key" }, marker(SHAPES[0](RADIUS), "var(--ac-paper)", "var(--ac-ink)"), "points held back"), heldValue, "mm-main"),
    element("div", { className: "mm-row" }, element("span", { className: "mm-key" }, marker("M-4,-4L4,4M4,-4L-4,4", "none", "var(--ac-ink)"), "on the wrong side, at 100 %")));

  const stage = element("div", { className: "mm-stage" }, map, caption, follow.node, sentence);
  const root = element("div", { className: "ac meaning-map" },
    element("div", { className: "ac-title" }, "Meaning map"),
    element("p", { className: "ac-hint" }, "Each point is one word in one sentence; vectors that are alike tend to lie near each other. Move the layer, then turn to the new point of view."),
    element("div", { className: "ac-controls mm-sliders" }, layerSlider.node, viewSlider.node),
    element("div", { className: "ac-controls" }, showSet, dealToggle.node, ...(data.pairs.length > 1 ? [pairChoice.node] : [])),
    element("div", { className: "mm-body" }, stage, panel),
    element("div", { className: "ac-controls mm-own" }, ownText.node, ownWord.node),
    problem.node, ownStatus.node, status.node);
  el.append(root);

  function arrange() {
    const width = Math.max(260, Math.floor(stage.clientWidth || 560));
    const height = Math.round(Math.min(430, Math.max(280, width * 0.78)));
    map.setAttribute("width", width);
    map.setAttribute("height", height);
    map.setAttribute("viewBox", `0 0 ${width} ${height}`);
    Object.assign(size, { width, height });
  }

  // Everything that may be seen from this point of view fits, in whichever layer: moving the layer keeps the scale.
  function frame() {
    const { width, height } = size, share = shareAt(get("layer"));
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let layer = 0; layer < nLayers(); layer++) {
      if (share > 0 && Number.isNaN(border(layer))) continue;
      for (let i = 0; i <= data.n; i++) {
        if (!visible[i]) continue;
        const [x, y] = position(i, layer, share);
        left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y);
      }
    }
    if (left > right) [left, right, top, bottom] = [-1, 1, -1, 1];
    const margin = 34, reach = Math.max(right - left, 0.05), rise = Math.max(bottom - top, 0.05);
    const scale = Math.min((width - 2 * margin) / reach, (height - 2 * margin) / rise);
    Object.assign(size, { scale, x: width / 2 - (scale * (left + right)) / 2, y: height / 2 + (scale * (top + bottom)) / 2 });
  }
  const onPaper = ([x, y]) => [size.x + x * size.scale, size.y - y * size.scale];

  function build() {
    points = [...Array(data.n + 1).keys()].map((i) => {
      const path = svgElement("path", { "stroke-width": 1.6 }), cross = svgElement("path", { d: "M-4,-4L4,4M4,-4L-4,4", class: "mm-wrong" });
      const node = svgElement("g", { class: "mm-point" }, path, cross);
      return { node, path, cross };
    });
    // Groups alternate, so that none lies on top of another; landmarks come first, the learner's own last.
    const rank = {}, seen = {};
    order = [...Array(data.n).keys()];
    for (const i of order) { const g = data.items[i].group; rank[i] = data.items[i].landmark ? -1 : (seen[g] = (seen[g] || 0) + 1); }
    order.sort((a, b) => rank[a] - rank[b] || a - b);
  }

  // Fill, shape and colour: whatever does not move.
  function dress() {
    visible = points.map((_, i) => isShown(i));
    pointLayer.append(...order.map((i) => points[i].node), points[data.n].node);
    if (points[get("followed")]) pointLayer.append(points[get("followed")].node);
    points.forEach(({ node, path, cross }, i) => {
      node.style.display = visible[i] ? "" : "none";
      if (!visible[i]) return;
      if (i === data.n) {
        path.setAttribute("d", starPath(OWN_RADIUS));
        path.setAttribute("style", "fill:var(--ac-ink);stroke:var(--ac-paper)");
        cross.style.display = "none";
        return;
      }
      const group = groupOf(i), colour = GROUP_COLOURS[group], landmark = data.items[i].landmark;
      path.setAttribute("d", SHAPES[group](landmark ? 3 : RADIUS));
      const hollow = !landmark && pairGroup(i) >= 0 && !isUsed(i);
      path.setAttribute("style", `fill:${hollow ? "var(--ac-paper)" : colour};stroke:${hollow ? colour : "var(--ac-paper)"}`);
      node.classList.toggle("mm-hollow", hollow);
    });
    groupToggles.forEach(({ words, set }, group) => { words.textContent = named(group); set(!get("hidden_groups").includes(group)); });
    follow.set(get("followed"));
    drawChart();
  }

  function place() {
    const layer = get("layer"), followed = get("followed"), atEnd = get("view") === 100;
    frame();
    shown = points.map((_, i) => (visible[i] ? onPaper(position(i, layer)) : null));
    shown.forEach((at, i) => {
      if (!at) return;
      points[i].node.setAttribute("transform", `translate(${at[0].toFixed(1)},${at[1].toFixed(1)})`);
      const display = atEnd && i < data.n && isWrong(i, layer) ? "" : "none";
      if (points[i].cross.style.display !== display) points[i].cross.style.display = display;
    });
    drawGround(layer);
    drawTrail(followed);
    drawNames(layer);
  }

  function mapLabel(layer, words) {
    const counted = data.groups.map((name, group) => `${data.items.filter((item, i) => !item.landmark && groupOf(i) === group && isShown(i)).length} of ${named(group)}`);
    return `Map of ${counted.join(", ")}, ${layerTitle(layer)}, ${get("view")} % of the way to the new point of view. ${words}`;
  }

  function drawGround(layer) {
    const { width, height, scale } = size, parts = [], share = get("view") / 100;
    const line = border(layer);
    if (share === 1 && !Number.isNaN(line)) {
      const [x] = onPaper([line, 0]);
      parts.push(svgElement("line", { x1: x, x2: x, y1: 0, y2: height, class: "mm-border" }));
    }
    const step = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01].find((length) => length * scale <= 0.22 * width) || 0.01;
    const end = width - 14, start = end - step * scale;
    parts.push(svgElement("path", { d: `M${start},${height - 12}v-4v8v-4H${end}v-4v8`, class: "mm-scale" }),
      svgElement("text", { x: end, y: height - 18, "text-anchor": "end" }, `distance ${step}`));
    ground.replaceChildren(...parts);
    const [left, right] = parted().map((group) => named(group));
    const words = share === 0 ? ["The two principal axes: the plane in which all these vectors differ most"]
      : Number.isNaN(line) ? ["Both groups have the same mean here: there is no direction to turn to"]
      : [`← ${left}`, share === 1 ? "from one mean to the other" : "turning …", `${right} →`];
    if (caption.dataset.words !== words.join("|")) {
      caption.replaceChildren(...words.map((each) => element("span", {}, each)));
      caption.dataset.words = words.join("|");
    }
    caption.classList.toggle("mm-ends", share > 0 && !Number.isNaN(line));
  }

  function drawTrail(followed) {
    if (followed < 0 || followed > data.n || (followed === data.n && !data.own)) { trail.replaceChildren(); ring.replaceChildren(); return; }
    const way = data.layers.map((_, layer) => onPaper(position(followed, layer)));
    const now = way[get("layer")];
    trail.replaceChildren(
      svgElement("polyline", { points: way.map((at) => at.map((v) => v.toFixed(1)).join(",")).join(" "), class: "mm-way" }),
      ...way.map(([x, y]) => svgElement("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 2.2, class: "mm-step" })));
    ring.replaceChildren(svgElement("circle", { cx: now[0], cy: now[1], r: followed === data.n ? 12 : 9, class: "mm-ring" }));
  }

  // Names stand where they cover neither each other nor the edge.
  function drawNames(layer) {
    const { width, height } = size, taken = [], parts = [], followed = get("followed");
    const put = ([x, y], text, style, away, className = "mm-name") => {
      const wide = text.length * 7 + 2, places = [[away, 4, "start"], [-away, 4, "end"], [0, -away - 1, "middle"], [0, away + 11, "middle"], [away, -8, "start"], [away, 16, "start"], [-away, -8, "end"], [-away, 16, "end"]];
      const boxes = places.map(([dx, dy, anchor]) => {
        const left = x + dx - (anchor === "end" ? wide : anchor === "middle" ? wide / 2 : 0);
        return { left, right: left + wide, top: y + dy - 11, bottom: y + dy + 3, dx, dy, anchor };
      });
      const cost = (box) => taken.reduce((sum, other) => sum + (box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom ? 10 : 0), 0)
        + shown.reduce((sum, at) => sum + (at && at[0] > box.left - 4 && at[0] < box.right + 4 && at[1] > box.top - 4 && at[1] < box.bottom + 4 ? 1 : 0), 0)
        + (box.left < 2 || box.right > width - 2 || box.top < 2 || box.bottom > height - 2 ? 40 : 0);
      const best = boxes.reduce((found, box) => (cost(box) < cost(found) ? box : found));
      taken.push(best);
      parts.push([text, { x: (x + best.dx).toFixed(1), y: (y + best.dy).toFixed(1), "text-anchor": best.anchor, class: className, style }]);
    };
    if (followed >= 0 && (followed < data.n || data.own)) {
      const ends = [0, nLayers() - 1].filter((each) => each !== layer), at = (each) => onPaper(position(followed, each));
      const [x, y] = at(0), reach = Math.max(...data.layers.map((_, each) => Math.hypot(at(each)[0] - x, at(each)[1] - y)));
      if (reach > 40) for (const each of ends) put(at(each), each === 0 ? data.layers[0] : `layer ${data.layers[each]}`, "", 7, "mm-step-name");
    }
    data.items.forEach((item, i) => {
      if (shown[i] && (item.landmark || data.named)) put(shown[i], wordOf(item), `fill:${GROUP_COLOURS[groupOf(i)]}`, item.landmark ? 7 : 9);
    });
    if (data.own && shown[data.n]) put(shown[data.n], "yours", "", followed === data.n ? 16 : 12, "mm-name mm-own-name");
    for (const [at, count, word] of clumps()) put(at, `${count} × ${word}`, "", 13, "mm-name mm-pile");
    // The same few elements serve again: making new ones on every move costs time.
    while (names.childElementCount > parts.length) names.lastChild.remove();
    while (names.childElementCount < parts.length) names.append(svgElement("text"));
    parts.forEach(([text, attributes], i) => {
      const node = names.children[i];
      if (node.textContent !== text) node.textContent = text;
      for (const [name, value] of Object.entries(attributes)) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    });
  }

  // Where the occurrences of one word lie close together, the whole clump is named: [its right edge, how many, word].
  function clumps() {
    if (data.named) return [];
    const found = new Map();
    data.items.forEach((item, i) => {
      if (!shown[i] || item.landmark) return;
      const word = wordOf(item).toLowerCase(), [x, y] = shown[i];
      const { left, right, top, bottom, count } = found.get(word) || { left: x, right: x, top: y, bottom: y, count: 0 };
      found.set(word, { left: Math.min(left, x), right: Math.max(right, x), top: Math.min(top, y), bottom: Math.max(bottom, y), count: count + 1 });
    });
    return [...found].filter(([, box]) => box.count > 2 && box.right - box.left < 0.3 * size.width && box.bottom - box.top < 0.3 * size.height)
      .map(([word, box]) => [[box.right, (box.top + box.bottom) / 2], box.count, word]);
  }

  function drawSentence() {
    const i = hover >= 0 ? hover : get("followed"), item = i === data.n ? data.own : data.items[i];
    if (!item) { sentence.replaceChildren("Point at a point to read its sentence; click it to follow it through the layers."); return; }
    const about = i === data.n ? "Yours" : item.landmark ? "Landmark" : named(groupOf(i)) + (pairGroup(i) >= 0 ? (isUsed(i) ? ", used" : ", held back") : "");
    sentence.replaceChildren(element("span", { className: "mm-about" }, `${about}: `), item.text.slice(0, item.start),
      element("mark", {}, wordOf(item)), item.text.slice(item.end));
  }

  function drawPanel() {
    const layer = get("layer"), kept = keptShare(layer), [within, between] = get("cosines")[layer];
    const { usedRight, nUsed, heldRight, nHeld } = sides(layer), none = Number.isNaN(border(layer));
    panelTitle.textContent = layerTitle(layer);
    panelWords.textContent = layerWords(layer);
    keptValue.textContent = Number.isNaN(kept) ? "no variance" : percent(kept);
    withinValue.textContent = cosineText(within);
    betweenValue.textContent = cosineText(between);
    usedValue.textContent = none ? "no border" : `${usedRight} of ${nUsed}`;
    heldValue.textContent = none ? "no border" : nHeld ? `${heldRight} of ${nHeld}` : "none";
    chartMarks.forEach((mark, i) => mark.classList.toggle("mm-off", i !== layer));
    const words = statusWords(layer, get("view"));
    status.say(words);
    map.setAttribute("aria-label", mapLabel(layer, words));
    ownStatus.say(ownWords(layer));
  }

  function drawChart() {
    const width = 236, height = 104, left = 34, right = 10, top = 8, bottom = 22, cosines = get("cosines");
    const all = cosines.flat().filter((value) => value !== null), low = Math.floor(Math.min(...all, 0.95) * 20) / 20;
    const x = (i) => left + ((width - left - right) * i) / Math.max(1, nLayers() - 1), y = (value) => top + ((height - top - bottom) * (1 - value)) / (1 - low);
    // The layer that is shown is marked by a line and a bold name; each layer's mark is there, all but one unseen.
    chartMarks = data.layers.map((name, i) => svgElement("g", { class: "mm-mark mm-off" },
      svgElement("line", { x1: x(i), x2: x(i), y1: top - 4, y2: height - bottom + 3 }),
      svgElement("text", { x: x(i), y: height - 5, "text-anchor": "middle" }, name === "static" ? "st." : name)));
    const parts = [];
    for (const value of [1, (1 + low) / 2, low]) {
      parts.push(svgElement("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "mm-rule" }),
        svgElement("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(2).replace("-", "−")));
    }
    data.layers.forEach((name, i) => {
      if (nLayers() > 14 && i % 5) return;
      parts.push(svgElement("text", { x: x(i), y: height - 5, "text-anchor": "middle", class: "mm-tick" }, name === "static" ? "st." : name));
    });
    parts.push(...chartMarks);
    [1, 0].forEach((which) => {
      const known = cosines.map((pair, i) => [x(i), pair[which]]).filter(([, value]) => value !== null).map(([at, value]) => [at, y(value)]);
      parts.push(svgElement("polyline", { points: known.map((at) => at.map((v) => v.toFixed(1)).join(",")).join(" "), class: which ? "mm-between" : "mm-within" }));
      for (const [cx, cy] of known) parts.push(svgElement("circle", { cx, cy, r: 2.6, class: which ? "mm-between-dot" : "mm-within-dot" }));
    });
    chart.setAttribute("width", width);
    chart.setAttribute("height", height);
    chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
    chart.setAttribute("aria-label", `Mean cosine over the layers. ${data.layers.map((name, i) => `${name}: one group ${cosineText(cosines[i][0])}, different groups ${cosineText(cosines[i][1])}`).join("; ")}.`);
    chart.replaceChildren(...parts);
  }

  function redraw() {
    if (!root.isConnected) return;  // without a width; the observer below calls again
    arrange();
    dress();
    move();
  }
  function move() {
    if (!root.isConnected || !size.width) return;
    place();
    drawSentence();
    drawPanel();
  }

  // ---- pointing
  function nearest(event) {
    const box = map.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = NEAR;
    shown.forEach((at, i) => { const far = at ? Math.hypot(at[0] - x, at[1] - y) : Infinity; if (far < least) { least = far; best = i; } });
    return best;
  }
  function point(i) {
    if (i === hover) return;
    if (hover >= 0) points[hover].node.classList.remove("mm-hover");
    hover = i;
    if (i >= 0) points[i].node.classList.add("mm-hover");
    drawSentence();
  }
  map.addEventListener("pointermove", (event) => point(nearest(event)));
  map.addEventListener("pointerleave", () => point(-1));
  map.addEventListener("click", (event) => { const i = nearest(event); if (i >= 0) change({ followed: i === get("followed") ? -1 : i }); });

  // ---- joining it to the kernel
  const listeners = [
    ["change:layer", () => { layerSlider.set(get("layer")); move(); }],
    ["change:view", () => { viewSlider.set(get("view")); move(); }],
    ["change:pair change:is_dealt", () => { pairChoice.set(get("pair")); dealToggle.set(get("is_dealt")); redraw(); }],
    ["change:hidden_groups change:show_landmarks", () => { landmarkToggle.set(get("show_landmarks")); redraw(); }],
    ["change:followed", redraw],
    ["change:own change:own_principal change:own_separating change:own_cosines", () => { readOwn(); fillFollow(); redraw(); }],
    ["change:own_text", () => ownText.set(get("own_text"))],
    ["change:own_word", () => ownWord.set(get("own_word"))],
    ["change:problem", () => problem.say(get("problem"))],
  ];
  const disconnect = connect(model, listeners);
  problem.say(get("problem"));
  fillFollow();
  build();
  redraw();
  const stop = onThemeOrWidth(stage, redraw);
  return () => { stop(); disconnect(); };
}

export default { render };

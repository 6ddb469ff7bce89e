// The points of a sweep: one metric against another with the Pareto front, a metric
// against a key, and all keys and metrics side by side.

// plane is an SVG with two axes. An axis is numbers, linear or logarithmic, or names.
function plane(width, height, xs, ys) {
  const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const left = 72, right = width - 18, top = 12, bottom = height - 46;
  const axis = (c, from, to, horizontal) => {
    const at = place(c, from, to);
    svg.append(...at.ticks.map(([v, label]) => {
      const p = at.of(v);
      return el("g", null,
        el("line", horizontal ? { x1: p, x2: p, y1: top, y2: bottom, class: "gridline" } : { x1: left, x2: right, y1: p, y2: p, class: "gridline" }),
        el("text", horizontal ? { x: p, y: bottom + 16, "text-anchor": "middle", class: "faint" } : { x: left - 6, y: p + 4, "text-anchor": "end", class: "faint" }, label));
    }));
    return at.of;
  };
  const x = axis(xs, left + 10, right - 10, true), y = axis(ys, bottom - 8, top + 8, false);
  svg.append(
    el("path", { d: `M${left} ${top} V${bottom} H${right}`, class: "axis" }),
    el("text", { x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }, xs.name),
    el("text", { x: 0, y: 0, transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" },
      ys.name.length * 7 < bottom - top ? ys.name : ys.name.slice(ys.name.lastIndexOf(".") + 1)));
  return { svg, x, y };
}

// place is where values of a column lie between two ends, and where its ticks are.
function place(c, from, to) {
  if (!c.number) {
    const step = (to - from) / c.names.length;
    return { of: v => from + (c.names.indexOf(v) + 0.5) * step, ticks: c.names.map(n => [n, n]) };
  }
  let [lo, hi] = c.range;
  if (!(hi > lo)) { lo -= Math.abs(lo) / 2 || 1; hi += Math.abs(hi) / 2 || 1; }
  const f = c.log ? Math.log : v => v;
  const of = v => from + (f(v) - f(lo)) / (f(hi) - f(lo)) * (to - from);
  const about = Math.max(2, Math.floor(Math.abs(to - from) / (from < to ? 80 : 45)));
  let at;
  if (c.key && c.distinct.length <= about) at = c.distinct;
  else at = c.log ? powers(lo, hi, c.key ? 2 : 10, c.unit, about) : ticks(lo, hi, c.unit, about).at.filter(v => v >= lo && v <= hi);
  return { of, ticks: at.map(v => [v, c.unit ? c.unit === "ratio" ? quantity(v, "ratio") : short(v, c.unit) : Math.abs(v) < 0.01 ? String(+v.toPrecision(3)) : Number(v.toPrecision(4)).toLocaleString("en-US")]) };
}

// front is the points than which no other is as good in both and better in one.
function front(x, y, xMore, yMore) {
  const all = x.map((_, i) => i).filter(i => x[i] !== null && y[i] !== null && x[i] !== undefined && y[i] !== undefined);
  const sx = xMore ? -1 : 1, sy = yMore ? -1 : 1;
  all.sort((a, b) => sx * (x[a] - x[b]) || sy * (y[a] - y[b]) || a - b);
  const best = [];
  let least = Infinity, at = null;
  for (const i of all) {
    const v = sy * y[i];
    if (v < least || v === least && x[i] === at) { best.push(i); least = v; at = x[i]; }
  }
  return best;
}

function drawStudies(part) {
  const columns = part.columns.map(c => {
    const number = c.values.every(v => typeof v === "number" || v === null);
    const values = c.values.filter(v => v !== null), distinct = [...new Set(values)];
    if (number) distinct.sort((a, b) => a - b);
    let lo = Infinity, hi = -Infinity;
    if (number) for (const v of values) { lo = Math.min(lo, v); hi = Math.max(hi, v); }
    return { ...c, number, distinct, names: number ? null : distinct.map(String), range: [lo, hi], log: number && lo > 0 && hi / lo >= (c.key ? 8 : 50) };
  });
  const named = name => columns.find(c => c.name === name);
  const keys = columns.filter(c => c.key), metrics = columns.filter(c => !c.key);
  const count = columns[0].values.length, points = [...Array(count).keys()];
  const chosen = { x: part.x, y: part.y, of: part.x, key: (keys.find(k => k.distinct.length > 1) || keys[0] || metrics[0]).name, hue: (keys.find(k => k.distinct.length > 1 && k.distinct.length <= 8) || {}).name || "", xMore: named(part.x).more || false, yMore: named(part.y).more || false };
  const brushes = new Map(); // of the axes of the parallel coordinates, by name
  const inside = i => [...brushes].every(([name, [a, b]]) => { const c = named(name), v = c.number ? c.values[i] : c.names.indexOf(String(c.values[i])); return v !== null && v >= a && v <= b; });

  const views = [], redraw = () => views.forEach(v => v());
  const select = (label, from, get, set) => {
    const s = el("select", { onchange: e => { set(e.target.value); redraw(); } }, from.map(c => el("option", { value: c.name, selected: c.name === get ? "" : null }, c.name || "nothing")));
    return el("label", null, label + " ", s);
  };
  const way = (label, key) => {
    const b = el("button", { type: "button", onclick: () => { chosen[key] = !chosen[key]; redraw(); } });
    const update = () => { b.textContent = label + ": " + (chosen[key] ? "more" : "less") + " is better"; };
    update();
    views.push(update);
    return b;
  };
  const show = (c, i) => c.number && c.unit ? quantity(c.values[i], c.unit) : c.number && c.values[i] !== null ? digits(c.values[i]) : String(c.values[i] ?? "–");
  const say = (i, e) => tip.show(e.clientX, e.clientY, keys.map(k => k.name.slice(k.name.lastIndexOf(".") + 1) + " " + show(k, i)).join(", "),
    ...[...new Set([chosen.x, chosen.y, chosen.of])].map(n => n + ": " + show(named(n), i)));
  const hue = i => {
    const c = chosen.hue && named(chosen.hue);
    return c ? theme.palette[c.distinct.indexOf(c.values[i]) % theme.palette.length] : theme.palette[0];
  };
  const hues = () => {
    const c = chosen.hue && named(chosen.hue);
    return el("ul", { class: "legend" }, c ? [el("li", null, c.name + ":"), ...c.distinct.map((v, k) => {
      const s = el("span", { class: "swatch round" });
      s.style.background = theme.palette[k % theme.palette.length];
      return el("li", null, s, String(v));
    })] : []);
  };
  const mark = (svg, x, y, i, strong) => {
    const on = inside(i);
    svg.append(el("circle", { cx: x, cy: y, r: strong ? 6 : 4, fill: hue(i), "fill-opacity": on ? strong ? 1 : .55 : .08, stroke: strong ? theme.ink : theme.card, "stroke-width": strong ? 1.5 : .75, onpointermove: e => say(i, e), onpointerleave: () => tip.hide() }));
  };
  const chart = (figure, draw, coloured = true) => {
    const node = el("div", { class: coloured ? "chart" : "chart broad" }), legend = el("div");
    figure.append(legend, node);
    let width = 0;
    const again = () => { if (width) { if (coloured) legend.replaceChildren(hues()); node.replaceChildren(draw(width)); } };
    onWidth(node, w => { width = w; again(); });
    views.push(again);
    return figure;
  };
  const numbersOnly = columns.filter(c => c.number);

  const scatter = chart(frame({ title: "Trade-off", text: ["Points on the front are ringed and joined. " + prose(part.text)] },
    select("x", numbersOnly, chosen.x, v => { chosen.x = v; chosen.xMore = !!named(v).more; }), way("x", "xMore"),
    select("y", numbersOnly, chosen.y, v => { chosen.y = v; chosen.yMore = !!named(v).more; }), way("y", "yMore"),
    select("colour", [{ name: "" }, ...keys], chosen.hue, v => { chosen.hue = v; })), width => {
    const cx = named(chosen.x), cy = named(chosen.y);
    const p = plane(width, Math.max(260, Math.min(460, width * .5)), cx, cy);
    const best = front(cx.values, cy.values, chosen.xMore, chosen.yMore), of = new Set(best);
    if (best.length > 1) p.svg.append(el("path", { d: "M" + best.map(i => p.x(cx.values[i]).toFixed(1) + " " + p.y(cy.values[i]).toFixed(1)).join("L"), fill: "none", stroke: theme.ink, "stroke-width": 1.5, "stroke-dasharray": "5 4" }));
    for (const i of points) if (!of.has(i) && cx.values[i] !== null && cy.values[i] !== null) mark(p.svg, p.x(cx.values[i]), p.y(cy.values[i]), i, false);
    for (const i of best) mark(p.svg, p.x(cx.values[i]), p.y(cy.values[i]), i, true);
    p.svg.setAttribute("role", "img");
    p.svg.setAttribute("aria-label", `${chosen.y} against ${chosen.x}, ${best.length} points on the Pareto front`);
    return p.svg;
  });

  const response = chart(frame({ title: "Response", text: ["What one key does to a metric: every point, the median of each value (solid), the best of each (dashed)."] },
    select("key", keys, chosen.key, v => { chosen.key = v; }),
    select("metric", metrics.filter(c => c.number), chosen.of, v => { chosen.of = v; })), width => {
    const ck = named(chosen.key), cy = named(chosen.of);
    const p = plane(width, Math.max(240, Math.min(380, width * .42)), ck, cy);
    const at = v => p.x(ck.number ? v : String(v));
    const middle = [], best = [];
    for (const v of ck.distinct) {
      const ys = points.filter(i => ck.values[i] === v && cy.values[i] !== null && inside(i)).map(i => cy.values[i]).sort((a, b) => a - b);
      if (!ys.length) continue;
      middle.push([at(v), p.y((ys[(ys.length - 1) >> 1] + ys[ys.length >> 1]) / 2)]);
      best.push([at(v), p.y(cy.more ? ys[ys.length - 1] : ys[0])]);
    }
    const path = (list, dash) => el("path", { d: "M" + list.map(q => q.map(n => n.toFixed(1)).join(" ")).join("L"), fill: "none", stroke: theme.ink, "stroke-width": 2, "stroke-dasharray": dash });
    if (middle.length > 1) p.svg.append(path(middle, null), path(best, "5 4"));
    for (const i of points) if (cy.values[i] !== null && ck.values[i] !== null) mark(p.svg, at(ck.values[i]), p.y(cy.values[i]), i, false);
    p.svg.setAttribute("role", "img");
    p.svg.setAttribute("aria-label", `${chosen.of} by ${chosen.key}`);
    return p.svg;
  });

  const state = el("span", null);
  const parallel = chart(frame({ title: "Parallel coordinates", text: ["A line is a point, the better in x the stronger. Drag along an axis to keep the points between; the charts above follow. Double-click an axis to let go."] },
    state, el("button", { type: "button", onclick: () => { brushes.clear(); redraw(); } }, "keep all")), shown => {
    const axes = [...keys.filter(k => k.distinct.length > 1).slice(0, 8), ...new Set([named(chosen.x), named(chosen.y), ...metrics.slice(0, 3)])];
    const ending = (c, parts) => c.name.split(".").slice(-parts).join(".");
    const endings = axes.map(c => ending(c, axes.some(d => d !== c && ending(d, 1) === ending(c, 1)) ? 2 : 1));
    const width = Math.max(shown, 100 * axes.length); // a narrow screen scrolls
    const height = 360, top = 34, bottom = height - 26;
    const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "parallel coordinates of " + axes.map(a => a.name).join(", ") });
    const x = k => 60 + k * (width - 120) / Math.max(1, axes.length - 1);
    const at = axes.map(c => place(c, bottom, top));
    const cx = named(chosen.x), share = i => (cx.values[i] - cx.range[0]) / (cx.range[1] - cx.range[0] || 1);
    const drawn = points.filter(i => axes.every(c => c.values[i] !== null));
    const kept = drawn.filter(inside);
    state.textContent = `${kept.length} of ${drawn.length} points`;
    const line = (i, on) => svg.append(el("path", {
      d: "M" + axes.map((c, k) => x(k).toFixed(1) + " " + at[k].of(c.number ? c.values[i] : String(c.values[i])).toFixed(1)).join("L"), fill: "none",
      stroke: on ? heatColour(.3 + .7 * (chosen.xMore ? share(i) : 1 - share(i))) : theme.grid, "stroke-width": on ? 1.6 : 1, "stroke-opacity": on ? .8 : .5,
      ...(on ? { onpointermove: e => say(i, e), onpointerleave: () => tip.hide() } : {}),
    }));
    const keptSet = new Set(kept);
    for (const i of drawn) if (!keptSet.has(i)) line(i, false);
    for (const i of kept) line(i, true);
    axes.forEach((c, k) => {
      svg.append(el("line", { x1: x(k), x2: x(k), y1: top, y2: bottom, class: "axis" }),
        el("text", { x: x(k), y: k % 2 && axes.length > 6 ? 26 : 12, "text-anchor": k === 0 ? "start" : k === axes.length - 1 ? "end" : "middle", ...(k === 0 ? { x: 4 } : k === axes.length - 1 ? { x: width - 4 } : {}) }, endings[k], el("title", null, c.name)),
        ...at[k].ticks.map(([v, label]) => el("text", { x: x(k) - 6, y: at[k].of(v) + 4, "text-anchor": "end", class: "faint" }, label)));
      const b = brushes.get(c.name);
      if (b) {
        const to = v => c.number ? at[k].of(v) : at[k].of(c.names[Math.round(Math.min(c.names.length - 1, Math.max(0, v)))]);
        svg.append(el("rect", { x: x(k) - 7, width: 14, y: Math.min(to(b[0]), to(b[1])) - 2, height: Math.abs(to(b[0]) - to(b[1])) + 4, fill: theme.accent, "fill-opacity": .3, stroke: theme.accent }));
      }
      const grip = el("rect", { x: x(k) - 12, width: 24, y: top - 6, height: bottom - top + 12, fill: "transparent", style: "cursor:ns-resize" });
      let from = null;
      const value = e => { // of the place of the pointer
        const py = e.clientY - svg.getBoundingClientRect().top, t = (bottom - py) / (bottom - top);
        if (!c.number) return t * c.names.length - .5;
        const [lo, hi] = c.range;
        return c.log ? lo * Math.pow(hi / lo, t) : lo + t * (hi - lo);
      };
      grip.addEventListener("pointerdown", e => { from = value(e); grip.setPointerCapture(e.pointerId); });
      grip.addEventListener("pointerup", e => {
        if (from === null) return;
        const to = value(e);
        if (Math.abs(at[k].of(c.range[0]) - at[k].of(c.range[1])) > 0 || !c.number) brushes.set(c.name, [Math.min(from, to), Math.max(from, to)]);
        if (from === to) brushes.delete(c.name);
        from = null;
        redraw();
      });
      grip.addEventListener("dblclick", () => { brushes.delete(c.name); redraw(); });
      svg.append(grip);
    });
    return svg;
  }, false);
  return [scatter, response, parallel];
}

// Rows over time on a canvas: heat maps and Gantt charts.

// rowChart draws the axis, the names of rows, and what its painter fills them with.
// hit tells what is at a place, as lines of a tip, or null.
function rowChart(figure, part, domain, rowHeight, paint, hit) {
  const node = el("div", { class: "chart" }), canvas = el("canvas");
  node.append(canvas);
  figure.append(node);
  keyboard(node, domain, part.title || "rows over time");
  const foot = 40, head = 4, own = gutterOf(part.rows);
  if (part.x.time) runGutter = Math.max(runGutter, own);
  let box = null;
  const draw = width => {
    const height = head + part.rows.length * rowHeight + foot;
    const c = clear(canvas, width, height);
    const left = leftOf(part, own, width);
    box = { left, right: width - 16, top: head, bottom: height - foot, rowHeight };
    const w = box.right - box.left;
    const x = v => box.left + (v - domain.from) / (domain.to - domain.from) * w;
    const t = ticks(domain.from, domain.to, part.x.unit, Math.max(2, Math.floor(w / 95)));
    c.save();
    c.beginPath();
    c.rect(box.left, box.top, w, box.bottom - box.top);
    c.clip();
    paint(c, x, box);
    c.restore();
    c.fillStyle = theme.ink;
    c.textAlign = "right";
    c.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(13 / rowHeight));
    part.rows.forEach((r, i) => { if (i % every === 0) c.fillText(fit(c, r, left - 8), left - 6, box.top + (i + 0.5) * rowHeight); });
    c.fillStyle = theme.faint;
    c.strokeStyle = theme.rule;
    c.strokeRect(box.left - 0.5, box.top - 0.5, w + 1, box.bottom - box.top + 1);
    c.textAlign = "center";
    c.textBaseline = "top";
    t.at.forEach((v, i) => {
      const px = x(v);
      c.beginPath(); c.moveTo(px, box.bottom); c.lineTo(px, box.bottom + 4); c.stroke();
      c.fillText(t.labels[i], px, box.bottom + 7);
    });
    c.fillText(axisLabel(part.x, t.unit), box.left + w / 2, box.bottom + 23);
  };
  const place = e => {
    const r = canvas.getBoundingClientRect(), px = e.clientX - r.left, py = e.clientY - r.top;
    const share = (px - box.left) / (box.right - box.left);
    return { px, py, at: domain.from + share * (domain.to - domain.from), row: Math.floor((py - box.top) / rowHeight), part: (py - box.top) / rowHeight % 1, inside: share >= 0 && share <= 1 && py >= box.top && py < box.bottom };
  };
  let start = null;
  const mark = el("div", { class: "select", hidden: "" });
  node.append(mark);
  canvas.addEventListener("pointermove", e => {
    if (!box) return;
    const p = place(e);
    if (start !== null) {
      const a = Math.max(box.left, Math.min(start.px, p.px)), b = Math.min(box.right, Math.max(start.px, p.px));
      mark.hidden = b - a < 3;
      mark.style.cssText = `left:${a}px;width:${b - a}px;top:${box.top}px;height:${box.bottom - box.top}px`;
      tip.hide();
      return;
    }
    const found = p.inside ? hit(p) : null;
    if (found) tip.show(e.clientX, e.clientY, ...found); else tip.hide();
  });
  canvas.addEventListener("pointerleave", () => tip.hide());
  canvas.addEventListener("pointerdown", e => { const p = place(e); if (p.inside && e.button === 0 && e.pointerType !== "touch") { start = p; canvas.setPointerCapture(e.pointerId); } });
  canvas.addEventListener("pointerup", e => {
    if (start === null) return;
    const from = start, p = place(e);
    start = null;
    mark.hidden = true;
    if (Math.abs(p.px - from.px) < 4) return;
    domain.set(Math.min(from.at, p.at), Math.max(from.at, p.at));
  });
  canvas.addEventListener("pointercancel", () => { start = null; mark.hidden = true; });
  canvas.addEventListener("dblclick", () => domain.reset());
  onWidth(node, draw);
  const redraw = () => { if (box) draw(Math.floor(node.clientWidth)); };
  domain.views.push(redraw);
  return redraw;
}

// niceTop is the end of a scale that has room for a peak, and at least a tenth: what is
// hardly used is not to look hot.
function niceTop(peak) {
  if (!(peak > 0)) return 1;
  peak = Math.max(peak, 0.1);
  const power = Math.pow(10, Math.floor(Math.log10(peak) + 1e-9)), lead = peak / power;
  return power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(n => n >= lead - 1e-9);
}

// heatScale is the bar of colours with its ends.
function heatScale(top, of) {
  const bar = el("i"), paint = () => { bar.style.background = "linear-gradient(to right," + [0, .25, .5, .75, 1].map(heatColour).join(",") + ")"; };
  paint();
  theme.watch(paint);
  return el("span", { class: "scale" }, of, el("span", null, "0"), bar, el("span", null, quantity(top, "ratio")));
}

function drawHeat(part) {
  let layer = 0;
  const tops = part.layers.map(l => {
    let peak = 0;
    for (const r of l.values) for (const v of r) if (v > peak) peak = v;
    return niceTop(peak);
  });
  const scale = el("span"), domain = domainOf(part, part.at[0], part.at[part.at.length - 1]);
  const choice = part.layers.length < 2 ? [] : part.layers.map((l, i) => el("button", {
    type: "button", "aria-pressed": String(i === 0), title: l.text || "", onclick: e => {
      layer = i;
      choice.forEach((b, k) => b.setAttribute("aria-pressed", String(k === i)));
      rescale();
      redraw();
    },
  }, l.name));
  const figure = frame(part, choice, zoomTools(domain), scale);
  const scales = tops.map(t => heatScale(t, part.layers[0].name === "held" ? "held" : "of the wire"));
  const rescale = () => scale.replaceChildren(scales[layer]);
  rescale();
  if (part.rows.length > 12) figure.classList.add("long");
  const rowHeight = Math.max(9, Math.min(22, Math.floor(640 / part.rows.length)));
  const cell = at => { let a = 0, b = part.at.length - 2; while (a < b) { const m = (a + b + 1) >> 1; if (part.at[m] <= at) a = m; else b = m - 1; } return a; };
  const redraw = rowChart(figure, part, domain, rowHeight, (c, x, box) => {
    const first = cell(domain.from), last = cell(domain.to);
    part.layers[layer].values.forEach((values, r) => {
      for (let i = first; i <= last; i++) {
        const v = values[i];
        if (v === null || v === undefined) continue;
        c.fillStyle = heatColour(v / tops[layer]);
        const a = Math.floor(x(part.at[i])), b = Math.ceil(x(part.at[i + 1]));
        c.fillRect(a, box.top + r * rowHeight, Math.max(1, b - a), rowHeight - (rowHeight > 6 ? 1 : 0));
      }
    });
  }, p => {
    const i = cell(p.at);
    return [part.rows[p.row], quantity(part.at[i], part.x.unit) + " to " + quantity(part.at[i + 1], part.x.unit),
      ...part.layers.map(l => l.name + " " + quantity(l.values[p.row][i], "ratio"))];
  });
  return figure;
}

function drawGantt(part) {
  const domain = domainOf(part, 0, part.end);
  const hues = part.hues;
  const figure = frame(part, zoomTools(domain));
  const places = hues && placesOf(hues);
  const colour = i => hues ? colourAt(places[part.hue[i]]) : jobColour(part.name[i]);
  if (hues && hues.join() !== part.rows.join()) {
    const swatches = hues.map(() => el("span", { class: "swatch" }));
    const paint = () => swatches.forEach((s, i) => { s.style.background = colourAt(places[i]); });
    paint();
    theme.watch(paint);
    figure.append(el("ul", { class: "legend" }, hues.map((h, i) => el("li", null, swatches[i], h))));
  }
  if (part.rows.length > 24) figure.classList.add("long");
  const rowHeight = part.rows.length > 40 ? 13 : Math.max(15, Math.min(hues ? 22 : 64, Math.floor(420 / part.rows.length)));
  const low = i => part.low ? part.low[i] : 0, high = i => part.high ? part.high[i] : 1;
  // Bars of a row by their place, for the pointer.
  const of = part.rows.map(() => []);
  part.row.forEach((r, i) => of[r].push(i));
  rowChart(figure, part, domain, rowHeight, (c, x, box) => {
    c.fillStyle = theme.grid;
    part.rows.forEach((_, r) => c.fillRect(box.left, box.top + r * rowHeight, box.right - box.left, rowHeight - 1));
    for (let i = 0; i < part.row.length; i++) {
      if (part.to[i] < domain.from || part.from[i] > domain.to) continue;
      const a = x(part.from[i]), w = Math.max(1.5, x(part.to[i]) - a);
      const y = box.top + part.row[i] * rowHeight + low(i) * (rowHeight - 1), h = Math.max(1, (high(i) - low(i)) * (rowHeight - 1));
      c.fillStyle = colour(i);
      c.fillRect(a, y, w, h);
      if (w > 3 && h > 3) { c.strokeStyle = theme.card; c.lineWidth = 0.75; c.strokeRect(a + .4, y + .4, w - .8, h - .8); }
      const name = part.names[part.name[i]];
      if (w > 34 && h > 11) {
        c.font = "11px system-ui, 'Liberation Sans', sans-serif";
        const visible = Math.min(a + w, box.right) - Math.max(a, box.left);
        if (c.measureText(name).width < visible - 6) {
          c.fillStyle = "#fff"; c.textAlign = "left"; c.textBaseline = "middle"; c.shadowColor = "#0009"; c.shadowBlur = 2;
          c.fillText(name, Math.max(a, box.left) + 3, y + h / 2 + .5);
          c.shadowBlur = 0;
        }
        c.font = "12px system-ui, 'Liberation Sans', sans-serif";
      }
    }
  }, p => {
    for (const i of (of[p.row] || []).toReversed()) { // what was drawn last lies on top
      if (p.at >= part.from[i] && p.at <= part.to[i] && p.part >= low(i) && p.part < high(i)) {
        return [part.names[part.name[i]], part.rows[p.row], "from " + quantity(part.from[i], "s") + " to " + quantity(part.to[i], "s"), "for " + quantity(part.to[i] - part.from[i], "s"), hues ? hues[part.hue[i]] : null];
      }
    }
    return [part.rows[p.row], "nothing at " + quantity(p.at, "s")];
  });
  return figure;
}

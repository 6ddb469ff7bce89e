// Lines over a common axis: series over time, curves, distributions. uPlot draws.

function drawLines(part) {
  const own = !part.at;
  const joined = own ? uPlot.join(part.lines.map(l => [l.at, l.values])) : [part.at, ...part.lines.map(l => l.values)];
  const xs = joined[0], raw = joined.slice(1);
  const last = xs[xs.length - 1];
  const domain = domainOf(part, xs[0], last > xs[0] ? last * (own && !part.x.log ? 1.03 : 1) : part.x.log ? xs[0] * 2 : xs[0] + 1);
  const figure = frame(part, zoomTools(domain));
  const shown = part.lines.map(() => true);
  const places = placesOf(part.lines.map(l => l.name));
  const colour = i => colourAt(part.lines[i].hue ? part.lines[i].hue - 1 : places[i]);

  // A stack is drawn from its top down, each area over the one before.
  const order = part.lines.map((_, i) => i);
  if (part.stacked) order.reverse();
  const heights = () => {
    if (!part.stacked) return raw;
    const sums = new Array(xs.length).fill(0);
    return raw.map((values, k) => values.map((v, i) => sums[i] += shown[k] ? v || 0 : 0));
  };
  const data = () => { const h = heights(); return [xs, ...order.map(i => h[i])]; };
  let most = part.y.max || 0;
  if (!part.y.max) for (const column of heights()) for (const v of column) if (v > most) most = v;
  if (!(most > 0)) most = 1;
  const top = part.y.max ? most : most * 1.06;

  const outputs = [], swatches = [];
  const where = el("output", null);
  const legend = el("ul", { class: "legend" }, part.lines.map((l, i) => {
    const swatch = el("span", { class: "swatch" + (l.dashed ? " dashed" : l.points ? " round" : "") });
    swatches.push(swatch);
    const output = el("output", null);
    outputs.push(output);
    const marks = l.marks ? el("span", { class: "marks" }, ["p50 ", "p99 ", "max "].map((m, k) => m + quantity(l.marks[k].v, l.marks[k].u)).join(", ")) : null;
    const button = el("button", { type: "button", "aria-pressed": "true", title: l.text || "" }, swatch, l.name, output, marks);
    button.addEventListener("click", () => {
      shown[i] = !shown[i];
      button.setAttribute("aria-pressed", String(shown[i]));
      if (!plot) return;
      if (part.stacked) plot.setData(data(), false);
      plot.setSeries(order.indexOf(i) + 1, { show: shown[i] });
    });
    return el("li", null, button);
  }), el("li", null, where));
  const paint = () => swatches.forEach((s, i) => { s.style.background = colour(i); s.style.borderTopColor = part.lines[i].dashed ? colour(i) : ""; });
  paint();
  theme.watch(paint);

  const node = el("div", { class: "chart" });
  if (part.lines.length > 1 || part.lines[0].marks || part.y.label !== part.lines[0].name) figure.append(legend);
  figure.append(node);
  keyboard(node, domain, part.title);

  const value = (k, i) => { // of a curve with an x of its own, the last before
    while (i >= 0 && (raw[k][i] === null || raw[k][i] === undefined)) i--;
    return i < 0 ? null : raw[k][i];
  };
  const tell = u => {
    const i = u.cursor.idx;
    where.textContent = i === null || i === undefined ? "" : "at " + (part.x.log === 2 ? short(xs[i], part.x.unit, 2) : quantity(xs[i], part.x.unit));
    outputs.forEach((o, k) => { o.textContent = i === null || i === undefined ? "" : quantity(value(k, i), part.y.unit); });
  };

  const few = xs.length <= 40;
  const stepped = uPlot.paths.stepped({ align: 1 }), straight = uPlot.paths.linear(), none = () => null;
  const series = i => {
    const l = part.lines[i];
    return {
      label: l.name, scale: "y", stroke: () => part.stacked ? "transparent" : colour(i), width: part.stacked ? 0 : 2,
      fill: part.stacked ? () => colour(i) : undefined,
      dash: l.dashed ? [7, 5] : undefined, spanGaps: own,
      paths: l.points ? none : part.step ? stepped : straight,
      points: { show: l.points || few && !part.step && !l.dashed, size: 7, fill: l.points ? () => theme.card : () => colour(i), stroke: () => colour(i), width: 2 },
    };
  };
  const axisStyle = { stroke: () => theme.faint, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", ticks: { stroke: () => theme.grid }, grid: { stroke: () => theme.grid, width: 1 } };
  let plot = null;
  const make = width => {
    const height = Math.round(Math.max(200, Math.min(320, width * 0.36)));
    if (plot) { plot.setSize({ width, height }); plot.redraw(); return; }
    const xTicks = (min, max, w) => ticks(min, max, part.x.unit, Math.max(2, Math.floor(w / 95)));
    plot = new uPlot({
      width, height, legend: { show: false }, padding: [10, 16, 0, 0],
      scales: {
        x: { time: false, auto: false, range: () => [domain.from, domain.to], ...(part.x.log ? { distr: 3, log: part.x.log } : {}) },
        y: { auto: false, range: () => [0, top] },
      },
      axes: [
        {
          ...axisStyle, size: 34, labelSize: 20,
          splits: (u, _, min, max) => part.x.log ? powers(min, max, part.x.log, part.x.unit, Math.floor(width / 70)) : xTicks(min, max, width).at,
          filter: (u, at) => at,
          values: (u, at) => part.x.log ? at.map(v => short(v, part.x.unit, part.x.log)) : xTicks(u.scales.x.min, u.scales.x.max, width).labels,
          label: u => axisLabel(part.x, part.x.log ? "" : xTicks(u.scales.x.min, u.scales.x.max, width).unit),
        },
        {
          ...axisStyle, size: () => leftOf(part, 74, node.clientWidth) - 20, labelSize: 20,
          splits: (u, _, min, max) => ticks(min, max, part.y.unit, Math.max(3, height / 50)).at,
          values: (u, at) => ticks(0, top, part.y.unit, Math.max(3, height / 50)).labels.slice(0, at.length),
          label: () => axisLabel(part.y, ticks(0, top, part.y.unit, 5).unit),
        },
      ],
      series: [{}, ...order.map(series)],
      cursor: {
        drag: { x: true, y: false, setScale: false }, sync: part.x.time ? { key: "run", scales: ["x", null] } : undefined,
        bind: { dblclick: () => () => { domain.reset(); return null; } },
        points: { show: !part.stacked, size: 7 }, y: false,
      },
      hooks: {
        setCursor: [tell],
        setSelect: [u => {
          if (u.select.width < 3) return;
          const a = u.posToVal(u.select.left, "x"), b = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          domain.set(a, b);
        }],
      },
    }, data(), node);
  };
  domain.views.push(() => { if (plot) plot.setScale("x", { min: domain.from, max: domain.to }); });
  onWidth(node, make);
  return figure;
}

// A network: nodes in tiers, the lines between them coloured by how much was used.

function drawNetwork(part) {
  let peak = 0;
  for (const e of part.edges) peak = Math.max(peak, e.utilization);
  const top = niceTop(peak);
  const figure = frame(part, heatScale(top, "of the wire, over the run"));
  const node = el("div", { class: "chart" });
  figure.append(node);
  const thick = Math.max(.6, Math.min(3, 90 / part.edges.length));
  const draw = width => {
    const left = Math.min(120, width * .18), right = width - 10, gap = 120, crown = part.tiers.length - 1;
    const vaulted = part.edges.some(e => e.from[0] === crown && e.to[0] === crown), head = vaulted ? 150 : 26;
    const height = head + (part.tiers.length - 1) * gap + 44;
    const y = t => head + (part.tiers.length - 1 - t) * gap;
    const x = (t, i) => left + (i + 0.5) / part.tiers[t].nodes.length * (right - left);
    const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": part.title + ": " + part.tiers.map(t => t.name).join(", ") });
    const say = (e, ev) => tip.show(ev.clientX, ev.clientY,
      part.tiers[e.from[0]].nodes[e.from[1]] + " – " + part.tiers[e.to[0]].nodes[e.to[1]],
      `${e.links.toLocaleString("en-US")} directed links; the busiest, ${e.busiest}, used to ${quantity(e.utilization, "ratio")}`,
      e.contended ? "contended for " + quantity(e.contended, "s") : "never contended",
      e.who ? prose(e.who) : null);
    // The hottest last, so that nothing hides it.
    for (const e of [...part.edges].sort((a, b) => a.utilization - b.utilization)) {
      const x1 = x(...e.from), y1 = y(e.from[0]), x2 = x(...e.to), y2 = y(e.to[0]);
      const arc = e.from[0] === e.to[0], crest = y1 - 16 - Math.min(240, Math.abs(x2 - x1) * .35);
      const d = arc
        ? `M${x1} ${y1 - 6} Q${(x1 + x2) / 2} ${crest} ${x2} ${y1 - 6}`
        : `M${x1} ${y1} L${x2} ${y2}`;
      const line = el("path", { d, fill: "none", stroke: heatColour(e.utilization / top), "stroke-width": 1 + thick * e.width, "stroke-linecap": "round" });
      const wide = el("path", { d, fill: "none", stroke: "transparent", "stroke-width": 10, onpointermove: ev => { say(e, ev); line.setAttribute("stroke-width", 3 + thick * e.width); }, onpointerleave: () => { tip.hide(); line.setAttribute("stroke-width", 1 + thick * e.width); } });
      svg.append(line, wide);
      if (e.lost) svg.append(el("circle", { cx: (x1 + x2) / 2, cy: arc ? (y1 - 6 + crest) / 2 : (y1 + y2) / 2, r: 5, fill: "none", stroke: theme.bad, "stroke-width": 2 }));
    }
    part.tiers.forEach((t, k) => {
      svg.append(el("text", { x: 0, y: y(k) + 4 }, t.name));
      const step = (right - left) / t.nodes.length, room = Math.floor(step / 6.4);
      // The longest form of the names that has room for all of them.
      const labels = [n => n, n => n.split(" … ")[0], n => n.split(" … ")[0].split("/").pop(), n => (n.split(" … ")[0].match(/\d+$/) || [""])[0]]
        .map(form => t.nodes.map(form)).find(all => all.every(l => l.length < room)) || [];
      t.nodes.forEach((n, i) => {
        const half = Math.min(22, step * .38);
        svg.append(el("rect", { x: x(k, i) - half, y: y(k) - 6, width: 2 * half, height: 12, rx: 3, fill: theme.card, stroke: theme.faint }, el("title", null, n)));
        const label = labels[i];
        if (label && label.length < room) svg.append(el("text", { x: x(k, i), y: y(k) + 20, "text-anchor": "middle", class: "faint" }, label));
      });
    });
    node.replaceChildren(svg);
  };
  onWidth(node, draw);
  if (part.edges.some(e => e.lost)) figure.append(el("p", { class: "note" }, "A ring marks where somebody lost time to others."));
  return figure;
}

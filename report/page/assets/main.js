// The page: its head, a section for each topic, and in these the parts.

(function () {
  const doc = JSON.parse(document.getElementById("data").textContent);
  const draw = { figures: drawFigures, bars: drawBars, lines: drawLines, heat: drawHeat, gantt: drawGantt, network: drawNetwork, table: drawTable, studies: drawStudies };

  let end = 0; // of the run
  for (const s of doc.sections) for (const p of s.parts) if (p.x && p.x.time) end = Math.max(end, p.end || 0, p.at ? p.at[p.at.length - 1] : 0);
  if (end > 0) runTime = new Domain(0, end, false);

  const status = doc.status ? el("span", { class: "status" + (doc.status === "done" ? "" : " early") }, doc.status === "horizon" ? "ended at the horizon" : doc.status) : null;
  const light = el("button", { type: "button", onclick: () => theme.toggle() });
  theme.watch(() => { light.textContent = theme.dark ? "light" : "dark"; light.setAttribute("aria-label", "use " + light.textContent + " colours"); });
  const subtitle = prose(doc.subtitle);
  document.body.append(
    el("a", { class: "skip", href: "#" + doc.sections[0].id }, "skip to the results"),
    el("header", null,
      el("div", null, el("h1", null, doc.title, status), subtitle ? el("p", null, subtitle) : null),
      el("div", { class: "tools" }, light, el("button", { type: "button", onclick: () => print() }, "print"))),
    el("nav", { "aria-label": "sections" }, el("ul", null, doc.sections.map(s => el("li", null, el("a", { href: "#" + s.id }, s.title))))),
    el("main", null, doc.sections.map(s => el("section", { id: s.id, "aria-labelledby": s.id + "-title" },
      el("h2", { id: s.id + "-title" }, s.title),
      s.text ? el("p", null, prose(s.text)) : null,
      ["distributions"].includes(s.id) ? el("div", { class: "grid2" }, s.parts.flatMap(p => draw[p.kind](p))) : s.parts.flatMap(p => draw[p.kind](p))))),
    el("footer", null, "Made by railyard report. This file holds all that it shows and asks for nothing from anywhere."));
  theme.set(document.documentElement.dataset.theme);
  requestAnimationFrame(() => requestAnimationFrame(() => { // charts are drawn once they have a width
    performance.mark("ready");
    document.documentElement.dataset.ready = "true";
  }));
})();

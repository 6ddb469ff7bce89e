// Single figures, and the parts of a whole.

function drawFigures(part) {
  const figure = frame(part);
  const cards = el("dl", { class: "cards" }, part.figures.map((f, i) => {
    const card = el("div", { class: "card", title: f.path || "" },
      el("dt", null, breakable(f.label)),
      el("dd", { class: "value" }, quantity(f.value, f.unit)),
      f.note ? el("dd", { class: "note" }, prose(f.note)) : null,
      f.text ? el("dd", { class: "meaning" }, f.text) : null,
      f.formula ? el("dd", null, el("code", null, breakable("= " + f.formula))) : null);
    const paint = () => { card.style.borderLeftColor = theme.palette[i % theme.palette.length]; };
    paint();
    theme.watch(paint);
    return card;
  }));
  figure.append(cards);
  return figure;
}

function drawBars(part) {
  const figure = frame(part);
  const places = placesOf(part.bars.map(b => b.name));
  const whole = part.bars.reduce((s, b) => s + b.value, 0);
  const row = (b, i, of, sub) => {
    const swatch = sub ? null : el("span", { class: "swatch" });
    if (swatch) { const paint = () => { swatch.style.background = colourAt(places[i]); }; paint(); theme.watch(paint); }
    return el("tr", { class: sub ? "part" : null },
      el("td", { class: "name" }, swatch, b.name),
      el("td", { class: "number" }, quantity(b.value, part.unit)),
      el("td", { class: "number" }, quantity(b.value / of, "ratio")),
      el("td", { class: "why" }, b.text || ""));
  };
  const bar = el("div", { class: "bar", role: "img", "aria-label": part.bars.map(b => b.name + " " + quantity(b.value / whole, "ratio")).join(", ") },
    part.bars.map((b, i) => {
      const share = b.value / whole;
      const s = el("span", { title: b.name + ": " + quantity(b.value, part.unit) + ", " + quantity(share, "ratio") }, el("b", null, b.name + " " + quantity(share, "ratio")));
      const paint = () => {
        const colour = colourAt(places[i]), quiet = colour === theme.quiet;
        s.style.cssText = `width:${100 * share}%;background:${colour}` + (quiet ? `;color:${theme.ink};text-shadow:none` : "");
      };
      paint();
      theme.watch(paint);
      return s;
    }));
  figure.append(bar, el("div", { class: "scroll" }, el("table", { class: "shares" }, el("tbody", null, part.bars.flatMap((b, i) =>
    [row(b, i, whole, false), ...(b.parts || []).map((p, k) => row(p, k, whole, true))])))));
  return figure;
}

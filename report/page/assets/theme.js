// Colours, which follow the reader's choice of light or dark, and paper.

const theme = {
  watchers: [],
  read() {
    const style = getComputedStyle(document.documentElement);
    const get = name => style.getPropertyValue("--" + name).trim();
    for (const name of ["paper", "card", "ink", "faint", "rule", "grid", "accent", "bad", "quiet"]) this[name] = get(name);
    this.palette = [0, 1, 2, 3, 4, 5, 6, 7].map(i => get("c" + i));
    this.heat = get("heat").split(/\s+/).map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
  },
  set(name) {
    document.documentElement.dataset.theme = name;
    this.read();
    for (const w of this.watchers) w();
  },
  get dark() { return document.documentElement.dataset.theme === "dark"; },
  watch(redraw) { this.watchers.push(redraw); },
};

// What is known by name has one colour on the whole page.
const known = {
  compute: 0, computing: 0, running: 0, "exposed communication": 1, communication: 1, waiting: 1, bubble: 4, storage: 3, optimizer: 2, idle: -1, "work that counts": 0, "lost to stops": 1,
  productive: 0, checkpoint: 2, "lost work": 1, detection: 4, restart: 3, reload: 5, allocated: 2, fragmented: 1, used: 0, carried: 0, wanted: 1,
};

// placesOf gives each of some names a place in the palette, -1 being the quiet colour:
// its own, or the next that none of them has.
function placesOf(names) {
  const own = names.map(n => Object.hasOwn(known, n) ? known[n] : null);
  const taken = new Set(own);
  let next = 0;
  return own.map(place => {
    if (place !== null) return place;
    while (taken.has(next) && taken.size < theme.palette.length) next++;
    taken.add(next % theme.palette.length);
    return next++;
  });
}

function colourAt(place) {
  return place < 0 ? theme.quiet : theme.palette[place % theme.palette.length];
}

// jobColour spreads many names over hues, neighbours far apart.
function jobColour(i) {
  return `hsl(${(i * 137.508) % 360} ${theme.dark ? 45 : 50}% ${(theme.dark ? 48 : 52) + (i % 3) * 6}%)`;
}

// heatColour is the colour of a share in 0..1.
function heatColour(share) {
  const h = theme.heat, at = Math.max(0, Math.min(1, share)) * (h.length - 1);
  const i = Math.min(h.length - 2, Math.floor(at)), part = at - i;
  return "rgb(" + h[i].map((c, k) => Math.round(c + (h[i + 1][k] - c) * part)).join(" ") + ")";
}

(function () {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  theme.toggle = () => { chosen = theme.dark ? "light" : "dark"; theme.set(chosen); };
  const apply = () => theme.set(chosen || (system.matches ? "dark" : "light"));
  apply();
  system.addEventListener("change", apply);
  addEventListener("beforeprint", () => theme.set("light"));
  addEventListener("afterprint", apply);
})();

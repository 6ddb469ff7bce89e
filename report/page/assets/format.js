"use strict";
// How numbers are written: four digits, a prefix that suits them, the unit.

function digits(v) {
  const a = Math.abs(v);
  if (a === 0) return "0";
  if (a >= 1e15 || a < 1e-4) return v.toExponential(3);
  if (Number.isInteger(v) || a >= 999.95) return Math.round(v).toLocaleString("en-US");
  return v.toPrecision(4);
}

const prefixes = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
const binary = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
const timeUnits = [[86400, "days", 3 * 86400], [3600, "h", 2 * 3600], [60, "min", 600], [1, "s", 1], [1e-3, "ms", 1e-3], [1e-6, "µs", 1e-6], [1e-9, "ns", 0]];
const massUnits = [[1e6, "t", 1e6], [1e3, "kg", 1e3], [1, "g", 0]];

// scaleOf is the factor and the name in which values up to most are written.
function scaleOf(unit, most) {
  const a = Math.abs(most) || 0;
  switch (unit) {
    case "s": { const u = timeUnits.find(u => a >= u[2]); return a === 0 ? [1, "s"] : [u[0], u[1]]; }
    case "g": { const u = massUnits.find(u => a >= u[2]); return [u[0], u[1]]; }
    case "ratio": return [0.01, "%"];
    case "bytes": case "B/s": case "W": case "J": {
      const p = prefixes.find(p => a >= p[0]) || [1, ""];
      return [p[0], p[1] + (unit === "bytes" ? "B" : unit)];
    }
    case "1/s": { const p = a >= 1e6 ? prefixes.find(p => a >= p[0]) : [1, ""]; return [p[0], p[1] + "/s"]; }
    case "times": return [1, "×"];
  }
  return [1, unit || ""];
}

function quantity(v, unit) {
  if (v === null || v === undefined || Number.isNaN(v)) return "–";
  if (unit === "ratio") {
    const p = 100 * v, a = Math.abs(p);
    return (a === 0 || a === 100 ? p.toFixed(0) : a < 0.1 ? p.toPrecision(2) : p.toFixed(1)) + " %";
  }
  if (unit === "bytes") {
    for (const [factor, name] of binary) if (v >= factor && v % factor === 0 && v / factor <= 4096) return v / factor + " " + name;
  }
  const [factor, name] = scaleOf(unit, v);
  return digits(v / factor) + (name ? " " + name : "");
}

// steps are the distances between ticks that read well.
function niceStep(rough, unit) {
  const clock = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  if (unit === "s" && rough > 30 && rough <= 86400) return clock.find(c => c >= rough);
  const base = unit === "s" && rough > 86400 ? 86400 : 1;
  const power = Math.pow(10, Math.floor(Math.log10(rough / base)));
  const lead = rough / base / power;
  return base * power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

// ticks are about so many places of an axis, with their labels in one unit.
function ticks(from, to, unit, about) {
  const [factor, name] = scaleOf(unit, Math.max(Math.abs(from), Math.abs(to)));
  if (!(to > from)) return { at: [from], labels: [digits(from / factor)], unit: name };
  const step = niceStep((to - from) / about, unit);
  const places = Math.max(0, Math.min(12, Math.ceil(-Math.log10(step / factor) - 1e-9)));
  const clock = unit === "s" && step % 60 === 0 ? 2 : places;
  const at = [], labels = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to * (1 + 1e-12) + step * 1e-9; i++) {
    const v = i * step / factor;
    at.push(i * step);
    labels.push(Number(v.toFixed(Math.max(places, clock))).toLocaleString("en-US", { maximumFractionDigits: Math.max(places, clock) }));
  }
  return { at, labels, unit: name };
}

// label is the name of an axis with its unit.
function axisLabel(axis, unit) {
  return unit && unit !== "×" ? `${axis.label} (${unit})` : axis.label;
}

// powers are the places of a logarithmic axis, which over less than a decade are those
// of a linear one.
function powers(from, to, base, unit, most) {
  const at = [];
  if (unit === "s" && to > 120) {
    const clock = [60, 600, 3600, 36000, 86400, 864000, 8640000, 86400000];
    const places = [1e-9, 1e-6, 1e-3, 0.1, 1, 10, ...clock].filter(v => v >= from && v <= to);
    if (places.length > 1) return places.length > most ? places.filter((_, i) => i % 2 === 0) : places;
  }
  for (let p = Math.floor(Math.log(from) / Math.log(base)); Math.pow(base, p) <= to * 1.000001; p++) {
    for (const lead of base === 10 ? [1, 2, 5] : [1]) {
      const v = lead * Math.pow(base, p);
      if (v >= from * 0.999999 && v <= to * 1.000001) at.push(v);
    }
  }
  if (at.length < 3 && base === 10) return ticks(from, to, unit, Math.min(most, 6)).at.filter(v => v >= from);
  let kept = at;
  if (kept.length > most && base === 10) kept = at.filter(v => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9);
  if (kept.length > most) { const by = Math.ceil(kept.length / most); kept = kept.filter((_, i) => i % by === 0); }
  return kept;
}

// short is a value as the label of a tick that stands alone.
function short(v, unit, base) {
  if (unit === "bytes" && base === 2) {
    for (const [f, n] of binary) if (v >= f) return +(v / f).toPrecision(3) + " " + n;
    return v + " B";
  }
  if (unit === "s" && v >= 60) {
    const u = timeUnits.find(u => v >= u[0]);
    return +(v / u[0]).toPrecision(3) + " " + (v === 86400 ? "day" : u[1]);
  }
  const [factor, name] = scaleOf(unit, v), rounded = +(v / factor).toPrecision(3);
  return (Math.abs(rounded) < 1000 ? rounded : rounded.toLocaleString("en-US")) + (name ? " " + name : "");
}

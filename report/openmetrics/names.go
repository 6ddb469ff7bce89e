package openmetrics

import "strings"

// units are the endings that names of results have, and what OpenMetrics calls them. The
// first that fits counts.
var units = []struct{ ending, word string }{
	{"_USD_per_h", "usd_per_hour"},
	{"_g_per_kWh", "grams_per_kilowatthour"},
	{"_per_s", "per_second"},
	{"_Bps", "bytes_per_second"},
	{"_bytes", "bytes"},
	{"_ratio", "ratio"},
	{"_USD", "usd"},
	{"_kWh", "kilowatthours"},
	{"_s", "seconds"},
	{"_W", "watts"},
	{"_J", "joules"},
	{"_g", "grams"},
	{"_h", "hours"},
}

// named is the name of a metric and its unit, from the parts of its path: the unit of
// the last part that has one, written out, ends the name.
func named(parts ...string) (name, unit string) {
	all := []string{"railyard"}
	for _, p := range parts {
		for _, u := range units {
			if stem, found := strings.CutSuffix(p, u.ending); found {
				p, unit = stem, u.word
				break
			}
		}
		all = append(all, clean(p))
	}
	name = strings.Join(all, "_")
	if unit != "" {
		name += "_" + unit
	}
	return name, unit
}

// clean is a text with nothing in it but what a name may have.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '_':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, text)
}

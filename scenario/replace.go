package scenario

// ParseWith is Parse with another workload in place of the text's own: a text of
// [[workload.KIND]] tables, which faults call by the name given. What speaks of the
// old workload goes with it: the scheduler, the expectations and the sweep; and what the
// new one has no use for of a catalogue that the text has of its own.
func ParseWith(file string, text []byte, name, workload string, overrides []string) (*Scenario, Faults) {
	root, faults := tree(file, text, overrides)
	if faults != nil {
		return nil, faults
	}
	other, fault := parseText(name, workload)
	if fault != nil {
		return nil, Faults{*fault}
	}
	for _, key := range []string{"workload", "scheduler", "expect", "sweep"} {
		root.drop(key)
	}
	for _, key := range other.keys {
		root.put(key, other.table[key])
	}
	return judge(file, root, Extensions{}, true)
}

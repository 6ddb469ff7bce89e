package scenario

// MaxText is the most bytes that a scenario's text may have.
const MaxText = maxText

// Resolved is the scenario as it was run: the keys of the text with what the
// command line set, as values that encoding/json can write.
func (s *Scenario) Resolved() map[string]any {
	m, _ := s.root.plain().(map[string]any)
	return m
}

// plain is a node as maps, lists and scalars.
func (n *node) plain() any {
	switch {
	case n.isList:
		list := make([]any, len(n.list))
		for i, item := range n.list {
			list[i] = item.plain()
		}
		return list
	case n.table != nil:
		table := make(map[string]any, len(n.table))
		for key, child := range n.table {
			table[key] = child.plain()
		}
		return table
	}
	return n.scalar
}

// Files are the files that the scenario is made of: itself, unless it came from
// the standard input, and the tables that it names.
func (s *Scenario) Files() []string {
	var files []string
	if s.File != "-" {
		files = append(files, s.File)
	}
	for _, table := range []Key[string]{s.Topology.File, s.Topology.Nodes, s.Topology.Links} {
		if table.Set {
			files = append(files, s.Path(table.Value))
		}
	}
	for i := range s.Topology.Fault {
		if f := &s.Topology.Fault[i].File; f.Set {
			files = append(files, s.Path(f.Value))
		}
	}
	if p := s.Topology.Power; p != nil && p.Curve.Set {
		files = append(files, s.Path(p.Curve.Value))
	}
	if c := s.Topology.Carbon; c != nil && c.File.Set {
		files = append(files, s.Path(c.File.Value))
	}
	for i := range s.Workload.Flows {
		files = append(files, s.Path(s.Workload.Flows[i].File.Value))
	}
	for i := range s.Workload.Jobs {
		files = append(files, s.Path(s.Workload.Jobs[i].File.Value))
	}
	for i := range s.Workload.Serving {
		for _, file := range []Key[string]{s.Workload.Serving[i].Requests, s.Workload.Serving[i].StepCosts} {
			if file.Set {
				files = append(files, s.Path(file.Value))
			}
		}
	}
	for i := range s.Workload.Replay {
		traces, _ := s.TraceFiles(&s.Workload.Replay[i]) // the run has found them before
		files = append(files, traces...)
	}
	return files
}

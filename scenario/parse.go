// Package scenario reads the scenario language: a TOML file, or a JSON object of
// the same shape, with the CSV files that it names, becomes the structs declared
// in schema.go and hardware.go. It is the only package that reads TOML.
//
// Reading has four stages, and each reports all that it finds wrong with the
// place of it:
//
//	text    -> tree      position.go, read.go, json.go: syntax, nesting, positions
//	tree    -> tree      override.go: --set KEY=VALUE of the command line
//	tree    -> structs   decode.go, key.go: names, types, units, ranges, kinds
//	structs -> structs   check.go, catalogue.go: what refers to what
//
// What a file may say is declared once, in the tags of the structs; [Reference]
// lists it. Hosts, accelerators and models come from the file itself or from
// the embedded catalogue, which is written in the same language.
package scenario

import (
	"path/filepath"
	"strings"
)

// Parse reads the text of a scenario. The file is what faults call it and what
// relative paths are relative to; "-" is the standard input. Each override is
// a "KEY=VALUE" of the command line, applied in order before anything is
// judged.
//
// It returns either a scenario or everything that is wrong with it.
func Parse(file string, text []byte, overrides []string) (*Scenario, Faults) {
	return Extensions{}.parse(file, text, overrides)
}

// judge is the scenario of a tree. What it does not use of a catalogue of its own is a
// fault, or is dropped.
func judge(file string, root *node, x Extensions, drop bool) (*Scenario, Faults) {
	s := &Scenario{File: file, Extensions: x, root: root}
	all := bindExtended(root, s, x.names())
	all.judging = true
	x.check(all)
	s.check(root, all, drop)
	if faults := all.all(); faults != nil {
		return nil, faults
	}
	s.complete()
	return s, nil
}

// tree is the text of a scenario with the overrides applied.
func tree(file string, text []byte, overrides []string) (*node, Faults) {
	root, fault := parseText(file, string(text))
	if fault != nil {
		return nil, Faults{*fault}
	}
	var faults Faults
	for _, o := range overrides {
		if fault := override(root, o); fault != nil {
			faults = append(faults, *fault)
		}
	}
	return root, faults
}

// complete fills in the defaults that are taken from other keys.
func (s *Scenario) complete() {
	fill := func(k *Key[string], value string) {
		if !k.Set {
			k.Value = value
		}
	}
	if s.File == "-" {
		fill(&s.Name, "scenario")
	} else {
		fill(&s.Name, baseName(s.File))
	}
	for i := range s.Workload.Training {
		t := &s.Workload.Training[i]
		fill(&t.Name, t.Model.Value)
		if t.VirtualStages.Value > 1 {
			fill(&t.Schedule, "interleaved")
		} else {
			fill(&t.Schedule, "1f1b")
		}
	}
	for i := range s.Workload.Collective {
		c := &s.Workload.Collective[i]
		fill(&c.Name, c.Op.Value)
	}
	for i := range s.Workload.Flows {
		f := &s.Workload.Flows[i]
		fill(&f.Name, baseName(f.File.Value))
	}
	for i := range s.Workload.Jobs {
		j := &s.Workload.Jobs[i]
		fill(&j.Name, baseName(j.File.Value))
	}
	for i := range s.Workload.Serving {
		w := &s.Workload.Serving[i]
		fill(&w.Name, w.Model.Value)
	}
	for i := range s.Workload.Replay {
		r := &s.Workload.Replay[i]
		if r.Prefix.Set {
			fill(&r.Name, filepath.Base(r.Prefix.Value))
		} else {
			fill(&r.Name, baseName(r.File.Value))
		}
	}
}

// baseName is the name of a file without its folder and ending.
func baseName(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Path is where a file that the scenario names lies: relative to the folder of
// the scenario, or to the working folder for one from the standard input.
func (s *Scenario) Path(name string) string {
	if filepath.IsAbs(name) || s.File == "-" {
		return name
	}
	return filepath.Join(filepath.Dir(s.File), name)
}

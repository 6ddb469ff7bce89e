package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// check judges the keys of a replay together.
func (r *Replay) check(b *binder) {
	switch {
	case r.File.Set && r.Prefix.Set:
		b.faultf(r.Prefix.Pos, r.Path+".prefix", "contradicts file: give one trace for all ranks as file, or one for each as prefix")
	case !r.File.Set && !r.Prefix.Set:
		b.faultf(r.At, r.Path, "is without a trace: give file, one for all ranks, or prefix, one for each")
	case r.Prefix.Set && r.Format.Value == "aicb":
		b.faultf(r.Prefix.Pos, r.Path+".prefix", "is for a trace of each rank, and a text of AICB is one for all: give file")
	}
}

// traceEndings are the endings that the trace of a rank may have.
var traceEndings = []string{".et", ".et.gz", ".json", ".json.gz"}

// TraceFiles are the files that a replay reads: one for all ranks or, with a
// prefix, one for each rank in their order.
func (s *Scenario) TraceFiles(r *Replay) ([]string, Faults) {
	if r.File.Set {
		return []string{s.Path(r.File.Value)}, nil
	}
	prefix := s.Path(r.Prefix.Value)
	fault := func(format string, args ...any) ([]string, Faults) {
		return nil, Faults{r.Prefix.Pos.Faultf(r.Path+".prefix", "%s.prefix: "+format, append([]any{r.Path}, args...)...)}
	}
	found, err := rankFiles(prefix)
	if err != nil {
		return fault("cannot read the folder of %q: %v", shown(r.Prefix.Value), err)
	}
	if len(found) == 0 {
		return fault("there is no %s.0.et", shown(r.Prefix.Value))
	}
	ranks := 0 // one beyond the highest
	for rank := range found {
		ranks = max(ranks, rank+1)
	}
	if r.Ranks.Set {
		ranks = int(r.Ranks.Value)
	}
	files := make([]string, ranks)
	for i := range files {
		if files[i] = found[i]; files[i] == "" {
			return fault("there is no %s.%d.et, the trace of rank %d of %d", shown(r.Prefix.Value), i, i, ranks)
		}
	}
	return files, nil
}

// rankFiles finds the files PREFIX.RANK.et by their rank. Of several for one
// rank the first ending counts.
func rankFiles(prefix string) (map[int]string, error) {
	entries, err := os.ReadDir(filepath.Dir(prefix))
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, err
	}
	found := map[int]string{}
	for i := len(traceEndings) - 1; i >= 0; i-- {
		for _, e := range entries {
			rest, ok := strings.CutPrefix(e.Name(), filepath.Base(prefix)+".")
			if !ok {
				continue
			}
			number, ok := strings.CutSuffix(rest, traceEndings[i])
			if rank, err := strconv.Atoi(number); ok && err == nil && rank >= 0 && rank < MaxAccelerators && number == strconv.Itoa(rank) {
				found[rank] = fmt.Sprintf("%s.%d%s", prefix, rank, traceEndings[i])
			}
		}
	}
	return found, nil
}

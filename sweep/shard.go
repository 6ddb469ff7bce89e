package sweep

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is part Index, from 0, of a sweep that is cut into Count. The zero
// Shard is all of it.
type Shard struct{ Index, Count int }

func (s Shard) count() int { return max(s.Count, 1) }

// Validate says what is wrong with a shard.
func (s Shard) Validate() error {
	if s.Count < 0 || s.Index < 0 || s.Index >= s.count() {
		return fmt.Errorf("there is no shard %d of %d: shards are numbered from 0 to %d", s.Index, s.Count, s.count()-1)
	}
	return nil
}

// String is "I/N", as ParseShard reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.count()) }

// in says whether a point is of the shard.
func (s Shard) in(point int) bool { return point%s.count() == s.Index }

// ParseShard reads "I/N".
func ParseShard(text string) (Shard, error) {
	index, count, found := strings.Cut(text, "/")
	i, notIndex := strconv.Atoi(index)
	n, notCount := strconv.Atoi(count)
	if !found || notIndex != nil || notCount != nil || n < 1 {
		return Shard{}, fmt.Errorf("shard %q: I/N was expected, as in 0/4 for the first of four", text)
	}
	s := Shard{i, n}
	return s, s.Validate()
}

// ShardOf finds the shard in the environment of a task of a Slurm array or of a
// pod of an indexed Kubernetes job; the zero Shard where there is neither. A
// Kubernetes job does not tell its pods how many they are: its manifest must
// set JOB_COMPLETIONS.
func ShardOf(getenv func(string) string) (Shard, error) {
	number := func(name string) (int, error) {
		v, err := strconv.Atoi(getenv(name))
		if err != nil {
			return 0, fmt.Errorf("%s is %q, not a number: give --shard I/N", name, getenv(name))
		}
		return v, nil
	}
	var s Shard
	var err error
	switch {
	case getenv("SLURM_ARRAY_TASK_ID") != "":
		var first, last int
		if s.Index, err = number("SLURM_ARRAY_TASK_ID"); err != nil {
			return s, err
		}
		if s.Count, err = number("SLURM_ARRAY_TASK_COUNT"); err != nil {
			return s, err
		}
		if getenv("SLURM_ARRAY_TASK_MIN") != "" { // absent before Slurm 16
			if first, err = number("SLURM_ARRAY_TASK_MIN"); err != nil {
				return s, err
			}
			if last, err = number("SLURM_ARRAY_TASK_MAX"); err != nil {
				return s, err
			}
			if last-first+1 != s.Count {
				return s, fmt.Errorf("the tasks of the Slurm array, %d to %d, leave gaps: give --shard I/N", first, last)
			}
		}
		s.Index -= first
	case getenv("JOB_COMPLETION_INDEX") != "":
		if s.Index, err = number("JOB_COMPLETION_INDEX"); err != nil {
			return s, err
		}
		if s.Count, err = number("JOB_COMPLETIONS"); err != nil {
			return s, err
		}
	}
	return s, s.Validate()
}

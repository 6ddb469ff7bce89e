package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxElement bounds one job of a JSON list. Philly's largest has some hundred
// attempts and stays below 1 MB.
const maxElement = 1 << 24

// openPhilly reads cluster_job_log, a JSON list of jobs. A job has been attempted
// a number of times; it gets as many GPUs as the attempt that had most, and its
// duration is that of all attempts together, of which some ended in failure: what
// the cluster spent on it. An attempt of which start or end is not known does not
// count.
func openPhilly(file string, in io.Reader, _ *lines) (next, error) {
	text := &counted{in: in, left: maxElement}
	d := json.NewDecoder(text)
	fatal := func(err error) error {
		if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
			rest, _ := io.ReadAll(d.Buffered())
			blank := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n,"))
			return &RowError{file, text.lineAt(d.InputOffset() + int64(blank)), "the job that begins here: " + err.Error()}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("%s: the file ends within the list; is it cut short?", file)
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	if token, err := d.Token(); err != nil {
		return nil, fatal(err)
	} else if token != json.Delim('[') {
		return nil, fmt.Errorf("%s: a trace of Philly is a JSON list of jobs", file)
	}
	return func() (Job, int, error) {
		text.left = maxElement
		if !d.More() {
			if _, err := d.Token(); err != nil {
				return Job{}, 0, fatal(err)
			}
			return Job{}, 0, io.EOF
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return Job{}, 0, fatal(err)
		}
		line := text.lineAt(d.InputOffset() - int64(len(raw)))
		var p phillyJob
		if err := json.Unmarshal(raw, &p); err != nil {
			return Job{}, line, badf("%v", err)
		}
		j, err := p.job()
		return j, line, err
	}, nil
}

type phillyJob struct {
	Status    string
	VC        string
	JobID     string
	User      string
	Submitted *string `json:"submitted_time"`
	Attempts  []struct {
		Start  *string `json:"start_time"`
		End    *string `json:"end_time"`
		Detail []struct{ GPUs []string }
	}
}

func (p *phillyJob) job() (Job, error) {
	j := Job{ID: p.JobID, User: p.User, Group: p.VC, Status: p.Status}
	if p.Submitted == nil {
		return j, badf("submitted_time: is empty")
	}
	var err error
	if j.Submit, err = instant(*p.Submitted); err != nil {
		return j, badf("submitted_time: %v", err)
	}
	known := func(s *string) bool { return s != nil && *s != "" && *s != "None" }
	ran := false
	for _, a := range p.Attempts {
		gpus := 0
		for _, host := range a.Detail {
			gpus += len(host.GPUs)
		}
		j.Accelerators = max(j.Accelerators, gpus)
		if !known(a.Start) || !known(a.End) {
			continue
		}
		start, err := instant(*a.Start)
		if err != nil {
			return j, badf("start_time: %v", err)
		}
		end, err := instant(*a.End)
		if err != nil {
			return j, badf("end_time: %v", err)
		}
		if end < start {
			return j, badf("end_time: is before start_time")
		}
		j.Duration += end - start
		ran = true
	}
	if !ran {
		return j, neverRan
	}
	return j, nil
}

// counted is a text that is read to bounds, and which knows its lines.
type counted struct {
	in       io.Reader
	left     int   // bytes until the bound is reached
	read     int64 // bytes in all
	line     int   // ends of lines that were passed
	newlines []int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("a job of more than %d bytes", maxElement)
	}
	n, err := c.in.Read(p[:min(len(p), c.left)])
	c.left -= n
	for i, b := range p[:n] {
		if b == '\n' {
			c.newlines = append(c.newlines, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// lineAt is the line of an offset, which never decreases.
func (c *counted) lineAt(offset int64) int {
	passed := 0
	for passed < len(c.newlines) && c.newlines[passed] < offset {
		passed++
	}
	c.line += passed
	c.newlines = append(c.newlines[:0], c.newlines[passed:]...)
	return c.line + 1
}

package scenario

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/railyard/railyard/workload/serving"
)

// Bounds of traces of requests: names of pieces of all prompts together, and the length
// of a line.
const (
	maxPieces = 1 << 25
	maxLine   = 1 << 22
)

// RequestTrace is the requests of a file.
type RequestTrace struct {
	Requests []serving.Request // in the order of arrival
	Piece    int               // tokens that a name of their prefixes stands for; 0: they have none
	Left     int               // rows that are no requests: nothing was asked or answered
}

// tracer gathers the requests of a trace. Times are from that of the first on.
type tracer struct {
	RequestTrace
	base, last float64
	pieces     int
}

// add takes a request that came at a time, and says what is wrong with it.
func (t *tracer) add(at float64, input, output int64, line int32) (r *serving.Request, wrong string) {
	switch {
	case math.IsNaN(at) || math.IsInf(at, 0):
		return nil, "its time is no number"
	case input < 0 || input > maxTokens || output < 0 || output > maxTokens:
		return nil, "tokens must be from 0 to " + strconv.Itoa(maxTokens)
	case input == 0 || output == 0:
		t.Left++
		return nil, ""
	case len(t.Requests) == maxRequests:
		return nil, "more than " + strconv.Itoa(maxRequests) + " requests"
	}
	if len(t.Requests) == 0 {
		t.base, t.last = at, at
	}
	if at < t.last {
		return nil, "it comes before the request above: rows stand in the order of arrival"
	}
	t.last = at
	if at-t.base > clock {
		return nil, "it comes beyond the clock"
	}
	n := len(t.Requests)
	t.Requests = append(t.Requests, serving.Request{ID: strconv.Itoa(n), Arrival: at - t.base, Input: int(input), Output: int(output), Line: int(line)})
	return &t.Requests[n], ""
}

// end gives the trace, or why there is none.
func (t *tracer) end(file string, faults Faults) (RequestTrace, Faults) {
	if faults == nil && t.Requests == nil {
		faults = Faults{{File: file, Message: "there are no requests in it"}}
	}
	if faults != nil {
		return RequestTrace{}, faults
	}
	return t.RequestTrace, nil
}

// readAzure reads the traces of Azure's inference services of 2023 (Patel et al.,
// Splitwise, ISCA 2024).
func readAzure(file string, in io.Reader) (RequestTrace, Faults) {
	rows := newRows(file, in)
	t := tracer{}
	if !rows.header([]string{"TIMESTAMP", "ContextTokens", "GeneratedTokens"}, nil) {
		return RequestTrace{}, rows.all()
	}
	at, input, output := rows.column("TIMESTAMP"), rows.column("ContextTokens"), rows.column("GeneratedTokens")
	var first time.Time
	for rows.next() {
		came, err := time.Parse("2006-01-02 15:04:05.9999999", rows.text(at))
		if err != nil {
			rows.faultf(at, "%q is no time as in 2023-11-16 18:15:46.6805900", shown(rows.text(at)))
			continue
		}
		if first.IsZero() {
			first = came
		}
		if _, wrong := t.add(came.Sub(first).Seconds(), rows.integer(input), rows.integer(output), rows.line()); wrong != "" {
			rows.faultf(at, "%s", wrong)
		}
	}
	return t.end(file, rows.all())
}

// readBurstGPT reads the traces of Wang et al., BurstGPT, 2024. Rows without tokens of
// a response are requests that failed.
func readBurstGPT(file string, in io.Reader) (RequestTrace, Faults) {
	rows := newRows(file, in)
	t := tracer{}
	if !rows.header([]string{"Timestamp", "Request tokens", "Response tokens"}, []string{"Model", "Total tokens", "Log Type", "Session ID", "Elapsed time"}) {
		return RequestTrace{}, rows.all()
	}
	at, input, output, session := rows.column("Timestamp"), rows.column("Request tokens"), rows.column("Response tokens"), rows.column("Session ID")
	sessions := map[string]int32{}
	for rows.next() {
		r, wrong := t.add(rows.number(at), rows.integer(input), rows.integer(output), rows.line())
		if wrong != "" {
			rows.faultf(at, "%s", wrong)
		}
		if name := rows.text(session); r != nil && name != "" {
			if sessions[name] == 0 {
				sessions[strings.Clone(name)] = int32(len(sessions) + 1)
			}
			r.Session = sessions[name]
		}
	}
	return t.end(file, rows.all())
}

// jsonRequest is a line of the traces of Mooncake and Qwen.
type jsonRequest struct {
	Timestamp *float64 `json:"timestamp"`
	Input     *int64   `json:"input_length"`
	Output    *int64   `json:"output_length"`
	Hashes    []int64  `json:"hash_ids"`
	Chat      *int64   `json:"chat_id"`
	Parent    *int64   `json:"parent_chat_id"`
}

// readHashed reads traces that have a request on each line as JSON, with names for the
// blocks of its prompt.
func readHashed(file string, in io.Reader, piece int, unit float64) (RequestTrace, Faults) {
	t := tracer{RequestTrace: RequestTrace{Piece: piece}}
	faults := limited{most: maxTableFaults}
	sessions := map[int64]int32{} // of each chat
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	line := 0
	for lines.Scan() {
		line++
		if len(lines.Bytes()) == 0 {
			continue
		}
		wrong := func(reason string) { faults.add(Position{file, line, 1}.Faultf("", "%s", reason)) }
		var x jsonRequest
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			wrong(err.Error())
			continue
		}
		if x.Timestamp == nil || x.Input == nil || x.Output == nil {
			wrong("timestamp, input_length and output_length are needed")
			continue
		}
		r, reason := t.add(*x.Timestamp*unit, *x.Input, *x.Output, int32(line))
		if reason != "" {
			wrong(reason)
		}
		if r == nil {
			continue
		}
		whole := min(len(x.Hashes), r.Input/piece) // the last block may be a part of one
		if t.pieces += whole; t.pieces > maxPieces {
			wrong("more than " + strconv.Itoa(maxPieces) + " hash_ids")
			break
		}
		r.Prefix = make([]uint64, whole)
		for i := range r.Prefix {
			r.Prefix[i] = uint64(x.Hashes[i])
		}
		if x.Chat != nil {
			session := int32(0)
			if x.Parent != nil {
				session = sessions[*x.Parent]
			}
			if session == 0 {
				session = int32(len(sessions) + 1)
			}
			sessions[*x.Chat], r.Session = session, session
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			line++
		}
		faults.add(Position{file, max(line, 1), 1}.Faultf("", "%v", err))
	}
	return t.end(file, faults.all())
}

// readTrace reads requests of a format.
func (w *Serving) readTrace(file string, in io.Reader) (RequestTrace, Faults) {
	switch w.Format.Value {
	case "azure":
		return readAzure(file, in)
	case "burstgpt":
		return readBurstGPT(file, in)
	case "mooncake":
		return readHashed(file, in, 512, 1e-3)
	case "qwen":
		return readHashed(file, in, 16, 1)
	}
	all, faults := w.readRequests(file, in)
	return RequestTrace{Requests: all}, faults
}

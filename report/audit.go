package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// An audit trail is lines, each of which ends with a hash of itself and of the hash
// before it:
//
//	{"time_s":0,...,"hash":"9f2c..."}
//
// the SHA-256 of the 32 bytes of the hash before, 32 zeros before the first, and of the
// line as it would be without its hash. Who changes a line has to change the hash of every
// line from there on, and so the last, which is what to keep elsewhere.

// chain is the hash of the latest line.
type chain [sha256.Size]byte

const (
	hashKey    = `,"hash":"`
	hashEnd    = "\"}\n"
	hashSuffix = len(hashKey) + 2*sha256.Size + len(hashEnd)
)

// seal gives a line, which ends in a bracket and a newline, its hash.
func (c *chain) seal(line []byte) []byte {
	c.add(line)
	sealed := append(bytes.TrimSuffix(line, []byte("}\n")), hashKey...)
	return append(hex.AppendEncode(sealed, c[:]), hashEnd...)
}

func (c *chain) add(line []byte) {
	h := sha256.New()
	h.Write(c[:])
	h.Write(line)
	h.Sum(c[:0])
}

// maxAuditLine bounds a line of an audit trail.
const maxAuditLine = 1 << 20

// VerifyAudit reads an audit trail and gives how many lines it has and the hash of the
// last. The error is a [*LineError] for the first line that is not what it was when it was
// written, or that no longer follows the one before it. That lines are missing at the end
// shows only in the last hash.
func VerifyAudit(r io.Reader) (lines int, last string, err error) {
	in := bufio.NewReaderSize(r, maxAuditLine)
	var c chain
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return lines, hex.EncodeToString(c[:]), nil
		case errors.Is(err, bufio.ErrBufferFull):
			return lines, "", &LineError{lines + 1, fmt.Errorf("is longer than %d bytes", maxAuditLine)}
		case errors.Is(err, io.EOF):
			return lines, "", &LineError{lines + 1, errors.New("has no end")}
		case err != nil:
			return lines, "", err
		}
		at := len(line) - hashSuffix
		if at < 0 || !bytes.HasPrefix(line[at:], []byte(hashKey)) || !bytes.HasSuffix(line, []byte(hashEnd)) {
			return lines, "", &LineError{lines + 1, errors.New("has no hash at its end")}
		}
		said := string(line[at+len(hashKey) : len(line)-len(hashEnd)])
		c.add(append(line[:at:at], "}\n"...))
		if hex.EncodeToString(c[:]) != said {
			return lines, "", &LineError{lines + 1, errors.New("has been changed, or a line before it is missing: its hash is of other lines")}
		}
		lines++
	}
}

// LineError is what is wrong with a line of a file, from 1.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Prometheus serves blocks on loopback until the test ends, and gives its address.
func Prometheus(t *testing.T, dir, data string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+data, "--storage.tsdb.retention.time=100y", "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	server := "http://" + address
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(server + "/-/ready")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return server
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus does not become ready: %v", err)
		}
	}
}

// Ask gives the values of a query at an instant.
func Ask(t *testing.T, server, query string, at time.Time) (values []float64) {
	t.Helper()
	var answer struct{ Result []struct{ Value [2]any } }
	Query(t, server+"/api/v1/query?"+url.Values{"query": {query}, "time": {Stamp(at)}}.Encode(), &answer)
	for _, r := range answer.Result {
		v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

// Query reads the data of what Prometheus answers at an address.
func Query(t *testing.T, address string, data any) {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	whole := struct {
		Status string
		Data   any
	}{Data: data}
	if err := json.Unmarshal(text, &whole); err != nil || whole.Status != "success" {
		t.Fatalf("%s: %v\n%s", address, err, text)
	}
}

// Stamp is a time as Prometheus takes it, in seconds.
func Stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', 3, 64) }

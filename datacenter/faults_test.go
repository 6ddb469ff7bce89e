package datacenter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/internal/lab"
)

// fabric is four hosts under two leaves, which eight spines join.
const fabric = lab.Fabric

// breaks is a [[topology.fault]].
func breaks(kind, name, keys string) string {
	return fmt.Sprintf("[[topology.fault]]\nkind = %q\nname = %q\n%s\n", kind, name, keys)
}

// A job that failures slow down takes, from then on, the iteration time of the fabric
// that is left: whole iterations are jumped over, but not a failure.
func TestTrainingThroughFaults(t *testing.T) {
	job := "[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 64\nsequence = 128\ncuda_graphs = \"full\"\niterations = %d\n"
	most := func(at string) (all string) { // spines, but not all
		for i := 1; i < 8; i++ {
			all += breaks("switch", fmt.Sprintf("spine%d", i), at)
		}
		return all
	}
	before := number(t, run(t, fabric+fmt.Sprintf(job, 20), nil), "training.0.iteration_s")
	after := number(t, run(t, fabric+most(`at = "0s"`)+fmt.Sprintf(job, 20), nil), "training.0.iteration_s")
	if after < 1.02*before {
		t.Fatalf("an iteration takes %v s, and %v with one spine", before, after)
	}
	r := run(t, fabric+most(`at = "100s"`)+fmt.Sprintf(job, 10_000), nil)
	n := 100 / before // iterations until then
	want := 100 + (10_000-n)*after
	if got := number(t, r, "training.0.time_to_train_s"); got < want-after || got > want+after+0.065 {
		t.Errorf("10,000 iterations take %v s, want %v within an iteration and the delay", got, want)
	}
	if got := number(t, r, "training.0.lost_to_faults_s"); !near(got, number(t, r, "makespan_s")-number(t, r, "faults.makespan_without_s"), 1e-9) {
		t.Errorf("%v s were lost to the faults", got)
	}
	if events := number(t, r, "events"); events > 50_000 {
		t.Errorf("%v events: iterations were not jumped over", events)
	}
	table := r.Table("faults")
	if table.Column("state").Text[0] != "lasts" || table.Column("rerouted_transfers").Integers[0] > 40 {
		t.Errorf("state %v, %v transfers rerouted", table.Column("state").Text, table.Column("rerouted_transfers").Integers)
	}
}

// Where limits of power lower clocks, the run without the faults has its jobs on the same
// hosts: what breaks where nobody sends costs nobody anything.
func TestFaultsOfCappedRacks(t *testing.T) {
	toml := fabric + "[topology.power]\nrack_cap = \"6.5kW\"\n" + breaks("link", "leaf0>spine0", "at = \"1ms\"")
	for _, n := range []int{2, 8} {
		toml += fmt.Sprintf("[[workload.training]]\nmodel = \"bert-large\"\naccelerators = %d\nglobal_batch = 64\nsequence = 128\niterations = 3\n", n)
	}
	r := run(t, toml, nil)
	if lowest := number(t, r, "energy.clock_ratio"); lowest >= 1 {
		t.Fatalf("the lowest clock is %v", lowest)
	}
	for i := range 2 {
		if lost := number(t, r, fmt.Sprintf("training.%d.lost_to_faults_s", i)); lost != 0 {
			t.Errorf("training %d lost %v s", i, lost)
		}
	}
}

// Faults hold for a job that is run again alone, so that what it lost to others is
// only that.
func TestLostToOthersWithFaults(t *testing.T) {
	both := fabric + breaks("link", "spine0>leaf0", "at = \"2ms\"\nrepair = \"20ms\"\ndelay = \"1ms\"")
	for i := range 2 {
		both += fmt.Sprintf("[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"256MiB\"]\nalgorithm = \"ring\"\naccelerators = [%d, %d, %d, %d]\n", 2*i, 2*i+1, 8+2*i, 9+2*i)
	}
	r := run(t, both, nil)
	for i := range 2 {
		only := slices.Delete(strings.Split(both, "[[workload."), 2-i, 3-i)
		alone := run(t, strings.Join(only, "[[workload."), nil)
		want := column(t, r, "collectives", "time_s")[i] - column(t, alone, "collectives", "time_s")[0]
		if got := column(t, r, "collectives", "lost_to_others_s")[i]; got < want-1e-10 || got > want+1e-10 {
			t.Errorf("collective %d lost %v s, the difference to running alone is %v", i, got, want)
		}
	}
}

func TestPartition(t *testing.T) {
	reduce := "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"256MiB\"]\n"
	flows := map[string]string{"f.csv": "flow,start_s,bytes,src,dst\nx,1,1e6,host0/acc0,host1/acc0\ny,1,1e6,host1/acc0,host3/acc1\n"}
	for _, c := range []struct {
		name, toml string
		files      map[string]string
		want       []string // nil: it finishes
	}{
		{"a leaf", fabric + breaks("switch", "leaf1", `at = "1ms"`) + reduce, nil, []string{"all_reduce: ", "no way is left to host2, host3"}},
		{"a leaf, for a while", fabric + breaks("switch", "leaf1", "at = \"1ms\"\nrepair = \"1s\"") + reduce, nil, nil},
		{"one of four NICs", fabric + breaks("nic", "host2/nic1", `at = "1ms"`) + reduce, nil, nil},
		{"all NICs", fabric + breaks("nic", "host2/nic1", `at = "1ms"`) + breaks("nic", "host2/nic0", `at = "2ms"`) + breaks("nic", "host2/nic2", `at = "2ms"`) + breaks("nic", "host2/nic3", `at = "0s"`) + reduce, nil, []string{"no way is left to host2"}},
		{"between flows", fabric + breaks("switch", "leaf1", `at = "1ms"`) + "[[workload.flows]]\nfile = \"f.csv\"\n", flows, []string{"flow y: ", "no way is left to host2, host3"}},
		{"a job that starts later", fabric + breaks("switch", "leaf1", `at = "1ms"`) + reduce + "start = \"1s\"\n", nil, []string{"host2, host3"}},
		{
			"a bare link", "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n" + breaks("link", "a", `at = "1s"`) + "[[workload.flows]]\nfile = \"r.csv\"\n",
			map[string]string{"l.csv": "link,capacity_Bps,latency_s\na,10,0\n", "r.csv": "flow,start_s,bytes,route\nx,0,100,a\n"},
			[]string{"flow x: link a is down for good"},
		},
		{"a ring cut twice", "[topology]\nkind = \"ring\"\naccelerators = 6\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n" +
			breaks("link", "acc1>acc2", `at = "1ms"`) + breaks("link", "acc3>acc4", `at = "2ms"`) + reduce, nil, []string{"no way is left to acc2, acc3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := load(t, c.toml, c.files)
			if err != nil {
				t.Fatal(err)
			}
			_, err = railyard.Run(context.Background(), s, railyard.Options{})
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if _, ok := errors.AsType[*cluster.UnreachableError](err); !ok {
				t.Fatalf("%v, want an UnreachableError", err)
			}
			for _, text := range c.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v; want %q in it", err, text)
				}
			}
		})
	}
}

func TestWrongFaults(t *testing.T) {
	reduce := "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"256MiB\"]\n"
	for _, c := range []struct{ name, fault, want string }{
		{"no such switch", breaks("switch", "spine9", `at = "1ms"`), `case.toml:15:8: topology.fault[0].name: there is no switch "spine9" (did you mean "spine`},
		{"a link that is a switch", breaks("link", "spine0", `at = "1ms"`), `there is no link "spine0"; there are host0/acc0>host0/switch`},
		{"no such NIC", breaks("nic", "host3/nic7", `at = "1ms"`), `there is no nic "host3/nic7" (did you mean "host3/nic`},
		{"an accelerator", breaks("nic", "host3/acc0", `at = "1ms"`), `there is no nic "host3/acc0"`},
		{"no time", breaks("switch", "spine1", ""), `topology.fault[0]: needs the key "at"`},
		{"not a kind", breaks("cable", "spine1", `at = "1ms"`), `topology.fault[0].kind: "cable" is unknown`},
		{"too much is left", breaks("switch", "spine1", "at = \"1ms\"\ncapacity = 1.5"), "topology.fault[0].capacity: must be from 0 to 1"},
		{"repaired at once", breaks("switch", "spine1", "at = \"1ms\"\nrepair = \"0s\""), "topology.fault[0].repair: must be more than 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refused(t, fabric+c.fault+reduce, nil); !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q in it", got, c.want)
			}
		})
	}
}

// A host by itself has NICs, and nothing that they lead to.
func TestNICWithoutCable(t *testing.T) {
	alone := "[topology]\nkind = \"single-host\"\nhost = \"dgx-a100\"\n"
	reduce := "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"
	got := refused(t, alone+breaks("nic", "host0/nic0", `at = "1ms"`)+reduce, nil)
	if want := "topology.fault[0].name: no cable leads from host0/nic0"; !strings.Contains(got, want) {
		t.Errorf("%q, want %q in it", got, want)
	}
}

// A bare link of 1 GB/s that is down for 2 s holds up what crosses it for as long.
func TestFaultOfBareLink(t *testing.T) {
	r := run(t, "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n[[topology.fault]]\nkind = \"link\"\nname = \"a\"\nat = \"1s\"\nrepair = \"2s\"\n[[workload.flows]]\nfile = \"f.csv\"\n",
		map[string]string{"l.csv": "link,capacity_Bps,latency_s\na,1e9,0\n", "f.csv": "flow,start_s,bytes,route\nx,0,4e9,a\n"})
	if with, without := number(t, r, "makespan_s"), number(t, r, "faults.makespan_without_s"); with != 6 || without != 4 {
		t.Errorf("it takes %v s, and %v s without the fault; want 6 and 4", with, without)
	}
}

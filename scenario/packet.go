package scenario

import "github.com/railyard/railyard/units"

// Packet is [topology.packet]: what fidelity = "packet" and --compare-fidelity know
// of switches and hosts beyond the topology. What the figures are from stands in
// package network/packet.
type Packet struct {
	Header
	MTU        Key[units.Bytes] `key:"mtu" default:"\"4096B\"" doc:"payload of a full packet, 64 B to 1 MiB; 4096 B is the most of InfiniBand and RoCE"`
	HeaderSize Key[units.Bytes] `key:"header" default:"\"0B\"" doc:"bytes of every packet beside its payload and what the links' efficiency already leaves out"`
	Transport  Key[string]      `key:"transport" default:"\"roce\"" enum:"roce ndp" doc:"roce: line rate along one path; ndp: sprayed over all shortest paths, pulled by the receiver (Handley et al. 2017)"`
	Congestion Key[string]      `key:"congestion_control" default:"\"none\"" enum:"none dcqcn" doc:"of roce: dcqcn slows senders whose packets were marked (Zhu et al. 2015); none leaves it to flow control, as Meta's training clusters do (Gangidi et al. 2024)"`
	Completion Key[string]      `key:"completion" default:"\"arrival\"" enum:"arrival acknowledgement" doc:"when a transfer ends: its last byte has arrived, or its sender has the last acknowledgement"`

	Buffer Key[units.Bytes] `key:"buffer" default:"\"64MB\"" doc:"bytes that all packets in a switch, or where else links meet, share; a Tomahawk 3 has 64 MB"`
	PFC    Key[bool]        `key:"pfc" default:"true" doc:"priority flow control: links whose packets fill a buffer are paused; without, packets that find it full are lost and sent again"`
	Share  Key[float64]     `key:"pause_share" default:"0.11" min:"0.0001" max:"100" doc:"part of the free buffer that the packets of one link may fill before it is paused (Li et al. 2019: 0.11)"`
	Pause  Key[units.Bytes] `key:"pause" positive:"true" doc:"most that they may fill, be the buffer ever so free"`
	Resume Key[units.Bytes] `key:"resume_gap" doc:"how far below that a link goes on; 2 mtu where left out (Zhu et al. 2015)"`

	ECNMin         Key[units.Bytes] `key:"ecn_min" default:"\"5kB\"" doc:"bytes in a queue from which dcqcn's packets may be marked, of a link of 40 Gbps; in proportion on others"`
	ECNMax         Key[units.Bytes] `key:"ecn_max" default:"\"200kB\"" doc:"bytes in a queue beyond which all are, of a link of 40 Gbps"`
	ECNProbability Key[float64]     `key:"ecn_probability" default:"0.01" min:"0" max:"1" doc:"probability of a mark at ecn_max"`

	Window Key[int64] `key:"window" min:"1" max:"1000000" doc:"of ndp: packets of a transfer that are sent before any is pulled; what fills its path where left out"`
	Queue  Key[int64] `key:"queue" default:"8" min:"1" max:"1000000" doc:"of ndp: full packets that wait for a link before further ones are cut to their header"`
	Paths  Key[int64] `key:"paths" default:"128" min:"1" max:"4096" doc:"of ndp: most paths that a transfer is sprayed over"`
}

// check finds the keys that have no meaning beside the others.
func (p *Packet) check(b *binder) {
	roce, dcqcn := p.Transport.Value == "roce", p.Congestion.Value == "dcqcn"
	for _, k := range []struct {
		name        string
		set         bool
		at          Position
		means       bool
		needs, here string
	}{
		{"congestion_control", dcqcn, p.Congestion.Pos, roce, `transport = "roce"`, `"ndp"`},
		{"pfc", p.PFC.Set && p.PFC.Value, p.PFC.Pos, roce, `transport = "roce"`, `"ndp"`},
		{"pause", p.Pause.Set, p.Pause.Pos, roce && p.PFC.Value, `pfc = true with transport = "roce"`, "not so"},
		{"pause_share", p.Share.Set, p.Share.Pos, roce && p.PFC.Value, `pfc = true with transport = "roce"`, "not so"},
		{"resume_gap", p.Resume.Set, p.Resume.Pos, roce && p.PFC.Value, `pfc = true with transport = "roce"`, "not so"},
		{"ecn_min", p.ECNMin.Set, p.ECNMin.Pos, dcqcn, `congestion_control = "dcqcn"`, `"none"`},
		{"ecn_max", p.ECNMax.Set, p.ECNMax.Pos, dcqcn, `congestion_control = "dcqcn"`, `"none"`},
		{"ecn_probability", p.ECNProbability.Set, p.ECNProbability.Pos, dcqcn, `congestion_control = "dcqcn"`, `"none"`},
		{"window", p.Window.Set, p.Window.Pos, !roce, `transport = "ndp"`, `"roce"`},
		{"queue", p.Queue.Set, p.Queue.Pos, !roce, `transport = "ndp"`, `"roce"`},
		{"paths", p.Paths.Set, p.Paths.Pos, !roce, `transport = "ndp"`, `"roce"`},
	} {
		if k.set && !k.means {
			b.faultf(k.at, p.Path+"."+k.name, "belongs to %s; here it is %s", k.needs, k.here)
		}
	}
}

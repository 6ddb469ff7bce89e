package scenario

import "github.com/railyard/railyard/units"

// Cost is [topology.cost]: what the data centre costs, to own or to rent. Prices move by
// the month and sources contradict each other, so every one is a key. Defaults: an
// accelerator and the rest of its host from SemiAnalysis, "AI Server Cost Analysis", May
// 2023 (recalled): a DGX H100 costs its maker's customers 269,010 USD, of which the board of eight
// accelerators is 195,000; switches and cables from [topology.prices]; the life of
// servers from Amazon's accounts of 2025, five years; the tariff the mean that industry
// paid in the United States in 2024, 8.1 cents (EIA, recalled).
type Cost struct {
	Header
	Accelerator Key[units.Money]  `key:"accelerator" doc:"purchase price of an accelerator; that of its catalogue entry, or 24375USD, where left out: an eighth of the 195,000 USD of a DGX H100's board (SemiAnalysis, May 2023)"`
	Server      Key[units.Money]  `key:"server" doc:"purchase price of a host without its accelerators; that of its catalogue entry less theirs, or 9251USD for each of them, where left out: an eighth of the other 74,010 USD of a DGX H100 (SemiAnalysis, May 2023)"`
	Storage     Key[units.Money]  `key:"storage" default:"\"0USD\"" doc:"purchase price of all storage beyond that of the hosts"`
	Rack        Key[units.Money]  `key:"rack" default:"\"0USD\"" doc:"purchase price of a rack with its power and cooling, and of its share of the building"`
	RackHosts   Key[int64]        `key:"rack_hosts" min:"1" max:"262144" doc:"hosts that stand in a rack, where that is not what the topology groups: a rail joins 32 hosts, which no rack holds"`
	RackYears   Key[float64]      `key:"rack_years" positive:"true" min:"0" max:"100" doc:"years over which racks are written off; life_years where left out"`
	Years       Key[float64]      `key:"life_years" default:"5" positive:"true" min:"0" max:"100" doc:"years over which the purchase is written off, evenly; Amazon's for servers from 2025 where left out"`
	Tariff      Key[units.Tariff] `key:"tariff" default:"\"0.081USD/kWh\"" doc:"price of energy; the mean of industry in the United States in 2024 (EIA) where left out"`

	Rental Key[units.MoneyRate] `key:"rental" positive:"true" doc:"in place of all of these, rent of an accelerator, with its host, network, energy and cooling; an H100 was 1.99USD/h to 5USD/h in May 2026 (mercatus-ai.com)"`
}

// check finds keys of owning beside a rent.
func (c *Cost) check(b *binder) {
	if !c.Rental.Set {
		return
	}
	for _, k := range []struct {
		name string
		set  bool
		at   Position
	}{
		{"accelerator", c.Accelerator.Set, c.Accelerator.Pos},
		{"server", c.Server.Set, c.Server.Pos},
		{"storage", c.Storage.Set, c.Storage.Pos},
		{"rack", c.Rack.Set, c.Rack.Pos},
		{"rack_hosts", c.RackHosts.Set, c.RackHosts.Pos},
		{"rack_years", c.RackYears.Set, c.RackYears.Pos},
		{"life_years", c.Years.Set, c.Years.Pos},
		{"tariff", c.Tariff.Set, c.Tariff.Pos},
	} {
		if k.set {
			b.faultf(k.at, c.Path+"."+k.name, "contradicts rental: what is rented is not bought, and its energy is in the rent")
		}
	}
}

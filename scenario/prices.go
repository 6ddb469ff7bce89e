package scenario

import "github.com/railyard/railyard/units"

// NetworkPrices is [topology.prices]: what a fabric's parts cost for each Gbit/s of
// their rate. The defaults are a fit to the costs of five fabrics of 2,048 to 261,632
// endpoints in Table 3 of "Insights into DeepSeek-V3" (ISCA 2025), whose switches have
// 64 ports of 400 Gbit/s: 55,000 USD a switch, 1,300 USD a cable between switches and
// 500 USD one to a NIC give each of the five within 1.5 %.
type NetworkPrices struct {
	Header
	Switch Key[units.Money] `key:"switch" default:"\"2.15USD\"" doc:"of a switch, for each Gbit/s of a port that is in use; a fit to Table 3 of Insights into DeepSeek-V3 (ISCA 2025) where left out, as are the others"`
	Trunk  Key[units.Money] `key:"trunk" default:"\"3.25USD\"" doc:"of a cable between switches with its two transceivers, for each Gbit/s"`
	Access Key[units.Money] `key:"access" default:"\"1.25USD\"" doc:"of a cable between a NIC and its switch with its two transceivers, for each Gbit/s"`
}

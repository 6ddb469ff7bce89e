package result

// What keeping data secret takes.
var (
	EncryptionCosts   = Metric{Name: "encryption", Definition: "with [topology.encryption], what was encrypted and what it took"}
	EncryptionTransit = Metric{Name: "transit", Definition: "protocol between hosts"}
	EncryptionRest    = Metric{Name: "rest", Definition: "who encrypts what is on drives"}
	EncryptedTransit  = Metric{Name: "transit_bytes", Unit: "bytes", Definition: "bytes encrypted or decrypted at NICs"}
	EncryptedRest     = Metric{Name: "rest_bytes", Unit: "bytes", Definition: "bytes encrypted or decrypted at drives"}
	EncryptedBounced  = Metric{Name: "bounced_bytes", Unit: "bytes", Definition: "with confidential accelerators, bytes encrypted on their way from them or decrypted on their way to them, each time by one core"}
	EncryptionCores   = Metric{Name: "cores_s", Unit: "s", Definition: "seconds of CPU cores that it took in all hosts together", Formula: "bytes / crypto_rate, of those that cores encrypt, and bounced_bytes / bounce_rate"}
)

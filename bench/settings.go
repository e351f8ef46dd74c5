package main

// The servers that everybody is measured on, by name. Both are as durable as
// PostgreSQL is shipped: localpg's own throwaway settings are taken back.
const (
	untuned = "untuned"
	tuned   = "tuned"
)

// serverSettings returns what stands in the configuration of a server beyond
// PostgreSQL's own defaults.
func serverSettings(name string) map[string]string {
	s := map[string]string{
		"fsync":                      "on",
		"full_page_writes":           "on",
		"dynamic_shared_memory_type": "posix",
	}

	if name == tuned {
		// What guides to bulk loads advise, but for shared_buffers: without huge
		// pages each new backend pays for a large one in page faults.
		for setting, value := range map[string]string{
			"max_wal_size":                     "16GB",
			"checkpoint_timeout":               "30min",
			"wal_buffers":                      "64MB",
			"maintenance_work_mem":             "1GB",
			"work_mem":                         "64MB",
			"effective_cache_size":             "16GB",
			"max_parallel_maintenance_workers": "2",
			"random_page_cost":                 "1.1",
			"jit":                              "off",
		} {
			s[setting] = value
		}
	}

	return s
}

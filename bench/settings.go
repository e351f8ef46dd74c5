package main

// The names of the servers on which all contenders are measured. Both are as durable
// as PostgreSQL's defaults: they undo localpg's throwaway settings.
const (
	untuned = "untuned"
	tuned   = "tuned"
)

// serverSettings returns the settings of a server that replace PostgreSQL's own
// defaults or localpg's.
func serverSettings(name string) map[string]string {
	s := map[string]string{
		"fsync":                      "on",
		"full_page_writes":           "on",
		"dynamic_shared_memory_type": "posix",
	}

	if name == tuned {
		// Guides to bulk loads recommend these settings. shared_buffers is left out:
		// without huge pages, a large value costs each new backend page faults.
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

package doctor

import "fmt"

const gigabyte = 1 << 30

func judgeSettings(f facts) []Finding {
	findings := []Finding{
		f.judgeWALLevel(), f.judgeMaxWAL(), f.judgeCheckpoints(), f.judgeSortMemory(), f.judgeWorkers(),
		f.judgeSharedBuffers(), f.judgeHugePages(), f.judgeCommit(), f.judgeDurability(), f.judgeTemporaryFiles(),
	}

	for i, finding := range findings {
		if f.Settings[finding.Check].Pending {
			findings[i].Reason += " The configuration has a different value, which takes effect after a restart."
		}
	}

	return findings
}

func (f facts) judgeWALLevel() Finding {
	finding := Finding{Check: "wal_level", Level: OK, Found: f.Settings["wal_level"].Shown}

	switch archive := f.Settings["archive_mode"].Value; {
	case finding.Found == "minimal":
		finding.Reason = "A table that is created and filled in one transaction writes no WAL for its rows."
	case archive == "on" || archive == "always":
		finding.Reason = "The archive needs the WAL of each row."
	case f.Standbys.Connected > 0 || f.Standbys.Inactive != "":
		finding.Reason = "Standbys and replication slots need the WAL of each row."
	default:
		finding.Level = Advice
		finding.Reason = "Each row is written twice, to the table and to the WAL. With minimal, a table that is created and filled in one transaction writes no WAL for its rows, and neither " +
			"do its partitions. Such a server can only be restored from a dump or from a backup of the stopped server, so use it only for data that you can load again."
		finding.Cost, finding.MeasuredIn = "100 million cells in partitions took 182 s with replica, and 101 s with minimal.", scale
		finding = f.change(f.change(finding, "wal_level", "minimal"), "max_wal_senders", "0")
	}

	return finding
}

func (f facts) judgeMaxWAL() Finding {
	s := f.Settings["max_wal_size"]
	finding := Finding{Check: "max_wal_size", Level: OK, Found: s.Shown, Reason: "A checkpoint starts when this much WAL has been written."}
	if s.Bytes() >= 4*gigabyte {
		return finding
	}

	finding.Level = Advice
	finding.Reason += " Large loads cause many checkpoints, and each writes all changed pages. With a larger value, the WAL may take that much disk space."
	finding.Cost = "29.9 million cells in partitions took 38.8 s with the defaults, and 31.9 s with 16GB and the other settings of the tuned server; " +
		"3.2 million cells took 4.0 s and 4.1 s."
	finding.MeasuredIn = benchmarks

	return f.change(finding, "max_wal_size", "16GB")
}

func (f facts) judgeCheckpoints() Finding {
	const seconds, enough = "checkpoint_timeout", 300
	s := f.Settings[seconds]
	finding := Finding{Check: seconds, Level: OK, Found: s.Shown, Reason: "A load that takes less time than this sees no timed checkpoint."}
	if s.Number() >= enough {
		return finding
	}

	finding.Level = Advice
	finding.Reason = "Frequent checkpoints repeatedly write pages that a load is still changing, and after each of them the WAL has a full copy of every changed page."

	return f.change(finding, seconds, "15min")
}

// sortBytes is the memory with which the GiST index of 3.2 million cells was sorted in one pass.
const sortBytes = 237 << 20

// judgeSortMemory judges the memory that a load gives to its index builds: see setting.SortMemory.
func (f facts) judgeSortMemory() Finding {
	memory, cache := f.Settings["maintenance_work_mem"], f.Settings["effective_cache_size"]
	finding := Finding{Check: "maintenance_work_mem", Level: OK, Found: memory.Shown}

	most := max(memory.Bytes(), cache.Bytes()/16)
	finding.Reason = fmt.Sprintf("A load gives each index build as much memory as it can use, up to %s: this setting, or a sixteenth of effective_cache_size (%s).",
		formatBytes(most), cache.Shown)
	if most >= sortBytes {
		return finding
	}

	finding.Level = Advice
	finding.Reason += " A sort that needs more memory uses the disk."
	finding.Cost, finding.MeasuredIn = "The GiST index of 3.2 million cells took a tenth less time with 237 MB than with 160 MB.", benchmarks

	return f.change(finding, "maintenance_work_mem", "1GB")
}

func (f facts) judgeWorkers() Finding {
	return Finding{Check: "max_parallel_maintenance_workers", Level: OK, Found: f.Settings["max_parallel_maintenance_workers"].Shown,
		Reason: "PostgreSQL builds a GiST index with one process, and a load builds the key at the same time with another. Only the key of a table without GiST uses these workers.",
		Cost:   "The key of 3.2 million cells takes 0.75 s of CPU time, and GiST 2.83 s.", MeasuredIn: benchmarks}
}

func (f facts) judgeSharedBuffers() Finding {
	return Finding{Check: "shared_buffers", Level: OK, Found: f.Settings["shared_buffers"].Shown,
		Reason: "COPY writes through a 16 MB ring buffer, and index builds bypass this cache. Queries benefit from more. The figures in docs/benchmarks.md use the default, 128MB."}
}

func (f facts) judgeHugePages() Finding {
	const large = 8 * gigabyte
	pages, status, buffers := f.Settings["huge_pages"], f.Settings["huge_pages_status"], f.Settings["shared_buffers"]

	finding := Finding{Check: "huge_pages", Level: OK, Found: pages.Shown, Reason: "They save page faults in new sessions if shared_buffers is large."}
	if status.Value == "on" || status.Value == "off" { // from PostgreSQL 17 on
		finding.Found += ", in use: " + status.Value
	}

	if buffers.Bytes() >= large && (pages.Value == "off" || status.Value == "off") {
		finding.Level = Advice
		finding.Reason = "Without them, large shared_buffers cost each new session many page faults. The operating system must also reserve them (vm.nr_hugepages)."
		return f.change(finding, "huge_pages", "try")
	}

	return finding
}

func (f facts) judgeCommit() Finding {
	s := f.Settings["synchronous_commit"]
	finding := Finding{Check: "synchronous_commit", Level: OK, Found: s.Shown, Reason: "Chunks commit without waiting for the disk; publishing waits for it once."}
	if s.Value == "off" {
		finding.Level = Advice
		finding.Reason = "Publishing does not wait for the disk. If the server crashes shortly afterwards, it loses the whole publication, although loadgrid ended with exit code 0. " +
			"A load gains nothing from this setting, because its chunks never wait."
		return f.change(finding, "synchronous_commit", "on")
	}

	return finding
}

// judgeDurability judges the settings that protect data when the machine crashes.
func (f facts) judgeDurability() Finding {
	finding := Finding{Check: "fsync", Level: OK, Found: f.Settings["fsync"].Shown, Reason: "Committed data survives a crash of the machine."}
	off := func(name, value string) bool { return f.Settings[name].Value == value }

	switch {
	case off("fsync", "off"):
		finding.Level, finding.Reason = Advice, "A crash of the machine can destroy the whole cluster. Turn it off only on a throwaway server."
		return f.change(finding, "fsync", "on")
	case off("full_page_writes", "off"):
		finding.Level, finding.Found = Advice, finding.Found+", full_page_writes off"
		finding.Reason = "A crash of the machine can leave half-written pages."
		return f.change(finding, "full_page_writes", "on")
	}

	return finding
}

func (f facts) judgeTemporaryFiles() Finding {
	s := f.Settings["temp_file_limit"]
	if s.Value == "-1" || s.Value == "" {
		return Finding{Check: "temp_file_limit", Level: OK, Found: "none", Reason: "An index build that does not fit in memory can sort on disk."}
	}

	return f.change(Finding{Check: "temp_file_limit", Level: Advice, Found: s.Shown,
		Reason: "An index build that does not fit in memory sorts in temporary files, and fails above this limit (SQLSTATE 53400)."}, "temp_file_limit", "-1")
}

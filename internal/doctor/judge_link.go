package doctor

import (
	"fmt"
	"time"
)

func judgeDisk(f facts) []Finding {
	d := f.Disk
	finding := Finding{Check: "disk", Level: OK, Found: fmt.Sprintf("database %s, tablespace %s %s", formatBytes(d.DatabaseBytes), d.Tablespace, formatBytes(d.TablespaceBytes)),
		Reason: "PostgreSQL cannot report free disk space: run df on the server. A replacement needs space for both versions and the WAL; 'loadgrid plan' estimates them."}

	if d.WALBytes >= 0 {
		finding.Found += ", WAL " + formatBytes(d.WALBytes)
	}
	finding.Cost, finding.MeasuredIn = "800,000 cells took 134 MB, their key and GiST index 51 MB, and their WAL 154 MB.", estimates

	return []Finding{finding}
}

func judgeLink(f facts) []Finding {
	return []Finding{f.judgeEncryption(), f.judgeLatency(), f.judgeUpload()}
}

func (f facts) judgeEncryption() Finding {
	finding := Finding{Check: "encryption", Level: OK, Found: "TLS", Reason: "Only sslmode=verify-full checks that the server's name matches the DSN."}

	switch l := f.Link; {
	case l.Encrypted:
	case l.Local:
		finding.Found, finding.Reason = "none", "The connection stays on this machine."
	default:
		finding.Level, finding.Found = Advice, "none"
		finding.Reason = "Anyone on the network path can read and change the data. Use sslmode=verify-full with sslrootcert in the DSN; see docs/security.md."
	}

	return finding
}

// slowTrip is the latency from which on round trips matter.
const slowTrip = 20 * time.Millisecond

// The number of round trips of a load, and for each chunk and partition: see TestRoundTripsOfALoad.
const (
	loadTrips      = 180
	chunkTrips     = 8
	partitionTrips = 12
)

func (f facts) judgeLatency() Finding {
	l := f.Link
	finding := Finding{Check: "latency", Level: OK, Found: fmt.Sprintf("%.2f ms, the median of %d round trips", float64(l.Latency)/float64(time.Millisecond), l.Trips),
		Reason: "Rows are sent without waiting for answers. A load waits for the answers to its other statements."}

	seconds := func(trips int) float64 { return float64(trips) * l.Latency.Seconds() }
	finding.Cost = fmt.Sprintf("A load took %d round trips, each chunk %d more, and each partition %d. Here that is %.2g s, %.2g s and %.2g s.",
		loadTrips, chunkTrips, partitionTrips, seconds(loadTrips), seconds(chunkTrips), seconds(partitionTrips))
	finding.MeasuredIn = ownPage

	if l.Latency >= slowTrip {
		finding.Level = Advice
		finding.Reason += " Prefer few large chunks, or run loadgrid closer to the server."
	}

	return finding
}

const (
	// rowBytes is the size of a binary COPY row of a square cell without constants.
	rowBytes = 131
	// serverRows is how many rows per second a server with two cores took in the load stage.
	serverRows = 1_400_000
	// fastEnough is 1 Gbit/s minus the overhead of the lower protocols, in bytes per second.
	fastEnough = 110_000_000
)

func (f facts) judgeUpload() Finding {
	l := f.Link
	if l.NotSent != "" {
		return Finding{Check: "bandwidth", Level: OK, Found: "not measured: " + l.NotSent, Reason: "The server would log the megabytes of data that the measurement sends."}
	}

	rate := l.Rate()
	rows := min(int64(rate/rowBytes), 100_000_000)
	finding := Finding{Check: "bandwidth", Level: OK,
		Found:  fmt.Sprintf("%.1f MB/s to the server, measured with %s", rate/1e6, formatBytes(l.UploadBytes)),
		Reason: fmt.Sprintf("That is enough for about %s rows per second of %d bytes each.", formatCount(roundRows(rows)), rowBytes)}

	if rate < fastEnough {
		finding.Level = Advice
		finding.Reason += " The link is the limit: run loadgrid closer to the server, or use --geometry point, which sends less."
		finding.Cost = fmt.Sprintf("A server with two cores took %s rows per second in the load stage.", formatCount(serverRows))
		finding.MeasuredIn = benchmarks
	}

	return finding
}

// roundRows rounds a number of rows to two digits.
func roundRows(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

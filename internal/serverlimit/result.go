package serverlimit

// LimitSource is how the limit was measured.
type LimitSource string

const (
	// LimitServerFile is the server's own COPY of a file that it reads itself: no
	// client and no network take part.
	LimitServerFile LimitSource = "server-file"
	// LimitClientFile is a COPY of the file's bytes, sent by this client as psql's
	// \copy does: nothing is generated, but the way to the server takes part.
	LimitClientFile LimitSource = "client-file"
)

// Rate is a rate in rows a second: the median of the rounds, and the
// slowest and the fastest of them.
type Rate struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Result is what Measure has found. All rates are rows a second.
type Result struct {
	Rows      int64 `json:"rows"`       // of each COPY
	RowsAsked int64 `json:"rows_asked"` // more than Rows where the server was too slow
	RowBytes  int   `json:"row_bytes"`  // of a row in binary COPY
	Rounds    int   `json:"rounds"`

	// Limit is what the server can take: the same rows, table definition and
	// statement, but prepared bytes. LimitBy says how, LimitWhy why in that way.
	Limit    Rate        `json:"limit"`
	LimitBy  LimitSource `json:"limit_by"`
	LimitWhy string      `json:"limit_why"`
	// Loadgrid is the COPY of a frozen load, of rows that are made meanwhile. Share
	// is the median of it in parts of that of Limit: 1 is all of it, and noise may
	// give more.
	Loadgrid Rate    `json:"loadgrid"`
	Share    float64 `json:"share"`
	// Discarded is the prepared bytes sent to a server that throws each row away
	// after reading it (COPY ... WHERE false), once. Generated is this client
	// making rows on one core without a server.
	Discarded float64 `json:"discarded"`
	Generated float64 `json:"generated"`

	// Bottleneck is server, network or client, Verdict a sentence about it.
	Bottleneck Bottleneck `json:"bottleneck"`
	Verdict    string     `json:"verdict"`
	Seconds    float64    `json:"seconds"` // of all of Measure
}

package serverlimit

// LimitSource is how the limit was measured.
type LimitSource string

const (
	// LimitServerFile is the server's own COPY of a file that it reads itself, without a client or
	// a network.
	LimitServerFile LimitSource = "server-file"
	// LimitClientFile is a COPY of the file's bytes that this client sends as psql's \copy does.
	// Nothing is generated, but the connection to the server takes part.
	LimitClientFile LimitSource = "client-file"
)

// Rate is a rate in rows per second: the median of the rounds, and the slowest and fastest of them.
type Rate struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Result is the result of Measure. All rates are in rows per second.
type Result struct {
	Rows      int64 `json:"rows"`       // of each COPY
	RowsAsked int64 `json:"rows_asked"` // more than Rows if the server was too slow
	RowBytes  int   `json:"row_bytes"`  // of a row in binary COPY
	Rounds    int   `json:"rounds"`

	// Limit is the maximum speed of the server: the same rows, table definition and statement, but
	// with prepared bytes. LimitBy is the way in which it was measured, LimitWhy the reason for
	// that way.
	Limit    Rate        `json:"limit"`
	LimitBy  LimitSource `json:"limit_by"`
	LimitWhy string      `json:"limit_why"`
	// Loadgrid is the COPY of a frozen load, with rows that are generated meanwhile. Share is its
	// median divided by the median of Limit: 1 means equal, and noise may lead to more.
	Loadgrid Rate    `json:"loadgrid"`
	Share    float64 `json:"share"`
	// Discarded is one COPY of the prepared bytes to a server that reads each row and discards it
	// (COPY ... WHERE false). Generated is this client's speed in making rows on one core without a
	// server.
	Discarded float64 `json:"discarded"`
	Generated float64 `json:"generated"`

	// Bottleneck is server, network or client. Verdict is a sentence about it.
	Bottleneck Bottleneck `json:"bottleneck"`
	Verdict    string     `json:"verdict"`
	Seconds    float64    `json:"seconds"` // of the whole measurement
}

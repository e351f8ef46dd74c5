package progress

import "time"

// Retry is the error that caused a retry.
type Retry struct {
	At       time.Time `json:"at"`
	Stage    Stage     `json:"stage"`
	Doing    string    `json:"doing"`
	SQLState string    `json:"sqlstate,omitempty"` // empty if the error is not the server's
	Error    string    `json:"error"`
}

package progress

import "time"

// Retry is an error after which something was tried again.
type Retry struct {
	At       time.Time `json:"at"`
	Stage    Stage     `json:"stage"`
	Doing    string    `json:"doing"`
	SQLState string    `json:"sqlstate,omitempty"` // empty where the error was not the server's
	Error    string    `json:"error"`
}

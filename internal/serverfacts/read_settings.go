package serverfacts

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Setting is a parameter of the server.
type Setting struct {
	// Shown is its value as people write it, such as 1GB. Value and Unit are as in pg_settings.
	Shown, Value, Unit string
	// Reset is the value at the start of the role's sessions, in Unit. A load lifts some limits in its own
	// sessions.
	Reset string
	// Context is who may change it and when, and Source where the value comes from, both as in pg_settings.
	Context, Source string
	// Pending says that the configuration has a different value, which takes effect after a restart.
	Pending bool
}

// Settings are parameters of the server by name. A parameter that the server does not have, or does not show
// to the role, is the zero value.
type Settings map[string]Setting

// Number returns the value in the unit of the setting, or 0 if it is not a number.
func (s Setting) Number() int64 {
	n, _ := strconv.ParseInt(s.Value, 10, 64)
	return n
}

// Bytes returns the value as a number of bytes.
func (s Setting) Bytes() int64 {
	n := s.Number()

	switch s.Unit {
	case "kB":
		return n << 10
	case "8kB":
		return n << 13
	case "MB":
		return n << 20
	}

	return n
}

// settingNames are the settings that doctor judges, or that decide what is measured.
func settingNames() []string {
	return []string{
		"max_connections", "default_transaction_read_only", "wal_level", "archive_mode", "max_wal_senders", "max_wal_size", "checkpoint_timeout",
		"maintenance_work_mem", "effective_cache_size", "max_parallel_maintenance_workers", "shared_buffers",
		"huge_pages", "huge_pages_status", "synchronous_commit", "fsync", "full_page_writes", "temp_file_limit",
		"statement_timeout", "transaction_timeout", "lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout",
		"log_statement", "log_min_duration_statement", "log_min_duration_sample", "log_parameter_max_length",
		"pgaudit.log_parameter", "auto_explain.log_min_duration",
	}
}

const settingsSQL = `
	select name, setting, coalesce(unit, ''), context, source, coalesce(reset_val, ''), pending_restart, current_setting(name)
	from pg_settings where name = any($1::text[])`

func (r *reader) readSettings(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, settingsSQL, settingNames())
	if err != nil {
		return err
	}

	r.facts.Settings = make(Settings)

	var name string
	var s Setting
	_, err = pgx.ForEachRow(rows, []any{&name, &s.Value, &s.Unit, &s.Context, &s.Source, &s.Reset, &s.Pending, &s.Shown}, func() error {
		r.facts.Settings[name] = s
		return nil
	})

	return err
}

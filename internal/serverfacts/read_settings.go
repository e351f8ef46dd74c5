package serverfacts

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Setting is a parameter of the server.
type Setting struct {
	// Shown is its value as people write it, such as 1GB, and Value and Unit as pg_settings has it.
	Shown, Value, Unit string
	// Reset is the value that sessions of the role begin with, in Unit. A load has lifted some limits
	// in its own sessions.
	Reset string
	// Context is who may change it and when, Source where the value comes from, both in the words of
	// pg_settings.
	Context, Source string
	// Pending: the configuration has another value, which waits for a restart.
	Pending bool
}

// Settings are parameters of the server by name. One that the server does not know, or does not show
// to the role, is the zero value.
type Settings map[string]Setting

// Number returns the value, in the setting's unit, 0 where it is no number.
func (s Setting) Number() int64 {
	n, _ := strconv.ParseInt(s.Value, 10, 64)
	return n
}

// Bytes returns the size that a value in the setting's unit is.
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

// settingNames are the settings that are judged, or that decide what is measured.
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

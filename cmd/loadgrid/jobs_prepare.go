package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/loader"
)

// prepared is a job of a file, as flags of load.
type prepared struct {
	set      *jobSet
	from     *jobfile.Job
	settings map[string]jobfile.Setting
	cmd      *cobra.Command
	flags    loadFlags
	run      loadRun
	err      error
}

// name returns what the job is called: where the file does not say, after its table.
func (p *prepared) name() string {
	if name := p.from.DisplayName(); name != "" {
		return name
	}
	return p.flags.table
}

// prepare makes a job of the flags.
func (s *jobSet) prepare(job *jobfile.Job, secrets bool) *prepared {
	p := s.flags(job)
	if p.err == nil && secrets {
		p.err = p.connection()
	}
	if p.err != nil {
		return p
	}
	var err error
	if p.run, err = p.flags.run(p.cmd); err != nil {
		p.err = p.wrap(err)
		return p
	}
	p.run.options.JobName = p.from.DisplayName()
	return p
}

// flags gives a fresh set of load's flags what the command line says, and below that
// the file: whether a flag has changed, what it is otherwise, and what is wrong with
// its value is told by the same code as without a file.
func (s *jobSet) flags(job *jobfile.Job) *prepared {
	p := &prepared{set: s, from: job, settings: make(map[string]jobfile.Setting)}
	p.cmd = &cobra.Command{Use: s.cmd.Name()}
	p.cmd.SetContext(s.cmd.Context())
	p.cmd.SetIn(bytes.NewReader(s.stdin))
	p.cmd.SetOut(s.cmd.OutOrStdout())
	p.cmd.SetErr(s.cmd.ErrOrStderr())
	p.flags.register(p.cmd)
	if p.err = p.copyFlags(); p.err != nil {
		return p
	}
	for _, setting := range s.file.Merge(job, p.cmd.Flags().Changed) {
		p.settings[setting.Key] = setting
		if setting.Key == "dsn" || setting.Key == "password" {
			continue // see connection
		}
		for _, item := range setting.Items {
			text := item.Text
			if setting.Key == "aoi" && text != "-" || setting.Key == "metrics-textfile" {
				text = s.beside(text)
			}
			if err := p.cmd.Flags().Set(setting.Key, text); err != nil {
				p.err = p.mistake(setting.Key, errors.New("cannot be "+text))
				return p
			}
		}
	}
	return p
}

// copyFlags takes over what the command line says.
func (p *prepared) copyFlags() (err error) {
	p.set.cmd.Flags().Visit(func(given *pflag.Flag) {
		if err != nil || p.cmd.Flags().Lookup(given.Name) == nil {
			return
		}
		values := []string{given.Value.String()}
		if list, ok := given.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if err = p.cmd.Flags().Set(given.Name, v); err != nil {
				err = usageError{fmt.Errorf("--%s: %w", given.Name, err)}
				return
			}
		}
	})
	return err
}

// beside returns a name in the file as one that holds wherever the program was started:
// a scheduler starts anywhere.
func (s *jobSet) beside(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// connection fills in the connection string, with a password where the file has one.
// Another server than the file's, given on the command line, has another password.
func (p *prepared) connection() error {
	if p.set.cmd.Flags().Changed("dsn") {
		return nil
	}
	secrets := jobfile.Secrets{Dir: p.set.dir, Lookup: os.LookupEnv}
	if dsn, ok := p.settings["dsn"]; ok {
		text, err := secrets.DSN(dsn.Items[0].Text)
		if err != nil {
			return p.mistake("dsn", err)
		}
		p.flags.server.dsn = text
	}
	if password, ok := p.settings["password"]; ok {
		text, err := secrets.Password(password.Items[0].Text)
		if err != nil {
			return p.mistake("password", err)
		}
		p.flags.server.dsn = jobfile.WithPassword(resolveDSN(p.flags.server.dsn), text)
	}
	return nil
}

func (p *prepared) check(ctx context.Context, secrets bool) error {
	if p.err != nil {
		return p.err
	}
	if _, err := p.run.watch.reporter(io.Discard); err != nil {
		return p.wrap(err)
	}
	if secrets {
		if err := loader.CheckDSN(resolveDSN(p.run.server.dsn)); err != nil {
			return p.wrap(err)
		}
	}
	// The plan, with the polygons of the area, is made again when the job's turn
	// comes: those of all jobs would be in memory for hours.
	var needs *loader.NeedsServerError
	if _, err := loader.NewPlan(ctx, p.run.job); err != nil && !errors.As(err, &needs) {
		return p.wrap(err)
	}
	return nil
}

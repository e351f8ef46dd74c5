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

	"github.com/loadgrid/loadgrid/internal/credential"
	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/loader"
)

// preparedJob is a job of a file, as flags of load.
type preparedJob struct {
	set      *jobSet
	source   *jobfile.Job
	settings map[string]jobfile.Setting
	cmd      *cobra.Command
	flags    loadFlags
	options  loadOptions
	err      error
}

// name returns what the job is called: where the file does not say, after its table.
func (p *preparedJob) name() string {
	if name := p.source.DisplayName(); name != "" {
		return name
	}
	return p.flags.table
}

// prepare makes a job of the flags.
func (s *jobSet) prepare(job *jobfile.Job, secrets bool) *preparedJob {
	p := s.parseFlags(job)
	if p.err == nil && secrets {
		p.err = p.fillConnection()
	}

	if p.err != nil {
		return p
	}

	var err error
	if p.options, err = p.flags.options(p.cmd); err != nil {
		p.err = p.locate(err)
		return p
	}

	p.options.run.JobName = p.source.DisplayName()
	return p
}

// parseFlags gives a fresh set of load's flags what the command line says, and below that
// the file: whether a flag has changed, what it is otherwise, and what is wrong with
// its value is reported by the same code as without a file.
func (s *jobSet) parseFlags(job *jobfile.Job) *preparedJob {
	p := &preparedJob{set: s, source: job, settings: make(map[string]jobfile.Setting)}
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
			continue // see fillConnection
		}

		for _, item := range setting.Items {
			text := item.Text
			if setting.Key == "aoi" && text != "-" || setting.Key == "metrics-textfile" {
				text = s.resolvePath(text)
			}

			if err := p.cmd.Flags().Set(setting.Key, text); err != nil {
				p.err = p.valueError(setting.Key, errors.New("cannot be "+text))
				return p
			}
		}
	}

	return p
}

// copyFlags takes over what the command line says.
func (p *preparedJob) copyFlags() (err error) {
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

// resolvePath returns a name in the file as one that holds wherever the program was started:
// a scheduler starts anywhere.
func (s *jobSet) resolvePath(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// fillConnection fills in the connection string, with a password where the file has one.
// Another server than the file's, given on the command line, has another password.
func (p *preparedJob) fillConnection() error {
	if p.set.cmd.Flags().Changed("dsn") {
		return nil
	}

	secrets := credential.Resolver{Dir: p.set.dir, Lookup: os.LookupEnv}
	if dsn, ok := p.settings["dsn"]; ok {
		text, err := secrets.DSN(dsn.Items[0].Text)
		if err != nil {
			return p.valueError("dsn", err)
		}

		p.flags.server.dsn = text
	}

	if password, ok := p.settings["password"]; ok {
		text, err := secrets.Password(password.Items[0].Text)
		if err != nil {
			return p.valueError("password", err)
		}

		p.flags.server.dsn = credential.WithPassword(resolveDSN(p.flags.server.dsn), text)
	}

	return nil
}

func (p *preparedJob) check(ctx context.Context, secrets bool) error {
	if p.err != nil {
		return p.err
	}

	if _, err := p.options.progress.reporter(io.Discard); err != nil {
		return p.locate(err)
	}

	if secrets {
		if err := loader.CheckDSN(resolveDSN(p.options.server.dsn)); err != nil {
			return p.locate(err)
		}
	}

	// The plan, with the polygons of the area, is made again when the job's turn
	// comes: those of all jobs would be in memory for hours.
	var needs *loader.NeedsServerError
	if _, err := loader.NewPlan(ctx, p.options.job); err != nil && !errors.As(err, &needs) {
		return p.locate(err)
	}
	return nil
}

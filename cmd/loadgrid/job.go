package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/jobfile"
	"github.com/loadgrid/loadgrid/internal/options"
)

func newJobCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "job",
		Short: "Check job files, or print their JSON Schema",
		Long: `A job file is YAML with one job, or with defaults and a list of jobs. Its keys are the
flags of 'loadgrid load'. Run it with 'loadgrid load --job FILE'.`,
		Example: `  loadgrid job check jobs.yaml
  loadgrid job schema > job.schema.json`,
	}

	cmd.AddCommand(newJobCheckCommand(), newJobSchemaCommand())
	return withSubcommands(cmd)
}

func newJobSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of job files, for completion and checks in editors",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := jobSchema()
			if err != nil {
				return err
			}

			_, err = streamsOf(cmd).out.Write(text)
			return err
		},
	}
}

func newJobCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check all jobs of a file without a server",
		Long: `check reads a job file (- for stdin) and the files of its areas, and plans each job. It
reports every mistake that it can find without a server. It needs no secrets: the
variables and files for the connection may be missing.`,
		Args: checkArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJobCheck(cmd.Context(), args[0], cmd.CommandPath(), streamsOf(cmd))
		},
	}
}

func runJobCheck(ctx context.Context, file, command string, std streams) error {
	set, err := openJobs(ctx, jobFileOptions{file: file}, nil, command, std.in)
	if err != nil {
		return err
	}
	if err := set.check(ctx, false); err != nil {
		return err
	}

	printWarnings(std.err, set.warnings)
	names := make([]string, len(set.jobs))
	for i, job := range set.jobs {
		names[i] = job.DisplayName()
	}

	_, err = fmt.Fprintf(std.out, "%s: %s: %s\n", oneLine(set.file.Name), plural(len(names), "job"), oneLine(strings.Join(names, ", ")))
	return err
}

// jobSchema returns the JSON Schema of job files.
func jobSchema() ([]byte, error) { return jobfile.Schema(new(options.Load).Table()) }

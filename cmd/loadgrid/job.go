package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/internal/jobfile"
)

func newJobCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "job",
		Short: "Check job files, and say what may stand in them",
		Example: `  loadgrid job check jobs.yaml
  loadgrid job schema > job.schema.json`,
	}

	cmd.AddCommand(newJobCheckCommand(), newJobSchemaCommand())
	return withSubcommands(cmd)
}

func newJobSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of job files, with which editors complete and check them",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := jobSchema()
			if err != nil {
				return err
			}

			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func newJobCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether all jobs of a file are right, as far as that needs no server",
		Long: `check reads a job file, - for stdin, with the files of its areas, and plans each job. It asks
no server, and needs no secrets: variables and files for the connection may be missing.`,
		Args: checkArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJobCheck(cmd.Context(), args[0], streamsOf(cmd))
		},
	}
}

func runJobCheck(ctx context.Context, file string, std streams) error {
	load := &cobra.Command{Use: "load"} // as if it were on its command line
	new(loadFlags).register(load)
	load.SetContext(ctx)
	load.SetIn(std.in)

	jobs := jobFileFlags{file: file}
	set, err := jobs.open(load)
	if err != nil {
		return err
	}
	if err := set.check(ctx, false); err != nil {
		return err
	}

	names := make([]string, len(set.jobs))
	for i, job := range set.jobs {
		names[i] = job.DisplayName()
	}

	_, err = fmt.Fprintf(std.out, "%s: %s: %s\n", oneLine(set.file.Name), plural(len(names), "job"), oneLine(strings.Join(names, ", ")))
	return err
}

// jobSchema returns the schema. What a key is for is what the help says of its flag.
func jobSchema() ([]byte, error) {
	load := new(cobra.Command)
	new(loadFlags).register(load)
	return jobfile.Schema(func(key string) string {
		switch key {
		case "name":
			return "what the job is called in messages, in logs and by --only; its table's name when left out"
		case "password":
			return "password where dsn has none: ${VARIABLE} or file:PATH, never itself"
		case "dsn":
			return describeFlag(load, key) + "; ${VARIABLE} in it is filled in, and file:PATH stands for what the file holds"
		case "defaults":
			return "what holds for all jobs that do not say otherwise"
		case "jobs":
			return "the jobs, in the order in which they are done"
		}

		return describeFlag(load, key)
	})
}

func describeFlag(cmd *cobra.Command, name string) string {
	flag := cmd.Flags().Lookup(name)
	if flag == nil {
		return ""
	}
	return strings.ReplaceAll(flag.Usage, "`", "")
}

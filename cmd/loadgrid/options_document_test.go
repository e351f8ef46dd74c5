package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loadgrid/loadgrid/internal/options"
)

const optionsDocument = "../../docs/options.md"

// keysOnly is the heading of the keys of job files that are not flags.
const keysOnly = "Keys without a flag"

const optionsIntroduction = `# Options

<!-- Written by: go test ./cmd/loadgrid -run '^TestOptionsDocument$' -update -->

This page lists the options of all commands. [Loading](loading.md), [grids](grids.md) and [areas](areas.md) explain how to use them.

Each option of ` + "`loadgrid load`" + ` is a flag. The same name without the leading hyphens is a key of [job files](jobs.md), and
[job.schema.json](job.schema.json) describes the keys for editors. You can set a flag only once, unless the table says "several".
On the command line, put commas between the numbers of a list. In a job file, write a YAML list.

Every command also has these flags:

- ` + "`-v`, `--verbose`" + ` logs every stage, chunk and retry.
- ` + "`-q`, `--quiet`" + ` writes only errors and requested output, such as the list of ` + "`runs list`" + `.
- ` + "`-h`, `--help`" + ` prints the help.

` + "`loadgrid --version`" + ` prints the version. Set ` + "`NO_COLOR`" + ` to any value to switch colours off.
`

// TestOptionsDocument compares docs/options.md with the tables of options. -update writes it.
func TestOptionsDocument(t *testing.T) {
	want := documentOptions()
	if *update {
		if err := os.WriteFile(optionsDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	got, err := os.ReadFile(optionsDocument)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s differs from the tables of options: go test ./cmd/loadgrid -run '^TestOptionsDocument$' -update", optionsDocument)
	}
}

func documentOptions() string {
	var b strings.Builder
	b.WriteString(optionsIntroduction)
	root := newRootCommand()
	plan, dump := commandTable(find(root, "plan")), commandTable(find(root, "dump"))

	group := ""
	all := append(new(options.Load).Table(), new(jobFileOptions).table("run the jobs of a YAML `FILE` in order; - for stdin", true)...)
	for _, o := range firstOnes(all) {
		if group != keysOnly && o.In&options.Flag == 0 && o.In != 0 { // options that are only keys come last
			group = keysOnly
			fmt.Fprintf(&b, "\n## %s\n\n| key | value | meaning |\n|---|---|---|\n", group)
		}

		if group == keysOnly && !o.IsIn(options.Flag) {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.Name, o.Value.Type, cell(o.Describe()+o.KeyHelp))
			continue
		}

		if o.Group != group {
			group = o.Group
			fmt.Fprintf(&b, "\n## %s\n\n| option | value | default | meaning | also in |\n|---|---|---|---|---|\n", group)
		}

		var also []string
		for name, table := range map[string]options.Table{"plan": plan, "dump": dump} {
			if _, ok := table.Find(o.Name); ok {
				also = append(also, name)
			}
		}
		if len(also) == 2 {
			also = []string{"plan", "dump"}
		}
		writeOption(&b, o, strings.Join(also, ", "))
	}

	b.WriteString("\n## Other commands\n")
	everyCommand(root, func(c *cobra.Command) {
		if table := commandTable(c); len(table) > 0 && c.Name() != "load" {
			documentCommand(&b, c, table)
		}
	})

	return b.String()
}

// firstOnes puts the options of a first load first, as the help does.
func firstOnes(table options.Table) (sorted options.Table) {
	first := firstFlags()
	for _, name := range first.names {
		o, _ := table.Find(name)
		o.Group = first.title
		sorted = append(sorted, o)
	}

	for _, o := range table {
		if !slices.Contains(first.names, o.Name) {
			sorted = append(sorted, o)
		}
	}

	return sorted
}

// documentCommand writes the options of a command that load does not have.
func documentCommand(b *strings.Builder, c *cobra.Command, table options.Table) {
	load := new(options.Load).Table()
	first := true
	for _, o := range table {
		if other, ok := load.Find(o.Name); ok && other.Help == o.Help || c.Name() == "plan" && (o.Name == "job" || o.Name == "only") {
			continue
		}

		if first {
			fmt.Fprintf(b, "\n### %s\n\n| option | value | default | meaning |\n|---|---|---|---|\n", strings.TrimPrefix(c.CommandPath(), "loadgrid "))
			first = false
		}
		fmt.Fprintf(b, "| `--%s` | %s | %s | %s |\n", o.Name, value(o), defaultCell(o), cell(o.Describe()))
	}
}

func writeOption(b *strings.Builder, o options.Option, also string) {
	meaning := o.Describe() + o.KeyHelp
	for _, c := range append(o.With, o.Without...) {
		meaning += "; " + c.Reason
	}
	fmt.Fprintf(b, "| `--%s` | %s | %s | %s | %s |\n", o.Name, value(o), defaultCell(o), cell(meaning), also)
}

func value(o options.Option) string {
	text := o.Value.Type
	if text == "bool" {
		text = "`true`, `false`"
	}
	if len(o.Value.Choices) > 0 {
		text = "`" + strings.Join(o.Value.Choices, "`, `") + "`"
	}
	if o.Value.List {
		text += ", several"
	}
	return text
}

func defaultCell(o options.Option) string {
	if o.Default == "" {
		return ""
	}
	return "`" + o.Default + "`"
}

// cell returns text for a cell of a table in Markdown.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(text)
}

// commandTable returns the options of a command.
func commandTable(c *cobra.Command) (table options.Table) {
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		if v, ok := flag.Value.(*flagValue); ok {
			table = append(table, v.option)
		}
	})
	return table
}

func find(root *cobra.Command, name string) *cobra.Command {
	c, _, err := root.Find([]string{name})
	if err != nil {
		panic(err)
	}
	return c
}

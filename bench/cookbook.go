package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

const (
	cookbookID    = "cookbook"
	cookbookUsual = ", the usual way"
	cookbookPage  = ", docs/queries.md"
)

// cookbookScale enlarges the example of docs/queries.md: cells of 1 km and a million points.
func cookbookScale() *strings.Replacer {
	return strings.NewReplacer("--cell-size 10km", "--cell-size 1km", "--cell-size 15km", "--cell-size 1.5km", "generate_series(1, 50000)", "generate_series(1, 1000000)")
}

// cookbookSection is a section of docs/queries.md.
type cookbookSection struct {
	heading string
	steps   []mdblocks.Block // loads and statements
	usual   string           // statements of docs/queries_usual.sql; empty for a section that is not timed
}

// readCookbook reads the page and its usual ways, on the large scale.
func readCookbook(folder string) ([]cookbookSection, error) {
	blocks, err := mdblocks.Read(filepath.Join(folder, "queries.md"))
	if err != nil {
		return nil, err
	}
	usual, err := mdblocks.SQLParts(filepath.Join(folder, "queries_usual.sql"))
	if err != nil {
		return nil, err
	}

	var all []cookbookSection
	scale := cookbookScale()
	for _, b := range blocks {
		if len(all) == 0 || all[len(all)-1].heading != b.Heading {
			all = append(all, cookbookSection{heading: b.Heading, usual: usual[b.Heading]})
		}
		b.Text = scale.Replace(b.Text)
		last := &all[len(all)-1]
		last.steps = append(last.steps, b)
	}

	all[0].usual = "" // this section makes the tables
	return all, nil
}

// statements are the SQL of a section.
func (s cookbookSection) statements() string {
	var sql strings.Builder
	for _, b := range s.steps {
		if b.Language == "sql" {
			sql.WriteString(b.Text)
		}
	}
	return sql.String()
}

// measureCookbook times each section of docs/queries.md and the usual way. It uses a separate database, because the
// page names a run by its number.
func measureCookbook(ctx context.Context, db *database, measure func(arm) error, o options) (err error) {
	if !o.only.MatchString(cookbookID) {
		return nil
	}

	sections, err := readCookbook("docs")
	if err != nil {
		return err
	}
	own, err := db.newDatabase(ctx, cookbookID)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, own.conn.Close(context.WithoutCancel(ctx)), db.exec(context.WithoutCancel(ctx), "drop database "+cookbookID))
	}()

	for _, s := range sections {
		for _, b := range s.steps {
			if err := own.takeStep(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", b.Name(), err)
			}
		}
	}

	a := arm{id: cookbookID, title: "9. Cookbook: queries on cells compared with spatial joins, 1,000,000 points, " + db.name + " server", server: db.name}
	if err := own.conn.QueryRow(ctx, "select count(*) from cells").Scan(&a.cells); err != nil {
		return err
	}
	for _, s := range sections {
		if s.usual != "" {
			var answer []byte
			a.contenders = append(a.contenders, own.ask(s.heading+cookbookUsual, s.usual, &answer), own.ask(s.heading+cookbookPage, s.statements(), &answer))
		}
	}

	return measure(a)
}

// newDatabase makes a database on the same server, and connects to it.
func (db *database) newDatabase(ctx context.Context, name string) (*database, error) {
	if err := db.exec(ctx, "create database "+name); err != nil {
		return nil, err
	}

	dsn, err := url.Parse(db.server.DSN())
	if err != nil {
		return nil, errors.New("the throwaway server's DSN is not a URL")
	}
	dsn.Path = "/" + name

	own := *db
	if own.env, err = pgEnvironment(dsn.String()); err != nil {
		return nil, err
	}
	if own.conn, err = pgx.Connect(ctx, dsn.String()); err != nil {
		return nil, err
	}

	return &own, own.exec(ctx, "create extension postgis")
}

// takeStep runs the loads and the statements of a block. It skips other commands and answers.
func (db *database) takeStep(ctx context.Context, b mdblocks.Block) error {
	switch b.Language {
	case "sql":
		return db.exec(ctx, b.Text)
	case "console":
		for _, command := range regexp.MustCompile(`(?m)^\$ loadgrid load (?:.*\\\n)*.*$`).FindAllString(b.Text, -1) {
			if _, _, _, err := runProcess(ctx, db.env, "/bin/sh", "-c", `"$0" `+strings.TrimPrefix(command, "$ loadgrid "), db.loadgrid); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask is a contender that runs statements and rolls them back. The first contender of a section stores its answer,
// and the second one must give the same answer.
func (db *database) ask(name, statements string, answer *[]byte) contender {
	var got []byte

	return contender{
		name: name,
		prepare: func(ctx context.Context) error {
			if err := db.exec(ctx, "begin"); err != nil {
				return err
			}
			for _, m := range regexp.MustCompile(`(?m)^create table (\w+)`).FindAllStringSubmatch(statements, -1) {
				if err := db.exec(ctx, "drop table if exists "+m[1]); err != nil {
					return err
				}
			}
			return nil
		},
		run: func(ctx context.Context) (sample, error) {
			results, err := db.conn.PgConn().Exec(ctx, statements).ReadAll()
			if err != nil {
				return sample{}, err
			}

			got = nil
			for _, r := range results {
				for _, row := range r.Rows {
					got = append(append(got, bytes.Join(row, []byte(" | "))...), '\n')
				}
			}
			return sample{}, nil
		},
		check: func(ctx context.Context) error {
			if err := db.exec(ctx, "rollback"); err != nil {
				return err
			}
			if strings.HasSuffix(name, cookbookUsual) {
				*answer = slices.Clone(got)
			} else if !bytes.Equal(got, *answer) {
				return fmt.Errorf("the page's query returns\n%s\nand the usual way returns\n%s", got, *answer)
			}
			return nil
		},
	}
}

// writeCookbook is a table with a row for each section.
func (r result) writeCookbook(b *bytes.Buffer) {
	fmt.Fprintf(b, "This table compares the sections of [queries.md](queries.md) with the statements of [queries_usual.sql](queries_usual.sql), on %s cells.\n\n", count(r.Cells))
	fmt.Fprint(b, "| question | the usual way, seconds | queries.md, seconds | speedup |\n|---|---|---|---|\n")
	for _, c := range r.Contenders {
		question, isUsual := strings.CutSuffix(c.Name, cookbookUsual)
		if !isUsual {
			continue
		}
		usual, page := c.seconds(), r.find(question+cookbookPage).seconds()
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", question, usual.text(), page.text(), digits(usual.median/page.median))
	}
}

// writeRatios writes into docs/queries.md how many times as long each usual way took. It leaves sections that were
// not measured unchanged, and does nothing in a folder without the page.
func (m *measurements) writeRatios(folder string) error {
	file := filepath.Join(folder, "queries.md")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}

	r, heading := m.get(cookbookID), ""
	ratio := regexp.MustCompile(`^(\*\*The usual way\*\* .*?\.)(?: It takes \S+ times as long\.)?$`)
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			heading = title
		}
		usual, page := r.find(heading+cookbookUsual).seconds().median, r.find(heading+cookbookPage).seconds().median
		if usual > 0 && page > 0 {
			lines[i] = ratio.ReplaceAllString(line, "${1} It takes "+multiple(usual/page)+" times as long.")
		}
	}

	return os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644)
}

// multiple formats how many times as long something took.
func multiple(f float64) string {
	if f >= 10 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}

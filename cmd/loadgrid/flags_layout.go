package main

import (
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// layoutFlags are the flags that say how the table is made and filled.
type layoutFlags struct {
	streams, partitions int
	chunkRows           int64
	index               string
	unlogged            bool
}

func (f *layoutFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.IntVar(&f.partitions, "partitions", 0, "`number` of partitions of the table, ranges of the key with equal numbers of rows; 0 for a plain table")
	fs.StringVar(&f.index, "index", "gist", "spatial index of a new table: `gist|brin|both|none`")
	fs.BoolVar(&f.unlogged, "unlogged", false, "make an unlogged table: no WAL, and empty after a crash of the server")
	fs.IntVar(&f.streams, "streams", 0, "`number` of connections that copy at the same time; left out, the plan chooses")
	fs.Int64Var(&f.chunkRows, "chunk-rows", 0, "load a plain table in chunks of at most so many `rows`, each a transaction and resumed by itself; left out, the plan chooses")
}

// apply puts the flags into a job.
func (f *layoutFlags) apply(cmd *cobra.Command, job *loader.Job) error {
	if f.index == "" {
		return &geomgen.ParamError{Param: "index", Value: `""`, Reason: "must be gist, brin, both or none"}
	}

	job.Streams, job.ChunkRows, job.Partitions = f.streams, f.chunkRows, f.partitions
	job.Index, job.Unlogged = loader.Index(f.index), f.unlogged
	return checkPositive(cmd, "streams", "chunk-rows")
}

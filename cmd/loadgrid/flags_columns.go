package main

import (
	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// columnFlags are the flags that say what the columns are.
type columnFlags struct {
	id, geom string
	set      []string
}

func (f *columnFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.id, "id-column", "cell_id", "`name` of the primary key")
	fs.StringVar(&f.geom, "geom-column", "geom", "`name` of the geometry")
	fs.StringArrayVar(&f.set, "set", nil, "a column that is the same in each row, `NAME[:TYPE]=VALUE`; may be given several times")
}

func (f *columnFlags) apply(_ *cobra.Command, job *loader.Job) error {
	job.IDColumn, job.GeomColumn = f.id, f.geom
	for param, name := range map[string]string{"id-column": f.id, "geom-column": f.geom} {
		if name == "" {
			return &geomgen.ParamError{Param: param, Value: `""`, Reason: "the name is empty"}
		}
	}

	for _, s := range f.set {
		c, err := loader.ParseConstant(s)
		if err != nil {
			return err
		}
		job.Set = append(job.Set, c)
	}

	return nil
}

// codeFlags are the flags that say how cells are named.
type codeFlags struct {
	code, order string
	index       bool
}

func (f *codeFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.code, "code", "", "add a column code text with names of cells: `inspire|inspire-short|quadkey`")
	fs.StringVar(&f.order, "code-order", "", "which coordinate comes first in an inspire code, `ne|en` (default ne)")
	fs.BoolVar(&f.index, "code-index", false, "give a plain table a unique index on the code")
}

func (f *codeFlags) apply(cmd *cobra.Command, job *loader.Job) error {
	for name, value := range map[string]string{"code": f.code, "code-order": f.order} {
		if cmd.Flags().Changed(name) && value == "" {
			return &geomgen.ParamError{Param: name, Value: `""`, Reason: "is empty"}
		}
	}

	job.Code, job.CodeOrder, job.CodeIndex = geomgen.Code(f.code), geomgen.CodeOrder(f.order), f.index
	return nil
}

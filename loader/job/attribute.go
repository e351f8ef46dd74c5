package job

import (
	"cmp"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/copyfield"
)

// Attribute is a column that holds, in each row, an attribute of one of the area's features: see Job.Attributes
// and Job.Each.
type Attribute struct {
	// Name is the name of the attribute and of the column.
	Name string `json:"name"`
	// Type is one of ConstantTypes, if the column's type is not the source's type. Defaults to the source's type.
	Type string `json:"type,omitempty"`
}

// ParseAttribute reads NAME or NAME:TYPE, as in population:bigint, for the option param.
func ParseAttribute(param, text string) (Attribute, error) {
	a := Attribute{Name: text}
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		a.Name, a.Type = text[:i], strings.ToLower(strings.TrimSpace(text[i+1:]))
		if a.Type == "" {
			return Attribute{}, &geomgen.ParamError{Param: param, Value: text, Reason: "has no type after the colon; the types are " + strings.Join(ConstantTypes(), ", ")}
		}
	}

	if a.Name == "" {
		return Attribute{}, &geomgen.ParamError{Param: param, Value: text, Reason: "has no name"}
	}

	return a, a.checkType(param)
}

// String returns the attribute in the form that ParseAttribute reads.
func (a Attribute) String() string {
	if a.Type == "" {
		return a.Name
	}
	return a.Name + ":" + a.Type
}

// sqlType returns the type's name in PostgreSQL.
func (a Attribute) sqlType() string { return Constant{Type: a.Type}.sqlType() }

func (a Attribute) checkType(param string) error {
	if _, ok := copyfield.SQLType(a.Type); ok {
		return nil
	}

	return &geomgen.ParamError{Param: param, Value: a.String(), Reason: copyfield.NoType(a.Type)}
}

// Pairs reports whether each row is a pair of a cell and a feature: see Each.
func (j Job) Pairs() bool { return j.Each.Name != "" }

// FeatureAttributes returns the attributes that the job needs from the area's features, in the order of their
// columns. The attribute of Each comes first.
func (j Job) FeatureAttributes() []Attribute {
	var list []Attribute
	if j.Pairs() {
		list = append(list, j.Each)
	}
	return append(list, j.Attributes...)
}

// WithTypes returns the job with the types of the source's attributes, in the order of FeatureAttributes. Types
// that the job sets itself stay.
func (j Job) WithTypes(types []string) Job {
	if j.Pairs() {
		j.Each.Type = cmp.Or(j.Each.Type, types[0])
		types = types[1:]
	}

	j.Attributes = slices.Clone(j.Attributes)
	for i := range j.Attributes {
		j.Attributes[i].Type = cmp.Or(j.Attributes[i].Type, types[i])
	}

	return j
}

// checkNameType refuses a type whose values cannot be a key for the attribute of Each.
func (j Job) checkNameType() error {
	if t := j.Each.sqlType(); t == "json" || t == "jsonb" {
		return &geomgen.ParamError{Param: "each", Value: j.Each.String(), Reason: "is " + t + ", which cannot be a key: take it as text, " + j.Each.Name + ":text"}
	}
	return nil
}

// validateAttributes checks the settings that need attributes or conflict with them.
func (j Job) validateAttributes() error {
	bad := func(param, value, reason string) error {
		return &geomgen.ParamError{Param: param, Value: value, Reason: reason}
	}

	for _, a := range j.Attributes {
		if err := a.checkType("attribute"); err != nil {
			return err
		}
	}

	if err := j.Each.checkType("each"); err != nil {
		return err
	}

	if err := j.checkNameType(); err != nil {
		return err
	}

	switch {
	case !j.Pairs() && j.Each.Type != "":
		return bad("each", j.Each.String(), "has no name")
	case len(j.Attributes) > 0 && j.Area == nil:
		return bad("attribute", j.Attributes[0].Name, "needs an area of interest: aoi or aoi-sql")
	case j.Pairs() && j.Area == nil:
		return bad("each", j.Each.Name, "needs an area of interest: aoi or aoi-sql")
	case j.AttributeRule != "" && len(j.Attributes) == 0:
		return bad("attribute-rule", string(j.AttributeRule), "needs an attribute")
	case j.AttributeRule != "" && j.Pairs():
		return bad("attribute-rule", string(j.AttributeRule), "conflicts with each: a row has the attributes of its own feature")
	case j.Pairs() && j.Coverage:
		return bad("coverage", "true", "conflicts with each: cell_share is the feature's share of the cell")
	case j.Pairs() && j.CodeIndex:
		return bad("code-index", "true", "conflicts with each: a cell has several rows")
	case j.Pairs() && j.Distribute != "":
		return bad("each", j.Each.Name, "conflicts with distribute: a table of pairs cannot be distributed")
	}

	switch j.AttributeRule {
	case "", geomgen.Largest, geomgen.AtCentroid, geomgen.First:
		return nil
	}

	return bad("attribute-rule", string(j.AttributeRule), "must be largest, centroid or first")
}

package options

import "github.com/loadgrid/loadgrid/loader/job"

// attributeTable has the options for attributes that rows take from the features of the area.
func (c *Cells) attributeTable() Table {
	area := []Condition{{Options: []string{"aoi", "aoi-sql"}, Reason: "needs an area of interest: set aoi or aoi-sql"}}

	return Table{
		{Name: "attribute", Group: groupArea, Value: List(c.addAttribute), With: area,
			Help: "add a column with an attribute of the area's features, as `NAME[:TYPE]`; --attribute-rule selects the feature, and a cell without one has NULL; may be repeated"},
		{Name: "attribute-rule", Group: groupArea, Default: "largest", Value: Choice(&c.Job.AttributeRule, "largest", "centroid", "first"),
			With: []Condition{{Options: []string{"attribute"}, Reason: "needs an attribute"}},
			Help: "feature that gives a cell its attributes, `largest|centroid|first`: the one with the largest share of the cell, the one that contains the cell's centre, or the first that --aoi-rule selects"},
		{Name: "each", Group: groupArea, With: area,
			Value: Parsed(func(text string) (err error) {
				c.Job.Each, err = job.ParseAttribute("each", text)
				return err
			}),
			Help: "write one row for each cell and feature that overlap, with the columns `NAME[:TYPE]` (the attribute that identifies a feature), cell_share and feature_share, the weights of areal interpolation"},
	}
}

func (c *Cells) addAttribute(text string) error {
	a, err := job.ParseAttribute("attribute", text)
	c.Job.Attributes = append(c.Job.Attributes, a)
	return err
}

package options

import "github.com/loadgrid/loadgrid/loader/job"

// attributeTable has what the features of the area give to the rows.
func (c *Cells) attributeTable() Table {
	area := []Condition{{Options: []string{"aoi", "aoi-sql"}, Reason: "needs an area of interest: aoi or aoi-sql"}}

	return Table{
		{Name: "attribute", Group: groupArea, Value: List(c.addAttribute), With: area,
			Help: "add a column with an attribute of the area's features, `NAME[:TYPE]`: that of the feature with the largest share of the cell, NULL where there is none; may be given several times"},
		{Name: "attribute-rule", Group: groupArea, Default: "largest", Value: Choice(&c.Job.AttributeRule, "largest", "centroid", "first"),
			With: []Condition{{Options: []string{"attribute"}, Reason: "needs an attribute"}},
			Help: "which feature a cell takes its attributes of, `largest|centroid|first`: that with the largest share, that with the cell's centre, the first that the aoi-rule selects"},
		{Name: "each", Group: groupArea, With: area,
			Value: Parsed(func(text string) (err error) {
				c.Job.Each, err = job.ParseAttribute("each", text)
				return err
			}),
			Help: "a row for each pair of a cell and a feature that overlap, with the columns `NAME[:TYPE]` (the attribute that names a feature), cell_share and feature_share: the weights of areal interpolation"},
	}
}

func (c *Cells) addAttribute(text string) error {
	a, err := job.ParseAttribute("attribute", text)
	c.Job.Attributes = append(c.Job.Attributes, a)
	return err
}

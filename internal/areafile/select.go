package areafile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/condition"
	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// maxListed is the maximum number of names in a message.
const maxListed = 20

// selector decides which features and values to keep.
type selector struct {
	to    *gather.Collector
	names []string // attributes that a reader delivers: first those to keep, then those of the condition
	keep  int      // how many of the names are kept

	where     string
	condition *condition.Condition // nil for none
	places    []int                // indexes of the condition's attributes in names
	values    []feature.Value      // values of the condition's attributes
}

func newSelector(o Options) (*selector, error) {
	s := &selector{to: &gather.Collector{}, names: slices.Clone(o.Attributes), keep: len(o.Attributes), where: o.Where}
	s.to.Max = o.MaxPositions

	for i, name := range s.names {
		if slices.Contains(s.names[:i], name) {
			return nil, &geomgen.ParamError{Param: "attribute", Value: name, Reason: "is given twice"}
		}
	}

	selection := gather.Selection{Features: s.keep > 0, Names: o.Attributes}
	if o.Where != "" {
		var err error
		if s.condition, err = condition.Parse(o.Where); err != nil {
			return nil, s.badCondition(err)
		}

		for _, name := range s.condition.Names() {
			if !slices.Contains(s.names, name) {
				s.names = append(s.names, name)
			}
			s.places = append(s.places, slices.Index(s.names, name))
		}

		s.values = make([]feature.Value, len(s.places))
		selection.Where = s.holds
	}

	s.to.Select(selection)
	return s, nil
}

// CheckCondition refuses a condition that is empty or that Read would refuse for every file.
func CheckCondition(where string) error {
	if _, err := condition.Parse(where); err != nil {
		return (&selector{where: where}).badCondition(err)
	}
	return nil
}

// holds tells whether the condition is true for a feature.
func (s *selector) holds(values []feature.Value) (bool, error) {
	for i, place := range s.places {
		s.values[i] = nil
		if values != nil { // a bare geometry has none
			s.values[i] = values[place]
		}
	}

	t, err := s.condition.Eval(s.values)
	if err != nil {
		return false, s.badCondition(fmt.Errorf("%w%s", err, s.to.Where))
	}

	return t == condition.True, nil
}

func (s *selector) badCondition(err error) error {
	var syntax *condition.SyntaxError
	reason := err.Error()
	if errors.As(err, &syntax) {
		reason = "is not a condition: " + reason
	}

	return &geomgen.ParamError{Param: "aoi-where", Value: s.where, Reason: reason}
}

// checkNames refuses attributes that the file does not have.
func (s *selector) checkNames(f format, there []string) error {
	for _, name := range s.names {
		if !slices.Contains(there, name) {
			return s.missing(name, otherNames(name, there))
		}
	}

	return nil
}

// missing reports an attribute that does not exist, and what exists instead.
func (s *selector) missing(name, instead string) error {
	if slices.Index(s.names, name) < s.keep {
		return &geomgen.ParamError{Param: "attribute", Value: name, Reason: "is not an attribute of any feature: " + instead}
	}
	return &geomgen.ParamError{Param: "aoi-where", Value: s.where, Reason: fmt.Sprintf("uses %q, which no feature has: %s", name, instead)}
}

// otherNames says which attributes exist when one is missing.
func otherNames(name string, there []string) string {
	if len(there) == 0 {
		return "the features have no attributes"
	}

	for _, other := range there {
		if strings.EqualFold(name, other) {
			return fmt.Sprintf("did you mean %s? Names must match exactly", other)
		}
	}

	listed := there[:min(len(there), maxListed)]
	text := "the features have " + strings.Join(listed, ", ")
	if len(listed) < len(there) {
		text += " and others"
	}

	return text
}

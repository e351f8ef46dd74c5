package textfile

import (
	"errors"
	"fmt"
	"os"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// previous is what the file has of earlier runs: values by metric and further label.
type previous map[string]map[string]float64

// value returns a finite number, and whether there is one.
func (p previous) value(metric, label string) (float64, bool) {
	v, ok := p[metric][label]
	if !ok || !isFinite(v) {
		return 0, false
	}
	return v, true
}

// ForeignError reports a file that holds what is not the job's.
type ForeignError struct {
	Job    string // whose metrics were to be written
	Metric string // that is there
	Owner  string // the job that it is of, "" where it is not loadgrid's
}

func (e *ForeignError) Error() string {
	owner := "of another program"
	if e.Owner != "" {
		owner = fmt.Sprintf("of job %q", e.Owner)
	}
	return fmt.Sprintf("the file has metrics %s (%s), but a file holds only one job: give job %q its own file, for example with %s in its name", owner, e.Metric, e.Job, jobPlaceholder)
}

// readPrevious reads what a job has left in a file. A file that cannot be read, or that
// is cut off, has nothing, and damage says why; foreign is of one with the metrics of
// others. What the job had for another table is gone.
func readPrevious(path, job, table string) (p previous, foreign *ForeignError, damage error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()

	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, damage := parser.TextToMetricFamilies(f)

	p = make(previous)
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			labels := labelsOf(metric)
			if owner := labels[labelJob]; !strings.HasPrefix(name, metricPrefix) || owner != job {
				return nil, &ForeignError{Job: job, Metric: name, Owner: owner}, nil
			}
			if labels[labelTable] == table {
				p.add(name, labels, metric)
			}
		}
	}

	if damage != nil {
		return nil, nil, damage
	}
	return p, nil, nil
}

func (p previous) add(name string, labels map[string]string, metric *dto.Metric) {
	if p[name] == nil {
		p[name] = make(map[string]float64)
	}
	p[name][labels[labelOutcome]] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + metric.GetUntyped().GetValue()
}

func labelsOf(metric *dto.Metric) map[string]string {
	labels := make(map[string]string)
	for _, l := range metric.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}

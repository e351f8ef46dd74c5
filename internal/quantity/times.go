package quantity

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Duration reads a duration with its unit.
func Duration(text string) (time.Duration, error) {
	const must = "must be a duration with its unit, such as 90s, 30m or 1h30m"
	t := strings.TrimSpace(text)
	if d, err := time.ParseDuration(t); err == nil {
		return d, nil
	}

	m := regexp.MustCompile(`^([-+]?[0-9]+(?:\.[0-9]*)?)\s*([\pL]*)$`).FindStringSubmatch(t)
	if m == nil {
		return 0, errors.New(must)
	}

	number, unit := m[1], strings.ToLower(m[2])
	switch {
	case unit == "":
		return 0, errors.New(must + ": write " + number + "s for seconds, " + number + "m for minutes or " + number + "h for hours")
	case unit == "d" || strings.HasPrefix(unit, "day"):
		return 0, errors.New(must + ": a day is 24h")
	case unit == "w" || strings.HasPrefix(unit, "week"):
		return 0, errors.New(must + ": a week is 168h")
	}

	for short, long := range map[string]string{"s": "seconds", "m": "minutes", "h": "hours"} {
		if strings.HasPrefix(long, strings.TrimSuffix(unit, "s")) || short == "h" && strings.HasPrefix(unit, "hr") {
			if _, err := time.ParseDuration(number + short); err == nil {
				return 0, errors.New(must + ": write " + number + short)
			}
			return 0, errors.New(must + ", but is too long")
		}
	}

	return 0, errors.New(must)
}

// Age reads an age of at least a second.
func Age(text string) (time.Duration, error) {
	const must = "must be an age such as 90d, 2w or 12h, at least a second"
	t := strings.TrimSpace(text)
	age, err := model.ParseDuration(t)
	if err == nil && age >= model.Duration(time.Second) {
		return time.Duration(age), nil
	}

	if regexp.MustCompile(`^[0-9]+$`).MatchString(t) && strings.Trim(t, "0") != "" {
		return 0, errors.New(must + ": write " + t + "d for days or " + t + "h for hours")
	}
	return 0, errors.New(must)
}

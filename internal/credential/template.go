package credential

import (
	"errors"
	"regexp"
	"strings"
)

// part is a piece of a template: text, or the name of a variable.
type part struct {
	text     string
	variable string
}

// parseTemplate splits a text at its variables ${NAME}. $${ is the text ${.
func parseTemplate(text string) ([]part, error) {
	variable := regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	var parts []part
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, part{text: plain.String()})
			plain.Reset()
		}
	}

	for text != "" {
		if strings.HasPrefix(text, "$${") {
			plain.WriteString("${")
			text = text[3:]
		} else if m := variable.FindStringSubmatch(text); m != nil {
			flush()
			parts = append(parts, part{variable: m[1]})
			text = text[len(m[0]):]
		} else if strings.HasPrefix(text, "${") {
			return nil, errors.New("contains ${ without a name and a closing }: write ${NAME} for an environment variable, and $${ for the text ${")
		} else {
			plain.WriteByte(text[0])
			text = text[1:]
		}
	}

	flush()
	return parts, nil
}

func templateText(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.variable != "" {
			b.WriteString("${" + p.variable + "}")
		}

		b.WriteString(p.text)
	}
	return b.String()
}

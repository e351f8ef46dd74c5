package otlp

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	defaultURL     = "http://localhost:4318/v1/traces"
	defaultTimeout = 10 * time.Second
)

// config is what the environment says.
type config struct {
	url     string
	headers http.Header
	timeout time.Duration // of one request
	gzip    bool
	tls     *tls.Config // nil for Go's own
}

// variables finds those of OpenTelemetry's exporters.
type variables func(string) string

// get returns the value of a variable and its name: of the one for traces, else of the
// one for all signals.
func (v variables) get(name string) (value, variable string) {
	for _, variable := range []string{"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name} {
		if value := v(variable); value != "" {
			return value, variable
		}
	}

	return "", ""
}

func readConfig(env variables) (c config, err error) {
	if c.url, err = env.url(); err != nil {
		return c, err
	}
	if c.headers, err = env.headers(); err != nil {
		return c, err
	}

	c.timeout = defaultTimeout
	if value, variable := env.get("TIMEOUT"); value != "" {
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n <= 0 {
			return c, fmt.Errorf("%s is %q, which is no number of milliseconds", variable, value)
		}

		c.timeout = time.Duration(n) * time.Millisecond
	}

	switch value, variable := env.get("COMPRESSION"); value {
	case "", "none":
	case "gzip":
		c.gzip = true
	default:
		return c, fmt.Errorf("%s is %q, and must be gzip or none", variable, value)
	}

	c.tls, err = env.tls()
	return c, err
}

// url returns the address that spans go to: that of the variable for traces as it is,
// that for all signals with the path of traces.
func (v variables) url() (string, error) {
	value, variable := v.get("ENDPOINT")
	if value == "" {
		return defaultURL, nil
	}

	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%s is no URL such as http://localhost:4318", variable)
	}

	if variable == "OTEL_EXPORTER_OTLP_ENDPOINT" {
		u = u.JoinPath("v1", "traces")
	}
	return u.String(), nil
}

// headers reads a list such as api-key=a%20b,team=maps.
func (v variables) headers() (http.Header, error) {
	headers := make(http.Header)
	value, variable := v.get("HEADERS")
	for i, pair := range strings.Split(value, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}

		name, text, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		text, err := url.PathUnescape(strings.TrimSpace(text))
		if !ok || err != nil || name == "" || strings.ContainsAny(name, " \t:\r\n") || strings.ContainsAny(text, "\r\n\x00") {
			return nil, fmt.Errorf("%s: header %d of it is not of the form NAME=VALUE, with what is special written as %%XX", variable, i+1)
		}

		headers.Set(name, text)
	}

	return headers, nil
}

// tls reads the certificates; none are an answer, too.
func (v variables) tls() (*tls.Config, error) {
	c := new(tls.Config)
	authority, variable := v.get("CERTIFICATE")
	if authority != "" {
		pem, err := os.ReadFile(authority)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate of %s: %w", variable, err)
		}

		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %s holds no certificate", variable, authority)
		}
	}

	certificate, variable := v.get("CLIENT_CERTIFICATE")
	key, keyVariable := v.get("CLIENT_KEY")
	switch {
	case certificate == "" && key == "" && authority == "":
		return nil, nil
	case certificate == "" && key == "":
		return c, nil
	case certificate == "" || key == "":
		return nil, fmt.Errorf("%s%s is set alone: a client has a certificate and a key, of CLIENT_CERTIFICATE and CLIENT_KEY", variable, keyVariable)
	}

	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of %s and the key of %s: %w", variable, keyVariable, err)
	}

	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

package loader

// Fingerprint returns the fingerprint of a planned job, as the ledger has it.
func Fingerprint(p *Plan) string { return p.Job.fingerprint(p.Cells) }

// ReadyArea gives an area the polygons that the ledger has beside its job.
func ReadyArea(a *Area, ewkb []byte) error { return a.unmarshal(ewkb) }

package serverfacts

// Provider is a provider of managed servers, where no user is a superuser.
type Provider struct {
	Name string
	// Where says how its customers change a setting of the server.
	Where string
}

// providerOf identifies a provider by a role that its servers have.
func providerOf(role string) Provider {
	switch role {
	case "rds_superuser":
		return Provider{"Amazon RDS or Aurora", "change it in the DB parameter group"}
	case "cloudsqlsuperuser":
		return Provider{"Google Cloud SQL", "change it in the database flags of the instance"}
	case "alloydbsuperuser":
		return Provider{"Google AlloyDB", "change it in the database flags of the instance"}
	case "azure_pg_admin":
		return Provider{"Azure Database for PostgreSQL", "change it in the server parameters"}
	}

	return Provider{}
}

// providerRoles are the roles that providerOf knows.
func providerRoles() []string {
	return []string{"rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser", "azure_pg_admin"}
}

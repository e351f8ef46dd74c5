package pg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// imposedRoleSQL finds out whether settings of the database give all of its sessions another role, and whether
// somebody who is not trusted made them: the owner of a database can. Objects that such a session creates belong
// to that role, whose triggers can get the rights of $1 back with reset role. Superusers, $1 itself, and the
// roles that it is a member of are trusted. pg_has_role returns true for a superuser.
const imposedRoleSQL = `
	with recursive mine (role) as (
		select oid from pg_roles where rolname = $1
		union select m.roleid from pg_auth_members m join mine on m.member = mine.role)
	select d.datname, o.rolname, quote_ident(d.datname)
	from pg_database d join pg_roles o on o.oid = d.datdba
	where d.datname = current_database() and not o.rolsuper and o.oid not in (select role from mine)
	  and exists (select from pg_db_role_setting s, unnest(s.setconfig) c (setting)
	              where s.setdatabase = d.oid and s.setrole = 0 and lower(split_part(setting, '=', 1)) in ('role', 'session_authorization'))`

// refuseImposedRole refuses a session whose role the database's owner has set.
func refuseImposedRole(ctx context.Context, conn *pgx.Conn) error {
	var database, owner, quoted string
	err := conn.QueryRow(ctx, imposedRoleSQL, pgx.QueryExecModeExec, conn.Config().User).Scan(&database, &owner, &quoted)

	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}

	return &ServerError{Doing: "checking the session",
		Err:    errors.New("database " + database + " sets another role for its sessions, and role " + owner + ", who owns it, could run code with the rights of this one"),
		Advice: "run 'alter database " + quoted + " reset role', and the same of session_authorization"}
}

"""That no agency can see another's rows: role names, the check of a login, the lint of a live catalogue.

Owns what is looked for. Leaves making to the migrations: ``migrations.schema`` writes policies and grants,
``migrations.roles`` makes the roles. The reasons behind each finding: ``docs/howto/migrate.md``.
"""

from __future__ import annotations

import psycopg
from attrs import frozen

from pms_adapters.postgres.tables import GLOBAL_TABLES

__all__ = [
    "APP_ROLE",
    "BACKUP_ROLE",
    "OWNER_ROLE",
    "RELAY_ROLE",
    "ROLES",
    "Finding",
    "lint_catalogue",
    "unsafe_role",
]

OWNER_ROLE = "pms_owner"
APP_ROLE = "pms_app"
RELAY_ROLE = "pms_relay"
BACKUP_ROLE = "pms_backup"
ROLES = (OWNER_ROLE, APP_ROLE, RELAY_ROLE, BACKUP_ROLE)

_Connection = psycopg.Connection[tuple[object, ...]]


@frozen
class Finding:
    """One breach of the rules: ``code`` names the rule, ``subject`` the table, constraint, function or role."""

    code: str
    subject: str


def unsafe_role(connection: _Connection) -> str | None:
    """Return why the role of this connection must not serve requests, or None if it may.

    One of ``superuser``, ``bypassrls`` and ``owner`` (it owns tables, or can become the role that does).
    """
    row = connection.execute(_UNSAFE_ROLE).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def lint_catalogue(connection: _Connection) -> tuple[Finding, ...]:
    """Return every breach of the tenancy rules in the database, sorted; an empty answer is a clean bill.

    Any role may ask. Objects of extensions are left alone: they are not ours.
    """
    subjects = {
        "global_tables": sorted(GLOBAL_TABLES),
        "open_tables": sorted(GLOBAL_TABLES - {"agencies"}),  # an agency sees of the agencies only itself
        "roles": list(ROLES),
    }
    return tuple(
        sorted(
            {
                Finding(code, str(subject))
                for code, query in _RULES.items()
                for (subject,) in connection.execute(query, subjects)
            },
            key=lambda finding: (finding.code, finding.subject),
        )
    )


_UNSAFE_ROLE = f"""
SELECT CASE WHEN r.rolsuper THEN 'superuser'
            WHEN r.rolbypassrls THEN 'bypassrls'
            WHEN EXISTS (SELECT FROM pg_roles o WHERE o.rolname = '{OWNER_ROLE}' AND pg_has_role(o.oid, 'MEMBER'))
              OR EXISTS (SELECT FROM pg_class c
                          WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text !~ '^pg_temp'
                            AND pg_has_role(c.relowner, 'MEMBER'))
            THEN 'owner' END
  FROM pg_roles r WHERE r.rolname = current_user
"""

_OURS = """
  c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND c.relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = c.oid AND x.deptype = 'e')
"""
_TABLES = f"SELECT c.* FROM pg_class c WHERE c.relkind IN ('r', 'p') AND {_OURS}"
_TENANT_TABLES = f"{_TABLES} AND c.relname <> ALL (%(global_tables)s)"
_GUARDED_TABLES = f"{_TABLES} AND c.relname <> ALL (%(open_tables)s)"
_FIRST_COLUMN = "(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = {table} AND a.attnum = {number})"

_RULES: dict[str, str] = {
    "table_without_agency": f"""
        SELECT t.relname FROM ({_TENANT_TABLES}) t
         WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'agency_id'
                              AND a.attnotnull AND a.atttypid = 'uuid'::regtype)""",
    "table_not_enabled": f"SELECT t.relname FROM ({_GUARDED_TABLES}) t WHERE NOT t.relrowsecurity",
    "table_not_forced": f"SELECT t.relname FROM ({_GUARDED_TABLES}) t WHERE NOT t.relforcerowsecurity",
    "policy_missing": f"""
        SELECT t.relname FROM ({_GUARDED_TABLES}) t
         WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polcmd = '*' AND p.polpermissive)""",
    # Two permissive policies are joined by OR, so every one of them has to be as narrow as the first.
    "policy_wrong": f"""
        SELECT t.relname || '.' || p.polname FROM ({_TABLES}) t JOIN pg_policy p ON p.polrelid = t.oid
         WHERE p.polpermissive
           AND (pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) IS DISTINCT FROM
               ({{own_rows}}, {{own_rows}})""".format(
        own_rows="$$(agency_id = (NULLIF(current_setting('app.agency_id'::text, true), ''::text))::uuid)$$"
    ),
    "key_without_agency": f"""
        SELECT t.relname || '.' || i.indexrelid::regclass::text FROM ({_TENANT_TABLES}) t
          JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
         WHERE {_FIRST_COLUMN.format(table="t.oid", number="i.indkey[0]")} IS DISTINCT FROM 'agency_id'""",
    "table_without_key": f"""
        SELECT t.relname FROM ({_TENANT_TABLES}) t
         WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)""",
    "foreign_key_without_agency": f"""
        SELECT t.relname || '.' || f.conname FROM ({_TABLES}) t
          JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f'
         WHERE {_FIRST_COLUMN.format(table="f.conrelid", number="f.conkey[1]")} IS DISTINCT FROM 'agency_id'
            OR {_FIRST_COLUMN.format(table="f.confrelid", number="f.confkey[1]")} IS DISTINCT FROM 'agency_id'""",
    "view_without_invoker": f"""
        SELECT c.relname FROM pg_class c
         WHERE c.relkind = 'v' AND {_OURS}
           AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on',
                                                  'security_invoker=1', 'security_invoker=yes'], false)""",
    "materialised_view": f"SELECT c.relname FROM pg_class c WHERE c.relkind = 'm' AND {_OURS}",
    "definer_function": """
        SELECT p.oid::regprocedure::text FROM pg_proc p
         WHERE p.prosecdef
           AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
           AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e')""",
    "owner_above_policies": f"""
        SELECT t.relname FROM ({_TABLES}) t JOIN pg_roles r ON r.oid = t.relowner
         WHERE r.rolsuper OR r.rolbypassrls""",
    "owner_can_log_in": f"SELECT rolname FROM pg_roles WHERE rolname = '{OWNER_ROLE}' AND rolcanlogin",
    "role_missing": "SELECT name FROM unnest(%(roles)s::text[]) name WHERE name NOT IN (SELECT rolname FROM pg_roles)",
    "role_above_policies": f"""
        SELECT rolname FROM pg_roles
         WHERE rolname = ANY(%(roles)s) AND (rolsuper OR (rolbypassrls AND rolname <> '{BACKUP_ROLE}'))""",
    "role_owns_table": f"""
        SELECT r.rolname FROM ({_TABLES}) t JOIN pg_roles r ON r.oid = t.relowner
         WHERE r.rolname = ANY(%(roles)s) AND r.rolname <> '{OWNER_ROLE}'""",
    "role_can_become_owner": f"""
        SELECT r.rolname FROM pg_roles r
         WHERE r.rolname = ANY(%(roles)s) AND r.rolname <> '{OWNER_ROLE}' AND NOT r.rolsuper
           AND EXISTS (SELECT FROM pg_roles o WHERE o.rolname = '{OWNER_ROLE}' AND pg_has_role(r.oid, o.oid, 'MEMBER'))""",
    # TRUNCATE and the right to make triggers or references go around the policies.
    "grant_too_wide": f"""
        SELECT t.relname || ': ' || g.privilege_type || ' to ' || coalesce(r.rolname, 'PUBLIC')
          FROM ({_TABLES}) t CROSS JOIN LATERAL aclexplode(t.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
         WHERE g.grantee <> t.relowner
           AND (g.grantee = 0 OR g.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
                OR (r.rolname = '{BACKUP_ROLE}' AND g.privilege_type <> 'SELECT'))""",
    "history_can_be_changed": f"""
        SELECT t.relname || ': ' || g.privilege_type
          FROM ({_TABLES}) t CROSS JOIN LATERAL aclexplode(t.relacl) g
         WHERE t.relname IN ('events', 'audit_seals') AND g.grantee <> t.relowner
           AND g.privilege_type NOT IN ('SELECT', 'INSERT')""",
    # A partition read directly is not guarded by its parent's policy.
    "grant_on_partition": f"""
        SELECT t.relname FROM ({_TABLES}) t CROSS JOIN LATERAL aclexplode(t.relacl) g
         WHERE t.relispartition AND g.grantee <> t.relowner""",
}

-- audit_catalogue.sql - schema zz as lines of text, sorted bytewise: what audit_schema.txt must hold (zz-audit --schema).
-- Compiled into zz-audit. Objects of other schemas do not concern it.
WITH rel AS (SELECT c.* FROM pg_class c WHERE c.relnamespace = 'zz'::regnamespace),
grants (what, name, acl, owner) AS (
	SELECT 'schema', n.nspname::text, n.nspacl, n.nspowner FROM pg_namespace n WHERE n.nspname = 'zz'
	UNION ALL SELECT 'table', r.relname, r.relacl, r.relowner FROM rel r
	UNION ALL SELECT 'column', r.relname || '.' || b.attname, b.attacl, r.relowner
		FROM rel r JOIN pg_attribute b ON b.attrelid = r.oid
	UNION ALL SELECT 'function', f.proname, coalesce(f.proacl, acldefault('f', f.proowner)), f.proowner
		FROM pg_proc f WHERE f.pronamespace = 'zz'::regnamespace
	UNION ALL SELECT 'database', 'zz', coalesce(d.datacl, acldefault('d', d.datdba)), d.datdba
		FROM pg_database d WHERE d.datname = current_database()
)
SELECT line::text FROM (
	SELECT 'schema zz owner ' || pg_get_userbyid(n.nspowner) AS line FROM pg_namespace n WHERE n.nspname = 'zz'
	UNION ALL
	SELECT 'database owner ' || pg_get_userbyid(d.datdba) FROM pg_database d WHERE d.datname = current_database()
	UNION ALL
	SELECT 'relation zz.' || r.relname || ' kind ' || r.relkind::text || ' owner ' || pg_get_userbyid(r.relowner)
		|| ' persistence ' || r.relpersistence::text || ' rowsecurity ' || r.relrowsecurity || ' ' || r.relforcerowsecurity
	FROM rel r WHERE r.relkind NOT IN ('i', 't')
	UNION ALL
	SELECT 'column zz.' || r.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
		|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
		|| ' identity ' || coalesce(nullif(a.attidentity::text, ''), '-')
		|| ' generated ' || coalesce(nullif(a.attgenerated::text, ''), '-')
		|| ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-')
	FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT 'constraint zz.' || r.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid)
		|| CASE WHEN k.convalidated THEN '' ELSE ' unproved' END
	FROM rel r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
	UNION ALL
	SELECT 'index ' || pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' broken' END
	FROM rel r JOIN pg_index i ON i.indrelid = r.oid
	UNION ALL
	SELECT 'trigger zz.' || r.relname || '.' || t.tgname || ' enabled ' || t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
	FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
	UNION ALL
	SELECT 'trigger of a foreign key on zz.' || r.relname || ' enabled ' || t.tgenabled::text
	FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE t.tgisinternal AND t.tgenabled <> 'O'
	UNION ALL
	SELECT 'rule zz.' || r.relname || '.' || w.rulename FROM rel r JOIN pg_rewrite w ON w.ev_class = r.oid
	UNION ALL
	SELECT 'policy zz.' || r.relname || '.' || p.polname FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
	UNION ALL
	SELECT 'inherits zz.' || r.relname FROM rel r JOIN pg_inherits h ON r.oid IN (h.inhrelid, h.inhparent)
	WHERE r.relkind <> 'i'
	UNION ALL
	SELECT 'event trigger ' || e.evtname FROM pg_event_trigger e
	UNION ALL
	SELECT 'function zz.' || f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ') owner '
		|| pg_get_userbyid(f.proowner) || ' language ' || l.lanname || ' definer ' || f.prosecdef
		|| ' settings ' || coalesce(f.proconfig::text, '-')
		|| ' sha256 ' || encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex')
	FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang WHERE f.pronamespace = 'zz'::regnamespace
	UNION ALL
	SELECT 'grant ' || s.what || ' ' || s.name || ' to '
		|| CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END || ' ' || g.privilege_type
		|| CASE WHEN g.is_grantable THEN ' grantable' ELSE '' END
	FROM grants s CROSS JOIN LATERAL aclexplode(s.acl) g WHERE g.grantee <> s.owner
	UNION ALL
	SELECT 'role ' || r.rolname || ' super ' || r.rolsuper || ' createrole ' || r.rolcreaterole
		|| ' createdb ' || r.rolcreatedb || ' replication ' || r.rolreplication || ' bypassrls ' || r.rolbypassrls
	FROM pg_roles r WHERE r.rolname LIKE 'zz\_%'
	UNION ALL
	SELECT 'member ' || pg_get_userbyid(m.member) || ' of ' || pg_get_userbyid(m.roleid) FROM pg_auth_members m
	WHERE pg_get_userbyid(m.member) LIKE 'zz\_%' OR pg_get_userbyid(m.roleid) LIKE 'zz\_%'
	UNION ALL
	SELECT 'setting of role ' || CASE s.setrole WHEN 0 THEN 'any' ELSE pg_get_userbyid(s.setrole) END
		|| ' ' || s.setconfig::text
	FROM pg_db_role_setting s
	WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
	UNION ALL
	SELECT 'zz migration ' || m.version || ' ' || m.name || ' ' || encode(m.sha256, 'hex') FROM zz.schema_migration m
) x ORDER BY line COLLATE "C"

-- 0003_grants.sql - who may do what: append-only by privilege first. The roles are made by the operator (tools/up).
-- Nobody has DELETE or TRUNCATE; UPDATE is granted on three columns only.

DO $$
BEGIN
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO zz_issuer, zz_publish, zz_admin, zz_audit', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA zz FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA zz FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA zz FROM PUBLIC;
GRANT USAGE ON SCHEMA zz TO zz_issuer, zz_publish, zz_admin, zz_audit;

GRANT SELECT ON ALL TABLES IN SCHEMA zz TO zz_issuer, zz_admin, zz_audit;
GRANT SELECT ON zz.schema_migration, zz.log_head, zz.log_entry, zz.certificate, zz.certificate_event, zz.log_pending,
	zz.log_pending_done, zz.log_pending_void, zz.publication, zz.manifest, zz.roster TO zz_publish;

-- issuerd: issues, never publishes. A certificate begins valid: status is left to its default.
GRANT INSERT ON zz.request, zz.request_event, zz.approval, zz.log_entry, zz.certificate_event, zz.log_pending_done,
	zz.log_pending_void TO zz_issuer;
GRANT INSERT (idx, serial, request, seat, holder_key, item, center, list, list_idx, exp, record), UPDATE (status)
	ON zz.certificate TO zz_issuer, zz_admin;
GRANT UPDATE (size, time) ON zz.log_head TO zz_issuer, zz_admin;

-- issuer-publish: publishes, never issues
GRANT INSERT ON zz.publication, zz.log_pending, zz.log_pending_void TO zz_publish;

-- zz-admin: rosters and manifests; recovery from the signer's journal
GRANT INSERT ON zz.roster, zz.manifest, zz.log_pending, zz.log_entry, zz.certificate_event, zz.log_pending_done
	TO zz_admin;
